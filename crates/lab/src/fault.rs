//! Faults on request: what real services do on a bad day (reference §6.3,
//! §7.2, §10).

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Which requests a fault meets, and how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The HTTP method; any when absent.
    #[serde(default)]
    pub method: Option<String>,
    /// A part of the path with query; empty matches all.
    #[serde(default)]
    pub path: String,
    /// A part of the body, such as a cmdlet's name.
    #[serde(default)]
    pub body: Option<String>,
    /// How many matching requests pass first.
    #[serde(default)]
    pub skip: u32,
    /// How many requests it meets after that; for ever when absent.
    #[serde(default)]
    pub times: Option<u32>,
    /// What happens.
    pub kind: FaultKind,
}

/// What a fault does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// 429; `Retry-After` in seconds, or none.
    Throttle {
        /// Seconds to wait; the header is left out when absent.
        retry_after: Option<u32>,
    },
    /// An error of the server with this status, not applied.
    Status(u16),
    /// No answer, not applied.
    Hang,
    /// Applied, and no answer.
    HangAfterApplying,
    /// The connection is cut before the service saw the request.
    Reset,
    /// Applied, and the connection is cut before the answer.
    ResetAfterApplying,
    /// An answer cut in the middle.
    Truncate,
    /// A next page that is always the same one.
    EndlessNextLink,
    /// Applied, and answered with this error status.
    AppliedButError(u16),
    /// Answered with success, and nothing was done.
    SuccessWithoutEffect,
    /// An answer that takes this many milliseconds longer.
    Slow(u32),
}

impl Fault {
    /// A fault of this kind for every request whose path contains `path`.
    pub fn on_path(path: impl Into<String>, kind: FaultKind) -> Self {
        Self {
            method: None,
            path: path.into(),
            body: None,
            skip: 0,
            times: None,
            kind,
        }
    }

    /// The same, met this often only.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// The same after so many matching requests.
    #[must_use]
    pub fn skipping(mut self, skip: u32) -> Self {
        self.skip = skip;
        self
    }

    /// The same for one HTTP method.
    #[must_use]
    pub fn method(mut self, method: impl Into<String>) -> Self {
        self.method = Some(method.into());
        self
    }

    /// The same for requests whose body contains this.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<String>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Every log source hangs: sign-ins, audits, risk, audit search, message
    /// trace and the activity feed.
    pub fn hang_all_log_sources() -> Vec<Self> {
        [
            "/auditLogs/",
            "/security/auditLog/",
            "/identityProtection/",
            "/tracing/messageTraces",
            "/activity/feed",
        ]
        .into_iter()
        .map(|path| Self::on_path(path, FaultKind::Hang))
        .collect()
    }

    fn matches(&self, request: &Request<Bytes>) -> bool {
        let sent = request
            .uri()
            .path_and_query()
            .map_or("/", |path| path.as_str());
        self.method
            .as_ref()
            .is_none_or(|method| method.eq_ignore_ascii_case(request.method().as_str()))
            && sent.contains(&self.path)
            && self.body.as_ref().is_none_or(|part| {
                request
                    .body()
                    .windows(part.len().max(1))
                    .any(|window| window == part.as_bytes())
            })
    }
}

impl FaultKind {
    /// The word in the trace.
    pub(crate) fn word(self) -> String {
        match self {
            Self::Throttle { .. } => String::from("throttle"),
            Self::Status(status) => format!("status_{status}"),
            Self::Hang => String::from("hang"),
            Self::HangAfterApplying => String::from("hang_after_applying"),
            Self::Reset => String::from("reset"),
            Self::ResetAfterApplying => String::from("reset_after_applying"),
            Self::Truncate => String::from("truncate"),
            Self::EndlessNextLink => String::from("endless_next_link"),
            Self::AppliedButError(status) => format!("applied_but_{status}"),
            Self::SuccessWithoutEffect => String::from("success_without_effect"),
            Self::Slow(_) => String::from("slow"),
        }
    }

    /// Whether the service does what it was asked.
    pub(crate) const fn applies(self) -> bool {
        match self {
            Self::Throttle { .. }
            | Self::Status(_)
            | Self::Hang
            | Self::Reset
            | Self::SuccessWithoutEffect => false,
            Self::HangAfterApplying
            | Self::ResetAfterApplying
            | Self::Truncate
            | Self::EndlessNextLink
            | Self::AppliedButError(_)
            | Self::Slow(_) => true,
        }
    }

    pub(crate) const fn delay(self) -> Duration {
        match self {
            Self::Slow(millis) => Duration::from_millis(millis as u64),
            _ => Duration::ZERO,
        }
    }

    /// Spoils an answer; false when none is sent at all.
    pub(crate) fn play(
        self,
        request: &Request<Bytes>,
        now: Timestamp,
        response: &mut Response<Bytes>,
    ) -> bool {
        use crate::services::Answer;
        match self {
            Self::Hang | Self::HangAfterApplying | Self::Reset | Self::ResetAfterApplying => {
                return false;
            }
            Self::Throttle { retry_after } => {
                let mut answer = Answer::graph_error(
                    429,
                    "TooManyRequests",
                    "Too many requests. Please try again later.",
                );
                if let Some(seconds) = retry_after {
                    answer = answer.header("retry-after", seconds.to_string());
                }
                *response = answer.into_response(request, now);
            }
            Self::Status(status) | Self::AppliedButError(status) => {
                *response =
                    Answer::graph_error(status, "UnknownError", "").into_response(request, now);
            }
            Self::Truncate => {
                let half = response.body().len() / 2;
                *response.body_mut() = response.body().slice(..half);
            }
            Self::EndlessNextLink => {
                if let Ok(mut body) = serde_json::from_slice::<Value>(response.body())
                    && body.get("value").is_some()
                {
                    body["@odata.nextLink"] = json!(request.uri().to_string());
                    *response.body_mut() = Bytes::from(body.to_string());
                    response.headers_mut().insert(
                        "content-type",
                        HeaderValue::from_static("application/json; charset=utf-8"),
                    );
                }
            }
            Self::SuccessWithoutEffect | Self::Slow(_) => {}
        }
        true
    }
}

/// The ordered faults.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    orders: Vec<Fault>,
}

impl Faults {
    /// Takes an order.
    pub(crate) fn add(&mut self, fault: Fault) {
        self.orders.push(fault);
    }

    /// The fault that this request meets, which is counted.
    pub(crate) fn take(&mut self, request: &Request<Bytes>) -> Option<FaultKind> {
        for fault in &mut self.orders {
            if fault.times == Some(0) || !fault.matches(request) {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            if let Some(times) = &mut fault.times {
                *times -= 1;
            }
            return Some(fault.kind);
        }
        None
    }
}
