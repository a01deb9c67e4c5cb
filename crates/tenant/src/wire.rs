//! Requests ready to be sent, and what came back for them.

use std::fmt;

use bytes::Bytes;
use http::HeaderMap;
use jiff::Timestamp;
use retake_playbook::Digest;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::call::{CallSpec, Service};
use crate::error::{Kind, TenantError};
use crate::escape;
use crate::pace::Account;
use crate::page::Completeness;
use crate::sign_in::cut;

/// Which request it was: enough to find it in anybody's log of the same requests.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RequestRef {
    /// `GET`, `POST`, `PATCH` or `DELETE`.
    pub method: String,
    /// Path and query as sent, percent-encoded, without the host.
    pub url: String,
    /// SHA-256 over method, a space, `url`, a line feed and the body.
    pub sha256: Digest,
}

impl RequestRef {
    fn new(method: &str, url: &str, body: &[u8]) -> Self {
        let mut hash = Sha256::new();
        hash.update(method.as_bytes());
        hash.update(b" ");
        hash.update(url.as_bytes());
        hash.update(b"\n");
        hash.update(body);
        Self {
            method: method.to_owned(),
            url: url.to_owned(),
            sha256: Digest::from_bytes(hash.finalize().into()),
        }
    }
}

/// One answer as it came, to be kept as evidence.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// The request it answers.
    pub request: RequestRef,
    /// HTTP status.
    pub status: u16,
    /// The body, byte for byte (but see [`Prepared`] for requests with a secret).
    pub body: Bytes,
    /// When it was complete here.
    pub received_at: Timestamp,
    /// The service's own name for the exchange, if it gave one.
    pub request_id: Option<String>,
    /// The next page, where it stands in a header (reference §7.2).
    pub(crate) next_page: Option<String>,
}

/// Bodies hold whatever the tenant holds, so a debug text gives their length only.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("request", &self.request)
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .field("received_at", &self.received_at)
            .field("request_id", &self.request_id)
            .field("next_page", &self.next_page)
            .finish()
    }
}

/// What a reading call returns.
#[derive(Debug, Clone)]
pub struct Read<T> {
    /// What the answers mean.
    pub value: T,
    /// The answers themselves, in the order they came.
    pub answers: Vec<Answer>,
    /// Whether the value is all there is.
    pub completeness: Completeness,
}

impl<T> Read<T> {
    /// The same answers with another meaning.
    pub fn map<U>(self, meaning: impl FnOnce(T) -> U) -> Read<U> {
        Read {
            value: meaning(self.value),
            answers: self.answers,
            completeness: self.completeness,
        }
    }
}

/// What a change returns: it was accepted. Whether it took effect is for a read to say.
#[derive(Debug, Clone)]
pub struct Change {
    /// The request that was accepted.
    pub request: RequestRef,
    /// HTTP status of the acceptance.
    pub status: u16,
    /// What the service warned of, cleaned; only Exchange does.
    pub warnings: Vec<String>,
    /// The answers, usually one and often empty.
    pub answers: Vec<Answer>,
}

impl Change {
    /// The body of the last answer as JSON, if it has one: a created object, for example.
    pub fn json(&self) -> Option<Value> {
        let answer = self.answers.last()?;
        serde_json::from_slice(&answer.body).ok()
    }
}

/// The same change by hand, in two forms. Secrets show as `<new password>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Equivalent {
    /// Method, full URL and body.
    pub http: String,
    /// A PowerShell command (Microsoft Graph or Exchange Online module).
    pub powershell: String,
}

/// A change that is ready to be sent and has not been sent.
///
/// Its [`RequestRef`] is known beforehand, so an intent can be journalled with
/// it. If it carries a secret, neither [`fmt::Debug`] nor [`Prepared::equivalent`]
/// show it, and the secret is cut out of answers and errors.
pub struct Prepared {
    pub(crate) outgoing: Outgoing,
    pub(crate) equivalent: Equivalent,
}

impl Prepared {
    /// The request as it will be sent.
    pub fn request(&self) -> &RequestRef {
        &self.outgoing.request
    }

    /// Which call it is.
    pub fn call(&self) -> &'static CallSpec {
        self.outgoing.spec
    }

    /// The object it changes, as the caller named it.
    pub fn target(&self) -> &str {
        &self.outgoing.target
    }

    /// How to do the same by hand.
    pub fn equivalent(&self) -> &Equivalent {
        &self.equivalent
    }

    /// The body as JSON; `None` if there is none or it holds a secret.
    pub fn body_json(&self) -> Option<Value> {
        match &self.outgoing.body {
            Body::Json(bytes) => serde_json::from_slice(bytes).ok(),
            Body::Empty | Body::Secret { .. } => None,
        }
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared")
            .field("call", &self.outgoing.spec.id)
            .field("target", &self.outgoing.target)
            .field("request", &self.outgoing.request)
            .field("equivalent", &self.equivalent)
            .finish()
    }
}

/// What a request carries.
pub(crate) enum Body {
    Empty,
    Json(Bytes),
    /// A body around a secret, and the secret itself so that it can be cut out of what comes back.
    Secret {
        json: Zeroizing<Vec<u8>>,
        secret: SecretString,
    },
}

impl Body {
    pub(crate) fn json(value: &Value) -> Self {
        Self::Json(Bytes::from(value.to_string()))
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Empty => &[],
            Self::Json(bytes) => bytes,
            Self::Secret { json, .. } => json,
        }
    }

    /// The bytes to send; those around a secret are wiped once they are sent.
    pub(crate) fn to_send(&self) -> Bytes {
        match self {
            Self::Empty => Bytes::new(),
            Self::Json(bytes) => bytes.clone(),
            Self::Secret { json, .. } => Bytes::from_owner(json.clone()),
        }
    }
}

