//! What the flows of a person share: `oauth2` over our own transport and
//! clock, and renewing from the refresh token.

use std::sync::Arc;

use bytes::Bytes;
use oauth2::basic::{BasicClient, BasicTokenResponse};
use oauth2::{
    AsyncHttpClient, AuthType, AuthUrl, ClientId, DeviceAuthorizationUrl, EndpointNotSet,
    EndpointSet, HttpRequest, HttpResponse, RefreshToken, Scope, TokenResponse as _, TokenUrl,
};
use secrecy::{ExposeSecret as _, SecretString};

use super::token::Fetched;
use super::wire::Wire;
use super::{claims, endpoint};
use crate::call::SIGN_IN;
use crate::edge::{BoxFuture, TransportError};
use crate::error::{Kind, TenantError};
use crate::profile::Profile;

/// The library's client with the three endpoints that the flows use.
pub(super) type Client =
    BasicClient<EndpointSet, EndpointSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

/// One conversation of the library with the token service. It owns all that it
/// uses, so that it may move between threads; what failed is seen on the wire.
pub(super) type Asking<T> = BoxFuture<'static, Option<T>>;

/// What a person's flow ends with: a token, and a refresh token.
pub(super) type Granted = (Fetched, Option<SecretString>);

/// A client of one tenant's authority.
pub(super) fn client(profile: &Profile, tenant: &str) -> Result<Client, TenantError> {
    let bad = |_| {
        TenantError::new(
            Kind::BadInput,
            &SIGN_IN,
            tenant,
            "the tenant id cannot be part of an address",
        )
    };
    let at = |what: &str| endpoint(profile, tenant, what);
    Ok(BasicClient::new(ClientId::new(profile.client_id.clone()))
        .set_auth_type(AuthType::RequestBody)
        .set_auth_uri(AuthUrl::new(at("authorize")).map_err(bad)?)
        .set_device_authorization_url(DeviceAuthorizationUrl::new(at("devicecode")).map_err(bad)?)
        .set_token_uri(TokenUrl::new(at("token")).map_err(bad)?))
}

/// The service's default scope, and a refresh token for the other services.
/// Nothing about the person is asked for: the access token says enough.
pub(super) fn scopes(scope: &str) -> [Scope; 2] {
    [scope, "offline_access"].map(|scope| Scope::new(scope.to_owned()))
}

/// Gets a token of the profile's tenant from the refresh token: for another
/// service, for a customer's tenant, or a new one for the same.
pub(super) async fn refresh(
    profile: &Profile,
    refresh: &SecretString,
    scope: &str,
    asked: Option<&str>,
    wire: Arc<Wire>,
) -> Result<Granted, TenantError> {
    let client = client(profile, &profile.tenant_id)?;
    let refresh = RefreshToken::new(refresh.expose_secret().to_owned());
    let scopes = scopes(scope);
    let claims = claims::of_a_person(asked);
    let asker = Arc::clone(&wire);
    let asking: Asking<BasicTokenResponse> = Box::pin(async move {
        let http = Http(Arc::clone(&asker));
        let request = client.exchange_refresh_token(&refresh).add_scopes(scopes);
        let request = request.add_extra_param("claims", claims);
        request.request_async(&http).await.ok()
    });
    let token = asking.await;
    granted(&profile.tenant_id, &wire, token)
}

/// What the answer holds, or what went wrong instead.
pub(super) fn granted(
    tenant: &str,
    wire: &Wire,
    token: Option<BasicTokenResponse>,
) -> Result<Granted, TenantError> {
    let token = token.ok_or_else(|| wire.error(tenant))?;
    let expires_in = token.expires_in().ok_or_else(|| wire.error(tenant))?;
    Ok((
        Fetched {
            token: token.access_token().secret().clone().into(),
            expires_in,
        },
        token
            .refresh_token()
            .map(|token| token.secret().clone().into()),
    ))
}

/// The library's idea of an HTTP client. A closure would do for the library,
/// but not for the compiler, which must know that its future may move between threads.
pub(super) struct Http(pub(super) Arc<Wire>);

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = TransportError;
    type Future = BoxFuture<'c, Result<HttpResponse, TransportError>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        let sending = Arc::clone(&self.0).send(request.map(Bytes::from));
        Box::pin(async move { Ok(sending.await?.map(|body| body.to_vec())) })
    }
}
