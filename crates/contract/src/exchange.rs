//! One request with its answer, and how a `$batch` comes apart into several.

use std::collections::BTreeMap;

use serde_json::Value;
use thiserror::Error;

/// Which of the two Graph surfaces a request went to.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Version {
    /// `/v1.0/…`
    V1,
    /// `/beta/…`
    Beta,
}

impl Version {
    /// Both versions.
    pub const ALL: [Version; 2] = [Version::V1, Version::Beta];

    /// The path segment that names the version.
    pub fn segment(self) -> &'static str {
        match self {
            Version::V1 => "v1.0",
            Version::Beta => "beta",
        }
    }

    fn of_path(path: &str) -> Option<(Version, &str)> {
        Version::ALL.into_iter().find_map(|version| {
            let rest = path.strip_prefix('/')?.strip_prefix(version.segment())?;
            (rest.is_empty() || rest.starts_with('/')).then_some((version, rest))
        })
    }
}

/// One request to Graph and the answer it got.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The surface.
    pub version: Version,
    /// The method, in any case.
    pub method: String,
    /// The path after the version, without query: `/users/{id}/messages`.
    pub path: String,
    /// The body that was sent, if any.
    pub request_body: Option<Value>,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The body that came back, if any.
    pub response_body: Option<Value>,
}

/// Why a request and its answer cannot be read as Graph exchanges.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The body of the request or of the answer is not JSON.
    #[error("{method} {target}: the body of the {side} is not JSON: {source}")]
    NotJson {
        /// Method of the request.
        method: String,
        /// Path and query of the request.
        target: String,
        /// `request` or `answer`.
        side: &'static str,
        /// What the JSON reader said.
        source: serde_json::Error,
    },
    /// A `$batch` that breaks the rules of reference §10.
    #[error("$batch: {0}")]
    Batch(String),
}

/// Reads one HTTP request and its answer. `target` is path and query as sent.
///
/// Gives nothing for a request that is not to Graph (token endpoint, Exchange, activity
/// feed), one exchange for a plain request, and one per contained request for a `$batch`
/// that was answered with 200 (its envelope is checked here, reference §10).
///
/// # Errors
///
/// A body that is not JSON, or a batch whose envelope is wrong. A test that injects
/// truncated bodies leaves those requests out itself.
pub fn exchanges(
    method: &str,
    target: &str,
    request_body: &[u8],
    status: u16,
    response_body: &[u8],
) -> Result<Vec<Exchange>, ReadError> {
    let path = target.split('?').next().unwrap_or_default();
    let Some((version, rest)) = Version::of_path(path) else {
        return Ok(Vec::new());
    };
    let read = |bytes: &[u8], side| {
        if bytes.is_empty() {
            return Ok(None);
        }
        serde_json::from_slice(bytes)
            .map(Some)
            .map_err(|source| ReadError::NotJson {
                method: method.to_owned(),
                target: target.to_owned(),
                side,
                source,
            })
    };
    let whole = Exchange {
        version,
        method: method.to_owned(),
        path: rest.to_owned(),
        request_body: read(request_body, "request")?,
        status,
        response_body: read(response_body, "answer")?,
    };
    if rest == "/$batch" && status == 200 {
        unbatch(&whole).map_err(ReadError::Batch)
    } else {
        Ok(vec![whole])
    }
}

/// The most requests that Graph takes in one batch, reference §10.
const LARGEST_BATCH: usize = 20;

fn unbatch(whole: &Exchange) -> Result<Vec<Exchange>, String> {
    let requests = list(whole.request_body.as_ref(), "requests")?;
    let responses = list(whole.response_body.as_ref(), "responses")?;
    if requests.len() > LARGEST_BATCH {
        return Err(format!(
            "{} requests, {LARGEST_BATCH} are the most",
            requests.len()
        ));
    }
    let mut answers = BTreeMap::new();
    for response in responses {
        let id = text(response, "id")?.to_lowercase();
        if answers.insert(id.clone(), response).is_some() {
            return Err(format!("two answers to request {id}"));
        }
    }
    let mut exchanges = Vec::with_capacity(requests.len());
    for request in requests {
        let id = text(request, "id")?.to_lowercase();
        let answer = answers
            .remove(&id)
            .ok_or_else(|| format!("no answer to request {id}, or its id twice"))?;
        let url = text(request, "url")?;
        if Version::of_path(url).is_some() || url.contains("://") {
            return Err(format!("url {url} is not relative to the version"));
        }
        let path = url.split('?').next().unwrap_or_default();
        exchanges.push(Exchange {
            version: whole.version,
            method: text(request, "method")?.to_owned(),
            path: format!("/{}", path.trim_start_matches('/')),
            request_body: request.get("body").cloned(),
            status: answer
                .get("status")
                .and_then(Value::as_u64)
                .and_then(|status| u16::try_from(status).ok())
                .ok_or_else(|| format!("the answer to request {id} has no status"))?,
            response_body: answer.get("body").filter(|body| !body.is_null()).cloned(),
        });
    }
    match answers.keys().next() {
        Some(id) => Err(format!("an answer to request {id}, which was not sent")),
        None => Ok(exchanges),
    }
}

fn list<'a>(body: Option<&'a Value>, key: &str) -> Result<&'a Vec<Value>, String> {
    body.and_then(|body| body.get(key))
        .and_then(Value::as_array)
        .ok_or_else(|| format!("no list of {key}"))
}

fn text<'a>(object: &'a Value, key: &str) -> Result<&'a str, String> {
    object
        .get(key)
        .and_then(Value::as_str)
        .ok_or_else(|| format!("{key} missing in {object}"))
}
