//! Reaching into a record whose keys differ in case, wrapping and encoding
//! from export to export.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::event::Modified;

/// A record, and the row or envelope around it.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    inner: Keys<'a>,
    outer: Option<Keys<'a>>,
}

/// A map, and which keys it can have at all: most of the names that are asked for are
/// in most records not there, and to look for them whatever their case takes time.
#[derive(Clone, Copy)]
struct Keys<'a> {
    map: &'a Map<String, Value>,
    /// A bit for each [`trait_of`] a key.
    traits: [u64; 8],
}

impl<'a> Keys<'a> {
    fn new(map: &'a Map<String, Value>) -> Self {
        let mut traits = [0; 8];
        for key in map.keys() {
            let (word, bit) = trait_of(key);
            if let Some(word) = traits.get_mut(word) {
                *word |= bit;
            }
        }
        Self { map, traits }
    }

    fn key(&self, name: &str) -> Option<&'a Value> {
        let (word, bit) = trait_of(name);
        if self.traits.get(word).is_none_or(|word| word & bit == 0) {
            return None;
        }
        key(self.map, name)
    }
}

/// Which of 512 bits names which differ in case alone have in common: word and bit.
fn trait_of(name: &str) -> (usize, u64) {
    let bytes = name.as_bytes();
    let letter = |byte: Option<&u8>| byte.map_or(0, |byte| usize::from(byte.to_ascii_lowercase()));
    let middle = letter(bytes.get(bytes.len() / 2));
    let mixed = letter(bytes.first()) + 31 * letter(bytes.last()) + 131 * bytes.len() + 71 * middle;
    (mixed / 64 % 8, 1 << (mixed % 64))
}

impl<'a> Fields<'a> {
    pub(super) fn new(
        inner: &'a Map<String, Value>,
        outer: Option<&'a Map<String, Value>>,
    ) -> Self {
        Self {
            inner: Keys::new(inner),
            outer: outer.map(Keys::new),
        }
    }

    /// The value under the first of these names that is there and not null;
    /// the record before its envelope.
    pub(super) fn value(&self, names: &[&str]) -> Option<&'a Value> {
        self.inner_value(names).or_else(|| self.outer_value(names))
    }

    pub(super) fn inner_value(&self, names: &[&str]) -> Option<&'a Value> {
        names.iter().find_map(|name| self.inner.key(name))
    }

    pub(super) fn outer_value(&self, names: &[&str]) -> Option<&'a Value> {
        let outer = self.outer?;
        names.iter().find_map(|name| outer.key(name))
    }

    /// The same as text; empty and null-like texts count as absent.
    pub(super) fn text(&self, names: &[&str]) -> Option<String> {
        let in_map = |map: Keys<'a>| names.iter().find_map(|name| map.key(name).and_then(scalar));
        in_map(self.inner).or_else(|| self.outer.and_then(in_map))
    }

    /// The same for a value that may be JSON inside a text.
    pub(super) fn nested(&self, names: &[&str]) -> Option<Cow<'a, Value>> {
        let in_map = |map: Keys<'a>| names.iter().find_map(|name| unfold(map.key(name)?));
        in_map(self.inner).or_else(|| self.outer.and_then(in_map))
    }

    /// A list of names and values (or a plain object) as a map.
    pub(super) fn pairs(&self, names: &[&str]) -> BTreeMap<String, String> {
        self.nested(names)
            .map(|value| pairs_of(&value))
            .unwrap_or_default()
    }

    /// Old and new values of changed properties.
    pub(super) fn modified(&self, names: &[&str]) -> BTreeMap<String, Modified> {
        self.nested(names)
            .map(|value| modified_of(&value))
            .unwrap_or_default()
    }
}

/// The value of a key, its case aside; null is nothing.
pub(super) fn key<'a>(map: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    map.get(name)
        .or_else(|| {
            map.iter()
                .find(|(have, _)| have.eq_ignore_ascii_case(name))
                .map(|(_, value)| value)
        })
        .filter(|value| !value.is_null())
}

