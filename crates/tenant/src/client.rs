//! The client: one function for each thing that can be asked of a tenant.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::call::{CallSpec, Service};
use crate::edge::{Clock, KeyringError, Means, Transport};
use crate::error::{Kind, TenantError};
use crate::pace::Pacer;
use crate::page::Completeness;
use crate::profile::Profile;
use crate::send::{Call, Sender};
use crate::sign_in::{DeviceCodePrompt, SignIn, TokenFacts};
use crate::wire::{Answer, Builder, Change, Outgoing, Prepared, Read};

mod activity;
mod changes;
mod consent;
mod directory;
mod exchange;
mod identity;
mod logs;
mod mail;
mod standing;

pub use activity::{FEEDS, Subscription};
pub use exchange::{Cmdlet, Giving};
pub use logs::{AuditAbout, AuditQuery, AuditSearch, MessageTraceFilter, SearchStatus, SignInKind};
pub use standing::{Licence, Probe, RoleAssignment, RoleDefinition, ServicePlan};

/// A Microsoft 365 tenant, as the app of a [`Profile`] reaches it.
///
/// Clones share tokens and are cheap. All functions take `&self`; reads may
/// run side by side.
#[derive(Clone)]
pub struct Tenant {
    call: Call,
}

/// How long and how far a call may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// All of a call, with sign-in, waiting, tries and pages.
    pub deadline: Duration,
    /// Pages of a list at most.
    pub pages: u32,
}

impl Default for Options {
    /// 30 seconds, 500 pages.
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(30),
            pages: 500,
        }
    }
}

impl Tenant {
    /// A client for a profile whose way of signing in needs nothing but the
    /// transport (client secret, device code). Nothing is sent before the first call.
    pub fn new(profile: Profile, transport: Arc<dyn Transport>, clock: Arc<dyn Clock>) -> Self {
        Self::with_means(profile, transport, clock, Means::default())
    }

    /// A client for the profile; its way of signing in may use these means.
    pub fn with_means(
        profile: Profile,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
        means: Means,
    ) -> Self {
        let sign_in = SignIn::new(
            profile.clone(),
            Arc::clone(&transport),
            Arc::clone(&clock),
            means,
        );
        Self::of(profile, transport, clock, sign_in)
    }

    /// The same responder in the tenant of a customer (delegated
    /// administration): signed in once, at home; tokens are asked of the
    /// customer's tenant.
    #[must_use]
    pub fn customer(&self, name: &str, tenant_id: &str) -> Self {
        let here = &self.call.sender;
        let profile = Profile {
            name: name.to_owned(),
            tenant_id: tenant_id.to_owned(),
            home_tenant_id: Some(here.profile.sign_in_tenant().to_owned()),
            ..here.profile.clone()
        };
        let sign_in = here.sign_in.for_customer(profile.clone());
        let (transport, clock) = (Arc::clone(&here.transport), Arc::clone(&here.clock));
        Self::of(profile, transport, clock, sign_in).with_options(self.call.options)
    }

    fn of(
        profile: Profile,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
        sign_in: SignIn,
    ) -> Self {
        Self {
            call: Call {
                sender: Arc::new(Sender {
                    profile,
                    transport,
                    clock,
                    sign_in,
                    exchange_host: Mutex::new(None),
                }),
                options: Options::default(),
                pacer: Pacer::default(),
            },
        }
    }

    /// The same client at the pace that this pacer allows: one for all clients of a
    /// tenant. Without it each client counts for itself and its clones.
    #[must_use]
    pub fn with_pacer(&self, pacer: Pacer) -> Self {
        Self {
            call: Call {
                pacer,
                ..self.call.clone()
            },
        }
    }

    /// The same client with other limits.
    #[must_use]
    pub fn with_options(&self, options: Options) -> Self {
        Self {
            call: Call {
                options,
                ..self.call.clone()
            },
        }
    }

    /// The same client with another deadline for each call.
    #[must_use]
    pub fn with_deadline(&self, deadline: Duration) -> Self {
        self.with_options(Options {
            deadline,
            ..self.call.options
        })
    }

    /// The profile that it was made from.
    pub fn profile(&self) -> &Profile {
        self.call.profile()
    }

    /// Gets a token for Graph now, so that later calls need not wait for it and
    /// a wrong secret shows before anything starts.
    pub async fn sign_in(&self) -> Result<(), TenantError> {
        self.token_facts(Service::Graph).await.map(|_| ())
    }

    /// Asks for a code that a person enters in a browser; then
    /// [`Tenant::finish_device_code`]. Only for profiles with [`crate::Credential::DeviceCode`].
    pub async fn begin_device_code(&self) -> Result<DeviceCodePrompt, TenantError> {
        self.call.sender.sign_in.begin_device_code().await
    }

    /// Waits until the code is entered; at most until it expires, whatever the deadline.
    pub async fn finish_device_code(&self, prompt: &DeviceCodePrompt) -> Result<(), TenantError> {
        self.call.sender.sign_in.finish_device_code(prompt).await
    }

    /// Lets a person sign in in a browser on this machine, and waits for them,
    /// whatever the deadline. Only for profiles with [`crate::Credential::Browser`].
    pub async fn sign_in_in_browser(&self) -> Result<(), TenantError> {
        self.call.sender.sign_in.in_browser().await
    }

