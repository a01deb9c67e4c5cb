//! One value, one text: the JSON that is hashed.

use std::fmt::Write as _;

use retake_playbook::Digest;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// The SHA-256 of some bytes.
pub fn digest(bytes: &[u8]) -> Digest {
    Digest::from_bytes(Sha256::digest(bytes).into())
}

/// A JSON value as its canonical text: no blanks, members of every object in the
/// order of their names' code points.
///
/// Sorted here and not left to `serde_json`, whose order depends on a feature
/// that any other crate of the build may switch on.
pub fn canonical_json(value: &Value) -> String {
    let mut text = String::new();
    write_value(&mut text, value);
    text
}

fn write_value(text: &mut String, value: &Value) {
    match value {
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_value(text, item);
            }
            text.push(']');
        }
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_unstable_by_key(|(name, _)| *name);
            text.push('{');
            for (index, (name, member)) in sorted.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_scalar(text, &Value::from(name.as_str()));
                text.push(':');
                write_value(text, member);
            }
            text.push('}');
        }
        scalar => write_scalar(text, scalar),
    }
}

/// `Value` displays itself as compact JSON, and writing to a String cannot fail.
fn write_scalar(text: &mut String, value: &Value) {
    let _ = write!(text, "{value}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_of_writing_does_not_show() {
        let one: Value = serde_json::from_str(r#"{"b":1,"a":{"d":null,"c":[1.5,"x\n"]}}"#).unwrap();
        let two: Value =
            serde_json::from_str(r#"{ "a": {"c":[1.5,"x\u000a"],"d":null}, "b":1 }"#).unwrap();
        let expected = r#"{"a":{"c":[1.5,"x\n"],"d":null},"b":1}"#;
        assert_eq!(canonical_json(&one), expected);
        assert_eq!(canonical_json(&two), expected);
    }
}
