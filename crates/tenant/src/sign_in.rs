//! Getting, keeping and renewing access tokens (reference §1).
//!
//! The flows are those of `azure_identity` (the app as itself) and `oauth2` (a
//! person), both over our own [`Transport`]; a managed identity and the Azure
//! command line are one question each. Access tokens live in memory only, one
//! per service, and end by our own clock: what counts is the `expires_in` of
//! the answer, not the operating system's time. A person's refresh token
//! serves all services and all tenants that the person may enter.
//!
//! A person's tokens declare that this client understands claims challenges
//! (cp1), so that the person's session can be ended at once; an app's do not
//! (`docs/decisions/sign-in.md` says why). Challenges are answered either way.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::lock::Mutex as AsyncMutex;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};

use crate::call::{SIGN_IN, Service};
use crate::edge::{
    Algorithm, ClientCertificate, Clock, KeyringError, Means, Transport, TransportErrorKind,
};
use crate::error::{Kind, SignInProblem, TenantError};
use crate::profile::{Credential, Profile};
use crate::send::backoff;

mod assertion;
mod azure_cli;
mod browser;
pub(crate) mod claims;
mod client_credentials;
mod device_code;
mod managed_identity;
mod person;
mod session;
mod token;
mod wire;

pub use device_code::DeviceCodePrompt;
pub use token::TokenFacts;
pub(crate) use token::{Token, cut};

use client_credentials::Proof;
use session::Session;
use token::Fetched;
use wire::Wire;

/// A token is renewed this long before its end.
const MARGIN: Duration = Duration::from_mins(5);

/// How often the token service is asked.
const TRIES: u32 = 3;

/// How long a first token may take where a machine's identity service is being
/// updated, or the Azure command line starts.
const PATIENCE: Duration = Duration::from_mins(2);

/// Tokens of one profile.
pub(crate) struct SignIn {
    profile: Profile,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    means: Means,
    graph: AsyncMutex<Slot>,
    exchange: AsyncMutex<Slot>,
    activity: AsyncMutex<Slot>,
    /// The person's session, shared by all tenants that they enter.
    session: Arc<Session>,
    /// The token service wants the older form of an assertion.
    older_assertion: AtomicBool,
    skew: Mutex<Option<SignedDuration>>,
    /// What the next sign-in of a person must satisfy.
    pending_claims: Mutex<Option<String>>,
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

impl SignIn {
    pub(crate) fn new(
        profile: Profile,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
        means: Means,
    ) -> Self {
        let session = Arc::new(Session::new(&profile, means.keyring.clone()));
        Self::in_session(profile, transport, clock, means, session)
    }

    /// The sign-in to a customer's tenant, in the same session at home.
    pub(crate) fn for_customer(&self, profile: Profile) -> Self {
        Self::in_session(
            profile,
            Arc::clone(&self.transport),
            Arc::clone(&self.clock),
            self.means.clone(),
            Arc::clone(&self.session),
        )
    }

