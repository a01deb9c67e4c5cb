//! The form of two answers: keys and types, not values.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

/// Where two answers to the same request have another form.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Difference {
    /// Line of the tape.
    pub line: usize,
    /// The call, by its name in docs/reference/permissions.md.
    pub call: String,
    /// Where: `status`, `header retry-after`, or a place in the body such as `value[].id`.
    pub place: String,
    /// What the tape has there.
    pub tape: String,
    /// What the lab has there.
    pub lab: String,
}

/// What a comparison of two bodies found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Place, what the tape has, what the lab has.
    pub(crate) differences: Vec<(String, String, String)>,
    /// Places at which one side has nothing to compare with.
    pub(crate) open: BTreeSet<String>,
}

/// Every place of a body at which a key stands, lists by kind as in [`bodies`].
pub(crate) fn places(value: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    walk("", value, &mut found);
    found
}

fn walk(place: &str, value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (key, item) in object {
                let at = below(place, key);
                walk(&at, item, found);
                found.insert(at);
            }
        }
        Value::Array(items) => {
            for item in items {
                walk(&listed(place, kind_of(item)), item, found);
            }
        }
        _ => {}
    }
}

/// Keys whose presence says how much there is, not what form it has.
const BY_AMOUNT: [&str; 3] = ["@odata.nextLink", "@odata.count", "@odata.deltaLink"];

/// Compares two bodies.
pub(crate) fn bodies(tape: &Value, lab: &Value) -> Found {
    let mut found = Found::default();
    compare("", &[tape], &[lab], &mut found);
    found.differences.sort();
    found.differences.dedup();
    found
}

/// All values at one place on either side.
fn compare(place: &str, tape: &[&Value], lab: &[&Value], found: &mut Found) {
    let (said, ours) = (kinds(tape), kinds(lab));
    if said.is_empty() || ours.is_empty() {
        // Null everywhere on one side: it says nothing about the form.
        return;
    }
    if said.is_disjoint(&ours) {
        let words = |kinds: &BTreeSet<&str>| kinds.iter().copied().collect::<Vec<_>>().join(" or ");
        found
            .differences
            .push((named(place), words(&said), words(&ours)));
        return;
    }
    objects(place, tape, lab, found);
    lists(place, tape, lab, found);
    texts(place, tape, lab, found);
}

fn objects(place: &str, tape: &[&Value], lab: &[&Value], found: &mut Found) {
    let said: Vec<_> = tape.iter().filter_map(|value| value.as_object()).collect();
    let ours: Vec<_> = lab.iter().filter_map(|value| value.as_object()).collect();
    if said.is_empty() || ours.is_empty() {
        return;
    }
    let keys = |all: &[&serde_json::Map<String, Value>]| -> BTreeSet<String> {
        all.iter()
            .flat_map(|object| object.keys().cloned())
            .filter(|key| !BY_AMOUNT.contains(&key.as_str()))
            .collect()
    };
    let (said_keys, our_keys) = (keys(&said), keys(&ours));
    for key in said_keys.union(&our_keys) {
        let at = below(place, key);
        let values = |all: &[&serde_json::Map<String, Value>]| -> usize {
            all.iter().filter(|object| object.contains_key(key)).count()
        };
        let (there, here) = (values(&said), values(&ours));
        if here == 0 {
            found
                .differences
                .push((at, "there".into(), "missing".into()));
        } else if there == 0 {
            // What is only sometimes there may be missing by chance.
            if here == ours.len() {
                found
                    .differences
                    .push((at, "missing".into(), "there".into()));
            } else {
                found.open.insert(at);
            }
        } else {
            let tape: Vec<&Value> = said.iter().filter_map(|object| object.get(key)).collect();
            let lab: Vec<&Value> = ours.iter().filter_map(|object| object.get(key)).collect();
            compare(&at, &tape, &lab, found);
        }
    }
}

fn lists(place: &str, tape: &[&Value], lab: &[&Value], found: &mut Found) {
    let items = |all: &[&'_ Value]| -> BTreeMap<String, Vec<Value>> {
        let mut sorted: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for item in all.iter().filter_map(|value| value.as_array()).flatten() {
            let kind = kind_of(item).to_owned();
            sorted.entry(kind).or_default().push(item.clone());
        }
        sorted
    };
    if !tape.iter().any(|value| value.is_array()) || !lab.iter().any(|value| value.is_array()) {
        return;
    }
    let (said, ours) = (items(tape), items(lab));
    let kinds: BTreeSet<&String> = said.keys().chain(ours.keys()).collect();
    for kind in kinds {
        let at = listed(place, kind);
        match (said.get(kind), ours.get(kind)) {
            (Some(said), Some(ours)) => compare(
                &at,
                &said.iter().collect::<Vec<_>>(),
                &ours.iter().collect::<Vec<_>>(),
                found,
            ),
            _ => {
                found.open.insert(at);
            }
        }
    }
}

