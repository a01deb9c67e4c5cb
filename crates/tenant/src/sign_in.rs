//! Getting, keeping and renewing access tokens.
//!
//! The flows themselves are those of `azure_identity` (client secret) and
//! `oauth2` (device code), both over our own [`Transport`]. Tokens live in
//! memory only, one per service, and end by our own clock: what counts is the
//! `expires_in` of the answer, not the operating system's time.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use futures_util::lock::Mutex as AsyncMutex;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::call::{CallSpec, SIGN_IN, Service};
use crate::edge::{Clock, Transport};
use crate::error::{Kind, TenantError};
use crate::profile::{Credential, Profile};
use crate::send::backoff;

mod client_secret;
mod device_code;

pub use device_code::DeviceCodePrompt;

/// A token is renewed this long before its end.
const MARGIN: Duration = Duration::from_mins(5);

/// How often the token service is asked, and how long each time.
const TRIES: u32 = 3;
const TRY_LIMIT: Duration = Duration::from_secs(10);

/// Tokens of one profile.
pub(crate) struct SignIn {
    profile: Profile,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    graph: AsyncMutex<Slot>,
    exchange: AsyncMutex<Slot>,
    activity: AsyncMutex<Slot>,
    /// The person's refresh token, once they entered the code.
    refresh: Mutex<Option<SecretString>>,
}

/// One service's token. Asking for it holds the slot, so that a snapshot's
/// many reads wait for one token instead of fetching one each.
#[derive(Default)]
struct Slot {
    token: Option<Token>,
    until: Timestamp,
    /// What the last refusal wants the next token to satisfy.
    claims: Option<String>,
    number: u64,
}

/// An access token that cannot be printed.
#[derive(Clone)]
pub(crate) struct Token {
    secret: Arc<SecretString>,
    number: u64,
}

impl Token {
    pub(crate) fn secret(&self) -> &SecretString {
        &self.secret
    }

    pub(crate) fn scrub(&self, text: &str) -> String {
        cut(text, self.secret.expose_secret(), "<token>")
    }

    pub(crate) fn scrub_bytes(&self, body: Bytes) -> Bytes {
        let secret = self.secret.expose_secret();
        let text = String::from_utf8_lossy(&body);
        if !secret.is_empty() && text.contains(secret) {
            Bytes::from(text.replace(secret, "<token>"))
        } else {
            body
        }
    }
}

/// `text` without `secret`. Nothing is not a secret: it stands between any two letters.
pub(crate) fn cut(text: &str, secret: &str, instead: &str) -> String {
    if secret.is_empty() {
        text.to_owned()
    } else {
        text.replace(secret, instead)
    }
}

/// A token fresh from the token service.
struct Fetched {
    token: SecretString,
    expires_in: Duration,
}

/// What an access token says about itself. Microsoft calls tokens opaque, so
/// this is a help for a preflight and never a proof.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct TokenFacts {
    /// Tenant id.
    #[serde(default, rename = "tid")]
    pub tenant_id: Option<String>,
    /// Object id of whoever signed in: a person, or the app's service principal.
    #[serde(default, rename = "oid")]
    pub object_id: Option<String>,
    /// App id of the app registration.
    #[serde(default, rename = "appid", alias = "azp")]
    pub app_id: Option<String>,
    /// The person's sign-in name, if a person signed in.
    #[serde(default)]
    pub upn: Option<String>,
    /// Application permissions.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Delegated permissions, separated by spaces.
    #[serde(default)]
    pub scp: Option<String>,
    /// Template ids of the directory roles held.
    #[serde(default)]
    pub wids: Vec<String>,
}

