//! Sequences: orders of operations as data, carried out by the lab's own runner.
//!
//! The format is described in `sequences/README.md`. A file that does not fit is
//! refused as a whole, with the file, the line and the reason ([`SequenceError`]).

mod run;
mod template;

use std::path::{Path, PathBuf};

use http::Method;
use retake_lab::scenario::Span;
use serde::Deserialize;
use serde_json::{Map, Value};
use toml::Spanned;

pub use run::{Access, Refused, Runner};

/// The version of the format, the value of the key `schema`.
pub const SCHEMA: &str = "retake.sequence/1";

/// The name that stands for the responder; no file may have it as its id.
pub const RESPONDER: &str = "retake";

/// The sequences that come with the program: name and text.
const EMBEDDED: [(&str, &str); 4] = [
    ("none", include_str!("../../../../sequences/none.toml")),
    (
        "password-reset-only",
        include_str!("../../../../sequences/password-reset-only.toml"),
    ),
    (
        "reset-before-block",
        include_str!("../../../../sequences/reset-before-block.toml"),
    ),
    (
        "remove-everything",
        include_str!("../../../../sequences/remove-everything.toml"),
    ),
];

/// An order of operations.
#[derive(Clone, Debug)]
pub struct Sequence {
    /// Short name, lower case with hyphens.
    pub id: String,
    /// One line that says what happens.
    pub title: String,
    /// Where the order is documented.
    pub source: String,
    /// What is done, in order.
    operations: Vec<Operation>,
}

impl Sequence {
    /// The names of the sequences that come with the program.
    pub fn names() -> impl Iterator<Item = &'static str> {
        EMBEDDED.iter().map(|(name, _)| *name)
    }

    /// A sequence by the name of an embedded one, or by the path of a file.
    pub fn find(name_or_path: &str) -> Result<Self, SequenceError> {
        if let Some((name, text)) = EMBEDDED.iter().find(|(name, _)| *name == name_or_path) {
            return Self::parse(&PathBuf::from(format!("sequences/{name}.toml")), text);
        }
        let path = Path::new(name_or_path);
        let text = std::fs::read_to_string(path).map_err(|source| {
            if source.kind() == std::io::ErrorKind::NotFound {
                SequenceError::NotFound {
                    asked: name_or_path.to_owned(),
                    known: Self::names().collect::<Vec<_>>().join(", "),
                }
            } else {
                SequenceError::Unreadable {
                    file: path.to_owned(),
                    source,
                }
            }
        })?;
        Self::parse(path, &text)
    }

    /// The sequence in `text`; `file` is only named in errors.
    pub fn parse(file: &Path, text: &str) -> Result<Self, SequenceError> {
        let invalid = |offset: usize, reason: String| SequenceError::Invalid {
            file: file.to_owned(),
            line: text.bytes().take(offset).filter(|b| *b == b'\n').count() + 1,
            reason,
        };
        let form: Form = toml::from_str(text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            invalid(offset, error.message().to_owned())
        })?;
        if form.schema.get_ref() != SCHEMA {
            return Err(invalid(
                form.schema.span().start,
                format!(
                    "schema is `{}`; this program reads `{SCHEMA}`",
                    form.schema.get_ref()
                ),
            ));
        }
        let id = form.id.get_ref();
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if id.is_empty() || id == RESPONDER || !id.bytes().all(plain) {
            return Err(invalid(
                form.id.span().start,
                format!(
                    "id `{id}` may hold lower-case letters, digits and hyphens only, and is not `{RESPONDER}`"
                ),
            ));
        }
        let mut operations = Vec::new();
        let mut lists: Vec<String> = Vec::new();
        for operation in &form.operations {
            let at = operation.span().start;
            let operation = operation
                .get_ref()
                .check(&lists)
                .map_err(|reason| invalid(at, reason))?;
            if let Operation::List { into, .. } = &operation {
                lists.push(into.clone());
            }
            operations.push(operation);
        }
        Ok(Self {
            id: form.id.into_inner(),
            title: form.title,
            source: form.source,
            operations,
        })
    }
}

/// Why a sequence cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SequenceError {
    /// Neither the name of an embedded sequence nor a file.
    #[error(
        "there is no sequence `{asked}`: known names are {RESPONDER} (the responder), {known}; a path must be a file"
    )]
    NotFound {
        /// What was asked for.
        asked: String,
        /// The names that exist.
        known: String,
    },
    /// The file is there and cannot be read.
    #[error("{}: cannot be read: {source}", file.display())]
    Unreadable {
        /// Which file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not a valid sequence.
    #[error("{}:{line}: {reason}", file.display())]
    Invalid {
        /// Which file.
        file: PathBuf,
        /// Where in it, counted from 1.
        line: usize,
        /// What is wrong there.
        reason: String,
    },
}

/// One operation, checked.
#[derive(Clone, Debug)]
enum Operation {
    /// Asks, and keeps what the answer lists.
    List {
        what: String,
        ask: Ask,
        each: Option<String>,
        into: String,
        skip: Vec<Skip>,
    },
    /// Changes something.
    Send {
        what: String,
        ask: Ask,
        each: Option<String>,
        again: bool,
    },
    /// Waits.
    Wait(std::time::Duration),
}

/// A request before its placeholders are filled in.
#[derive(Clone, Debug)]
enum Ask {
    Graph {
        method: Method,
        path: String,
        body: Option<Value>,
    },
    Exchange {
        cmdlet: String,
        parameters: Map<String, Value>,
    },
}

/// An item that is not kept.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Skip {
    field: String,
    is: Option<String>,
    begins: Option<String>,
}

