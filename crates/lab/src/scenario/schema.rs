//! The format of scenarios as a JSON Schema (draft 2020-12).
//!
//! The names of keys and words are asked of the parser's own types, so that the schema
//! cannot drift from what is read; what stands behind a key is written here, and tests
//! hold both against the parser. What two values say together (a step before the way in, a
//! bait that needs a mailbox) no schema says: [`crate::Scenario::parse`] does.

use serde::de::{Deserialize, Deserializer, Error as _, Visitor, value::Error};
use serde_json::{Map, Value, json};

use super::{
    AccountKind, Affected, Alert, AttackerHabits, Bait, BaitKind, Comeback, Company, Decision,
    Delays, Expect, Further, Licences, Logs, Move, Outcome, Person, Responder, Role, SCHEMA,
    Scenario, Step, TakeoverPath, TaskScript, Warning,
};
use crate::fault::{Fault, FaultKind};
use crate::unconfirmed::SWITCHES;

/// A length of time, or bounds of one.
const SPAN: &str = r"^\s*([0-9]+(ms|s|m|h|d))+\s*(\.\.\s*([0-9]+(ms|s|m|h|d))+\s*)?$";
/// Bounds of a number.
const BOUNDS: &str = r"^\s*[0-9]+\s*\.\.\s*[0-9]+\s*$";

impl Scenario {
    /// The schema of the format, for editors and for programs that write scenarios. A TOML
    /// file corresponds to the JSON document with the same tables and keys.
    pub fn json_schema() -> Value {
        let mut root = table::<Self>(&[
            ("schema", needed(json!({"const": SCHEMA}))),
            (
                "id",
                needed(json!({"type": "string", "pattern": "^[a-z0-9-]+$"})),
            ),
            ("title", needed(text())),
            ("summary", free(text())),
            ("path", needed(words::<TakeoverPath>())),
            ("money_moved", free(flag())),
            ("latency_ms", needed(number())),
            ("alert", needed(json!({"$ref": "#/$defs/alert"}))),
            ("company", needed(json!({"$ref": "#/$defs/company"}))),
            ("account", free(json!({"$ref": "#/$defs/account"}))),
            ("further", free(list("further"))),
            ("step", free(list("step"))),
            ("comeback", free(list("comeback"))),
            ("attacker", free(json!({"$ref": "#/$defs/attacker"}))),
            ("bait", free(list("bait"))),
            ("person", needed(list("person"))),
            ("responder", needed(json!({"$ref": "#/$defs/responder"}))),
            ("licences", needed(json!({"$ref": "#/$defs/licences"}))),
            ("delays", needed(json!({"$ref": "#/$defs/delays"}))),
            ("logs", free(json!({"$ref": "#/$defs/logs"}))),
            ("fault", free(list("fault"))),
            ("unconfirmed", free(switches())),
            ("expect", needed(json!({"$ref": "#/$defs/expect"}))),
        ]);
        let members = [
            (
                "$schema",
                json!("https://json-schema.org/draft/2020-12/schema"),
            ),
            ("$id", json!(SCHEMA)),
            ("title", json!("A scenario of Retake's lab")),
            ("$defs", definitions()),
        ];
        if let Value::Object(root) = &mut root {
            root.extend(members.map(|(key, value)| (key.to_owned(), value)));
        }
        root
    }
}