/// A request built from its spec, before host and token are added.
pub(crate) struct Outgoing {
    pub(crate) spec: &'static CallSpec,
    pub(crate) target: String,
    pub(crate) request: RequestRef,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
    /// What it is counted against, and as how many requests, where that is not told by
    /// its own call and address.
    pub(crate) counted: Option<(Account, u32)>,
}

impl Outgoing {
    pub(crate) fn service(&self) -> Service {
        self.spec.service
    }

    /// Cuts the request's secret out of a text.
    pub(crate) fn scrub(&self, text: &str) -> String {
        match &self.body {
            Body::Secret { secret, .. } => cut(text, secret.expose_secret(), "<secret>"),
            Body::Empty | Body::Json(_) => text.to_owned(),
        }
    }

    /// Cuts the request's secret out of an answer's body, also in its JSON spelling.
    pub(crate) fn scrub_bytes(&self, body: Bytes) -> Bytes {
        let Body::Secret { secret, .. } = &self.body else {
            return body;
        };
        let text = String::from_utf8_lossy(&body);
        let plain = secret.expose_secret();
        let quoted = Zeroizing::new(Value::from(plain).to_string());
        let inner = quoted
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'))
            .unwrap_or(plain);
        if plain.is_empty() {
            return body;
        }
        if text.contains(plain) || text.contains(inner) {
            Bytes::from(text.replace(plain, "<secret>").replace(inner, "<secret>"))
        } else {
            body
        }
    }
}

/// Builds an [`Outgoing`]: fills the spec's path, adds query, headers and body.
pub(crate) struct Builder {
    spec: &'static CallSpec,
    target: String,
    url: Result<String, TenantError>,
    has_query: bool,
    headers: HeaderMap,
    body: Body,
}

impl Builder {
    /// Fills the `{…}` of the spec's path with `values`, in order.
    pub(crate) fn new(spec: &'static CallSpec, target: &str, values: &[&str]) -> Self {
        Self {
            spec,
            target: escape::message(target),
            url: fill(spec, target, values),
            has_query: false,
            headers: HeaderMap::new(),
            body: Body::Empty,
        }
    }

    /// Adds a query parameter; the name is ours and not encoded.
    pub(crate) fn query(mut self, name: &str, value: &str) -> Self {
        if let Ok(url) = &mut self.url {
            url.push(if self.has_query { '&' } else { '?' });
            url.push_str(name);
            url.push('=');
            url.push_str(&escape::query_value(value));
        }
        self.has_query = true;
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        // A value that cannot stand in a header is left out: only the anchor
        // mailbox comes from outside, and it is a hint.
        if let Ok(value) = http::HeaderValue::from_str(value) {
            self.headers.append(name, value);
        }
        self
    }

    pub(crate) fn body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    pub(crate) fn json(self, value: &Value) -> Self {
        self.body(Body::json(value))
    }

    pub(crate) fn build(self) -> Result<Outgoing, TenantError> {
        let url = self.url?;
        let request = RequestRef::new(self.spec.method.as_str(), &url, self.body.bytes());
        let mut headers = self.headers;
        headers.insert(
            http::header::ACCEPT,
            http::HeaderValue::from_static("application/json"),
        );
        // Exchange labels bodies gzip that are not (reference §6.5).
        headers.insert(
            http::header::ACCEPT_ENCODING,
            http::HeaderValue::from_static("identity"),
        );
        if !matches!(self.body, Body::Empty) {
            headers.insert(
                http::header::CONTENT_TYPE,
                http::HeaderValue::from_static("application/json"),
            );
        }
        Ok(Outgoing {
            spec: self.spec,
            target: self.target,
            request,
            headers,
            body: self.body,
            counted: None,
        })
    }
}

impl Outgoing {
    /// The same request to another path and query: the next page of a list.
    pub(crate) fn to(&self, url: &str) -> Self {
        let body = match &self.body {
            Body::Json(bytes) => Body::Json(bytes.clone()),
            Body::Empty | Body::Secret { .. } => Body::Empty,
        };
        Self {
            spec: self.spec,
            target: self.target.clone(),
            request: RequestRef::new(self.spec.method.as_str(), url, body.bytes()),
            headers: self.headers.clone(),
            body,
            counted: None,
        }
    }

    /// The same, counted as so many requests against this.
    pub(crate) fn counted(mut self, account: Account, weight: u32) -> Self {
        self.counted = Some((account, weight));
        self
    }
}

fn fill(spec: &'static CallSpec, target: &str, values: &[&str]) -> Result<String, TenantError> {
    let bad = |why: &str| TenantError::new(Kind::BadInput, spec, target, why);
    let mut path = String::new();
    let mut rest = spec.path_template;
    let mut values = values.iter();
    while let Some((before, after)) = rest.split_once('{') {
        let (_, after) = after
            .split_once('}')
            .ok_or_else(|| bad("the path template is not closed"))?;
        let value = values
            .next()
            .ok_or_else(|| bad("a part of the path is missing"))?;
        let quoted = before.ends_with('\'');
        let value = if quoted {
            value.replace('\'', "''")
        } else {
            (*value).to_owned()
        };
        path.push_str(before);
        path.push_str(
            &escape::path_segment(&value)
                .ok_or_else(|| bad("an id that is empty or made of dots cannot be asked for"))?,
        );
        rest = after;
    }
    path.push_str(rest);
    Ok(path)
}
