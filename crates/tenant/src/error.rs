//! Why a call did not do what was asked, and what to do next.

use std::fmt;
use std::ops::Deref;
use std::time::Duration;

use crate::call::CallSpec;
use crate::edge::{TransportError, TransportErrorKind};
use crate::escape;
use crate::wire::Answer;

pub(crate) mod activity;
mod code;
pub(crate) mod exchange;
pub(crate) mod graph;
mod hint;
pub(crate) mod sign_in;

pub use sign_in::SignInProblem;
/// How much of a refusal is kept, in bytes. The longest documented is 4 KiB of NUL bytes.
const KEPT: usize = 64 * 1024;

/// A call that failed. The fields are those of [`Details`].
///
/// Its texts hold no token, client secret or password, are at most a few
/// hundred characters long and contain no control characters.
#[derive(Debug, Clone)]
pub struct TenantError(Box<Details>);

/// What is known about a failed call.
#[derive(Debug, Clone)]
pub struct Details {
    /// What it means for the caller.
    pub kind: Kind,
    /// The call.
    pub call: &'static CallSpec,
    /// The object it was about, as the caller named it.
    pub target: String,
    /// HTTP status, if an answer came.
    pub status: Option<u16>,
    /// The service's own error code, if it gave one.
    pub code: Option<String>,
    /// What the service or the connection said, cleaned.
    pub message: String,
    /// The service's name for the exchange, to ask its support about.
    pub request_id: Option<String>,
    /// How long the service wants to be left alone.
    pub retry_after: Option<Duration>,
    /// At which stage the connection failed, if that is what happened.
    pub connection: Option<TransportErrorKind>,
    /// The refusal as it came, to be kept as evidence.
    pub answer: Option<Answer>,
}

/// What a failure means.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// The app lacks a permission or a role. The same answer comes when the
    /// target holds a role that outranks the app, or is in a restricted unit
    /// (reference §10.1): see [`TenantError::for_target`].
    PermissionMissing {
        /// The least-privileged permission that would do.
        permission: String,
        /// The role that would do, or is needed besides; empty if none is documented.
        role: String,
    },
    /// The target is protected from this app: a restricted-management unit, or a role above the app's.
    ProtectedTarget,
    /// The tenant has no licence for this.
    LicenceMissing,
    /// The object does not exist (any more, or not yet everywhere).
    NotFound,
    /// Too many requests; this one was not carried out.
    Throttled,
    /// A fresh token was refused as well.
    Expired,
    /// Nobody is signed in: a person must do that first.
    Unauthenticated,
    /// The token service refused to give a token.
    SignIn(SignInProblem),
    /// Another tenant answered than the one of the profile.
    WrongTenant,
    /// It exists already, or somebody changed it at the same time.
    Conflict,
    /// It changed since it was read.
    PreconditionFailed,
    /// The method is the account's default while others remain (reference §2.3): delete the others first.
    DefaultMethod,
    /// There is no mailbox in Exchange Online behind this account: no licence, on
    /// premises, inactive, or not made yet.
    NoMailbox,
    /// Auditing is switched off in the tenant: nothing was recorded.
    AuditingOff,
    /// The service understood and said no.
    Refused,
    /// The service cannot make sense of the request: a mistake of ours, or a
    /// service that changed. Never sent again as it is.
    NotUnderstood,
    /// Something between here and the service refused: a proxy, a gateway.
    Gateway,
    /// The service could not be reached.
    Unreachable {
        /// Whether a change may have been carried out all the same.
        effect_unknown: bool,
    },
    /// No answer within the deadline.
    TimedOut {
        /// Whether a change may have been carried out all the same.
        effect_unknown: bool,
    },
    /// The answer cannot be read, or is about something else than what was
    /// asked. It never counts as "no records".
    BadAnswer {
        /// Whether a change may have been carried out all the same.
        effect_unknown: bool,
    },
    /// The service failed.
    Server {
        /// Whether a change may have been carried out all the same.
        effect_unknown: bool,
    },
    /// What the caller asked for cannot be asked: nothing was sent.
    BadInput,
}

impl TenantError {
    /// An error of this kind without an answer behind it.
    pub fn new(
        kind: Kind,
        call: &'static CallSpec,
        target: impl AsRef<str>,
        message: impl AsRef<str>,
    ) -> Self {
        Self(Box::new(Details {
            kind,
            call,
            target: escape::message(target.as_ref()),
            status: None,
            code: None,
            message: escape::message(message.as_ref()),
            request_id: None,
            retry_after: None,
            connection: None,
            answer: None,
        }))
    }

    pub(crate) fn with_code(mut self, code: Option<&str>) -> Self {
        self.0.code = code.filter(|code| !code.is_empty()).map(escape::message);
        self
    }

    pub(crate) fn with_answer(mut self, answer: &Answer) -> Self {
        self.0.status = Some(answer.status);
        self.0.request_id = answer.request_id.as_deref().map(escape::message);
        let mut answer = answer.clone();
        answer.body.truncate(KEPT);
        self.0.answer = Some(answer);
        self
    }

    /// The same error with a fact that helps whoever reads it.
    pub(crate) fn with_note(mut self, note: &str) -> Self {
        self.0.message = escape::message(&format!("{} ({note})", self.0.message));
        self
    }

