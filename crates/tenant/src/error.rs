//! Why a call did not do what was asked, and what to do next.

use std::fmt::{self, Write as _};
use std::ops::Deref;
use std::time::Duration;

use crate::call::{CallSpec, Service};
use crate::edge::{TransportError, TransportErrorKind};
use crate::escape;
use crate::wire::Answer;

pub(crate) mod exchange;
pub(crate) mod graph;
pub(crate) mod sign_in;

pub use sign_in::SignInProblem;

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
    /// The service understood and said no.
    Refused,
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
        self.0.answer = Some(answer.clone());
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

    /// What to do next, as one or two sentences for the person who reads it.
    pub fn hint(&self) -> String {
        let service = self.0.call.service.words();
        match &self.0.kind {
            Kind::PermissionMissing { permission, role } => permission_hint(self.0.call, permission, role),
            Kind::ProtectedTarget => format!(
                "The account is protected: if it holds a role, give the app `{}`; if it is in a \
                 restricted-management unit, give the app a role scoped to that unit. More application \
                 permissions would not help.",
                self.0.call.roles.last().unwrap_or(&"Privileged Authentication Administrator")
            ),
            Kind::LicenceMissing => "The tenant has no Entra ID P1 or P2 licence for this log (or has it since a short \
                 time only). Go on without it: the case records that it could not be looked at."
                .to_owned(),
            Kind::NotFound => "Check the spelling and the tenant. An object made or deleted minutes ago can still be \
                 unknown to some of the service."
                .to_owned(),
            Kind::Throttled => match self.0.retry_after {
                Some(wait) => format!("{service} asks to wait {} s. Run the same command again after that.", wait.as_secs()),
                None => format!("{service} has too many requests of this app. Wait a minute and run the same command again."),
            },
            Kind::Expired => "A new token was refused too. Check that the app was not disabled and that no policy excludes \
                 this address, then sign in again."
                .to_owned(),
            Kind::Unauthenticated => "A person has to sign in first.".to_owned(),
            Kind::SignIn(problem) => problem.hint().to_owned(),
            Kind::WrongTenant => "The profile names another tenant than the one that answered. Check its tenant id.".to_owned(),
            Kind::Conflict => "Read the object again: it exists already or was changed at the same time.".to_owned(),
            Kind::PreconditionFailed => "The object changed since it was read. Look at it again before changing it.".to_owned(),
            Kind::DefaultMethod => "Delete the account's other methods first, or choose another default, and then this one again.".to_owned(),
            Kind::Refused => "The message says why. If it makes no sense, report it with the request id.".to_owned(),
            Kind::BadInput => "Nothing was sent. Correct what was asked for.".to_owned(),
            Kind::Unreachable { .. } | Kind::TimedOut { .. } | Kind::BadAnswer { .. } | Kind::Server { .. } => {
                if self.effect_unknown() {
                    "It is not known whether the change was carried out. Read the object before anything else; \
                     the same command does that."
                        .to_owned()
                } else {
                    let way = self.0.connection.and_then(TransportErrorKind::hint);
                    let way = way.unwrap_or("Check the way to the service and run the same command again.");
                    format!("Nothing was changed. {way}")
                }
            }
        }
    }
}

fn permission_hint(call: &CallSpec, permission: &str, role: &str) -> String {
    let mut hint = if call.service == Service::Exchange {
        format!(
            "Give the app the application permission `{permission}` (Office 365 Exchange Online) with admin consent \
             and one of the roles `{}`; both are needed, and a new role takes minutes to work.",
            call.roles.join("`, `")
        )
    } else {
        format!("Give the app the application permission `{permission}` with admin consent.")
    };
    if call.service == Service::Graph && !role.is_empty() {
        // Writing to a String cannot fail.
        let _ = write!(
            hint,
            " If it has that already, the account outranks it: give the app's service principal the role `{role}`."
        );
    }
    hint
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
            Self::Refused => "refused",
            Self::Unreachable { .. } => "not reachable",
            Self::TimedOut { .. } => "timed out",
            Self::BadAnswer { .. } => "the answer cannot be read",
            Self::Server { .. } => "the service failed",
            Self::BadInput => "it cannot be asked for",
        }
    }
}
