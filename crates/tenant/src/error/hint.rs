//! What to do next about a failed call.

use std::fmt::Write as _;

use super::{Kind, TenantError};
use crate::call::{CallSpec, Service};
use crate::edge::TransportErrorKind;

impl TenantError {
    /// What to do next, as one or two sentences for the person who reads it.
    pub fn hint(&self) -> String {
        let service = self.0.call.service.words();
        match &self.0.kind {
            Kind::PermissionMissing { permission, role } => {
                let mut hint = permission_hint(self.0.call, permission, role);
                if self.0.code.as_deref() == Some("ErrorAccessDenied") {
                    hint.push_str(
                        " If it has that too, an application access policy or a role scope leaves this mailbox out, \
                         and a change of those takes up to two hours. To a person Graph gives no other person's mailbox.",
                    );
                }
                hint
            },
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
            Kind::NoMailbox => "The account has no licence for a mailbox, or its mailbox is on premises, inactive or not made \
                 yet. Where mail is kept elsewhere, look for rules and forwarding there."
                .to_owned(),
            Kind::AuditingOff => "Nothing was recorded, so nothing can be found. Switch it on for the next time: \
                 `Set-AdminAuditLogConfig -UnifiedAuditLogIngestionEnabled $true`."
                .to_owned(),
            Kind::NotUnderstood => "This is a mistake of Retake, or the service changed. Report it with the request id; the same \
                 command will fail again."
                .to_owned(),
            Kind::Gateway => format!(
                "This is not {service}'s own refusal: ask whoever runs the proxy or gateway on the way, or try another network."
            ),
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
