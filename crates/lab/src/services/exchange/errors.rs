//! The error bodies of `InvokeCommand` (reference §6.5).

use serde_json::json;

use super::CONTENT_TYPE;
use crate::services::answer::{Answer, Body};
use crate::unconfirmed::{EXCHANGE_MISSING, EXCHANGE_THROTTLE_BODY};
use crate::world::World;

/// 401: the token is good, the grants are not.
pub(super) fn unauthorized() -> Answer {
    let mut answer = Answer::no_content().header("www-authenticate", "Bearer client_id=\"00000002-0000-0ff1-ce00-000000000000\", trusted_issuers=\"00000001-0000-0000-c000-000000000000@*\", error=\"invalid_token\"");
    answer.status = 401;
    answer
}

/// 403 with a body of NUL bytes, called gzip though it is none (§0.14, §6.5).
pub(crate) fn forbidden() -> Answer {
    let mut answer = Answer::no_content().header("content-encoding", "gzip");
    answer.status = 403;
    answer.body = Body::Raw("application/json", vec![0; 985]);
    answer
}

/// 400 for a bad parameter or value (reference §6.5).
pub(super) fn bad(message: &str, kind: &str) -> Answer {
    error(
        400,
        "BadRequest",
        "Invalid Operation",
        &format!("|Microsoft.Exchange.AdminApi.CommandInvocation.{kind}|{message}"),
        message,
    )
}

/// 429 (reference §6.3; the body is not confirmed).
pub(crate) fn throttled(world: &World) -> Answer {
    const TEXT: &str = "The server is busy: too many requests were sent. Try again later.";
    match world.unconfirmed.variant(&EXCHANGE_THROTTLE_BODY) {
        "empty" => {
            let mut answer = Answer::no_content();
            answer.status = 429;
            answer
        }
        "text" => {
            let mut answer = Answer::no_content();
            answer.status = 429;
            answer.body = Body::Raw("text/plain", TEXT.as_bytes().to_vec());
            answer
        }
        _ => error(
            429,
            "TooManyRequests",
            "Error executing cmdlet",
            &format!("|Microsoft.Exchange.Data.Directory.OverBudgetException|{TEXT}"),
            TEXT,
        ),
    }
}

/// An error of the server.
pub(crate) fn failed(status: u16) -> Answer {
    const TEXT: &str = "The operation could not be completed because of a temporary problem.";
    error(
        status,
        "InternalServerError",
        "Error executing cmdlet",
        &format!("|Microsoft.Exchange.Data.Directory.ADTransientException|{TEXT}"),
        TEXT,
    )
}

/// An object is not there.
pub(crate) fn missing(world: &World, object: &str) -> Answer {
    let text = format!(
        "The operation couldn't be performed because object '{object}' couldn't be found on 'AM0PR01A001.EURPR01A001.PROD.OUTLOOK.COM'."
    );
    not_there(world, "Ex6F9304", &text)
}

/// A mailbox is not there.
pub(super) fn no_mailbox(world: &World, key: &str) -> Answer {
    let text = format!("The specified mailbox Identity:\"{key}\" doesn't exist.");
    not_there(world, "Ex41BAF5", &text)
}

/// The status and the code are not confirmed; the exception's name is.
fn not_there(world: &World, mark: &str, text: &str) -> Answer {
    let (status, code) = match world.unconfirmed.variant(&EXCHANGE_MISSING) {
        "internal_error" => (500, "InternalServerError"),
        "bad_request" => (400, "NotFound"),
        _ => (404, "NotFound"),
    };
    error(
        status,
        code,
        "Error executing cmdlet",
        &format!(
            "{mark}|Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException|{text}"
        ),
        text,
    )
}

/// An error document (reference §6.5).
pub(crate) fn error(status: u16, code: &str, message: &str, detail: &str, inner: &str) -> Answer {
    Answer::json(
        status,
        json!({"error": {
            "code": code,
            "message": message,
            "details": [{"code": "Client", "target": "", "message": detail}],
            "innererror": {
                "message": message,
                "type": "Microsoft.Exchange.Admin.OData.Core.ODataServiceException",
                "stacktrace": "",
                "internalexception": {"message": inner, "type": "Microsoft.Exchange.Management.PSDirectInvoke.DirectInvokeCmdletExecutionException", "stacktrace": ""},
            },
            "adminapi.warnings@odata.type": "#Collection(String)",
            "@adminapi.warnings": [],
        }}),
    )
    .header("content-type", CONTENT_TYPE)
}
