//! Faults on request: what real services do on a bad day (reference §1.4,
//! §6.3, §6.5, §7.2, §10).
//!
//! A fault answers in the words of the service that it meets: a refusal of
//! Exchange is not a refusal of Graph.

mod answers;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub(crate) use answers::regional;

use crate::world::World;

/// A host that belongs to nobody here: where [`FaultKind::RedirectAway`]
/// points. Whatever comes there gets a success, so that a client that follows
/// believes itself done, and the trace says whether a token came along.
pub const ELSEWHERE: &str = "elsewhere.example";

/// Which requests a fault meets, and how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    /// Meets requests inside a Graph `$batch` instead of those outside. Only
    /// kinds that answer are played there; one that hangs or cuts meets the
    /// batch as a whole and must be ordered for its path.
    #[serde(default)]
    pub in_batch: bool,
    /// What happens.
    pub kind: FaultKind,
}

/// What a fault does.
///
/// In a scenario: `kind = "expired"`, `kind = { status = 503 }`,
/// `kind = { throttle = { retry_after = 3 } }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// 429; `Retry-After` in seconds, or none.
    Throttle {
        /// Seconds to wait; the header is left out when absent.
        #[serde(default)]
        retry_after: Option<u32>,
    },
    /// The access token in hand is over from here on: 401 until another one is
    /// sent. At the token endpoint the client's credential has expired.
    Expired,
    /// Continuous access evaluation refuses the access token in hand from here
    /// on: 401 with a claims challenge (reference §1.4). At the token endpoint
    /// interaction is required.
    ClaimsChallenge,
    /// 403 as the service writes it, not applied.
    Forbidden,
    /// 403 of a gateway in front of Graph: HTML, not JSON (reference §10.1).
    GatewayForbidden,
    /// 404 for an object that is there and not replicated yet.
    NotYetReplicated,
    /// 409: another change of the object is under way; not applied.
    Conflict,
    /// 412: the object is not in the state that the request expects; not
    /// applied.
    PreconditionFailed,
    /// An error of the server with this status, not applied.
    Status(u16),
    /// 503 with `Retry-After` in seconds, not applied.
    Unavailable {
        /// Seconds to wait.
        retry_after: u32,
    },
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
    /// A next page at a new address, for ever.
    EndlessPages,
    /// A redirect with this status to the service's regional host, not
    /// applied (reference §6.3).
    Redirect {
        /// 301, 302, 307 or 308.
        status: u16,
        /// The port in the address, such as 446; the present one when absent.
        #[serde(default)]
        port: Option<u16>,
    },
    /// A redirect to [`ELSEWHERE`], not applied.
    RedirectAway,
    /// Applied, and answered with this error status.
    AppliedButError(u16),
    /// Answered with success, and nothing was done.
    SuccessWithoutEffect,
    /// An answer that takes this many milliseconds longer.
    Slow(u32),
}

/// The faults that every call of a client must survive, each with the words of
/// the fault table. Parameters are chosen so that a client that waits as told
/// waits seconds.
pub const TABLE: [(&str, FaultKind); 24] = [
    (
        "429 with Retry-After",
        FaultKind::Throttle {
            retry_after: Some(3),
        },
    ),
    (
        "429 without Retry-After",
        FaultKind::Throttle { retry_after: None },
    ),
    ("401 expired", FaultKind::Expired),
    ("401 with claims", FaultKind::ClaimsChallenge),
    ("403", FaultKind::Forbidden),
    ("403 of a gateway", FaultKind::GatewayForbidden),
    ("404 while replicating", FaultKind::NotYetReplicated),
    ("409", FaultKind::Conflict),
    ("412", FaultKind::PreconditionFailed),
    ("500", FaultKind::Status(500)),
    ("502", FaultKind::Status(502)),
    (
        "503 with Retry-After",
        FaultKind::Unavailable { retry_after: 3 },
    ),
    ("504", FaultKind::Status(504)),
    ("time-out before the effect", FaultKind::Hang),
    ("time-out after the effect", FaultKind::HangAfterApplying),
    ("cut connection before the effect", FaultKind::Reset),
    (
        "cut connection after the effect",
        FaultKind::ResetAfterApplying,
    ),
    ("cut body", FaultKind::Truncate),
    ("endless paging, the same page", FaultKind::EndlessNextLink),
    ("endless paging, new addresses", FaultKind::EndlessPages),
    (
        "redirect to a regional host, port 446",
        FaultKind::Redirect {
            status: 307,
            port: Some(446),
        },
    ),
    ("redirect elsewhere", FaultKind::RedirectAway),
    (
        "applied, but an error was answered",
        FaultKind::AppliedButError(500),
    ),
    ("success that did nothing", FaultKind::SuccessWithoutEffect),
];

impl Fault {
    /// A fault of this kind for every request whose path contains `path`.
    pub fn on_path(path: impl Into<String>, kind: FaultKind) -> Self {
        Self {
            method: None,
            path: path.into(),
            body: None,
            skip: 0,
            times: None,
            in_batch: false,
            kind,
        }
    }

