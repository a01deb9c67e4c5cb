//! An exchange held against the document.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jsonschema::Validator;
use serde_json::{Map, Value, json};
use thiserror::Error;

use crate::paths::{Template, normalised};
use crate::schema;
use crate::{ALLOWED, Exchange, Version};

/// What came out for one exchange.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// Request and answer are as the document says.
    Valid,
    /// The document does not have this path, or not this method on it. Whoever checks a
    /// whole run lists these, so that a misspelt path does not pass unseen.
    Unknown,
    /// What is wrong, one sentence each, with the place inside the body.
    Invalid(Vec<String>),
}

/// Why the subsets could not be loaded.
#[derive(Debug, Error)]
pub enum LoadError {
    /// A file could not be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is not JSON.
    #[error("{}: {source}", path.display())]
    NotJson {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        source: serde_json::Error,
    },
    /// A document says something that this crate does not understand.
    #[error("the {version} subset: {reason}", version = version.segment())]
    NotUnderstood {
        /// Which of the two.
        version: Version,
        /// What is not understood.
        reason: String,
    },
}

/// The two subsets, ready to judge exchanges.
pub struct Contract {
    documents: BTreeMap<Version, Document>,
}

impl Contract {
    /// Loads both subsets from the reference directory inside `shared`
    /// ([`crate::shared_dir`]) and adds what [`ALLOWED`] lists.
    ///
    /// # Errors
    ///
    /// Files missing or not understood.
    pub fn load(shared: &Path) -> Result<Contract, LoadError> {
        let mut documents = BTreeMap::new();
        for version in Version::ALL {
            let name = format!("graph-openapi-subset-{}.json", version.segment());
            let path = shared.join("reference").join(name);
            let text = fs::read_to_string(&path).map_err(|source| LoadError::Unreadable {
                path: path.clone(),
                source,
            })?;
            let document = serde_json::from_str(&text)
                .map_err(|source| LoadError::NotJson { path, source })?;
            let document = Document::new(version, document)
                .map_err(|reason| LoadError::NotUnderstood { version, reason })?;
            documents.insert(version, document);
        }
        Ok(Contract { documents })
    }

    /// Judges one exchange: the body sent, the status, the body that came back.
    pub fn check(&self, exchange: &Exchange) -> Verdict {
        match self.documents.get(&exchange.version) {
            Some(document) => document.check(exchange),
            None => Verdict::Unknown,
        }
    }
}

struct Document {
    paths: Map<String, Value>,
    templates: Vec<Template>,
    error: Value,
    definitions: Value,
    validators: Mutex<BTreeMap<String, Arc<Validator>>>,
}

impl Document {
    fn new(version: Version, mut document: Value) -> Result<Document, String> {
        let Some(Value::Object(paths)) = document.get_mut("paths").map(Value::take) else {
            return Err("no paths".to_owned());
        };
        let error = document
            .pointer("/components/responses/error")
            .cloned()
            .ok_or("no error response")?;
        let schemas = document
            .pointer_mut("/components/schemas")
            .and_then(Value::as_object_mut)
            .ok_or("no schemas")?;
        schema::extend(
            schemas,
            ALLOWED.iter().filter(|it| it.versions.contains(&version)),
        )?;
        Ok(Document {
            templates: paths.keys().map(|path| Template::new(path)).collect(),
            definitions: Value::Object(schema::definitions(schemas)?),
            paths,
            error,
            validators: Mutex::default(),
        })
    }

    fn check(&self, exchange: &Exchange) -> Verdict {
        let segments = normalised(&exchange.path);
        let Some(template) = self
            .templates
            .iter()
            .filter_map(|template| Some((template.fits(&segments)?, template)))
            .max_by_key(|(literal, _)| *literal)
            .map(|(_, template)| template)
        else {
            return Verdict::Unknown;
        };
        let item = &self.paths[&template.path];
        let method = exchange.method.to_lowercase();
        let Some(operation) = item.get(&method).filter(|_| method != "parameters") else {
            return Verdict::Unknown;
        };
        let mut wrong = Vec::new();
        self.check_request(operation, exchange, &mut wrong);
        self.check_response(item, operation, exchange, &mut wrong);
        if wrong.is_empty() {
            Verdict::Valid
        } else {
            Verdict::Invalid(wrong)
        }
    }