    /// Whether tokens can be had without a person now: always for an app, for a
    /// person while their session lasts. False means that the person must sign in.
    pub async fn resume(&self) -> Result<bool, TenantError> {
        self.call.sender.sign_in.resume().await
    }

    /// The token service's clock less ours, as its last answer told; none
    /// before the first answer, and where no answer tells.
    pub fn clock_skew(&self) -> Option<jiff::SignedDuration> {
        self.call.sender.sign_in.skew()
    }

    /// By how much this machine's clock is wrong, in words, if it is wrong
    /// enough to matter (two minutes).
    pub fn clock_warning(&self) -> Option<String> {
        crate::error::sign_in::wrong_clock(self.clock_skew()?)
    }

    /// Why the session of a person is not kept in the system's keyring although
    /// there is one to keep it in. It is in memory then, until the process ends.
    pub fn keyring_trouble(&self) -> Option<KeyringError> {
        self.call.sender.sign_in.keyring_trouble()
    }

    /// What the token for a service says about the app or person that is
    /// signed in; `None` if the token cannot be read, which is no error.
    pub async fn token_facts(&self, service: Service) -> Result<Option<TokenFacts>, TenantError> {
        let clock = self.call.clock();
        let facts = self.call.sender.sign_in.facts(service);
        let limit = self.call.options.deadline;
        let limit = limit.max(self.call.sender.sign_in.patience());
        crate::send::within(clock, limit, facts)
            .await
            .unwrap_or_else(|| {
                Err(TenantError::timed_out(
                    &crate::call::SIGN_IN,
                    &self.profile().tenant_id,
                    false,
                ))
            })
    }

    /// Sends a prepared change, once.
    ///
    /// An error with [`TenantError::effect_unknown`] leaves open whether it was
    /// carried out; every other error means that it was not.
    pub async fn submit(&self, prepared: &Prepared) -> Result<Change, TenantError> {
        let outgoing = &prepared.outgoing;
        let deadline = self.call.deadline();
        let answer = self.call.once(outgoing, deadline).await?;
        let warnings = if outgoing.service() == Service::Exchange {
            exchange::check_change(outgoing, &answer)?
        } else {
            Vec::new()
        };
        Ok(Change {
            request: outgoing.request.clone(),
            status: answer.status,
            warnings,
            answers: vec![answer],
        })
    }

    /// Reads one object.
    async fn one<T: DeserializeOwned>(&self, builder: Builder) -> Result<Read<T>, TenantError> {
        let outgoing = builder.build()?;
        let answer = self.call.read(&outgoing, self.call.deadline()).await?;
        let value = parse(&outgoing, &answer)?;
        Ok(whole(value, answer))
    }

    /// Reads several objects, as many in one request as the service takes. What cannot be
    /// asked for is not sent and keeps nothing else from going.
    async fn many<T: DeserializeOwned>(
        &self,
        batch: &'static CallSpec,
        builders: impl Iterator<Item = Builder>,
    ) -> Vec<Result<Read<T>, TenantError>> {
        let mut sent = Vec::new();
        let mut results: Vec<Option<TenantError>> = Vec::new();
        for builder in builders {
            match builder.build() {
                Ok(outgoing) => {
                    sent.push(outgoing);
                    results.push(None);
                }
                Err(error) => results.push(Some(error)),
            }
        }
        let answers = self.call.batch(batch, &sent, self.call.deadline()).await;
        let mut answers = sent.iter().zip(answers);
        results
            .into_iter()
            .filter_map(|unsent| match unsent {
                Some(error) => Some(Err(error)),
                None => answers.next().map(|(outgoing, answer)| {
                    let answer = answer?;
                    let value = parse(outgoing, &answer)?;
                    Ok(whole(value, answer))
                }),
            })
            .collect()
    }

    /// Reads a list to its end.
    async fn list<T: DeserializeOwned>(
        &self,
        builder: Builder,
    ) -> Result<Read<Vec<T>>, TenantError> {
        let outgoing = builder.build()?;
        crate::page::list(&self.call, outgoing, self.call.deadline()).await
    }
}

/// One answer that is all there is.
fn whole<T>(value: T, answer: Answer) -> Read<T> {
    Read {
        value,
        answers: vec![answer],
        completeness: Completeness::Complete,
    }
}

/// The answer's body as `T`; what cannot be read is never taken for nothing.
fn parse<T: DeserializeOwned>(outgoing: &Outgoing, answer: &Answer) -> Result<T, TenantError> {
    serde_json::from_slice(&answer.body).map_err(|error| {
        let why = if error.is_eof() || error.is_syntax() {
            "the answer is not whole JSON".to_owned()
        } else {
            format!("the answer has another form than documented: {error}")
        };
        bad_answer(outgoing, answer, &why)
    })
}

fn bad_answer(outgoing: &Outgoing, answer: &Answer, why: &str) -> TenantError {
    TenantError::new(
        Kind::BadAnswer {
            effect_unknown: outgoing.spec.change,
        },
        outgoing.spec,
        &outgoing.target,
        why,
    )
    .with_answer(answer)
}

impl fmt::Debug for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tenant")
            .field("profile", self.profile())
            .field("options", &self.call.options)
            .finish_non_exhaustive()
    }
}