impl TokenFacts {
    fn of(token: &SecretString) -> Option<Self> {
        let payload = token.expose_secret().split('.').nth(1)?;
        let bytes = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Whether the token carries what a call needs, or more of the same
    /// (`ReadWrite` for `Read`). Roles are not looked at.
    pub fn allows(&self, call: &CallSpec) -> bool {
        call.permissions.iter().any(|permission| {
            self.has(permission)
                || self.has(&permission.replace(".Read.", ".ReadWrite."))
                || permission
                    .strip_suffix(".Read")
                    .is_some_and(|area| self.has(&format!("{area}.ReadWrite")))
                || (*permission == "Mail.ReadBasic.All"
                    && (self.has("Mail.Read") || self.has("Mail.ReadWrite")))
        })
    }

    /// Whether a permission is among the token's, of either sort.
    pub fn has(&self, permission: &str) -> bool {
        self.roles.iter().any(|role| role == permission)
            || self
                .scp
                .iter()
                .flat_map(|scopes| scopes.split(' '))
                .any(|scope| scope == permission)
    }
}

impl SignIn {
    pub(crate) fn new(
        profile: Profile,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            profile,
            transport,
            clock,
            graph: AsyncMutex::default(),
            exchange: AsyncMutex::default(),
            activity: AsyncMutex::default(),
            refresh: Mutex::new(None),
        }
    }

    /// A token that is valid for some minutes, from memory or fresh.
    pub(crate) async fn token(&self, service: Service) -> Result<Token, TenantError> {
        let mut slot = self.slot(service).lock().await;
        if let Some(token) = &slot.token
            && self.clock.now() < slot.until
        {
            return Ok(token.clone());
        }
        let fetched = self.fetch(service, slot.claims.as_deref()).await?;
        Ok(self.keep(&mut slot, fetched))
    }

    /// Drops a token that a service refused, unless it was replaced meanwhile.
    pub(crate) async fn forget(&self, service: Service, token: &Token, claims: Option<String>) {
        let mut slot = self.slot(service).lock().await;
        if slot
            .token
            .as_ref()
            .is_some_and(|kept| kept.number == token.number)
        {
            slot.token = None;
            slot.claims = claims;
        }
    }

    /// What the token for a service says about itself, if it says anything.
    pub(crate) async fn facts(&self, service: Service) -> Result<Option<TokenFacts>, TenantError> {
        let token = self.token(service).await?;
        Ok(TokenFacts::of(token.secret()))
    }

    fn slot(&self, service: Service) -> &AsyncMutex<Slot> {
        match service {
            Service::Exchange => &self.exchange,
            Service::Activity => &self.activity,
            Service::Graph | Service::SignIn => &self.graph,
        }
    }

    fn keep(&self, slot: &mut Slot, fetched: Fetched) -> Token {
        // A token shorter than twice the margin is used for half its life.
        let useful = fetched
            .expires_in
            .saturating_sub(MARGIN)
            .max(fetched.expires_in / 2);
        let useful = SignedDuration::try_from(useful).unwrap_or(SignedDuration::ZERO);
        slot.number += 1;
        let token = Token {
            secret: Arc::new(fetched.token),
            number: slot.number,
        };
        slot.until = self
            .clock
            .now()
            .saturating_add(useful)
            .unwrap_or(Timestamp::MAX);
        slot.claims = None;
        slot.token = Some(token.clone());
        token
    }

    /// Asks the token service; asking again is harmless.
    async fn fetch(&self, service: Service, claims: Option<&str>) -> Result<Fetched, TenantError> {
        let scope = self.profile.endpoints.scope(service).ok_or_else(|| {
            TenantError::new(
                Kind::BadInput,
                &SIGN_IN,
                &self.profile.tenant_id,
                "the token service needs no token",
            )
        })?;
        let mut tries = 0;
        loop {
            tries += 1;
            let error = match self.fetch_once(&scope, claims).await {
                Ok(fetched) => return Ok(fetched),
                Err(error) => error,
            };
            let again = matches!(
                error.kind,
                Kind::Throttled
                    | Kind::Server { .. }
                    | Kind::Unreachable { .. }
                    | Kind::TimedOut { .. }
                    | Kind::BadAnswer { .. }
            );
            if tries >= TRIES || !again {
                return Err(error);
            }
            self.clock
                .sleep(error.retry_after.unwrap_or_else(|| backoff(tries)))
                .await;
        }
    }

