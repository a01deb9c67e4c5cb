//! The exported case, as far as the score looks at it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use retake_playbook::event::{ActionId, Planned, Snapshot};
use retake_playbook::{Digest, Event};
use serde_json::Value;

/// A case: what happened and when, and the bytes kept as evidence. Nothing else of
/// a responder reaches the score.
#[derive(Clone, Debug, Default)]
pub struct Case {
    /// Time of the record, and the event, in the journal's order.
    pub events: Vec<(Timestamp, Event)>,
    /// Bytes by their SHA-256.
    pub evidence: BTreeMap<Digest, Vec<u8>>,
}

impl Case {
    /// The bytes under this digest.
    pub(super) fn bytes(&self, digest: Option<&Digest>) -> Option<&[u8]> {
        self.evidence.get(digest?).map(Vec::as_slice)
    }

    /// What was planned under this number, with the time of the plan.
    pub(super) fn planned(&self, action: ActionId) -> Option<&Planned> {
        self.events.iter().find_map(|(_, event)| match event {
            Event::PlanMade(plan) => plan.actions.iter().find(|planned| planned.action == action),
            _ => None,
        })
    }

    /// The snapshot of this number.
    pub(super) fn snapshot(&self, number: u32) -> Option<&Snapshot> {
        self.events.iter().find_map(|(_, event)| match event {
            Event::SnapshotTaken(snapshot) if snapshot.snapshot == number => Some(snapshot),
            _ => None,
        })
    }

    /// The last event that `pick` wants.
    pub(super) fn last<'a, T>(
        &'a self,
        pick: impl Fn(Timestamp, &'a Event) -> Option<T>,
    ) -> Option<T> {
        self.events
            .iter()
            .rev()
            .find_map(|(at, event)| pick(*at, event))
    }
}

/// An answer's body, read as JSON where it is JSON.
#[derive(Debug)]
pub(super) struct Body(Value);

impl Body {
    pub(super) fn read(bytes: &[u8]) -> Self {
        Self(
            serde_json::from_slice(bytes)
                .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(bytes).into_owned())),
        )
    }

    /// Whether some value in it is one of these names. A long name may also
    /// stand inside a longer text (an address, a URL); a short one may not.
    pub(super) fn names_any<'a>(&self, names: impl Iterator<Item = &'a String>) -> bool {
        let names: Vec<String> = names.map(|name| name.to_ascii_lowercase()).collect();
        any_text(&self.0, &mut |text| {
            let text = text.to_ascii_lowercase();
            names
                .iter()
                .any(|name| text == *name || (name.len() >= 12 && text.contains(name.as_str())))
        })
    }

    /// Whether the service has more than it showed.
    pub(super) fn is_cut_off(&self) -> bool {
        self.0.get("@odata.nextLink").is_some()
    }

    /// The values of a property, of all objects or of those alone in which one
    /// of the names stands as a value of its own.
    pub(super) fn values_of<'a>(
        &'a self,
        property: &str,
        of: Option<&std::collections::BTreeSet<String>>,
    ) -> Vec<&'a Value> {
        let mut found = Vec::new();
        collect(&self.0, property, of, &mut found);
        found
    }
}

fn any_text(value: &Value, wanted: &mut impl FnMut(&str) -> bool) -> bool {
    match value {
        Value::String(text) => wanted(text),
        Value::Number(number) => wanted(&number.to_string()),
        Value::Array(items) => items.iter().any(|item| any_text(item, wanted)),
        Value::Object(members) => members.values().any(|member| any_text(member, wanted)),
        Value::Null | Value::Bool(_) => false,
    }
}

fn collect<'a>(
    value: &'a Value,
    property: &str,
    of: Option<&std::collections::BTreeSet<String>>,
    found: &mut Vec<&'a Value>,
) {
    match value {
        Value::Array(items) => {
            for item in items {
                collect(item, property, of, found);
            }
        }
        Value::Object(members) => {
            let fits = of.is_none_or(|names| {
                members.values().any(|member| {
                    member
                        .as_str()
                        .is_some_and(|text| names.iter().any(|n| n.eq_ignore_ascii_case(text)))
                })
            });
            if fits {
                found.extend(
                    members
                        .iter()
                        .filter(|(name, _)| name.eq_ignore_ascii_case(property))
                        .map(|(_, value)| value),
                );
            }
            for member in members.values() {
                collect(member, property, of, found);
            }
        }
        _ => {}
    }
}

/// Empty as Exchange writes it: null, an empty text, an empty list (reference §6.6).
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}
