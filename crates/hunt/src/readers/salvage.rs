//! What can be told of a record that cannot be read.

use serde::Serialize;

use super::csv_records::Header;
use super::table::salvage_columns;
use crate::event::fold_operation;
use crate::moment;

/// Operation, user and time of a damaged record, as far as they stand in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Salvaged {
    /// When.
    pub time: Option<jiff::Timestamp>,
    /// Who, lower case.
    pub user: Option<String>,
    /// What, folded.
    pub operation: Option<String>,
}

const TIMES: [&str; 7] = [
    "CreationTime",
    "createdDateTime",
    "activityDateTime",
    "CreationDate",
    "receivedDateTime",
    "TimeGenerated",
    "Date (UTC)",
];
const USERS: [&str; 4] = ["UserId", "userPrincipalName", "UserIds", "senderAddress"];
const OPERATIONS: [&str; 5] = [
    "Operation",
    "Operations",
    "activityDisplayName",
    "operationName",
    "Activity",
];

/// From a JSON text, or a CSV row with JSON in it.
pub(super) fn from_text(text: &str) -> Salvaged {
    // In CSV, and in JSON inside JSON, the quotes are doubled or escaped.
    let bounded = text
        .get(..text.floor_char_boundary(1 << 20))
        .unwrap_or_default();
    let plain = bounded.replace("\\\"", "\"").replace("\"\"", "\"");
    Salvaged {
        time: find(&plain, &TIMES).and_then(|text| moment::parse(&text)),
        user: find(&plain, &USERS).map(|user| user.to_lowercase()),
        operation: find(&plain, &OPERATIONS).map(|name| fold_operation(&name)),
    }
}

/// From a row whose columns are known, and from its text for the rest.
pub(super) fn from_row(header: &Header, fields: &[String], text: &str) -> Salvaged {
    let rest = from_text(text);
    Salvaged {
        time: salvage_columns(header, fields, &TIMES)
            .and_then(|text| moment::parse(&text))
            .or(rest.time),
        user: salvage_columns(header, fields, &USERS)
            .map(|user| user.to_lowercase())
            .or(rest.user),
        operation: salvage_columns(header, fields, &OPERATIONS)
            .map(|name| fold_operation(&name))
            .or(rest.operation),
    }
}

/// The text behind the first of these keys that has a whole one.
fn find(text: &str, keys: &[&str]) -> Option<String> {
    keys.iter().find_map(|key| {
        let (_, rest) = text.split_once(&format!("\"{key}\""))?;
        let rest = rest
            .trim_start()
            .strip_prefix(':')?
            .trim_start()
            .strip_prefix('"')?;
        let (value, _) = rest.split_once('"')?;
        (!value.is_empty()).then(|| value.to_owned())
    })
}
