//! What Exchange's refusals mean, and where it hides the text (reference §6.5).

use serde_json::Value;

use super::graph::{bearing, excerpt, permission_missing};
use super::{Kind, TenantError};
use crate::call::CallSpec;
use crate::wire::Answer;

/// The exception that only says that some cmdlet failed.
const GENERIC: &str = "DirectInvokeCmdletExecutionException";

/// The error of an answer whose status is not a success.
pub(crate) fn classify(call: &'static CallSpec, target: &str, answer: &Answer) -> TenantError {
    let parsed = serde_json::from_slice::<Value>(&answer.body).ok();
    let Some(error) = parsed.as_ref().and_then(|body| body.get("error")) else {
        return without_text(call, target, answer);
    };
    let Said { exception, text } = dig(error);
    let kind = kind(call, answer.status, &exception, &text);
    let code = if exception.is_empty() {
        error
            .get("code")
            .and_then(Value::as_str)
            .unwrap_or_default()
    } else {
        exception.rsplit('.').next().unwrap_or_default()
    };
    TenantError::new(kind, call, target, &text)
        .with_code(Some(code))
        .with_answer(answer)
}

/// Errors that come inside a 200 (reference §6.3: check both).
pub(crate) fn in_success(
    call: &'static CallSpec,
    target: &str,
    answer: &Answer,
    body: &Value,
) -> Option<TenantError> {
    let record = match body.get("ErrorRecords")? {
        Value::Array(records) => records.first()?.clone(),
        Value::Null => return None,
        other => other.clone(),
    };
    let text = match &record {
        Value::String(text) => text.clone(),
        other => ["message", "Message", "ErrorDetails"]
            .iter()
            .find_map(|key| other.get(*key).and_then(Value::as_str))
            .unwrap_or("the cmdlet reported an error without a text")
            .to_owned(),
    };
    let Said { exception, text } = split(&text);
    let kind = match kind(call, 400, &exception, &text) {
        // A cmdlet can fail after part of its work.
        Kind::Refused if call.change => Kind::BadAnswer {
            effect_unknown: true,
        },
        other => other,
    };
    Some(
        TenantError::new(kind, call, target, text)
            .with_code(Some("ErrorRecords"))
            .with_answer(answer),
    )
}

struct Said {
    exception: String,
    text: String,
}

/// `error.message` says nothing; the text is in the details, then in the inner exception.
fn dig(error: &Value) -> Said {
    let detail = error
        .pointer("/details/0/message")
        .and_then(Value::as_str)
        .filter(|text| !text.trim().is_empty());
    if let Some(detail) = detail {
        let unwrapped = serde_json::from_str::<Value>(detail)
            .ok()
            .and_then(|inner| Some(inner.get("Message")?.as_str()?.to_owned()));
        return split(unwrapped.as_deref().unwrap_or(detail));
    }
    let inner = error.pointer("/innererror/internalexception");
    let kind = inner
        .and_then(|inner| inner.get("type"))
        .and_then(Value::as_str)
        .unwrap_or_default();
    let text = inner
        .and_then(|inner| inner.get("message"))
        .and_then(Value::as_str)
        .unwrap_or_default();
    if !text.is_empty() && !kind.ends_with(GENERIC) {
        let mut said = split(text);
        if said.exception.is_empty() {
            kind.clone_into(&mut said.exception);
        }
        return said;
    }
    Said {
        exception: String::new(),
        text: error
            .get("message")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
    }
}

/// Takes `ExHHHHHH|Type|text` or `|Type|text` apart; server names in the text go.
fn split(message: &str) -> Said {
    let mut parts = message.splitn(3, '|');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(prefix), Some(exception), Some(text))
            if (prefix.is_empty() || prefix.starts_with("Ex")) && !exception.contains(' ') =>
        {
            Said {
                exception: exception.to_owned(),
                text: without_server(text),
            }
        }
        _ => Said {
            exception: String::new(),
            text: without_server(message),
        },
    }
}