    async fn fetch_once(&self, scope: &str, claims: Option<&str>) -> Result<Fetched, TenantError> {
        match &self.profile.credential {
            Credential::ClientSecret(secret) => {
                client_secret::fetch(
                    self.profile.clone(),
                    secret.clone(),
                    scope.to_owned(),
                    claims.map(str::to_owned),
                    Arc::clone(&self.transport),
                    Arc::clone(&self.clock),
                )
                .await
            }
            Credential::DeviceCode | Credential::Browser => {
                let refresh = self
                    .refresh
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .clone();
                let Some(refresh) = refresh else {
                    return Err(TenantError::new(
                        Kind::Unauthenticated,
                        &SIGN_IN,
                        &self.profile.tenant_id,
                        "nobody has entered a device code",
                    ));
                };
                let (fetched, next) =
                    device_code::refresh(&self.profile, &refresh, scope, claims, self.wire())
                        .await?;
                if next.is_some() {
                    *self.refresh.lock().unwrap_or_else(PoisonError::into_inner) = next;
                }
                Ok(fetched)
            }
            other => Err(TenantError::new(
                Kind::BadInput,
                &SIGN_IN,
                &self.profile.tenant_id,
                format!("signing in with `{}` is not built yet", other.name()),
            )),
        }
    }

    fn wire(&self) -> Arc<device_code::Wire> {
        device_code::Wire::new(&self.transport, &self.clock)
    }

    /// Asks for a code that a person enters in a browser.
    pub(crate) async fn begin_device_code(&self) -> Result<DeviceCodePrompt, TenantError> {
        device_code::begin(&self.profile, self.wire()).await
    }

    /// Waits until the person has entered the code.
    pub(crate) async fn finish_device_code(
        &self,
        prompt: &DeviceCodePrompt,
    ) -> Result<(), TenantError> {
        let (fetched, refresh) = device_code::finish(&self.profile, prompt, self.wire()).await?;
        let mut slot = self.graph.lock().await;
        self.keep(&mut slot, fetched);
        *self.refresh.lock().unwrap_or_else(PoisonError::into_inner) = refresh;
        Ok(())
    }
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIn")
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}

/// What the token service said last, as seen on the wire: the libraries keep
/// neither the refusal's codes nor a lifetime that is independent of the
/// operating system's clock.
#[derive(Default)]
struct Seen {
    failure: Option<crate::edge::TransportError>,
    status: u16,
    retry_after: Option<Duration>,
    expires_in: Option<Duration>,
    refusal: Option<crate::error::sign_in::Refusal>,
}

impl Seen {
    fn of(response: &http::Response<Bytes>, now: Timestamp) -> Self {
        Self {
            failure: None,
            status: response.status().as_u16(),
            retry_after: crate::send::retry_after(response.headers(), now),
            expires_in: lifetime(response.body()),
            refusal: crate::error::sign_in::Refusal::parse(response.body()),
        }
    }

    /// The error that this amounts to.
    fn into_error(self, tenant: &str) -> TenantError {
        if let Some(failure) = self.failure {
            return TenantError::transport(&SIGN_IN, tenant, &failure);
        }
        let error = match self.refusal {
            Some(refusal) if !(200..300).contains(&self.status) => {
                refusal.into_error(&SIGN_IN, tenant, self.status)
            }
            _ => {
                let kind = match self.status {
                    429 => Kind::Throttled,
                    500.. => Kind::Server {
                        effect_unknown: false,
                    },
                    _ => Kind::BadAnswer {
                        effect_unknown: false,
                    },
                };
                TenantError::new(
                    kind,
                    &SIGN_IN,
                    tenant,
                    format!(
                        "the token service answered {} in no known form",
                        self.status
                    ),
                )
            }
        };
        error.with_retry_after(self.retry_after)
    }
}

/// `expires_in` of a token answer: a number, or a number in a string.
fn lifetime(body: &[u8]) -> Option<Duration> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Seconds {
        Number(u64),
        Text(String),
    }
    #[derive(Deserialize)]
    struct Lifetime {
        expires_in: Seconds,
    }
    let seconds = match serde_json::from_slice::<Lifetime>(body).ok()?.expires_in {
        Seconds::Number(seconds) => seconds,
        Seconds::Text(text) => text.parse().ok()?,
    };
    Some(Duration::from_secs(seconds))
}
