//! CSV rows to records: the header says which export it is.

use serde_json::{Map, Value, json};

use super::csv_records::Header;
use super::fields::{Fields, unfold};
use super::form::{self, Form};
use super::{audit, entra, trace};
use crate::event::Event;

/// What the rows under a header are.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Table {
    Audit(Form),
    Raw,
    SignIns,
    DirectoryAudits,
    MessageTrace,
    /// Log Analytics and others whose columns are a record's keys.
    Keys,
}

/// The export that has this header; none if no known one has.
pub(super) fn recognise(header: &Header) -> Option<Table> {
    if header.has(&["AuditData"]) {
        let search = ["ResultIndex", "ObjectState", "Identity", "RunspaceId"]
            .iter()
            .any(|name| header.has(&[name]));
        return Some(Table::Audit(if search {
            Form::SearchCsv
        } else {
            Form::PurviewCsv
        }));
    }
    if header.has(&["_raw"]) {
        return Some(Table::Raw);
    }
    if header.has(&["Date (UTC)", "Request ID"]) {
        return Some(Table::SignIns);
    }
    if header.has(&["Date (UTC)", "Activity"]) {
        return Some(Table::DirectoryAudits);
    }
    let trace = [
        ["SenderAddress", "RecipientAddress"],
        ["sender_address", "message_id"],
    ];
    if trace.iter().any(|names| header.has(names)) {
        return Some(Table::MessageTrace);
    }
    form::is_known(&|name| header.has(&[name])).then_some(Table::Keys)
}

/// The row as a JSON object of its columns in their order, whole.
pub(super) fn original(header: &Header, fields: &[String]) -> String {
    let mut text = String::from("{");
    for (position, field) in fields.iter().enumerate() {
        if position > 0 {
            text.push(',');
        }
        let name = header.names.get(position).map_or("", String::as_str);
        text.push_str(&Value::from(name).to_string());
        text.push(':');
        text.push_str(&Value::from(field.as_str()).to_string());
    }
    text.push('}');
    text
}

/// The form and event of one row; an error says why there is none.
pub(super) fn event(
    table: Table,
    header: &Header,
    fields: &[String],
    original: &str,
) -> Result<(Form, Event), String> {
    // A row that stops early lost whatever came after.
    let whole = fields.len() == header.names.len();
    let short = || {
        format!(
            "{} columns where the header has {}",
            fields.len(),
            header.names.len()
        )
    };
    match table {
        Table::Audit(form) => {
            let data = header
                .position("AuditData")
                .and_then(|position| fields.get(position))
                .ok_or_else(short)?;
            let data = serde_json::from_str::<Value>(data.trim())
                .map_err(|error| format!("the audit data is not valid JSON: {}", plain(&error)))?;
            let Value::Object(data) = data else {
                return Err("the audit data is not a record".to_owned());
            };
            let row = columns(header, fields);
            audit::event(Fields::new(&data, Some(&row)), original).map(|event| (form, event))
        }
        Table::Raw => {
            let raw = header
                .position("_raw")
                .and_then(|position| fields.get(position))
                .ok_or_else(short)?;
            let value = serde_json::from_str::<Value>(raw)
                .map_err(|error| format!("the raw event is not valid JSON: {}", plain(&error)))?;
            form::event(&value, original)
        }
        _ if !whole => Err(short()),
        Table::SignIns => {
            let record = portal_sign_in(header, fields);
            entra::sign_in(Fields::new(&record, None), original)
                .map(|event| (Form::SignInsCsv, event))
        }
        Table::DirectoryAudits => {
            let record = portal_audit(header, fields);
            entra::directory_audit(Fields::new(&record, None), original)
                .map(|event| (Form::DirectoryAuditsCsv, event))
        }
        Table::MessageTrace => {
            let row = columns(header, fields);
            trace::event(Fields::new(&row, None), original).map(|event| (Form::MessageTrace, event))
        }
        Table::Keys => form::event(&Value::Object(columns(header, fields)), original),
    }
}