impl Skip {
    fn fits(&self, item: &Value) -> bool {
        let text = match item.get(&self.field) {
            Some(Value::String(text)) => text.to_lowercase(),
            Some(value @ (Value::Bool(_) | Value::Number(_))) => value.to_string(),
            _ => return false,
        };
        self.is.as_ref().is_some_and(|is| text == is.to_lowercase())
            || self
                .begins
                .as_ref()
                .is_some_and(|begins| text.starts_with(&begins.to_lowercase()))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    schema: Spanned<String>,
    id: Spanned<String>,
    title: String,
    source: String,
    #[serde(default, rename = "operation")]
    operations: Vec<Spanned<OperationForm>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OperationForm {
    #[serde(rename = "do")]
    action: Do,
    #[serde(default)]
    what: String,
    graph: Option<String>,
    body: Option<Value>,
    exchange: Option<String>,
    parameters: Option<Map<String, Value>>,
    each: Option<String>,
    into: Option<String>,
    #[serde(default)]
    skip: Vec<Skip>,
    #[serde(default)]
    again: bool,
    #[serde(rename = "for")]
    length: Option<Span>,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Do {
    List,
    Send,
    Wait,
}

impl OperationForm {
    /// Everything that one key alone does not show.
    fn check(&self, lists: &[String]) -> Result<Operation, String> {
        if self.action == Do::Wait {
            return self.wait();
        }
        if self.length.is_some() {
            return Err("`for` belongs to `wait`".to_owned());
        }
        if let Some(each) = &self.each
            && !lists.contains(each)
        {
            return Err(format!(
                "`each` names `{each}`, which no earlier `list` keeps"
            ));
        }
        if let Some(skip) = self
            .skip
            .iter()
            .find(|skip| skip.is.is_some() == skip.begins.is_some())
        {
            return Err(format!(
                "`skip` of `{}` needs either `is` or `begins`",
                skip.field
            ));
        }
        let ask = self.ask()?;
        let mut texts = Vec::new();
        ask.texts(&mut texts);
        for text in texts {
            template::check(text, self.each.is_some())?;
        }
        let (what, each) = (self.what.clone(), self.each.clone());
        match (self.action, &self.into) {
            (Do::List, _) if self.again => Err("`again` belongs to `send`".to_owned()),
            (Do::List, Some(into)) => Ok(Operation::List {
                what,
                ask,
                each,
                into: into.clone(),
                skip: self.skip.clone(),
            }),
            (Do::List, None) => {
                Err("a `list` needs `into`: the name under which it keeps the items".to_owned())
            }
            (_, Some(_)) => Err("`into` belongs to `list`".to_owned()),
            (_, None) if !self.skip.is_empty() => Err("`skip` belongs to `list`".to_owned()),
            (_, None) if self.again && each.is_none() => {
                Err("`again` needs `each`: there is nothing else to do in between".to_owned())
            }
            (_, None) => Ok(Operation::Send {
                what,
                ask,
                each,
                again: self.again,
            }),
        }
    }

    fn wait(&self) -> Result<Operation, String> {
        let other = self.graph.is_some()
            || self.exchange.is_some()
            || self.body.is_some()
            || self.parameters.is_some()
            || self.each.is_some()
            || self.into.is_some()
            || self.again
            || !self.skip.is_empty();
        if other {
            return Err("a `wait` has `what` and `for`, nothing else".to_owned());
        }
        let length = self.length.ok_or("a `wait` needs `for`, such as \"10m\"")?;
        if length.low != length.high {
            return Err("a `wait` has one length, not bounds".to_owned());
        }
        length
            .low
            .try_into()
            .map(Operation::Wait)
            .map_err(|_| "a `wait` cannot be negative".to_owned())
    }

    fn ask(&self) -> Result<Ask, String> {
        match (&self.graph, &self.exchange) {
            (Some(request), None) => {
                if self.parameters.is_some() {
                    return Err("`parameters` belongs to `exchange`".to_owned());
                }
                let (method, path) = request
                    .split_once(' ')
                    .and_then(|(method, path)| {
                        Some((Method::from_bytes(method.as_bytes()).ok()?, path))
                    })
                    .filter(|(_, path)| path.starts_with("/v1.0/") || path.starts_with("/beta/"))
                    .ok_or_else(|| {
                        format!("`{request}` is not a request: write for example `GET /v1.0/users`")
                    })?;
                Ok(Ask::Graph {
                    method,
                    path: path.to_owned(),
                    body: self.body.clone(),
                })
            }
            (None, Some(cmdlet)) => {
                if self.body.is_some() {
                    return Err("`body` belongs to `graph`".to_owned());
                }
                Ok(Ask::Exchange {
                    cmdlet: cmdlet.clone(),
                    parameters: self.parameters.clone().unwrap_or_default(),
                })
            }
            _ => Err("an operation has either `graph` or `exchange`".to_owned()),
        }
    }
}

impl Ask {
    /// Every text in which a placeholder may stand.
    fn texts<'a>(&'a self, texts: &mut Vec<&'a str>) {
        match self {
            Self::Graph { path, body, .. } => {
                texts.push(path);
                if let Some(body) = body {
                    texts_of(body, texts);
                }
            }
            Self::Exchange { parameters, .. } => {
                for value in parameters.values() {
                    texts_of(value, texts);
                }
            }
        }
    }
}

fn texts_of<'a>(value: &'a Value, texts: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => texts.push(text),
        Value::Array(items) => items.iter().for_each(|item| texts_of(item, texts)),
        Value::Object(members) => members.values().for_each(|member| texts_of(member, texts)),
        _ => {}
    }
}