/// A day where a GUID was is another form, too.
fn texts(place: &str, tape: &[&Value], lab: &[&Value], found: &mut Found) {
    let form = |all: &[&Value]| -> Option<&'static str> {
        let mut forms = all
            .iter()
            .filter_map(|value| value.as_str())
            .filter(|text| !text.is_empty())
            .map(form_of);
        let first = forms.next()?;
        forms.all(|form| form == first).then_some(first)
    };
    if let (Some(said), Some(ours)) = (form(tape), form(lab))
        && said != ours
        // An id without a form of its own and one with it can be of the same property.
        && (said == "a time" || ours == "a time" || (said != "a text" && ours != "a text"))
    {
        found
            .differences
            .push((named(place), said.to_owned(), ours.to_owned()));
    }
}

fn form_of(text: &str) -> &'static str {
    let bytes = text.as_bytes();
    let day = bytes.len() >= 10
        && bytes[..10]
            .iter()
            .enumerate()
            .all(|(index, b)| match index {
                4 | 7 => *b == b'-',
                _ => b.is_ascii_digit(),
            });
    let guid = bytes.len() == 36 && text.matches('-').count() == 4;
    if day {
        "a time"
    } else if guid {
        "a GUID"
    } else {
        "a text"
    }
}

fn kinds(values: &[&Value]) -> BTreeSet<&'static str> {
    values
        .iter()
        .filter_map(|value| match value {
            Value::Null => None,
            Value::Bool(_) => Some("a truth value"),
            Value::Number(_) => Some("a number"),
            Value::String(_) => Some("a text"),
            Value::Array(_) => Some("a list"),
            Value::Object(_) => Some("an object"),
        })
        .collect()
}

/// Objects of different kinds in one list are compared kind by kind.
fn kind_of(item: &Value) -> &str {
    [
        "@odata.type",
        "RecordType",
        "Operation",
        "auditLogRecordType",
    ]
    .iter()
    .find_map(|key| item.get(key)?.as_str())
    .unwrap_or_default()
}

fn listed(place: &str, kind: &str) -> String {
    if kind.is_empty() {
        format!("{place}[]")
    } else {
        format!("{place}[{kind}]")
    }
}

fn below(place: &str, key: &str) -> String {
    if place.is_empty() {
        key.to_owned()
    } else {
        format!("{place}.{key}")
    }
}

fn named(place: &str) -> String {
    if place.is_empty() {
        "the body".to_owned()
    } else {
        place.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn differences(tape: &Value, lab: &Value) -> Vec<String> {
        bodies(tape, lab)
            .differences
            .into_iter()
            .map(|(place, tape, lab)| format!("{place}: {tape} / {lab}"))
            .collect()
    }

    #[test]
    fn keys_and_types_count_and_values_do_not() {
        let tape = json!({"value": [{"id": "a", "n": 1}, {"id": "b", "n": null, "extra": true}]});
        let lab = json!({"value": [{"id": "c", "n": 9}]});
        assert_eq!(differences(&tape, &lab), ["value[].extra: there / missing"]);
        assert_eq!(differences(&lab, &lab), Vec::<String>::new());
        let lab = json!({"value": [{"id": "c", "n": "9", "extra": false}]});
        assert_eq!(differences(&tape, &lab), ["value[].n: a number / a text"]);
        let lab = json!({"value": [{"id": "c", "n": 1, "extra": false, "more": 1}]});
        assert_eq!(differences(&tape, &lab), ["value[].more: missing / there"]);
    }

    #[test]
    fn what_one_side_does_not_have_is_left_open() {
        let found = bodies(&json!({"value": [{"id": "a"}]}), &json!({"value": []}));
        assert!(found.differences.is_empty());
        assert_eq!(found.open.into_iter().collect::<Vec<_>>(), ["value[]"]);
    }

    #[test]
    fn kinds_in_one_list_are_compared_each_with_its_own() {
        let tape = json!({"value": [{"@odata.type": "#a", "x": 1}, {"@odata.type": "#b", "y": 1}]});
        let lab = json!({"value": [{"@odata.type": "#b", "y": 2}]});
        assert_eq!(differences(&tape, &lab), Vec::<String>::new());
        let lab = json!({"value": [{"@odata.type": "#b", "z": 2}]});
        assert_eq!(
            differences(&tape, &lab),
            [
                "value[#b].y: there / missing",
                "value[#b].z: missing / there"
            ]
        );
    }

    #[test]
    fn a_time_is_not_any_text() {
        let tape = json!({"at": "2026-07-01T10:00:00Z"});
        assert_eq!(
            differences(&tape, &json!({"at": "soon"})),
            ["at: a time / a text"]
        );
        assert_eq!(
            differences(&tape, &json!({"at": "2020-01-01"})),
            Vec::<String>::new()
        );
    }
}
