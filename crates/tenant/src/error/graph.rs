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

#[derive(Deserialize, Default)]
struct Envelope {
    #[serde(default)]
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
    let kind = kind(call, answer.status, &code, &message);
    TenantError::new(kind, call, target, message)
        .with_code(Some(&code))
        .with_answer(answer)
}

fn kind(call: &'static CallSpec, status: u16, code: &str, message: &str) -> Kind {
    let text = message.to_ascii_lowercase();
    match status {
        400 if DEFAULT_METHOD.iter().any(|words| text.contains(words)) => Kind::DefaultMethod,
        401 => Kind::Expired,
        403 if code == "Authentication_RequestFromNonPremiumTenantOrB2CTenant"
            || text.contains("premium license") =>
        {
            Kind::LicenceMissing
        }
        403 if text.contains("restricted management") => Kind::ProtectedTarget,
        403 if code == "UnknownError" => Kind::Refused,
        403 => permission_missing(call),
        404 => Kind::NotFound,
        409 => Kind::Conflict,
        412 => Kind::PreconditionFailed,
        429 => Kind::Throttled,
        500.. => Kind::Server {
            effect_unknown: call.change,
        },
        _ => Kind::Refused,
    }
}

/// A refusal that is not Graph's: a gateway's page, or a broken body. The status alone speaks.
fn unreadable(call: &'static CallSpec, target: &str, answer: &Answer) -> TenantError {
    let kind = match answer.status {
        // An HTML 403 comes from a gateway on the way (reference §10.1).
        403 => Kind::Refused,
        status => kind(call, status, "", ""),
    };
    let message = if answer.body.is_empty() {
        "the refusal has no text"
    } else {
        "the refusal is not in the service's own form; a gateway on the way may have sent it"
    };
    TenantError::new(kind, call, target, message).with_answer(answer)
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