    fn in_session(
        profile: Profile,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
        means: Means,
        session: Arc<Session>,
    ) -> Self {
        Self {
            profile,
            transport,
            clock,
            means,
            graph: AsyncMutex::default(),
            exchange: AsyncMutex::default(),
            activity: AsyncMutex::default(),
            session,
            older_assertion: AtomicBool::new(false),
            skew: Mutex::default(),
            pending_claims: Mutex::default(),
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

    /// How long a first token may take at least, whatever a call's deadline.
    pub(crate) fn patience(&self) -> Duration {
        match self.profile.credential {
            Credential::ManagedIdentity { .. } | Credential::AzureCli => PATIENCE,
            _ => Duration::ZERO,
        }
    }

    /// The token service's clock less ours, as last seen.
    pub(crate) fn skew(&self) -> Option<SignedDuration> {
        *self.skew.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why the keyring does not serve, if it was asked and does not.
    pub(crate) fn keyring_trouble(&self) -> Option<KeyringError> {
        self.session.trouble()
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
        let mut tries = 0;
        loop {
            tries += 1;
            let error = match self.fetch_once(service, claims).await {
                Ok(fetched) => return self.check_tenant(fetched),
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
            // A machine's identity service has waits of its own, the command line none.
            // A certificate that is not trusted is not trusted a second later.
            let once = self.patience() > Duration::ZERO
                || error.connection == Some(TransportErrorKind::Tls);
            if tries >= TRIES || once || !again {
                return Err(error);
            }
            self.clock
                .sleep(error.retry_after.unwrap_or_else(|| backoff(tries)))
                .await;
        }
    }

    async fn fetch_once(
        &self,
        service: Service,
        claims: Option<&str>,
    ) -> Result<Fetched, TenantError> {
        let (Some(resource), Some(scope)) = (
            self.profile.endpoints.resource(service),
            self.profile.endpoints.scope(service),
        ) else {
            return Err(self.bad("this cloud has no such service"));
        };
        match &self.profile.credential {
            Credential::ClientSecret(secret) => {
                let proof = Proof::Secret(secret.clone());
                self.as_the_app(proof, &scope, claims).await
            }
            Credential::Certificate(certificate) => {
                self.by_certificate(certificate, &scope, claims).await
            }
            Credential::WorkloadIdentity { token_file } => {
                // It is replaced from time to time: read anew each time.
                let files = given(self.means.files.as_deref(), "reads no files", self)?;
                let read = files.read(token_file).map_err(|error| {
                    let file = token_file.display();
                    self.problem(
                        SignInProblem::NoTokenFile,
                        &format!("{file} cannot be read: {error}"),
                    )
                })?;
                let text = read.expose_secret().trim();
                if text.is_empty() {
                    let file = token_file.display();
                    return Err(
                        self.problem(SignInProblem::NoTokenFile, &format!("{file} is empty"))
                    );
                }
                let proof = Proof::Assertion(SecretString::from(text));
                self.as_the_app(proof, &scope, claims).await
            }
            Credential::ManagedIdentity { identity, host } => {
                let way = self.means.metadata.as_ref();
                let way = given(way, "has no way to this machine's identity service", self)?;
                let wire = Wire::new(way, &self.clock);
                managed_identity::fetch(&self.profile, identity.as_deref(), host, resource, wire)
                    .await
            }
            Credential::AzureCli => {
                let programs = given(self.means.programs.as_deref(), "runs no programs", self)?;
                azure_cli::fetch(&self.profile, resource, claims, programs, &*self.clock).await
            }
            Credential::DeviceCode | Credential::Browser => self.renew(&scope, claims).await,
        }
    }

    async fn as_the_app(
        &self,
        proof: Proof,
        scope: &str,
        claims: Option<&str>,
    ) -> Result<Fetched, TenantError> {
        let wire = self.wire();
        let outcome = client_credentials::fetch(
            self.profile.clone(),
            proof,
            scope.to_owned(),
            claims.map(str::to_owned),
            Arc::clone(&wire),
        )
        .await;
        self.note_skew(&wire);
        outcome
    }

    /// The documented form first; the older one if the token service does not
    /// take that signature, and from then on (reference §1.3).
    async fn by_certificate(
        &self,
        certificate: &ClientCertificate,
        scope: &str,
        claims: Option<&str>,
    ) -> Result<Fetched, TenantError> {
        let entropy = given(self.means.entropy.as_deref(), "has no random numbers", self)?;
        let ask = async |algorithm| {
            let now = self.clock.now();
            let jwt = assertion::signed(&self.profile, certificate, algorithm, entropy, now)?;
            self.as_the_app(Proof::Assertion(jwt), scope, claims).await
        };
        if self.older_assertion.load(Ordering::Relaxed) {
            return ask(Algorithm::Rs256).await;
        }
        let refused = match ask(Algorithm::Ps256).await {
            Err(error) if error.kind == Kind::SignIn(SignInProblem::BadSignature) => error,
            outcome => return outcome,
        };
        if let Ok(fetched) = ask(Algorithm::Rs256).await {
            self.older_assertion.store(true, Ordering::Relaxed);
            return Ok(fetched);
        }
        let (from, until) = certificate.validity();
        Err(refused.with_note(&format!(
            "certificate {}, valid from {from} until {until}",
            certificate.thumbprint_shown()
        )))
    }

    /// A token of another tenant than the profile's is not used: a managed
    /// identity has only its own, and a domain can have moved.
    fn check_tenant(&self, fetched: Fetched) -> Result<Fetched, TenantError> {
        let expected = self.profile.tenant_id.as_str();
        let is_id =
            |text: &str| text.len() == 36 && text.bytes().filter(|b| *b == b'-').count() == 4;
        let got = TokenFacts::of(&fetched.token).and_then(|facts| facts.tenant_id);
        match got {
            Some(got) if is_id(expected) && is_id(&got) && !got.eq_ignore_ascii_case(expected) => {
                Err(TenantError::new(
                    Kind::WrongTenant,
                    &SIGN_IN,
                    expected,
                    format!("the token is for the tenant {got}"),
                ))
            }
            _ => Ok(fetched),
        }
    }

    fn note_skew(&self, wire: &Wire) {
        if let Some(skew) = wire.seen().skew {
            *self.skew.lock().unwrap_or_else(PoisonError::into_inner) = Some(skew);
        }
    }

    fn wire(&self) -> Arc<Wire> {
        Wire::new(&self.transport, &self.clock)
    }

    fn bad(&self, why: &str) -> TenantError {
        TenantError::new(Kind::BadInput, &SIGN_IN, &self.profile.tenant_id, why)
    }

    fn problem(&self, problem: SignInProblem, why: &str) -> TenantError {
        let tenant = &self.profile.tenant_id;
        TenantError::new(Kind::SignIn(problem), &SIGN_IN, tenant, why)
    }
}

/// One of the means, or why the sign-in stops without it.
fn given<T>(means: Option<T>, lacks: &str, sign_in: &SignIn) -> Result<T, TenantError> {
    means.ok_or_else(|| {
        let way = sign_in.profile.credential.name();
        sign_in.bad(&format!(
            "this program {lacks}, which signing in with `{way}` needs"
        ))
    })
}

/// An endpoint of a tenant's authority.
fn endpoint(profile: &Profile, tenant: &str, what: &str) -> String {
    let origin = profile.endpoints.authority.origin().ascii_serialization();
    let tenant = crate::escape::path_segment(tenant).unwrap_or_default();
    format!("{origin}/{tenant}/oauth2/v2.0/{what}")
}

/// Where tokens of a tenant come from.
fn token_endpoint(profile: &Profile, tenant: &str) -> String {
    endpoint(profile, tenant, "token")
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIn")
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}