    pub(crate) fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.0.retry_after = wait;
        self
    }

    /// The same about another call: what befell a batch befell what is in it.
    pub(crate) fn about(mut self, call: &'static CallSpec, target: &str) -> Self {
        self.0.call = call;
        self.0.target = escape::message(target);
        self
    }

    pub(crate) fn with_kind(mut self, kind: Kind) -> Self {
        self.0.kind = kind;
        self
    }

    pub(crate) fn transport(call: &'static CallSpec, target: &str, error: &TransportError) -> Self {
        let effect_unknown = call.change && error.kind.effect_possible();
        let kind = match error.kind {
            TransportErrorKind::Name
            | TransportErrorKind::Route
            | TransportErrorKind::Proxy
            | TransportErrorKind::Connect
            | TransportErrorKind::Tls
            | TransportErrorKind::Reset => Kind::Unreachable { effect_unknown },
            TransportErrorKind::Timeout => Kind::TimedOut { effect_unknown },
            TransportErrorKind::Body => Kind::BadAnswer { effect_unknown },
        };
        let code = match error.kind {
            TransportErrorKind::Name => "name",
            TransportErrorKind::Route => "route",
            TransportErrorKind::Proxy => "proxy",
            TransportErrorKind::Connect => "connect",
            TransportErrorKind::Tls => "tls",
            TransportErrorKind::Timeout => "timeout",
            TransportErrorKind::Reset => "reset",
            TransportErrorKind::Body => "body",
        };
        let mut new = Self::new(kind, call, target, error.to_string()).with_code(Some(code));
        new.0.connection = Some(error.kind);
        new
    }

    pub(crate) fn timed_out(call: &'static CallSpec, target: &str, effect_unknown: bool) -> Self {
        Self::new(
            Kind::TimedOut {
                effect_unknown: call.change && effect_unknown,
            },
            call,
            target,
            "no answer within the deadline",
        )
    }

    /// Cuts texts that must not be seen out of everything this error shows.
    pub(crate) fn scrubbed(mut self, scrub: impl Fn(&str) -> String) -> Self {
        self.0.message = scrub(&self.0.message);
        self.0.code = self.0.code.map(|code| scrub(&code));
        self
    }

    /// Whether a change may have been carried out although it failed here.
    /// Then the object must be read before anything is concluded.
    pub fn effect_unknown(&self) -> bool {
        matches!(
            self.0.kind,
            Kind::Unreachable {
                effect_unknown: true
            } | Kind::TimedOut {
                effect_unknown: true
            } | Kind::BadAnswer {
                effect_unknown: true
            } | Kind::Server {
                effect_unknown: true
            }
        )
    }

    /// Whether only a person can get on, by signing in (again).
    pub fn needs_a_person(&self) -> bool {
        match self.0.kind {
            Kind::Unauthenticated => true,
            Kind::SignIn(problem) => problem.needs_a_person(),
            _ => false,
        }
    }

    /// The same error in the light of what is known about its target: a
    /// refusal for lack of permission on a protected account is
    /// [`Kind::ProtectedTarget`], and granting the app more of what it has
    /// would not help.
    #[must_use]
    pub fn for_target(mut self, restricted_unit: bool, holds_role: bool) -> Self {
        if (restricted_unit || holds_role) && matches!(self.0.kind, Kind::PermissionMissing { .. })
        {
            self.0.kind = Kind::ProtectedTarget;
        }
        self
    }
}

impl Deref for TenantError {
    type Target = Details;

    fn deref(&self) -> &Details {
        &self.0
    }
}

impl fmt::Display for TenantError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Details {
            kind,
            call,
            target,
            status,
            code,
            message,
            ..
        } = &*self.0;
        write!(f, "cannot {}", call.does)?;
        if !target.is_empty() {
            write!(f, " of {target}")?;
        }
        write!(f, ": {}", kind.words())?;
        match (status, code) {
            (Some(status), Some(code)) => write!(f, " ({status} {code})")?,
            (Some(status), None) => write!(f, " ({status})")?,
            (None, Some(code)) => write!(f, " ({code})")?,
            (None, None) => {}
        }
        if !message.is_empty() {
            write!(f, ": {message}")?;
        }
        Ok(())
    }
}

impl std::error::Error for TenantError {}

impl Kind {
    /// What it means, in a few words.
    pub const fn words(&self) -> &'static str {
        match self {
            Self::PermissionMissing { .. } => "a permission or role is missing",
            Self::ProtectedTarget => "the account is protected from this app",
            Self::LicenceMissing => "the tenant has no licence for it",
            Self::NotFound => "not found",
            Self::Throttled => "too many requests",
            Self::Expired => "the token is refused",
            Self::Unauthenticated => "nobody is signed in",
            Self::SignIn(_) => "sign-in was refused",
            Self::WrongTenant => "another tenant answered",
            Self::Conflict => "it conflicts with what is there",
            Self::PreconditionFailed => "it changed meanwhile",
            Self::DefaultMethod => "it is the default method while others remain",
            Self::NoMailbox => "there is no mailbox in Exchange Online",
            Self::AuditingOff => "auditing is switched off",
            Self::Refused => "refused",
            Self::NotUnderstood => "the service does not understand the request",
            Self::Gateway => "something on the way refused",
            Self::Unreachable { .. } => "not reachable",
            Self::TimedOut { .. } => "timed out",
            Self::BadAnswer { .. } => "the answer cannot be read",
            Self::Server { .. } => "the service failed",
            Self::BadInput => "it cannot be asked for",
        }
    }
}
