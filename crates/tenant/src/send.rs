//! How a request is sent: token, deadline, waiting, trying again, redirects.
//!
//! The policy in one place. Reads are tried again on throttling, failures of
//! the service and lost connections. Changes are sent again only after an
//! answer that says they were not carried out: 429, 503 with `Retry-After`,
//! 401, and a redirect. Every request waits for its turn at the [`Pacer`] first.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret as _;
use url::Url;

use crate::call::Service;
use crate::client::Options;
use crate::edge::{Clock, Transport};
use crate::error::{Kind, TenantError, activity, exchange, graph};
use crate::pace::{Account, Pacer, Permit};
use crate::profile::Profile;
use crate::sign_in::{SignIn, Token, claims};
use crate::wire::{Answer, Outgoing};

mod batch;
mod headers;

pub(crate) use headers::{regional_host, retry_after};

/// How often one request is sent at most, the first time included.
const TRIES: u32 = 5;

/// How often an answer may send us on.
const HOPS: u32 = 3;

/// What all clones of a client share.
pub(crate) struct Sender {
    pub(crate) profile: Profile,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) sign_in: SignIn,
    /// Where Exchange's front door sent us, once it did.
    pub(crate) exchange_host: Mutex<Option<Url>>,
}

/// The shared parts together with one caller's options.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) sender: Arc<Sender>,
    pub(crate) options: Options,
    pub(crate) pacer: Pacer,
}

/// When a call must be over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(Timestamp);

impl Deadline {
    pub(crate) fn after(clock: &dyn Clock, duration: Duration) -> Self {
        let wait = SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
        Self(clock.now().saturating_add(wait).unwrap_or(Timestamp::MAX))
    }

    fn left(self, clock: &dyn Clock) -> Duration {
        Duration::try_from(self.0.duration_since(clock.now())).unwrap_or_default()
    }

    pub(crate) fn is_over(self, clock: &dyn Clock) -> bool {
        self.left(clock).is_zero()
    }
}

/// When a request may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Policy {
    /// Whenever that can help.
    Always,
    /// Only when it was not carried out.
    NotCarriedOut,
}

