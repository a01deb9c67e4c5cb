//! The fields of a record as its log wrote them, for what no column holds.
//!
//! A path names a field, its parts joined by points, case aside:
//! `TargetResources.modifiedProperties.newValue`. Lists fan out, text that
//! holds JSON is opened, and a list of `Name` and `Value` pairs is read like
//! an object. What stands inside an envelope (`AuditData`, `properties`,
//! `_raw`) is looked for first, then the envelope itself.

use serde_json::{Map, Value};

/// How deep a path or JSON inside text is followed.
const MAX_DEPTH: usize = 16;

/// Names under which exports put the record itself.
const ENVELOPES: [&str; 6] = [
    "AuditData",
    "properties",
    "_raw",
    "result",
    "record",
    "RawEventData",
];

/// A record, opened.
#[derive(Debug, Default)]
pub(crate) struct Record(Vec<Map<String, Value>>);

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Leaf {
    /// Text, a number or a truth value, as text.
    Text(String),
    /// Nothing: `null`, or text without a character.
    Nothing,
}

impl Record {
    /// Opens the original of an event; one that is no JSON object has no
    /// fields.
    pub(crate) fn open(original: &str) -> Self {
        let mut layers = Vec::new();
        let mut next = serde_json::from_str::<Value>(original).ok();
        while let Some(Value::Object(map)) = next.take() {
            if layers.len() >= MAX_DEPTH {
                break;
            }
            next = ENVELOPES
                .iter()
                .filter_map(|name| key(&map, name))
                .find_map(object);
            layers.push(map);
        }
        layers.reverse();
        Self(layers)
    }

    /// What stands at the path; empty where there is no such field.
    pub(crate) fn leaves(&self, path: &str) -> Vec<Leaf> {
        for layer in &self.0 {
            let mut found = Vec::new();
            walk_map(layer, path, MAX_DEPTH, &mut found);
            if !found.is_empty() {
                return found;
            }
        }
        Vec::new()
    }

    /// Every text in the record, names aside.
    pub(crate) fn any_text(&self, test: &mut dyn FnMut(&str) -> bool) -> bool {
        // The outermost layer holds the others.
        self.0
            .last()
            .is_some_and(|map| map.values().any(|value| any_text(value, MAX_DEPTH, test)))
    }
}

fn object(value: &Value) -> Option<Value> {
    match value {
        Value::Object(_) => Some(value.clone()),
        Value::String(text) => opened(text).filter(Value::is_object),
        _ => None,
    }
}

fn opened(text: &str) -> Option<Value> {
    let text = text.trim();
    (text.starts_with('{') || text.starts_with('['))
        .then(|| serde_json::from_str(text).ok())
        .flatten()
}

fn key<'a>(map: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    map.get(name).or_else(|| {
        map.iter()
            .find(|(have, _)| have.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    })
}

fn walk_map(map: &Map<String, Value>, path: &str, depth: usize, found: &mut Vec<Leaf>) {
    if let Some(value) = key(map, path) {
        leaf(value, found);
        return;
    }
    let Some((head, tail)) = path.split_once('.') else {
        return;
    };
    if let Some(value) = key(map, head) {
        walk(value, tail, depth, found);
    }
}

fn walk(value: &Value, path: &str, depth: usize, found: &mut Vec<Leaf>) {
    let Some(depth) = depth.checked_sub(1) else {
        return;
    };
    match value {
        Value::Object(map) => walk_map(map, path, depth, found),
        Value::Array(items) => {
            for item in items {
                match pair(item, path) {
                    Some(value) => leaf(value, found),
                    None => walk(item, path, depth, found),
                }
            }
        }
        Value::String(text) => {
            if let Some(value) = opened(text) {
                walk(&value, path, depth, found);
            }
        }
        _ => {}
    }
}

/// The value of a `Name` and `Value` pair that bears the name.
fn pair<'a>(item: &'a Value, name: &str) -> Option<&'a Value> {
    let map = item.as_object()?;
    let have = ["Name", "Key"].iter().find_map(|label| key(map, label))?;
    let value = key(map, "Value")?;
    have.as_str()
        .is_some_and(|have| have.eq_ignore_ascii_case(name))
        .then_some(value)
}

fn leaf(value: &Value, found: &mut Vec<Leaf>) {
    match value {
        Value::Null => found.push(Leaf::Nothing),
        Value::String(text) if text.is_empty() => found.push(Leaf::Nothing),
        Value::String(text) => found.push(Leaf::Text(text.clone())),
        Value::Array(items) if items.is_empty() => found.push(Leaf::Nothing),
        Value::Array(items)
            if items
                .iter()
                .all(|item| !item.is_object() && !item.is_array()) =>
        {
            for item in items {
                leaf(item, found);
            }
        }
        other => found.push(Leaf::Text(other.to_string())),
    }
}

fn any_text(value: &Value, depth: usize, test: &mut dyn FnMut(&str) -> bool) -> bool {
    let Some(depth) = depth.checked_sub(1) else {
        return false;
    };
    match value {
        Value::Null => false,
        Value::String(text) => test(text),
        Value::Bool(flag) => test(if *flag { "true" } else { "false" }),
        Value::Number(number) => test(&number.to_string()),
        Value::Array(items) => items.iter().any(|item| any_text(item, depth, test)),
        Value::Object(map) => map.values().any(|item| any_text(item, depth, test)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(original: &str, path: &str) -> Vec<String> {
        Record::open(original)
            .leaves(path)
            .into_iter()
            .map(|leaf| match leaf {
                Leaf::Text(text) => text,
                Leaf::Nothing => "(nothing)".to_owned(),
            })
            .collect()
    }

    #[test]
    fn a_field_is_found_in_every_wrapping() {
        for original in [
            r#"{"TargetName": "x"}"#,
            r#"{"targetname": "x"}"#,
            r#"{"AuditData": "{\"TargetName\": \"x\"}"}"#,
            r#"{"auditData": {"TargetName": "x"}}"#,
            r#"{"properties": {"TargetName": "x"}, "time": 1}"#,
            r#"{"result": {"_raw": "{\"TargetName\": \"x\"}"}}"#,
        ] {
            assert_eq!(texts(original, "TargetName"), ["x"], "{original}");
        }
        assert_eq!(texts(r#"{"properties": {"a": 1}}"#, "properties.a"), ["1"]);
    }

    #[test]
    fn lists_fan_out_and_json_in_text_is_opened() {
        let original = r#"{"TargetResources": "[{\"modifiedProperties\": [{\"newValue\": \"a\"}, {\"newValue\": null}]}]",
            "Parameters": [{"Name": "ForwardTo", "Value": "b"}], "list": ["c", 1], "empty": ""}"#;
        assert_eq!(
            texts(original, "targetresources.ModifiedProperties.NewValue"),
            ["a", "(nothing)"]
        );
        assert_eq!(texts(original, "Parameters.ForwardTo"), ["b"]);
        assert_eq!(texts(original, "list"), ["c", "1"]);
        assert_eq!(texts(original, "empty"), ["(nothing)"]);
        assert!(texts(original, "missing.there").is_empty());
        assert!(texts("no json", "a").is_empty());
    }
}
