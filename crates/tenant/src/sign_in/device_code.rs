//! Device code: `oauth2` over our own transport and clock.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use oauth2::basic::{BasicClient, BasicTokenResponse};
use oauth2::{
    AsyncHttpClient, AuthType, ClientId, DeviceAuthorizationUrl, EndpointNotSet, EndpointSet,
    HttpRequest, HttpResponse, RefreshToken, Scope, StandardDeviceAuthorizationResponse,
    TokenResponse as _, TokenUrl,
};
use secrecy::{ExposeSecret as _, SecretString};

use super::{Fetched, Seen, TRY_LIMIT};
use crate::call::{SIGN_IN, Service};
use crate::edge::{BoxFuture, Clock, Transport, TransportError, TransportErrorKind};
use crate::error::{Kind, TenantError};
use crate::profile::Profile;
use crate::send::within;

type Client = BasicClient<EndpointNotSet, EndpointSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

/// What to show to the person who signs in. The device code itself stays inside.
pub struct DeviceCodePrompt {
    /// The code to enter.
    pub user_code: String,
    /// Where to enter it.
    pub verification_uri: String,
    /// Until when.
    pub expires_at: Timestamp,
    details: StandardDeviceAuthorizationResponse,
}

impl fmt::Debug for DeviceCodePrompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceCodePrompt")
            .field("user_code", &self.user_code)
            .field("verification_uri", &self.verification_uri)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// Asks for a code.
pub(super) async fn begin(
    profile: &Profile,
    wire: Arc<Wire>,
) -> Result<DeviceCodePrompt, TenantError> {
    let client = client(profile)?;
    let scopes = scopes(profile, Service::Graph);
    let asker = Arc::clone(&wire);
    let asking: Asking<StandardDeviceAuthorizationResponse> = Box::pin(async move {
        let http = Http(Arc::clone(&asker));
        let request = client.exchange_device_code().add_scopes(scopes);
        request.request_async(&http).await.ok()
    });
    let details = asking.await.ok_or_else(|| wire.error(profile))?;
    let life = SignedDuration::try_from(details.expires_in()).unwrap_or(SignedDuration::ZERO);
    Ok(DeviceCodePrompt {
        user_code: crate::escape::message(details.user_code().secret()),
        verification_uri: crate::escape::message(details.verification_uri().as_str()),
        expires_at: wire
            .clock
            .now()
            .saturating_add(life)
            .unwrap_or(Timestamp::MAX),
        details,
    })
}

/// Polls until the code is entered, declined or too old.
pub(super) async fn finish(
    profile: &Profile,
    prompt: &DeviceCodePrompt,
    wire: Arc<Wire>,
) -> Result<(Fetched, Option<SecretString>), TenantError> {
    let client = client(profile)?;
    let life = prompt.expires_at.duration_since(wire.clock.now());
    let life = Duration::try_from(life).unwrap_or_default();
    let details = prompt.details.clone();
    let asker = Arc::clone(&wire);
    let asking: Asking<BasicTokenResponse> = Box::pin(async move {
        let http = Http(Arc::clone(&asker));
        let time = Arc::clone(&asker.clock);
        client
            .exchange_device_access_token(&details)
            .set_time_fn(move || SystemTime::from(time.now()).into())
            .request_async(&http, |wait| Arc::clone(&asker).sleep(wait), Some(life))
            .await
            .ok()
    });
    let token = asking.await.ok_or_else(|| wire.error(profile))?;
    fetched(profile, &wire, &token)
}

/// Gets a token for another service, or a new one for the same, from the refresh token.
pub(super) async fn refresh(
    profile: &Profile,
    refresh: &SecretString,
    scope: &str,
    claims: Option<&str>,
    wire: Arc<Wire>,
) -> Result<(Fetched, Option<SecretString>), TenantError> {
    let client = client(profile)?;
    let refresh = RefreshToken::new(refresh.expose_secret().to_owned());
    let scopes = [scope, "offline_access"].map(|scope| Scope::new(scope.to_owned()));
    let claims = claims.map(str::to_owned);
    let asker = Arc::clone(&wire);
    let asking: Asking<BasicTokenResponse> = Box::pin(async move {
        let http = Http(Arc::clone(&asker));
        let mut request = client.exchange_refresh_token(&refresh).add_scopes(scopes);
        if let Some(claims) = claims {
            request = request.add_extra_param("claims", claims);
        }
        request.request_async(&http).await.ok()
    });
    let token = asking.await.ok_or_else(|| wire.error(profile))?;
    fetched(profile, &wire, &token)
}

