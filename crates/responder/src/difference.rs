//! What became different between the plan and the moment before a change.

use retake_playbook::event::Facts;
use serde_json::Value;

/// The fields that differ, one sentence part each: `name: "a" → "b"`. Values are
/// JSON, so that what an attacker wrote cannot pass for our own words.
pub(crate) fn difference(was: &Facts, now: &Facts) -> Result<Vec<String>, serde_json::Error> {
    let mut differences = Vec::new();
    compare(
        "",
        &serde_json::to_value(was)?,
        &serde_json::to_value(now)?,
        &mut differences,
    );
    Ok(differences)
}

pub(crate) fn compare(place: &str, was: &Value, now: &Value, differences: &mut Vec<String>) {
    if let (Value::Object(was), Value::Object(now)) = (was, now) {
        let only_now = now.keys().filter(|key| !was.contains_key(*key));
        for key in was.keys().chain(only_now) {
            let place = if place.is_empty() {
                key.clone()
            } else {
                format!("{place}.{key}")
            };
            let absent = &Value::Null;
            compare(
                &place,
                was.get(key).unwrap_or(absent),
                now.get(key).unwrap_or(absent),
                differences,
            );
        }
    } else if was != now {
        differences.push(format!("{place}: {} → {}", shown(was), shown(now)));
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(name: &str, moves_to: Option<&str>) -> Facts {
        Facts::InboxRule {
            name: name.to_owned(),
            enabled: true,
            hidden: false,
            graph_id: None,
            aliases: Vec::new(),
            forwards_to: Vec::new(),
            moves_to: moves_to.map(str::to_owned),
            deletes: false,
            marks_read: true,
            conditions: "{}".to_owned(),
        }
    }

    #[test]
    fn each_field_that_differs_is_named_with_both_values_and_no_other() {
        assert_eq!(
            difference(&rule("a", None), &rule("b \u{1b}[2J", Some("RSS"))).unwrap(),
            [
                r#"name: "a" → "b \u001b[2J""#,
                r#"moves_to: nothing → "RSS""#
            ]
        );
        assert_eq!(
            difference(&rule("a", None), &rule("a", None)).unwrap(),
            Vec::<String>::new()
        );
    }
}
