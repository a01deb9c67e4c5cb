//! The trace: one line for everything that happened, the score's only source
//! besides the exported case.

use std::fmt;

use jiff::Timestamp;
use retake_playbook::{ArtefactId, Digest, ObjectKind, ObjectRef};
use serde::{Serialize, Serializer};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Who acted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Actor {
    /// The responder under test, told by its app registration.
    Responder,
    /// The attacker.
    Attacker,
    /// A user of the company, by user principal name.
    User(String),
    /// A person on our side, by role.
    Person(String),
    /// The service by itself.
    Service,
    /// Another client of the lab, by its app id.
    Foreign(String),
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Responder => f.write_str("responder"),
            Self::Attacker => f.write_str("attacker"),
            Self::User(upn) => write!(f, "user:{upn}"),
            Self::Person(role) => write!(f, "person:{role}"),
            Self::Service => f.write_str("service"),
            Self::Foreign(app) => write!(f, "foreign:{app}"),
        }
    }
}

impl Serialize for Actor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Through which service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// The scenario's own line at the beginning.
    Scenario,
    /// The token endpoint.
    Token,
    /// Microsoft Graph.
    Graph,
    /// Exchange `InvokeCommand`.
    Exchange,
    /// The Management Activity API.
    Activity,
    /// Mail flow.
    Mail,
    /// A person.
    Person,
    /// The attacker's own doing that is no request.
    Attack,
    /// A host that is none of the tenant's, to which a client let itself be
    /// redirected.
    Elsewhere,
}

/// What an attempt of the attacker brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Got {
    /// A token.
    Token,
    /// Data, or a change.
    Data,
    /// Nothing.
    Nothing,
}

/// An object in a trace line: kind and id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TraceObject {
    /// Its kind.
    pub kind: ObjectKind,
    /// Its stable id.
    pub id: String,
}

impl TraceObject {
    /// The object of this kind with this id.
    pub fn new(kind: ObjectKind, id: impl Into<String>) -> Self {
        Self {
            kind,
            id: id.into(),
        }
    }
}

impl From<&ObjectRef> for TraceObject {
    fn from(object: &ObjectRef) -> Self {
        Self::new(object.kind, object.id.clone())
    }
}

/// One request inside a `$batch`.
#[derive(Clone, Debug, Serialize)]
pub struct TraceInside {
    /// HTTP method.
    pub method: String,
    /// Path with the version, percent-encoded.
    pub path: String,
    /// Query as sent.
    pub query: Option<String>,
    /// HTTP status of its own.
    pub status: u16,
    /// SHA-256 of its body, byte for byte as it stands in the batch's answer; none
    /// for one without a body.
    pub response_sha256: Option<Digest>,
    /// The fault that was played on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// One line.
#[derive(Clone, Debug, Serialize)]
pub struct TraceLine {
    /// Number, from 0.
    pub n: u64,
    /// When, in the lab's time.
    pub at: Timestamp,
    /// Round of requests that the client says it is in; 0 for others.
    pub round: u32,
    /// Who.
    pub actor: Actor,
    /// Through what.
    pub service: Service,
    /// HTTP method, or a word for what is no request.
    pub method: String,
    /// Path as sent, percent-encoded.
    pub path: String,
    /// Query as sent.
    pub query: Option<String>,
    /// SHA-256 over `METHOD SP path[?query] LF body`.
    pub request_sha256: Option<Digest>,
    /// HTTP status.
    pub status: Option<u16>,
    /// SHA-256 of the body that was sent back.
    pub response_sha256: Option<Digest>,
    /// The main object.
    pub target: Option<TraceObject>,
    /// What changed.
    pub effect: Option<Value>,
    /// Objects whose present state the answer shows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shows: Vec<TraceObject>,
    /// The cmdlet that an Exchange request runs; its path is always the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// What a `$batch` asked and was answered, each as if it had come alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inside: Vec<TraceInside>,
    /// The fault that was played.
    pub fault: Option<String>,
    /// The artefact that the attacker tried.
    pub attempt: Option<ArtefactId>,
    /// What the try brought.
    pub got: Option<Got>,
    /// For the attacker: through which account, by its object id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
}

impl TraceLine {
    /// An empty line by somebody through something.
    pub(crate) fn new(at: Timestamp, actor: Actor, service: Service, method: &str) -> Self {
        Self {
            n: 0,
            at,
            round: 0,
            actor,
            service,
            method: method.to_owned(),
            path: String::new(),
            query: None,
            request_sha256: None,
            status: None,
            response_sha256: None,
            target: None,
            effect: None,
            shows: Vec::new(),
            operation: None,
            inside: Vec::new(),
            fault: None,
            attempt: None,
            got: None,
            account: None,
        }
    }

    /// The same with what changed.
    pub(crate) fn with_effect(mut self, effect: Value) -> Self {
        self.effect = Some(effect);
        self
    }

    /// The same about an object.
    pub(crate) fn about(mut self, kind: ObjectKind, id: impl Into<String>) -> Self {
        self.target = Some(TraceObject::new(kind, id));
        self
    }

    /// The same as the attacker's try of an artefact.
    pub(crate) fn attempting(mut self, artefact: ArtefactId, got: Got) -> Self {
        self.attempt = Some(artefact);
        self.got = Some(got);
        self
    }
}

/// All lines so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace {
    lines: Vec<TraceLine>,
}

impl Trace {
    /// Adds a line under the next number.
    pub(crate) fn push(&mut self, mut line: TraceLine) -> u64 {
        line.n = self.lines.len() as u64;
        let n = line.n;
        self.lines.push(line);
        n
    }

    /// The lines.
    pub(crate) fn lines(&self) -> &[TraceLine] {
        &self.lines
    }

    /// Says of the attacker's lines from this one on through which account they came.
    pub(crate) fn through_account(&mut self, from: usize, account: &str) {
        for line in self.lines.iter_mut().skip(from) {
            if line.actor == Actor::Attacker && line.account.is_none() {
                line.account = Some(account.to_owned());
            }
        }
    }

    /// A line that was written, to complete it.
    pub(crate) fn line_mut(&mut self, n: u64) -> Option<&mut TraceLine> {
        self.lines.get_mut(n as usize)
    }
}

/// The digest of some bytes.
pub(crate) fn digest(bytes: &[u8]) -> Digest {
    Digest::from_bytes(Sha256::digest(bytes).into())
}

/// The digest of a request as the trace defines it.
pub(crate) fn request_digest(method: &str, path_and_query: &str, body: &[u8]) -> Digest {
    let mut hash = Sha256::new();
    hash.update(method.as_bytes());
    hash.update(b" ");
    hash.update(path_and_query.as_bytes());
    hash.update(b"\n");
    hash.update(body);
    Digest::from_bytes(hash.finalize().into())
}
