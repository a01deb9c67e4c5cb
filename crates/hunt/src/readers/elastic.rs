//! Documents of Elastic's modules for Microsoft 365 and Azure.

use serde_json::{Map, Value};

use super::fields::{at, key, unfold};
use super::form::{Form, RESOURCE_MANAGER, diagnostic, nested, object};
use crate::event::Event;

/// Elastic's modules keep the record whole in `event.original`, or taken
/// apart under `o365.audit`, `azure.signinlogs` and `azure.auditlogs`.
pub(super) fn record(
    map: &Map<String, Value>,
    original: &str,
    depth: usize,
) -> Option<Result<(Form, Event), String>> {
    let ours = ["_source", "o365", "azure"];
    if !map
        .keys()
        .any(|name| ours.iter().any(|start| name.starts_with(start)))
    {
        return None;
    }
    if let Some(Value::Object(source)) = key(map, "_source") {
        return Some(object(source, None, original, depth + 1));
    }
    let field = |path: &[&str]| -> Option<&Value> {
        let flat = key(map, &path.join("."));
        flat.or_else(|| {
            let (first, rest) = path.split_first()?;
            rest.iter()
                .try_fold(key(map, first)?, |value, name| at(value, name))
        })
    };
    let audit = field(&["o365", "audit"]);
    let sign_ins = field(&["azure", "signinlogs"]);
    let audits = field(&["azure", "auditlogs"]);
    let graph = field(&["azure", "graphactivitylogs"]);
    let part = audit.or(sign_ins).or(audits).or(graph);
    if part.is_none() && field(&["azure", "activitylogs"]).is_some() {
        return Some(Err(RESOURCE_MANAGER.to_owned()));
    }
    let part = part?.as_object()?;
    if let Some(whole) = field(&["event", "original"]).and_then(unfold)
        && let Ok(event) = nested(&whole, None, original, depth)
    {
        return Some(Ok(event));
    }
    let mut part = part.clone();
    // What the module moved out of the record stands beside it.
    for (name, path) in [
        ("CreationTime", &["@timestamp"][..]),
        ("Operation", &["event", "action"]),
        ("Id", &["event", "id"]),
        ("UserId", &["user", "id"]),
        ("Workload", &["event", "provider"]),
        ("ClientIP", &["source", "ip"]),
        ("OrganizationId", &["organization", "id"]),
    ] {
        if audit.is_some()
            && key(&part, name).is_none()
            && let Some(value) = field(path)
        {
            part.insert(name.to_owned(), value.clone());
        }
    }
    if audit.is_some() {
        return Some(object(&part, None, original, depth + 1));
    }
    if let Some(time) = field(&["@timestamp"])
        && key(&part, "time").is_none()
    {
        part.insert("time".to_owned(), time.clone());
    }
    if key(&part, "category").is_none() {
        let category = if sign_ins.is_some() {
            "SignInLogs"
        } else {
            "AuditLogs"
        };
        part.insert("category".to_owned(), Value::from(category));
    }
    let properties = match key(&part, "properties") {
        Some(Value::Object(properties)) => spelled(properties),
        _ => spelled(&part),
    };
    let part = spelled(&part);
    Some(diagnostic(&part, &properties, original))
}

/// Elastic writes `user_principal_name` for `userPrincipalName`: the keys
/// without their underscores, at every depth.
fn spelled(map: &Map<String, Value>) -> Map<String, Value> {
    fn value(from: &Value, depth: usize) -> Value {
        match from {
            Value::Object(map) if depth < 6 => Value::Object(
                map.iter()
                    .map(|(name, inner)| (name.replace('_', ""), value(inner, depth + 1)))
                    .collect(),
            ),
            // A list became an object with its numbers as keys, or stayed.
            Value::Array(items) => {
                Value::Array(items.iter().map(|item| value(item, depth + 1)).collect())
            }
            other => other.clone(),
        }
    }
    map.iter()
        .map(|(name, inner)| (name.replace('_', ""), value(inner, 0)))
        .collect()
}
