//! One conversation with a token service, as seen on the wire: the libraries
//! keep neither the refusal's codes, nor the service's time, nor a lifetime
//! that is independent of the operating system's clock.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::call::SIGN_IN;
use crate::edge::{BoxFuture, Clock, Transport, TransportError, TransportErrorKind};
use crate::error::sign_in::Refusal;
use crate::error::{Kind, TenantError};
use crate::send::{retry_after, within};

/// How long the token service may take for one answer.
const TRY_LIMIT: Duration = Duration::from_secs(10);

/// Carries the requests of one conversation and notes the last answer.
pub(super) struct Wire {
    transport: Arc<dyn Transport>,
    pub(super) clock: Arc<dyn Clock>,
    seen: Mutex<Seen>,
}

/// What the token service said last.
#[derive(Default, Clone)]
pub(super) struct Seen {
    failure: Option<TransportError>,
    pub(super) status: u16,
    retry_after: Option<Duration>,
    /// `expires_in` of the answer.
    pub(super) expires_in: Option<Duration>,
    pub(super) refusal: Option<Refusal>,
    /// The service's clock less ours.
    pub(super) skew: Option<SignedDuration>,
}

impl Wire {
    pub(super) fn new(transport: &Arc<dyn Transport>, clock: &Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self {
            transport: Arc::clone(transport),
            clock: Arc::clone(clock),
            seen: Mutex::default(),
        })
    }

    /// Sends with a limit of its own, so that one answer that never comes does
    /// not stop what waits for it. Any status is an `Ok`.
    pub(super) fn send(
        self: Arc<Self>,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'static, Result<http::Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let sending = self.transport.send(request);
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
            outcome
        })
    }

    /// Waits on the clock that was passed in.
    pub(super) fn sleep(self: Arc<Self>, wait: Duration) -> BoxFuture<'static, ()> {
        Box::pin(async move { self.clock.sleep(wait).await })
    }

    pub(super) fn seen(&self) -> Seen {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The error that the last answer amounts to.
    pub(super) fn error(&self, tenant: &str) -> TenantError {
        self.seen().into_error(tenant)
    }
}

impl Seen {
    fn of(response: &http::Response<Bytes>, now: Timestamp) -> Self {
        Self {
            failure: None,
            status: response.status().as_u16(),
            retry_after: retry_after(response.headers(), now),
            expires_in: lifetime(response.body(), now),
            refusal: Refusal::parse(response.body()),
            skew: skew(response.headers(), now),
        }
    }

    pub(super) fn into_error(self, tenant: &str) -> TenantError {
        if let Some(failure) = self.failure {
            return TenantError::transport(&SIGN_IN, tenant, &failure);
        }
        let error = match self.refusal {
            Some(refusal) if !(200..300).contains(&self.status) => {
                refusal.into_error(&SIGN_IN, tenant, self.status, self.skew)
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

/// The service's time less ours, from its `Date`.
fn skew(headers: &http::HeaderMap, now: Timestamp) -> Option<SignedDuration> {
    let text = headers.get(header::DATE)?.to_str().ok()?;
    let theirs = jiff::fmt::rfc2822::DateTimeParser::new()
        .parse_timestamp(text)
        .ok()?;
    Some(theirs.duration_since(now))
}

/// How long the token of an answer lives: `expires_in`, or else `expires_on` (a
/// managed identity's, by our clock); a number, or a number in a string.
fn lifetime(body: &[u8], now: Timestamp) -> Option<Duration> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Seconds {
        Number(i64),
        Text(String),
    }
    #[derive(Deserialize)]
    struct Lifetime {
        expires_in: Option<Seconds>,
        expires_on: Option<Seconds>,
    }
    let number = |seconds: Seconds| match seconds {
        Seconds::Number(seconds) => Some(seconds),
        Seconds::Text(text) => text.parse().ok(),
    };
    let said = serde_json::from_slice::<Lifetime>(body).ok()?;
    let seconds = match said.expires_in {
        Some(seconds) => number(seconds)?,
        None => number(said.expires_on?)?.saturating_sub(now.as_second()),
    };
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}