/// One conversation of the library with the token service. It owns all that it
/// uses, so that it may move between threads; what failed is seen on the wire.
type Asking<T> = BoxFuture<'static, Option<T>>;

fn fetched(
    profile: &Profile,
    wire: &Wire,
    token: &BasicTokenResponse,
) -> Result<(Fetched, Option<SecretString>), TenantError> {
    let expires_in = token.expires_in().ok_or_else(|| wire.error(profile))?;
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

fn client(profile: &Profile) -> Result<Client, TenantError> {
    let bad = |_| {
        TenantError::new(
            Kind::BadInput,
            &SIGN_IN,
            &profile.tenant_id,
            "the tenant id cannot be part of an address",
        )
    };
    let tenant = crate::escape::path_segment(&profile.tenant_id).unwrap_or_default();
    let origin = profile.endpoints.authority.origin().ascii_serialization();
    let devices = DeviceAuthorizationUrl::new(format!("{origin}/{tenant}/oauth2/v2.0/devicecode"));
    let tokens = TokenUrl::new(format!("{origin}/{tenant}/oauth2/v2.0/token"));
    Ok(BasicClient::new(ClientId::new(profile.client_id.clone()))
        .set_auth_type(AuthType::RequestBody)
        .set_device_authorization_url(devices.map_err(bad)?)
        .set_token_uri(tokens.map_err(bad)?))
}

/// The service's default scope, and a refresh token for the other services.
fn scopes(profile: &Profile, service: Service) -> Vec<Scope> {
    profile
        .endpoints
        .scope(service)
        .into_iter()
        .chain(["offline_access".to_owned()])
        .map(Scope::new)
        .collect()
}

/// Lets the library speak through our transport and notes what it does not pass on.
pub(super) struct Wire {
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    seen: Mutex<Seen>,
}

impl Wire {
    pub(super) fn new(transport: &Arc<dyn Transport>, clock: &Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self {
            transport: Arc::clone(transport),
            clock: Arc::clone(clock),
            seen: Mutex::default(),
        })
    }

    /// Sends with a limit of its own, so that one answer that never comes does not stop the polling.
    fn send(
        self: Arc<Self>,
        request: HttpRequest,
    ) -> BoxFuture<'static, Result<HttpResponse, TransportError>> {
        Box::pin(async move {
            let sending = self.transport.send(request.map(Bytes::from));
            let outcome = within(&*self.clock, TRY_LIMIT, sending)
                .await
                .unwrap_or_else(|| {
                    Err(TransportError::new(
                        TransportErrorKind::Timeout,
                        "the token service did not answer",
                    ))
                });
            let seen = match &outcome {
                Ok(response) => Seen::of(response, self.clock.now()),
                Err(failure) => Seen {
                    failure: Some(failure.clone()),
                    ..Seen::default()
                },
            };
            *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = seen;
            Ok(outcome?.map(|body| body.to_vec()))
        })
    }

    /// Waits on the clock that was passed in.
    fn sleep(self: Arc<Self>, wait: Duration) -> BoxFuture<'static, ()> {
        Box::pin(async move { self.clock.sleep(wait).await })
    }

    fn error(&self, profile: &Profile) -> TenantError {
        std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner))
            .into_error(&profile.tenant_id)
    }
}

/// The library's idea of an HTTP client. A closure would do for the library,
/// but not for the compiler, which must know that its future may move between threads.
struct Http(Arc<Wire>);

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = TransportError;
    type Future = BoxFuture<'c, Result<HttpResponse, TransportError>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Arc::clone(&self.0).send(request)
    }
}
