//! What the Management Activity API's refusals mean: its own codes tell more than
//! the status, which is not always the same for one code (reference §7.2).

use serde_json::Value;

use super::graph::{bearing, permission_missing};
use super::{Kind, TenantError};
use crate::call::CallSpec;
use crate::wire::Answer;

/// The error of an answer whose status is not a success.
pub(crate) fn classify(call: &'static CallSpec, target: &str, answer: &Answer) -> TenantError {
    let parsed = serde_json::from_slice::<Value>(&answer.body).ok();
    let said = |name: &str| {
        let text = parsed.as_ref()?.get("error")?.get(name)?.as_str()?;
        Some(text.to_owned())
    };
    let Some(code) = said("code") else {
        return super::graph::unreadable(call, target, answer);
    };
    let kind = kind(call, answer.status, &code);
    TenantError::new(kind, call, target, said("message").unwrap_or_default())
        .with_code(Some(&code))
        .with_answer(answer)
}

fn kind(call: &'static CallSpec, status: u16, code: &str) -> Kind {
    match code {
        "AF10001" => permission_missing(call),
        "AF20010" | "AF20011" | "AF20012" | "AF20013" => Kind::WrongTenant,
        "AF20001" | "AF20002" | "AF20003" | "AF20020" | "AF20021" | "AF20030" | "AF20031"
        | "AF20055" => Kind::NotUnderstood,
        // No subscription yet; content that is gone, expired or named wrongly.
        "AF20022" | "AF20050" | "AF20051" | "AF20052" => Kind::NotFound,
        "AF20023" => Kind::Refused,
        // It is started already, which is what was wanted.
        "AF20024" => Kind::Conflict,
        // Seen with 403 as well as with 429.
        "AF429" => Kind::Throttled,
        "AF50000" => Kind::Server {
            effect_unknown: call.change,
        },
        _ => bearing(call, status),
    }
}
