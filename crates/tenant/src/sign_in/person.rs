//! Signing in as a person: their session, and what their flows share, which is
//! `oauth2` over our own transport and clock, and renewing from the refresh token.

use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use oauth2::basic::{BasicClient, BasicTokenResponse};
use oauth2::{
    AsyncHttpClient, AuthType, AuthUrl, ClientId, DeviceAuthorizationUrl, EndpointNotSet,
    EndpointSet, HttpRequest, HttpResponse, RefreshToken, Scope, TokenResponse as _, TokenUrl,
};
use secrecy::{ExposeSecret as _, SecretString};

use super::token::{Fetched, cut};
use super::wire::Wire;
use super::{DeviceCodePrompt, SignIn, browser, claims, device_code, endpoint, given};
use crate::call::{SIGN_IN, Service};
use crate::edge::{BoxFuture, TransportError};
use crate::error::{Kind, SignInProblem, TenantError};
use crate::profile::Profile;

/// The library's client with the three endpoints that the flows use.
pub(super) type Client =
    BasicClient<EndpointSet, EndpointSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

/// One conversation of the library with the token service. It owns all that it
/// uses, so that it may move between threads; what failed is seen on the wire.
pub(super) type Asking<T> = BoxFuture<'static, Option<T>>;

/// What a person's flow ends with: a token, and a refresh token.
pub(super) type Granted = (Fetched, Option<SecretString>);

impl SignIn {
    /// A token from the person's session.
    pub(super) async fn renew(
        &self,
        scope: &str,
        claims: Option<&str>,
    ) -> Result<Fetched, TenantError> {
        let Some(kept) = self.session.token() else {
            return Err(TenantError::new(
                Kind::Unauthenticated,
                &SIGN_IN,
                &self.profile.tenant_id,
                "nobody has signed in",
            ));
        };
        let wire = self.wire();
        let outcome = refresh(&self.profile, &kept, scope, claims, Arc::clone(&wire)).await;
        self.note_skew(&wire);
        let scrub = |text: &str| cut(text, kept.expose_secret(), "<refresh token>");
        match outcome {
            Ok((fetched, next)) => {
                if let Some(next) = next {
                    self.session.keep(next);
                }
                Ok(fetched)
            }
            Err(error) => {
                if error.kind == Kind::SignIn(SignInProblem::SessionEnded) {
                    self.session.forget();
                }
                let said = wire.seen().refusal.and_then(|refusal| refusal.claims);
                if let Some(claims) = said.or_else(|| claims.map(str::to_owned)) {
                    *self
                        .pending_claims
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner) = Some(claims);
                }
                Err(error.scrubbed(scrub))
            }
        }
    }

    /// Whether tokens can be had without a person now. A session that has
    /// ended is forgotten, also in the keyring.
    pub(crate) async fn resume(&self) -> Result<bool, TenantError> {
        if self.profile.credential.is_person() && self.session.token().is_none() {
            return Ok(false);
        }
        match self.token(Service::Graph).await {
            Ok(_) => Ok(true),
            Err(error) if self.profile.credential.is_person() && error.needs_a_person() => {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Asks for a code that a person enters in a browser.
    pub(crate) async fn begin_device_code(&self) -> Result<DeviceCodePrompt, TenantError> {
        let wire = self.wire();
        let outcome =
            device_code::begin(&self.profile, &self.first_scope()?, Arc::clone(&wire)).await;
        self.note_skew(&wire);
        outcome
    }

    /// Waits until the person has entered the code.
    pub(crate) async fn finish_device_code(
        &self,
        prompt: &DeviceCodePrompt,
    ) -> Result<(), TenantError> {
        let claims = self.pending_claims();
        let wire = self.wire();
        let granted =
            device_code::finish(&self.profile, prompt, claims.as_deref(), Arc::clone(&wire)).await;
        self.signed_in(&wire, granted).await
    }

    /// Lets a person sign in in a browser on this machine.
    pub(crate) async fn in_browser(&self) -> Result<(), TenantError> {
        let browser = given(self.means.browser.as_deref(), "opens no browser", self)?;
        let entropy = given(self.means.entropy.as_deref(), "has no random numbers", self)?;
        let claims = self.pending_claims();
        let wire = self.wire();
        let granted = browser::sign_in(
            &self.profile,
            &self.first_scope()?,
            claims.as_deref(),
            browser,
            entropy,
            Arc::clone(&wire),
        )
        .await;
        self.signed_in(&wire, granted).await
    }

    /// The person is there: their session, and the first token with it.
    async fn signed_in(
        &self,
        wire: &Wire,
        granted: Result<Granted, TenantError>,
    ) -> Result<(), TenantError> {
        self.note_skew(wire);
        let (fetched, refresh) = granted?;
        *self
            .pending_claims
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = None;
        let Some(refresh) = refresh else {
            return Err(self.bad("the token service gave no refresh token"));
        };
        // At home the first token serves; a customer's comes with the first call.
        if self.profile.home_tenant_id.is_none() {
            let fetched = self.check_tenant(fetched)?;
            let mut slot = self.graph.lock().await;
            self.keep(&mut slot, fetched);
        }
        self.session.keep(refresh);
        Ok(())
    }

    fn first_scope(&self) -> Result<String, TenantError> {
        let scope = self.profile.endpoints.scope(Service::Graph);
        scope.ok_or_else(|| self.bad("this cloud has no Graph"))
    }

    fn pending_claims(&self) -> Option<String> {
        self.pending_claims
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

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