    /// The same, for requests inside a `$batch`.
    #[must_use]
    pub fn inside_batches(mut self) -> Self {
        self.in_batch = true;
        self
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
            Self::Expired => String::from("expired"),
            Self::ClaimsChallenge => String::from("claims_challenge"),
            Self::Forbidden => String::from("forbidden"),
            Self::GatewayForbidden => String::from("gateway_forbidden"),
            Self::NotYetReplicated => String::from("not_yet_replicated"),
            Self::Conflict => String::from("conflict"),
            Self::PreconditionFailed => String::from("precondition_failed"),
            Self::Status(status) => format!("status_{status}"),
            Self::Unavailable { .. } => String::from("unavailable"),
            Self::Hang => String::from("hang"),
            Self::HangAfterApplying => String::from("hang_after_applying"),
            Self::Reset => String::from("reset"),
            Self::ResetAfterApplying => String::from("reset_after_applying"),
            Self::Truncate => String::from("truncate"),
            Self::EndlessNextLink => String::from("endless_next_link"),
            Self::EndlessPages => String::from("endless_pages"),
            Self::Redirect { .. } => String::from("redirect"),
            Self::RedirectAway => String::from("redirect_away"),
            Self::AppliedButError(status) => format!("applied_but_{status}"),
            Self::SuccessWithoutEffect => String::from("success_without_effect"),
            Self::Slow(_) => String::from("slow"),
        }
    }

    /// Whether the service does what it was asked, or refuses it by itself.
    pub(crate) const fn applies(self) -> bool {
        match self {
            Self::Throttle { .. }
            | Self::Forbidden
            | Self::GatewayForbidden
            | Self::NotYetReplicated
            | Self::Conflict
            | Self::PreconditionFailed
            | Self::Status(_)
            | Self::Unavailable { .. }
            | Self::Hang
            | Self::Reset
            | Self::Redirect { .. }
            | Self::RedirectAway
            | Self::SuccessWithoutEffect => false,
            // The token is spoilt beforehand, and the service refuses it.
            Self::Expired
            | Self::ClaimsChallenge
            | Self::HangAfterApplying
            | Self::ResetAfterApplying
            | Self::Truncate
            | Self::EndlessNextLink
            | Self::EndlessPages
            | Self::AppliedButError(_)
            | Self::Slow(_) => true,
        }
    }

    /// Whether an answer comes at all.
    pub const fn answers(self) -> bool {
        !matches!(
            self,
            Self::Hang | Self::HangAfterApplying | Self::Reset | Self::ResetAfterApplying
        )
    }

    pub(crate) const fn delay(self) -> Duration {
        match self {
            Self::Slow(millis) => Duration::from_millis(millis as u64),
            _ => Duration::ZERO,
        }
    }

    /// What happens to the tenant before it sees the request.
    pub(crate) fn prepare(self, world: &mut World, request: &Request<Bytes>, now: Timestamp) {
        let token = request
            .headers()
            .get(http::header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "))
            .unwrap_or_default();
        if let Some(access) = world.tokens.access.get_mut(token.trim()) {
            match self {
                Self::Expired => access.expires = access.expires.min(now),
                Self::ClaimsChallenge => access.challenged = Some(now),
                _ => {}
            }
        }
    }

    /// Spoils an answer. Not to be called for a kind without one.
    pub(crate) fn spoil(
        self,
        world: &mut World,
        request: &Request<Bytes>,
        now: Timestamp,
        response: &mut Response<Bytes>,
    ) {
        if let Some(answer) = answers::of(self, world, request, now) {
            *response = answer.into_response(request, now);
            return;
        }
        match self {
            Self::Truncate => {
                let half = response.body().len() / 2;
                *response.body_mut() = response.body().slice(..half);
            }
            Self::EndlessNextLink => add_next_link(response, &request.uri().to_string()),
            Self::EndlessPages => add_next_link(response, &answers::next_address(request.uri())),
            _ => {}
        }
    }
}

/// Gives a list a further page.
fn add_next_link(response: &mut Response<Bytes>, link: &str) {
    let Ok(mut body) = serde_json::from_slice::<Value>(response.body()) else {
        return;
    };
    if body.get("value").is_some_and(Value::is_array) {
        body["@odata.nextLink"] = json!(link);
        *response.body_mut() = Bytes::from(body.to_string());
        response
            .headers_mut()
            .entry(http::header::CONTENT_TYPE)
            .or_insert(HeaderValue::from_static("application/json; charset=utf-8"));
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

    /// The fault that this request meets, which is counted; `in_batch` says
    /// that it is one of those inside a batch.
    pub(crate) fn take(&mut self, request: &Request<Bytes>, in_batch: bool) -> Option<FaultKind> {
        for fault in &mut self.orders {
            let place = fault.in_batch == in_batch && (!in_batch || fault.kind.answers());
            if fault.times == Some(0) || !place || !fault.matches(request) {
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