/// A field of an object value.
pub(super) fn at<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    key(value.as_object()?, name)
}

/// A field of an object value as text.
pub(super) fn text_at(value: &Value, name: &str) -> Option<String> {
    at(value, name).and_then(scalar)
}

/// A scalar as text; empty and null-like texts are nothing.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => {
            let text = text.trim();
            (!text.is_empty() && text != "<null>" && text != "null").then(|| text.to_owned())
        }
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        // PowerShell writes a time as an object with the text in `DateTime`
        // and `/Date(…)/` in `value`.
        Value::Object(map) => key(map, "value").filter(|v| v.is_string()).and_then(scalar),
        Value::Null | Value::Array(_) => None,
    }
}

/// Anything as text: scalars plainly, lists of scalars joined by `;`, the rest
/// as JSON.
pub(super) fn any_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items)
            if items
                .iter()
                .all(|item| !item.is_object() && !item.is_array()) =>
        {
            items.iter().map(any_text).collect::<Vec<_>>().join(";")
        }
        other => other.to_string(),
    }
}

/// A list or object, parsed first if it is JSON inside a text.
pub(super) fn unfold(value: &Value) -> Option<Cow<'_, Value>> {
    match value {
        Value::Object(_) | Value::Array(_) => Some(Cow::Borrowed(value)),
        Value::String(text) => {
            let text = text.trim();
            if !text.starts_with(['{', '[']) {
                return None;
            }
            serde_json::from_str(text).ok().map(Cow::Owned)
        }
        _ => None,
    }
}

/// `[{"Name":…,"Value":…}]`, `[{"key":…,"value":…}]`, `{"a":…}`, or what is
/// left of the first after PowerShell flattened it (`@{Name=…; Value=…}`).
pub(super) fn pairs_of(value: &Value) -> BTreeMap<String, String> {
    let mut map = BTreeMap::new();
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                if !name.contains("@odata") {
                    map.insert(name.clone(), any_text(value));
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                let pair = match item {
                    Value::String(text) => flattened(text),
                    item => text_at(item, "Name")
                        .or_else(|| text_at(item, "key"))
                        .or_else(|| text_at(item, "displayName"))
                        .map(|name| (name, at(item, "Value").map(any_text).unwrap_or_default())),
                };
                map.extend(pair);
            }
        }
        _ => {}
    }
    map
}

fn flattened(text: &str) -> Option<(String, String)> {
    let inner = text.trim().strip_prefix("@{Name=")?.strip_suffix('}')?;
    let (name, value) = inner.split_once("; Value=")?;
    Some((name.to_owned(), value.to_owned()))
}

/// `[{"Name":…,"OldValue":…,"NewValue":…}]` of either log; the values' own
/// JSON wrapping taken off.
pub(super) fn modified_of(value: &Value) -> BTreeMap<String, Modified> {
    let mut map = BTreeMap::new();
    for item in value.as_array().into_iter().flatten() {
        let Some(name) = text_at(item, "Name").or_else(|| text_at(item, "displayName")) else {
            continue;
        };
        let side = |key: &str| {
            at(item, key)
                .map(|v| unwrap(&any_text(v)))
                .unwrap_or_default()
        };
        map.insert(
            name,
            Modified {
                old: side("OldValue"),
                new: side("NewValue"),
            },
        );
    }
    map
}

/// Takes off the encoding that both logs put around values: `"\"x\""` and
/// `[\r\n  "x"\r\n]` are `x`, `[]` is empty (reference §7.1).
pub(super) fn unwrap(text: &str) -> String {
    let trimmed = text.trim();
    match serde_json::from_str::<Value>(trimmed) {
        Ok(Value::String(inner)) => inner,
        Ok(Value::Array(items)) if items.is_empty() => String::new(),
        Ok(Value::Array(items))
            if items
                .iter()
                .all(|item| item.is_string() || item.is_boolean() || item.is_number()) =>
        {
            any_text(&Value::Array(items))
        }
        _ => trimmed.to_owned(),
    }
}
