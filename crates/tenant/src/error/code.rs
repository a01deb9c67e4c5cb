//! The page of the error book that belongs to a failed call.

use retake_playbook::codes::{self, Code};

use super::{Kind, SignInProblem, TenantError};
use crate::edge::TransportErrorKind;

impl TenantError {
    /// Its code in the error book.
    pub fn page(&self) -> Code {
        match self.0.kind {
            _ if self.needs_a_person() => codes::SIGN_IN_NEEDED,
            Kind::SignIn(SignInProblem::ClockSkew) => codes::WRONG_CLOCK,
            Kind::PermissionMissing { .. } => codes::PERMISSION_MISSING,
            Kind::ProtectedTarget => codes::PROTECTED,
            Kind::LicenceMissing => codes::LICENCE_MISSING,
            Kind::NotFound if self.0.call.id == crate::call::USER.id => codes::UNKNOWN_USER,
            Kind::NoMailbox => codes::NO_MAILBOX,
            Kind::AuditingOff => codes::AUDITING_OFF,
            Kind::NotUnderstood => codes::NOT_UNDERSTOOD,
            Kind::Throttled => codes::THROTTLED,
            Kind::SignIn(_) | Kind::Unauthenticated | Kind::Expired => codes::SIGN_IN_REFUSED,
            Kind::WrongTenant => codes::WRONG_TENANT,
            Kind::Unreachable { .. } | Kind::TimedOut { .. } => match self.0.connection {
                Some(TransportErrorKind::Tls) => codes::NOT_TRUSTED,
                Some(TransportErrorKind::Proxy) => codes::PROXY,
                _ => codes::UNREACHABLE,
            },
            Kind::Gateway => codes::UNREACHABLE,
            Kind::BadAnswer { .. } | Kind::Server { .. } => codes::BAD_ANSWER,
            Kind::BadInput => codes::BAD_INPUT,
            Kind::NotFound
            | Kind::Conflict
            | Kind::PreconditionFailed
            | Kind::DefaultMethod
            | Kind::Refused => codes::REFUSED,
        }
    }
}