/// Cuts ` on '<server>'`, which tells an outsider about Microsoft's insides and the reader nothing.
fn without_server(text: &str) -> String {
    // A stack trace tells as little.
    let text = text.split("\n   at ").next().unwrap_or(text);
    let text = text.split("\r\n   at ").next().unwrap_or(text);
    match text.split_once(" on '") {
        Some((before, after)) => match after.split_once('\'') {
            Some((_, rest)) => format!("{before}{rest}"),
            None => text.to_owned(),
        },
        None => text.to_owned(),
    }
}

fn kind(call: &'static CallSpec, status: u16, exception: &str, text: &str) -> Kind {
    let said = |words: &str| exception.contains(words) || text.contains(words);
    if said("ManagementObjectNotFoundException") {
        return if text.contains("mailbox") && text.contains("doesn't exist") {
            Kind::NoMailbox
        } else {
            Kind::NotFound
        };
    }
    if said("ADObjectAlreadyExistsException") {
        return Kind::Conflict;
    }
    if said("CommandNotFoundException") || said("not present in the role definition") {
        return permission_missing(call);
    }
    if WRONG_FORM.iter().any(|words| said(words)) {
        return Kind::NotUnderstood;
    }
    match status {
        401 | 403 => permission_missing(call),
        status => bearing(call, status),
    }
}

/// Exceptions that say that the request has a wrong form (reference §6.5).
const WRONG_FORM: &[&str] = &[
    "AmbiguousParameterSetException",
    "ParameterTransformationException",
    "ParameterBindingException",
];

/// A 403 of NUL bytes means that the cmdlet is not in the caller's roles (reference §0.14).
fn without_text(call: &'static CallSpec, target: &str, answer: &Answer) -> TenantError {
    let begin = excerpt(&answer.body).filter(|_| answer.body.iter().any(|byte| *byte != 0));
    let message = match answer.status {
        401 => "Exchange does not know the app: it has neither the permission nor a role",
        403 if !answer.body.is_empty() && answer.body.iter().all(|byte| *byte == 0) => {
            "the cmdlet is not in the roles of the app (a refusal without text)"
        }
        403 => {
            "the permission, the role or the cmdlet is missing (a refusal without readable text)"
        }
        _ => "the refusal has no readable text",
    };
    let message = match begin {
        Some(begin) => format!("{message}: {begin}"),
        None => message.to_owned(),
    };
    TenantError::new(kind(call, answer.status, "", ""), call, target, message).with_answer(answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_text_is_dug_out_and_the_server_name_left_out() {
        let said = dig(&json!({
            "code": "NotFound", "message": "Error executing cmdlet",
            "details": [{"code": "Context", "message":
                "Ex6F9304|Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException|The operation couldn't be performed because object 'x' couldn't be found on 'DB7PR04.prod'."}]
        }));
        assert!(
            said.exception
                .ends_with("ManagementObjectNotFoundException")
        );
        assert_eq!(
            said.text,
            "The operation couldn't be performed because object 'x' couldn't be found."
        );
    }

    #[test]
    fn a_detail_that_is_json_itself_is_opened() {
        let said = dig(
            &json!({"details": [{"message": "{\"Message\":\"|A.B.AmbiguousParameterSetException|Parameter set\"}"}]}),
        );
        assert_eq!(said.text, "Parameter set");
    }

    #[test]
    fn without_details_the_inner_exception_speaks_unless_it_is_the_generic_one() {
        let inner = |kind: &str| {
            dig(&json!({"message": "Invalid Operation",
                "innererror": {"internalexception": {"message": "the cause", "type": kind}}}))
            .text
        };
        assert_eq!(inner("X.ParameterTransformationException"), "the cause");
        assert_eq!(
            inner("X.DirectInvokeCmdletExecutionException"),
            "Invalid Operation"
        );
    }
}
