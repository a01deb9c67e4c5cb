//! The format of a tape: a header line, then one exchange a line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The format's name and version.
pub const SCHEMA: &str = "retake.tape/1";

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// [`SCHEMA`].
    pub schema: String,
    /// The version of the program that recorded.
    pub version: String,
    /// `worldwide`, `gcc`, `gcc-high`, `dod`, `china` or `custom`.
    pub cloud: String,
    /// Where Graph was, without a path: documented hosts and this machine as they are.
    pub graph: String,
    /// The replaced tenant id, or domain.
    pub tenant: String,
    /// The replaced client id.
    pub client: String,
    /// When recording began; its day is shifted as all days of the tape are.
    pub started: jiff::Timestamp,
}

/// One request and what came back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// Counts the exchanges in the order in which their requests were sent, from 1. Lines stand in
    /// the order in which the answers came.
    pub n: u64,
    /// Milliseconds from the beginning to the sending.
    pub at_ms: u64,
    /// Milliseconds from the sending to the answer.
    pub took_ms: u64,
    /// What was asked.
    pub request: Request,
    /// What came back; absent when nothing came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// Why nothing came: `name`, `route`, `proxy`, `connect`, `tls`, `timeout`, `reset`, `body` or `given_up`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// What was asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The HTTP method.
    pub method: String,
    /// Scheme, host and port.
    pub origin: String,
    /// Path and query, percent-encoded.
    pub url: String,
    /// The headers that decide what is answered, by their names in lower case.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The body.
    #[serde(default, skip_serializing_if = "Body::is_empty")]
    pub body: Body,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The headers that the client looks at.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The body.
    #[serde(default, skip_serializing_if = "Body::is_empty")]
    pub body: Body,
}

/// A body, as far as it could be read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// None.
    #[default]
    Empty,
    /// JSON.
    Json(Value),
    /// A form, `application/x-www-form-urlencoded`.
    Form(Vec<(String, String)>),
    /// So many bytes of something else, which are not kept.
    Opaque(usize),
}

impl Body {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        *self == Self::Empty
    }

    /// The body as JSON, if it is.
    pub fn json(&self) -> Option<&Value> {
        match self {
            Self::Json(value) => Some(value),
            _ => None,
        }
    }
}

/// A whole tape.
#[derive(Clone, Debug, PartialEq)]
pub struct Tape {
    /// The first line.
    pub header: Header,
    /// The exchanges with the number of the line that each stands on.
    pub exchanges: Vec<(usize, Exchange)>,
}

/// Why a tape cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TapeError {
    /// The file cannot be read at all.
    #[error("{}: {error}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// A line is not what it should be.
    #[error("{}: line {line}: {reason}", file.display())]
    Line {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
}

/// Reads a tape.
///
/// # Errors
///
/// With file, line and reason if a line is cut off, is no JSON or has another form than documented.
pub fn read(file: &Path) -> Result<Tape, TapeError> {
    let bytes = std::fs::read(file).map_err(|error| TapeError::File {
        file: file.to_owned(),
        error,
    })?;
    let wrong = |line: usize, reason: String| TapeError::Line {
        file: file.to_owned(),
        line,
        reason,
    };
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        let line = before.matches('\n').count() + 1;
        wrong(line, "it is not UTF-8".to_owned())
    })?;
    let mut lines = text.split_inclusive('\n').enumerate();
    let Some((_, first)) = lines.next() else {
        return Err(wrong(1, "the file is empty".to_owned()));
    };
    let header: Header = line_of(first).map_err(|reason| wrong(1, reason))?;
    if header.schema != SCHEMA {
        let reason = format!(
            "the schema is `{}`, not `{SCHEMA}`",
            header.schema.escape_debug()
        );
        return Err(wrong(1, reason));
    }
    let mut exchanges: Vec<(usize, Exchange)> = Vec::new();
    for (index, line) in lines {
        let number = index + 1;
        let exchange: Exchange = line_of(line).map_err(|reason| wrong(number, reason))?;
        if exchange.answer.is_some() == exchange.failure.is_some() {
            let reason = "an exchange has either an `answer` or a `failure`".to_owned();
            return Err(wrong(number, reason));
        }
        exchanges.push((number, exchange));
    }
    exchanges.sort_by_key(|(_, exchange)| exchange.n);
    Ok(Tape { header, exchanges })
}

fn line_of<T: serde::de::DeserializeOwned>(line: &str) -> Result<T, String> {
    let whole = line.strip_suffix('\n').ok_or("the line is cut off")?;
    serde_json::from_str(whole).map_err(|error| {
        // Its own line number is always 1.
        let text = error.to_string();
        let text = text.split(" at line ").next().unwrap_or(&text).to_owned();
        format!("{text} (column {})", error.column())
    })
}