fn plain(error: &serde_json::Error) -> String {
    error
        .to_string()
        .split(" at line ")
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// Columns as keys; of a repeated name the first that is not empty.
fn columns(header: &Header, fields: &[String]) -> Map<String, Value> {
    let mut row = Map::new();
    for (name, field) in header.names.iter().zip(fields) {
        if !field.is_empty() && !row.contains_key(name) {
            row.insert(name.clone(), Value::from(header.month_first(field)));
        }
    }
    row
}

/// The portal's columns under Graph's names (reference §7.4).
fn portal_sign_in(header: &Header, fields: &[String]) -> Map<String, Value> {
    let get = |name: &str| {
        header
            .position(name)
            .and_then(|position| fields.get(position))
            .map(|field| field.trim())
            .filter(|field| !field.is_empty())
    };
    let any = |names: &[&str]| names.iter().find_map(|name| get(name));
    let code =
        any(&["Sign-in error code"]).or_else(|| (get("Status") == Some("Success")).then_some("0"));
    // "City, State, CC".
    let mut place = get("Location")
        .unwrap_or_default()
        .rsplitn(3, ',')
        .map(str::trim);
    let (country, state, city) = (place.next(), place.next(), place.next());
    let requirement = get("Authentication requirement").map(|text| match text {
        "Multifactor authentication" | "Multi-factor authentication" => "multiFactorAuthentication",
        "Single-factor authentication" => "singleFactorAuthentication",
        other => other,
    });
    let protocol =
        get("Authentication Protocol").map(|text| match text.to_ascii_lowercase().as_str() {
            "device code" => "deviceCode".to_owned(),
            "ropc" => "ropc".to_owned(),
            "oauth 2.0" | "oauth2" => "oAuth2".to_owned(),
            "none" => "none".to_owned(),
            _ => text.to_owned(),
        });
    let record = json!({
        "createdDateTime": get("Date (UTC)").map(|text| header.month_first(text)),
        "id": get("Request ID"),
        "userAgent": get("User agent"),
        "correlationId": get("Correlation ID"),
        "userId": any(&["User ID", "Service principal ID"]),
        "userPrincipalName": any(&["Username", "Service principal name"]),
        "userType": get("User type"),
        "incomingTokenType": get("Incoming token type"),
        "authenticationProtocol": protocol,
        "uniqueTokenIdentifier": get("Unique token identifier"),
        "originalTransferMethod": get("Original transfer method"),
        "appDisplayName": get("Application"),
        "appId": get("Application ID"),
        "resourceDisplayName": get("Resource"),
        "resourceId": get("Resource ID"),
        "tenantId": get("Resource tenant ID"),
        "ipAddress": get("IP address"),
        "location": {"city": city, "state": state, "countryOrRegion": country},
        "status": {"errorCode": code, "failureReason": get("Failure reason")},
        "clientAppUsed": get("Client app"),
        "deviceDetail": {
            "deviceId": get("Device ID"),
            "browser": get("Browser"),
            "operatingSystem": get("Operating System"),
            "isCompliant": get("Compliant").map(yes),
            "isManaged": get("Managed").map(yes),
            "trustType": get("Join Type"),
        },
        "mfaResult": get("Multifactor authentication result"),
        "authenticationRequirement": requirement,
        "sessionId": get("Session ID"),
        "autonomousSystemNumber": get("Autonomous system number"),
        "conditionalAccessStatus": get("Conditional Access"),
    });
    match record {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn yes(text: &str) -> bool {
    text.eq_ignore_ascii_case("yes") || text.eq_ignore_ascii_case("true")
}

/// The portal's audit columns under Graph's names. Their layout is not
/// confirmed (reference §7.4), so every column is optional but time and
/// activity.
fn portal_audit(header: &Header, fields: &[String]) -> Map<String, Value> {
    let get = |name: &str| {
        header
            .position(name)
            .and_then(|position| fields.get(position))
            .map(|field| field.trim())
            .filter(|field| !field.is_empty())
    };
    let mut targets = Vec::new();
    for number in 1..=5 {
        let column = |suffix: &str| get(&format!("Target{number}{suffix}"));
        let mut changes = Vec::new();
        for property in 1..=15 {
            let part = |suffix: &str| column(&format!("ModifiedProperty{property}{suffix}"));
            if let Some(name) = part("Name") {
                changes.push(json!({"displayName": name, "oldValue": part("OldValue"), "newValue": part("NewValue")}));
            }
        }
        let target = json!({
            "type": column("Type"),
            "displayName": column("DisplayName"),
            "id": column("ObjectId"),
            "userPrincipalName": column("UserPrincipalName"),
            "modifiedProperties": changes,
        });
        if column("ObjectId")
            .or(column("DisplayName"))
            .or(column("UserPrincipalName"))
            .is_some()
        {
            targets.push(target);
        }
    }
    let who = if get("ActorUserPrincipalName").is_some() {
        json!({"user": {"id": get("ActorObjectId"), "userPrincipalName": get("ActorUserPrincipalName"), "ipAddress": get("IPAddress")}})
    } else {
        json!({"app": {"servicePrincipalId": get("ActorObjectId"), "displayName": get("ActorDisplayName")}})
    };
    let record = json!({
        "activityDateTime": get("Date (UTC)").map(|text| header.month_first(text)),
        "correlationId": get("CorrelationId"),
        "loggedByService": get("Service"),
        "category": get("Category"),
        "activityDisplayName": get("Activity"),
        "result": get("Result"),
        "resultReason": get("ResultReason"),
        "initiatedBy": who,
        "callerIpAddress": get("IPAddress"),
        "targetResources": targets,
    });
    match record {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// For salvage: the columns of a damaged row that name operation, user, time.
pub(super) fn salvage_columns(
    header: &Header,
    fields: &[String],
    names: &[&str],
) -> Option<String> {
    names
        .iter()
        .find_map(|name| {
            header
                .position(name)
                .and_then(|position| fields.get(position))
        })
        .map(|field| field.trim().to_owned())
        .filter(|field| !field.is_empty() && unfold(&Value::from(field.as_str())).is_none())
}