impl Call {
    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.sender.clock
    }

    pub(crate) fn profile(&self) -> &Profile {
        &self.sender.profile
    }

    pub(crate) fn page_cap(&self) -> u32 {
        self.options.pages
    }

    /// The deadline of a call that starts now.
    pub(crate) fn deadline(&self) -> Deadline {
        Deadline::after(self.clock(), self.options.deadline)
    }

    pub(crate) fn base_of(&self, outgoing: &Outgoing) -> Option<&Url> {
        self.profile().endpoints.base(outgoing.service())
    }

    /// Sends a request that changes nothing.
    pub(crate) async fn read(
        &self,
        outgoing: &Outgoing,
        deadline: Deadline,
    ) -> Result<Answer, TenantError> {
        let (answer, _) = self.send(outgoing, Policy::Always, deadline).await?;
        Ok(answer)
    }

    /// Sends a request that must not be carried out twice.
    pub(crate) async fn once(
        &self,
        outgoing: &Outgoing,
        deadline: Deadline,
    ) -> Result<Answer, TenantError> {
        let (answer, _) = self.send(outgoing, Policy::NotCarriedOut, deadline).await?;
        Ok(answer)
    }

    /// The answer, and the token that it was given to.
    async fn send(
        &self,
        outgoing: &Outgoing,
        policy: Policy,
        deadline: Deadline,
    ) -> Result<(Answer, Token), TenantError> {
        let in_flight = AtomicBool::new(false);
        let attempts = self.attempts(outgoing, policy, deadline, &in_flight);
        within(self.clock(), deadline.left(self.clock()), attempts)
            .await
            .unwrap_or_else(|| {
                let sent = in_flight.load(Ordering::Relaxed);
                Err(TenantError::timed_out(
                    outgoing.spec,
                    &outgoing.target,
                    sent,
                ))
            })
            .map_err(|error| error.scrubbed(|text| outgoing.scrub(text)))
    }

    async fn attempts(
        &self,
        outgoing: &Outgoing,
        policy: Policy,
        deadline: Deadline,
        in_flight: &AtomicBool,
    ) -> Result<(Answer, Token), TenantError> {
        let clock = self.clock();
        let mut base = self.base(outgoing)?;
        let (account, weight) = outgoing.counted.clone().unwrap_or_else(|| {
            let tenant = &self.profile().tenant_id;
            let account = Account::of(tenant, outgoing.spec, &outgoing.request.url);
            (account, 1)
        });
        let mut tries = 0;
        let mut hops = 0;
        let mut renewed = false;
        loop {
            let token = self.sender.sign_in.token(outgoing.service()).await?;
            let request = assemble(&base, outgoing, &token)?;
            let permit = self.turn(outgoing, (&account, weight), deadline).await?;
            tries += 1;
            // A read keeps half of its time for another try; a change has none.
            let limit = match policy {
                Policy::Always => self.options.deadline / 2,
                Policy::NotCarriedOut => deadline.left(clock),
            };
            in_flight.store(true, Ordering::Relaxed);
            let sent = within(clock, limit, self.sender.transport.send(request)).await;
            drop(permit);
            let lost = match sent {
                Some(Ok(response)) => {
                    in_flight.store(false, Ordering::Relaxed);
                    let answer = self.answer(outgoing, &token, response);
                    match self.judge(outgoing, policy, answer) {
                        Judgement::Done(answer) => return Ok((answer, token)),
                        Judgement::Renew { claims, error } if !renewed => {
                            renewed = true;
                            self.sender
                                .sign_in
                                .forget(outgoing.service(), &token, claims)
                                .await;
                            drop(error);
                            continue;
                        }
                        Judgement::Elsewhere { host, error } => {
                            hops += 1;
                            if hops > HOPS {
                                return Err(error);
                            }
                            if outgoing.service() == Service::Exchange {
                                self.remember_exchange(&host);
                            }
                            base = host;
                            continue;
                        }
                        Judgement::Later { wait, error } => {
                            let wait = wait.unwrap_or_else(|| self.pacer.backoff(tries));
                            if error.kind == Kind::Throttled {
                                let until = SignedDuration::try_from(wait)
                                    .ok()
                                    .and_then(|wait| clock.now().checked_add(wait).ok());
                                self.pacer.hold(&account, until.unwrap_or(Timestamp::MAX));
                            }
                            if tries < TRIES && self.pause(wait, deadline).await {
                                continue;
                            }
                            return Err(error);
                        }
                        Judgement::Failed(error) | Judgement::Renew { error, .. } => {
                            return Err(error.scrubbed(|text| token.scrub(text)));
                        }
                    }
                }
                Some(Err(error)) => TenantError::transport(outgoing.spec, &outgoing.target, &error),
                None => TenantError::timed_out(outgoing.spec, &outgoing.target, true),
            };
            if policy == Policy::Always
                && tries < TRIES
                && self.pause(self.pacer.backoff(tries), deadline).await
            {
                continue;
            }
            return Err(lost.scrubbed(|text| token.scrub(text)));
        }
    }

    /// Waits until the request may go, unless that is later than it must be over.
    async fn turn(
        &self,
        outgoing: &Outgoing,
        counted: (&Account, u32),
        deadline: Deadline,
    ) -> Result<Permit, TenantError> {
        let clock = self.clock();
        self.pacer
            .admit(clock, counted, outgoing.spec, || deadline.left(clock))
            .await
            .map_err(|wait| {
                TenantError::new(
                    Kind::Throttled,
                    outgoing.spec,
                    &outgoing.target,
                    "not sent: the service wants to be left alone for longer than this call may take",
                )
                .with_retry_after(Some(wait))
            })
    }

    fn base(&self, outgoing: &Outgoing) -> Result<Url, TenantError> {
        if outgoing.service() == Service::Exchange {
            let host = self
                .sender
                .exchange_host
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            if let Some(host) = host {
                return Ok(host);
            }
        }
        self.base_of(outgoing).cloned().ok_or_else(|| {
            TenantError::new(
                Kind::BadInput,
                outgoing.spec,
                &outgoing.target,
                "this cloud has no such service",
            )
        })
    }

    fn remember_exchange(&self, host: &Url) {
        *self
            .sender
            .exchange_host
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(host.clone());
    }

    /// Waits, unless the deadline would come first.
    async fn pause(&self, wait: Duration, deadline: Deadline) -> bool {
        if wait >= deadline.left(self.clock()) {
            return false;
        }
        self.clock().sleep(wait).await;
        true
    }

    fn answer(&self, outgoing: &Outgoing, token: &Token, response: Response<Bytes>) -> Received {
        let (parts, body) = response.into_parts();
        let mut body = outgoing.scrub_bytes(body);
        if !parts.status.is_success() {
            body = token.scrub_bytes(body);
        }
        let request_id = ["request-id", "x-ms-request-id"]
            .iter()
            .find_map(|name| parts.headers.get(*name)?.to_str().ok())
            .map(crate::escape::message);
        Received {
            answer: Answer {
                request: outgoing.request.clone(),
                status: parts.status.as_u16(),
                body,
                received_at: self.clock().now(),
                request_id,
                next_page: parts
                    .headers
                    .get("nextpageuri")
                    .and_then(|link| link.to_str().ok())
                    .map(str::to_owned),
            },
            status: parts.status,
            headers: parts.headers,
        }
    }

    fn judge(&self, outgoing: &Outgoing, policy: Policy, received: Received) -> Judgement {
        let Received {
            answer,
            status,
            headers,
        } = received;
        if status.is_success() {
            return Judgement::Done(answer);
        }
        let wait = retry_after(&headers, self.clock().now());
        let error = match outgoing.service() {
            Service::Exchange => exchange::classify(outgoing.spec, &outgoing.target, &answer),
            Service::Activity => activity::classify(outgoing.spec, &outgoing.target, &answer),
            Service::Graph | Service::SignIn => {
                graph::classify(outgoing.spec, &outgoing.target, &answer)
            }
        }
        .with_retry_after(wait);
        if error.kind == Kind::Throttled {
            return Judgement::Later { wait, error };
        }
        match status.as_u16() {
            401 => Judgement::Renew {
                claims: claims::asked_for(&headers),
                error,
            },
            301 | 302 | 307 | 308 => {
                let location = headers
                    .get(header::LOCATION)
                    .and_then(|location| location.to_str().ok());
                let service = outgoing.service();
                let to = self
                    .profile()
                    .endpoints
                    .base(service)
                    .zip(location)
                    .and_then(|(from, location)| regional_host(service, from, location));
                match to {
                    // Exchange's front door names a host and no other path is known; of
                    // Graph no redirect is documented, so it may not ask for another object.
                    Some(host)
                        if service == Service::Exchange
                            || leads_to(&host, &outgoing.request.url) =>
                    {
                        Judgement::Elsewhere { host, error }
                    }
                    _ => Judgement::Failed(sent_away(outgoing, location, error)),
                }
            }
            // 503 with a time to wait is throttling in other words: not carried out.
            503 if wait.is_some() => Judgement::Later {
                wait,
                error: error.with_kind(Kind::Throttled),
            },
            500.. if policy == Policy::Always => Judgement::Later { wait, error },
            _ => Judgement::Failed(error),
        }
    }
}

