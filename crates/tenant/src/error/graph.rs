//! What Graph's refusals mean (reference §10.1, §2.3).

use serde::Deserialize;

use super::{Kind, TenantError};
use crate::call::CallSpec;
use crate::wire::Answer;

/// Texts of the 400 for a default method; the code is that of any other 400 (reference §2.3).
const DEFAULT_METHOD: &[&str] = &[
    "current default authentication method",
    "cannot delete default method",
    "without first deleting alternate mobile number",
];

/// Texts of a 400 that says that the request has a wrong form (reference §7.1, §7.2).
const WRONG_FORM: &[&str] = &[
    "could not find a property named",
    "invalid page size",
    "invalid request data",
];

#[derive(Deserialize)]
struct Envelope {
    error: Inner,
}

#[derive(Deserialize, Default)]
struct Inner {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    message: Option<String>,
}

/// The error of an answer whose status is not a success.
pub(crate) fn classify(call: &'static CallSpec, target: &str, answer: &Answer) -> TenantError {
    let Ok(Envelope { error }) = serde_json::from_slice::<Envelope>(&answer.body) else {
        return unreadable(call, target, answer);
    };
    let code = error.code.unwrap_or_default();
    let message = error.message.unwrap_or_default();
    if let Some(inner) = audit_status(&message) {
        return TenantError::new(Kind::AuditingOff, call, target, inner)
            .with_code(Some(&code))
            .with_answer(answer);
    }
    let kind = kind(call, answer.status, &code, &message);
    TenantError::new(kind, call, target, message)
        .with_code(Some(&code))
        .with_answer(answer)
}

fn kind(call: &'static CallSpec, status: u16, code: &str, message: &str) -> Kind {
    let text = message.to_ascii_lowercase();
    match status {
        400 if DEFAULT_METHOD.iter().any(|words| text.contains(words)) => Kind::DefaultMethod,
        400 if code == "Request_UnsupportedQuery"
            || WRONG_FORM.iter().any(|words| text.contains(words)) =>
        {
            Kind::NotUnderstood
        }
        403 if code == "Authentication_RequestFromNonPremiumTenantOrB2CTenant"
            || text.contains("premium license") =>
        {
            Kind::LicenceMissing
        }
        403 if text.contains("restricted management") => Kind::ProtectedTarget,
        403 if code == "UnknownError" => Kind::Gateway,
        403 if code == "ErrorSendAsDenied" => Kind::Refused,
        404 if code == "MailboxNotEnabledForRESTAPI" => Kind::NoMailbox,
        status => bearing(call, status),
    }
}

/// What a status alone means.
pub(super) fn bearing(call: &'static CallSpec, status: u16) -> Kind {
    match status {
        // Nobody sends us anywhere: where a redirect may be followed it was.
        300..=399 => Kind::BadAnswer {
            effect_unknown: false,
        },
        401 => Kind::Expired,
        403 => permission_missing(call),
        404 => Kind::NotFound,
        407 => Kind::Gateway,
        409 => Kind::Conflict,
        412 => Kind::PreconditionFailed,
        429 | BANDWIDTH => Kind::Throttled,
        500.. => Kind::Server {
            effect_unknown: call.change,
        },
        _ => Kind::Refused,
    }
}

/// 509: the bandwidth limit, throttling in other words (reference §10).
pub(crate) const BANDWIDTH: u16 = 509;

/// Auditing that is off shows as an error whose message is JSON (reference §7.2).
fn audit_status(message: &str) -> Option<String> {
    let inner: serde_json::Value = serde_json::from_str(message).ok()?;
    let status = inner
        .get("Status")
        .or_else(|| inner.get("status"))?
        .as_str()?;
    (status == "AuditingDisabledTenant").then(|| status.to_owned())
}

/// A refusal that is not the service's: a gateway's page, or a broken body. The status alone speaks.
pub(super) fn unreadable(call: &'static CallSpec, target: &str, answer: &Answer) -> TenantError {
    let kind = match answer.status {
        // An HTML 403 comes from a gateway on the way (reference §10.1).
        403 => Kind::Gateway,
        status => bearing(call, status),
    };
    let message = match excerpt(&answer.body) {
        None => "the refusal has no text".to_owned(),
        Some(begin) => format!(
            "the refusal is not in the service's own form; a gateway on the way may have sent it: {begin}"
        ),
    };
    TenantError::new(kind, call, target, message).with_answer(answer)
}

/// What an unknown body says, for a person: its title if it is a page, else how it begins.
pub(super) fn excerpt(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body.get(..4096).unwrap_or(body));
    let title = text
        .split_once("<title>")
        .and_then(|(_, rest)| rest.split_once("</title>"))
        .map(|(title, _)| title.to_owned());
    let shown = title.unwrap_or_else(|| text.chars().take(120).collect());
    let shown = crate::escape::message(&shown);
    (!shown.is_empty()).then(|| format!("`{shown}`"))
}

pub(crate) fn permission_missing(call: &'static CallSpec) -> Kind {
    Kind::PermissionMissing {
        permission: call
            .permissions
            .first()
            .copied()
            .unwrap_or_default()
            .to_owned(),
        role: call.roles.first().copied().unwrap_or_default().to_owned(),
    }
}
