//! The part of YAML that rules are written in: no aliases, no tags, no key
//! twice, bounded depth. What goes beyond is refused.

use saphyr_parser::{Event, Parser, ScalarStyle};

/// Maps and lists inside one another, at most.
const MAX_DEPTH: usize = 32;

/// A value; scalars stay text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Yaml {
    Null,
    Text(String),
    List(Vec<Yaml>),
    Map(Vec<(String, Yaml)>),
}

impl Yaml {
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Map(pairs) => pairs
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value),
            _ => None,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

enum Open {
    List(Vec<Yaml>),
    Map(Vec<(String, Yaml)>, Option<String>),
}

/// The documents of a text.
pub(super) fn documents(text: &str) -> Result<Vec<Yaml>, String> {
    let mut documents = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| error.to_string())?;
        let line = span.start.line();
        let done = match event {
            Event::Alias(_) => return Err(format!("line {line}: aliases are not read")),
            Event::SequenceStart(..) => {
                open.push(Open::List(Vec::new()));
                None
            }
            Event::MappingStart(..) => {
                open.push(Open::Map(Vec::new(), None));
                None
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(Open::List(items)) => Some(Yaml::List(items)),
                Some(Open::Map(pairs, _)) => Some(Yaml::Map(pairs)),
                None => None,
            },
            Event::Scalar(value, style, _, tag) => {
                if tag.is_some() {
                    return Err(format!("line {line}: tags are not read"));
                }
                let null = style == ScalarStyle::Plain
                    && matches!(value.as_ref(), "" | "~" | "null" | "Null" | "NULL");
                Some(if null {
                    Yaml::Null
                } else {
                    Yaml::Text(value.into_owned())
                })
            }
            _ => None,
        };
        if open.len() > MAX_DEPTH {
            return Err(format!("line {line}: nested too deeply"));
        }
        let Some(value) = done else { continue };
        match open.last_mut() {
            None => documents.push(value),
            Some(Open::List(items)) => items.push(value),
            Some(Open::Map(pairs, key)) => match key.take() {
                Some(name) => {
                    if pairs.iter().any(|(have, _)| *have == name) {
                        return Err(format!("line {line}: `{name}` stands there twice"));
                    }
                    pairs.push((name, value));
                }
                None => match value {
                    Yaml::Text(name) => *key = Some(name),
                    _ => return Err(format!("line {line}: a key is no text")),
                },
            },
        }
    }
    Ok(documents)
}