fn leads_to(host: &Url, url: &str) -> bool {
    url.split('?').next() == Some(host.path())
}

/// A redirect to where no token of ours may go, or to another object.
fn sent_away(outgoing: &Outgoing, location: Option<&str>, error: TenantError) -> TenantError {
    let to = location.unwrap_or("nowhere");
    let to = to.split('?').next().unwrap_or(to);
    let said = TenantError::new(
        Kind::BadAnswer {
            effect_unknown: false,
        },
        outgoing.spec,
        &outgoing.target,
        format!("the answer sends us to {to}, which is not followed"),
    );
    match &error.answer {
        Some(answer) => said.with_answer(answer),
        None => said,
    }
}

struct Received {
    answer: Answer,
    status: StatusCode,
    headers: HeaderMap,
}

/// What to do about an answer.
enum Judgement {
    Done(Answer),
    /// The token is refused: once more with a new one.
    Renew {
        claims: Option<String>,
        error: TenantError,
    },
    /// Exchange answers from another host.
    Elsewhere {
        host: Url,
        error: TenantError,
    },
    /// Not carried out, or safe to repeat.
    Later {
        wait: Option<Duration>,
        error: TenantError,
    },
    Failed(TenantError),
}

/// The future's output, unless this much time passes first.
pub(crate) async fn within<T>(
    clock: &dyn Clock,
    limit: Duration,
    future: impl Future<Output = T> + Send,
) -> Option<T> {
    if limit.is_zero() {
        return None;
    }
    match select(Box::pin(future), clock.sleep(limit)).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(((), _)) => None,
    }
}

/// 1, 2, 4, 8 seconds; [`Pacer::backoff`] adds the jitter.
pub(crate) fn backoff(tries: u32) -> Duration {
    Duration::from_secs(1 << tries.saturating_sub(1).min(4))
}

fn assemble(
    base: &Url,
    outgoing: &Outgoing,
    token: &Token,
) -> Result<http::Request<Bytes>, TenantError> {
    let bad = |why: &str| TenantError::new(Kind::BadInput, outgoing.spec, &outgoing.target, why);
    let uri = format!(
        "{}{}",
        base.origin().ascii_serialization(),
        outgoing.request.url
    );
    let mut request = http::Request::builder()
        .method(http::Method::from(outgoing.spec.method))
        .uri(uri)
        .body(outgoing.body.to_send())
        .map_err(|_| bad("the address cannot be written"))?;
    *request.headers_mut() = outgoing.headers.clone();
    let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.secret().expose_secret()))
        .map_err(|_| bad("the token service gave a token that no header can carry"))?;
    bearer.set_sensitive(true);
    request.headers_mut().insert(header::AUTHORIZATION, bearer);
    Ok(request)
}