fn definitions() -> Value {
    let delay = || needed(span());
    json!({
        "alert": table::<Alert>(&[("text", needed(text()))]),
        "company": table::<Company>(&[
            ("people", needed(count())),
            ("vendors", needed(count())),
            ("history_days", needed(number())),
            ("mail_every", needed(span())),
            ("affected_job", needed(text())),
            ("affected_department", needed(text())),
            ("hostile_names", free(flag())),
            ("shared_mailboxes", free(count())),
        ]),
        "account": table::<Affected>(&[
            ("kind", free(words::<AccountKind>())),
            ("display_name", free(text())),
            ("alias", free(text())),
            ("roles", free(texts())),
            ("sync_every", free(span())),
            ("keeps_former_address", free(flag())),
        ]),
        "further": table::<Further>(&[
            ("name", needed(text())),
            ("roles", free(texts())),
            ("named", free(flag())),
        ]),
        "step": table::<Step>(&[
            ("do", needed(words::<Move>())),
            ("on", free(text())),
            ("before", needed(span())),
            ("shuffle", free(text())),
            ("chance", free(json!({"type": "integer", "minimum": 0, "maximum": 100}))),
        ]),
        "comeback": table::<Comeback>(&[
            ("do", needed(words::<Move>())),
            ("after", needed(span())),
        ]),
        "attacker": table::<AttackerHabits>(&[
            ("tick", free(span())),
            ("reacts", free(span())),
            ("replants", free(number())),
            ("second_method", free(flag())),
        ]),
        "bait": table::<Bait>(&[
            ("kind", needed(words::<BaitKind>())),
            ("chance", free(json!({"type": "integer", "minimum": 0, "maximum": 100}))),
        ]),
        "person": table::<Person>(&[
            ("role", needed(words::<Role>())),
            ("answer", free(words::<Decision>())),
            ("after", free(span())),
            ("task", free(list("task"))),
        ]),
        "task": table::<TaskScript>(&[
            ("task", needed(text())),
            ("outcome", needed(words::<Outcome>())),
            ("after", needed(span())),
        ]),
        "responder": table::<Responder>(&[
            ("permissions", needed(texts())),
            ("roles", needed(texts())),
            ("operator_roles", free(texts())),
            ("unit_roles", free(texts())),
        ]),
        "licences": table::<Licences>(&[
            ("entra_p1", needed(flag())),
            ("entra_p2", needed(flag())),
            ("mail_items_accessed", needed(flag())),
            ("litigation_hold", free(flag())),
        ]),
        "delays": table::<Delays>(&[
            ("revocation", delay()),
            ("continuous_evaluation", delay()),
            ("directory_reads", delay()),
            ("sign_in_log", delay()),
            ("directory_audit", delay()),
            ("audit_log", delay()),
            ("mailbox_reenabled", delay()),
        ]),
        "logs": table::<Logs>(&[
            ("audit", free(flag())),
            ("search_limit", free(number())),
            ("search_page", free(number())),
            ("counts_lie", free(flag())),
        ]),
        "fault": table::<Fault>(&[
            ("method", free(text())),
            ("path", free(text())),
            ("body", free(text())),
            ("skip", free(number())),
            ("times", free(number())),
            ("in_batch", free(flag())),
            ("kind", needed(fault_kind())),
        ]),
        "expect": table::<Expect>(&[
            ("evict", needed(json!({"type": "array", "items": {"type": "string", "pattern": "^A[0-9]{2}$"}}))),
            ("warn", free(list("warning"))),
        ]),
        "warning": table::<Warning>(&[("who", needed(words::<Role>())), ("why", needed(text()))]),
    })
}

/// What stands behind a key, and whether it has to stand there.
struct Form {
    value: Value,
    needed: bool,
}

const fn needed(value: Value) -> Form {
    Form {
        value,
        needed: true,
    }
}

const fn free(value: Value) -> Form {
    Form {
        value,
        needed: false,
    }
}

/// A table with the keys of this type. A key without a form takes any value: a test finds it.
fn table<'de, T: Deserialize<'de>>(forms: &[(&str, Form)]) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for &key in names::<T>() {
        let form = forms.iter().find(|(name, _)| *name == key);
        if form.is_some_and(|(_, form)| form.needed) {
            required.push(key);
        }
        let value = form.map_or(Value::Bool(true), |(_, form)| form.value.clone());
        properties.insert(key.to_owned(), value);
    }
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": required,
        "properties": properties,
    })
}

fn text() -> Value {
    json!({"type": "string"})
}

fn flag() -> Value {
    json!({"type": "boolean"})
}

fn number() -> Value {
    json!({"type": "integer", "minimum": 0})
}

fn span() -> Value {
    json!({"type": "string", "pattern": SPAN})
}

fn count() -> Value {
    json!({"anyOf": [number(), {"type": "string", "pattern": BOUNDS}]})
}

fn texts() -> Value {
    json!({"type": "array", "items": text()})
}

fn list(of: &str) -> Value {
    json!({"type": "array", "items": {"$ref": format!("#/$defs/{of}")}})
}

fn words<'de, T: Deserialize<'de>>() -> Value {
    json!({"enum": names::<T>()})
}

/// A kind of fault: a word, or a word with what it needs.
fn fault_kind() -> Value {
    let kinds = names::<FaultKind>();
    json!({
        "anyOf": [
            {"enum": kinds},
            {
                "type": "object",
                "minProperties": 1,
                "maxProperties": 1,
                "propertyNames": {"enum": kinds},
            },
        ],
    })
}

fn switches() -> Value {
    let switches: Map<String, Value> = SWITCHES
        .iter()
        .map(|switch| {
            let variants: Vec<&str> = switch.variants.iter().map(|(name, _)| *name).collect();
            (switch.name.to_owned(), json!({"enum": variants}))
        })
        .collect();
    json!({"type": "object", "additionalProperties": false, "properties": switches})
}

/// The keys of a table's type, or the words of a list's: as its own parser has them.
fn names<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
    let mut found: &'static [&'static str] = &[];
    // It never becomes a value: the probe fails as soon as it knows the names.
    let _ = T::deserialize(Probe { found: &mut found });
    found
}

/// Learns what a type is made of.
struct Probe<'a> {
    found: &'a mut &'static [&'static str],
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("neither a table nor a word"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        *self.found = fields;
        Err(Error::custom("a table"))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        *self.found = variants;
        Err(Error::custom("a word"))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        option unit unit_struct newtype_struct seq tuple tuple_struct map identifier ignored_any
    }
}