    fn check_request(&self, operation: &Value, exchange: &Exchange, wrong: &mut Vec<String>) {
        match (operation.get("requestBody"), &exchange.request_body) {
            (None, None) => {}
            (None, Some(_)) => wrong.push("request: a body where none is described".to_owned()),
            (Some(described), None) => {
                if described.get("required") == Some(&json!(true)) {
                    wrong.push("request: the body is missing".to_owned());
                }
            }
            (Some(described), Some(body)) => match content(described) {
                Some(schema) => self.check_body("request", schema, body, wrong),
                None => wrong.push("request: a body where none is described".to_owned()),
            },
        }
    }

    fn check_response(
        &self,
        item: &Value,
        operation: &Value,
        exchange: &Exchange,
        wrong: &mut Vec<String>,
    ) {
        let status = exchange.status;
        let Some(described) = described(operation, status) else {
            wrong.push(format!("answer: status {status} is not described"));
            return;
        };
        let is_error = described.get("$ref").is_some();
        let described = if is_error { &self.error } else { described };
        // A change may answer with the changed object; the document says so in words only,
        // and the object is the one that a read of the same path gives.
        let changed = || {
            (exchange.method.eq_ignore_ascii_case("patch") && status != 204)
                .then(|| content(item.pointer("/get/responses/200")?))
                .flatten()
        };
        match (content(described).or_else(changed), &exchange.response_body) {
            (Some(_), Some(_)) if status == 204 => {
                wrong.push("answer: a body with status 204".to_owned());
            }
            (Some(schema), Some(body)) => self.check_body("answer", schema, body, wrong),
            (None, Some(_)) => wrong.push("answer: a body where none is described".to_owned()),
            // A gateway's error may come without a body, an accepted order has only headers.
            (Some(_), None) if is_error || matches!(status, 202 | 204) => {}
            (Some(_), None) if exchange.method.eq_ignore_ascii_case("patch") => {}
            (Some(_), None) => wrong.push("answer: the body is missing".to_owned()),
            (None, None) => {}
        }
    }

    fn check_body(&self, side: &str, schema: &Value, body: &Value, wrong: &mut Vec<String>) {
        match self.validator(schema) {
            Ok(validator) => wrong.extend(validator.iter_errors(body).map(|error| {
                format!(
                    "{side}{}: {}",
                    error.instance_path(),
                    shortened(&error.to_string())
                )
            })),
            Err(reason) => wrong.push(format!("{side}: the schema is not understood: {reason}")),
        }
    }

    fn validator(&self, schema: &Value) -> Result<Arc<Validator>, String> {
        let key = schema.to_string();
        let mut validators = self
            .validators
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(validator) = validators.get(&key) {
            return Ok(Arc::clone(validator));
        }
        let mut whole = schema::body(schema)?;
        whole["$defs"] = self.definitions.clone();
        let validator = jsonschema::options()
            .with_draft(jsonschema::Draft::Draft202012)
            .should_validate_formats(true)
            .build(&whole)
            .map(Arc::new)
            .map_err(|error| error.to_string())?;
        validators.insert(key, Arc::clone(&validator));
        Ok(validator)
    }
}

/// The description for a status: exact, or by its class (`2XX`).
fn described(operation: &Value, status: u16) -> Option<&Value> {
    let responses = operation.get("responses")?;
    responses
        .get(status.to_string())
        .or_else(|| responses.get(format!("{}XX", status / 100)))
}

fn content(described: &Value) -> Option<&Value> {
    described.pointer("/content/application~1json/schema")
}

/// An error message repeats the value it is about; a whole page of sign-ins helps nobody.
fn shortened(text: &str) -> String {
    const MOST: usize = 300;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    let end: String = text
        .chars()
        .rev()
        .take(MOST / 2)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect();
    let start: String = text.chars().take(MOST / 2).collect();
    format!("{start} … {end}")
}
