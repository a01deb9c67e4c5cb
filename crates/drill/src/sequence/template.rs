//! Placeholders: `{account.upn}`, `{item.id}` and the others of `sequences/README.md`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

/// Everything but the unreserved characters of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// What placeholders stand for.
#[derive(Clone, Debug)]
pub(super) struct Scope<'a> {
    pub(super) upn: &'a str,
    pub(super) also: Option<&'a str>,
    pub(super) tenant: &'a str,
    pub(super) password: &'a str,
    pub(super) item: Option<&'a Value>,
}

/// Whether every placeholder of a text exists; `with_item` where there is one.
pub(super) fn check(text: &str, with_item: bool) -> Result<(), String> {
    for part in parts(text)? {
        if let Part::Name(name) = part {
            let known = match name {
                "account.upn" | "also.upn" | "password" | "tenant" => true,
                "null" if text == "{null}" => true,
                _ => match name.strip_prefix("item.") {
                    Some(field) if !field.is_empty() && with_item => true,
                    Some(_) => {
                        return Err(format!(
                            "`{{{name}}}` needs `each`: there is no item otherwise"
                        ));
                    }
                    None => false,
                },
            };
            if !known {
                return Err(format!("`{{{name}}}` stands for nothing"));
            }
        }
    }
    Ok(())
}

impl Scope<'_> {
    /// A path with its placeholders filled in, percent-encoded; or the name of
    /// what the item does not have.
    pub(super) fn path(&self, text: &str) -> Result<String, String> {
        let mut filled = String::new();
        for part in parts(text)? {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Name(name) => {
                    let value = self.value(name)?;
                    let value = value
                        .as_str()
                        .map_or_else(|| value.to_string(), str::to_owned);
                    filled.extend(utf8_percent_encode(&value, ENCODED));
                }
            }
        }
        Ok(filled)
    }

    /// A JSON value with its placeholders filled in.
    pub(super) fn json(&self, value: &Value) -> Result<Value, String> {
        Ok(match value {
            Value::String(text) => match parts(text)?.as_slice() {
                [Part::Name(name)] => self.value(name)?,
                parts => {
                    let mut filled = String::new();
                    for part in parts {
                        match part {
                            Part::Text(text) => filled.push_str(text),
                            Part::Name(name) => {
                                let value = self.value(name)?;
                                filled.push_str(
                                    &value
                                        .as_str()
                                        .map_or_else(|| value.to_string(), str::to_owned),
                                );
                            }
                        }
                    }
                    Value::String(filled)
                }
            },
            Value::Array(items) => Value::Array(
                items
                    .iter()
                    .map(|item| self.json(item))
                    .collect::<Result<_, _>>()?,
            ),
            Value::Object(members) => Value::Object(self.object(members)?),
            other => other.clone(),
        })
    }

    /// The same for the members of an object.
    pub(super) fn object(
        &self,
        members: &Map<String, Value>,
    ) -> Result<Map<String, Value>, String> {
        members
            .iter()
            .map(|(name, value)| Ok((name.clone(), self.json(value)?)))
            .collect()
    }

    fn value(&self, name: &str) -> Result<Value, String> {
        let missing = || format!("the item has no `{name}`");
        match name {
            "account.upn" => Ok(Value::from(self.upn)),
            "also.upn" => match self.also {
                Some(upn) => Ok(Value::from(upn)),
                None => Err("the alert names one account alone".to_owned()),
            },
            "tenant" => Ok(Value::from(self.tenant)),
            "password" => Ok(Value::from(self.password)),
            "null" => Ok(Value::Null),
            _ => {
                let field = name.strip_prefix("item.").ok_or_else(missing)?;
                let (mut item, mut field) = (self.item.ok_or_else(missing)?, field);
                // What it was listed of, and what that was listed of.
                while let Some(outer) = field.strip_prefix("of.") {
                    item = item.get("of").ok_or_else(missing)?;
                    field = outer;
                }
                if field == "segment" {
                    return segment(item).map(Value::from).ok_or_else(missing);
                }
                item.get(field)
                    .filter(|value| !value.is_null())
                    .cloned()
                    .ok_or_else(missing)
            }
        }
    }
}

/// A method's part of the path follows from its type: `#microsoft.graph.phoneAuthenticationMethod`
/// lies under `phoneMethods` (reference §2.2).
fn segment(item: &Value) -> Option<String> {
    let kind = item.get("@odata.type")?.as_str()?;
    let name = kind
        .strip_prefix("#microsoft.graph.")?
        .strip_suffix("AuthenticationMethod")?;
    Some(format!("{name}Methods"))
}

#[derive(Debug, PartialEq)]
enum Part<'a> {
    Text(&'a str),
    Name(&'a str),
}

fn parts(text: &str) -> Result<Vec<Part<'_>>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        if !before.is_empty() {
            parts.push(Part::Text(before));
        }
        let (name, after) = after
            .split_once('}')
            .ok_or_else(|| format!("`{text}` opens a placeholder and does not close it"))?;
        parts.push(Part::Name(name));
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest));
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_filled_into_a_path_cannot_leave_its_segment() {
        let item =
            json!({"id": "a/b c#d", "@odata.type": "#microsoft.graph.phoneAuthenticationMethod"});
        let scope = Scope {
            upn: "o'neil@contoso.example",
            also: None,
            tenant: "t",
            password: "p",
            item: Some(&item),
        };
        assert_eq!(
            scope
                .path("/v1.0/users/{account.upn}/authentication/{item.segment}/{item.id}")
                .unwrap(),
            "/v1.0/users/o%27neil%40contoso.example/authentication/phoneMethods/a%2Fb%20c%23d"
        );
    }

    #[test]
    fn a_placeholder_alone_keeps_the_type_of_what_it_stands_for() {
        let item = json!({"RuleIdentity": 17_000_000_000_000_000_001_u64, "of": {"upn": "x"}});
        let scope = Scope {
            upn: "u",
            also: None,
            tenant: "t",
            password: "p",
            item: Some(&item),
        };
        let filled = scope
            .json(&json!({"a": "{item.RuleIdentity}", "b": "no {item.of.upn}", "c": "{null}"}))
            .unwrap();
        assert_eq!(
            filled,
            json!({"a": 17_000_000_000_000_000_001_u64, "b": "no x", "c": null})
        );
        assert!(scope.json(&json!("{item.absent}")).is_err());
    }
}
