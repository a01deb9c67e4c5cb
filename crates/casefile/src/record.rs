//! Records and the chain that binds them.
//!
//! What is hashed is the *body*, one JSON object with its members in this order
//! and no blanks:
//!
//! ```text
//! {"schema":2,"case":"…","seq":1,"at":"…","event":{…canonical…},"previous":"…"}
//! ```
//!
//! `schema` is [`retake_playbook::event::SCHEMA`] of the writer, `previous` the
//! hash of the record before, 64 zeros for the first. The hash of a record is the
//! SHA-256 of its body. A line of an exported journal is the body with the hash as
//! last member, so that `sha256` and a text editor are enough to check it.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use retake_playbook::Digest;
use retake_playbook::event::{Event, SCHEMA};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::canonical::{canonical_json, digest};
use crate::error::StoreError;

/// The id of a case: 1 to 64 of `a-z`, `0-9` and `-`, beginning with a letter or
/// digit, so that it can stand in a file name and on a command line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct CaseId(String);

impl CaseId {
    /// The id written like this.
    pub fn parse(text: impl Into<String>) -> Result<Self, StoreError> {
        let text = text.into();
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        if (1..=64).contains(&text.len())
            && text.bytes().all(|b| plain(b) || b == b'-')
            && text.bytes().next().is_some_and(plain)
        {
            Ok(Self(text))
        } else {
            Err(StoreError::NotACaseId { text })
        }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One thing that happened, in its place in the chain.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Whose journal.
    pub case: CaseId,
    /// Its number in the journal, from 1.
    pub seq: u64,
    /// When it was written.
    pub at: Timestamp,
    /// The event schema of the program that wrote it.
    pub schema: u32,
    /// What happened.
    pub event: Event,
    /// The hash of the record before; 64 zeros for the first.
    pub previous: Digest,
    /// The hash of this record.
    pub hash: Digest,
    /// The bytes that were hashed.
    body: String,
}

impl Record {
    /// The bytes that were hashed; the module says how they are made.
    pub fn body(&self) -> &str {
        &self.body
    }

    /// The record as a line of an exported journal, without the line feed.
    pub fn line(&self) -> String {
        line(&self.body, &self.hash)
    }

    pub(crate) fn seal(
        case: &CaseId,
        seq: u64,
        at: Timestamp,
        event: &Event,
        previous: Digest,
    ) -> Result<Self, StoreError> {
        let unwritable = |source| StoreError::Unwritable {
            case: case.clone(),
            source,
        };
        let text = canonical_json(&serde_json::to_value(event).map_err(unwritable)?);
        // A value that JSON cannot carry (a confidence that is not a number) would
        // make the journal unreadable for ever; it is found before it is written.
        let read_back: Event = serde_json::from_str(&text).map_err(unwritable)?;
        let body = serde_json::to_string(&Body {
            schema: SCHEMA,
            case: Cow::Borrowed(case.as_str()),
            seq,
            at,
            event: &RawValue::from_string(text).map_err(unwritable)?,
            previous: previous.clone(),
        })
        .map_err(unwritable)?;
        Ok(Self {
            case: case.clone(),
            seq,
            at,
            schema: SCHEMA,
            event: read_back,
            previous,
            hash: digest(body.as_bytes()),
            body,
        })
    }
}

/// The hash before the first record.
pub(crate) fn no_hash() -> Digest {
    Digest::from_bytes([0; 32])
}

pub(crate) fn line(body: &str, hash: &Digest) -> String {
    let open = body.strip_suffix('}').unwrap_or(body);
    format!("{open},\"hash\":\"{hash}\"}}")
}

#[derive(Serialize, Deserialize)]
struct Body<'a> {
    schema: u32,
    #[serde(borrow)]
    case: Cow<'a, str>,
    seq: u64,
    at: Timestamp,
    #[serde(borrow)]
    event: &'a RawValue,
    previous: Digest,
}

/// A record whose place in the chain is checked and whose event is not yet read:
/// integrity can be judged without knowing every event.
#[derive(Debug)]
pub(crate) struct Link<'a> {
    body: &'a str,
    parsed: Body<'a>,
    hash: Digest,
}

impl fmt::Debug for Body<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "record {}", self.seq)
    }
}

impl<'a> Link<'a> {
    /// Checks a body against its hash and its place. The text says what is wrong.
    pub(crate) fn check(
        body: &'a str,
        hash: &str,
        case: &str,
        seq: u64,
        previous: &Digest,
    ) -> Result<Self, String> {
        let hash = Digest::parse(hash).map_err(|_| "its hash is not a SHA-256".to_owned())?;
        let actual = digest(body.as_bytes());
        if actual != hash {
            return Err(format!(
                "its content has the hash {}, recorded is {}",
                actual.short(),
                hash.short()
            ));
        }
        let parsed: Body<'_> =
            serde_json::from_str(body).map_err(|error| format!("it cannot be read: {error}"))?;
        if parsed.seq != seq {
            return Err(format!("it says that it is record {}", parsed.seq));
        }
        if parsed.case != case {
            return Err("it belongs to another case".to_owned());
        }
        if parsed.previous != *previous {
            return Err(format!(
                "it follows {}, but the record before is {}",
                parsed.previous.short(),
                previous.short()
            ));
        }
        Ok(Self { body, parsed, hash })
    }

    /// The same for a line of an exported journal, without its line feed.
    pub(crate) fn check_line(
        line: &'a str,
        buffer: &'a mut String,
        case: &str,
        seq: u64,
        previous: &Digest,
    ) -> Result<Self, String> {
        let (open, tail) = line
            .rsplit_once(",\"hash\":\"")
            .ok_or_else(|| "it has no hash".to_owned())?;
        let hash = tail
            .strip_suffix("\"}")
            .ok_or_else(|| "it does not end with its hash".to_owned())?;
        buffer.clear();
        buffer.push_str(open);
        buffer.push('}');
        Self::check(buffer, hash, case, seq, previous)
    }

    pub(crate) fn hash(&self) -> &Digest {
        &self.hash
    }

    /// The digest, when this record says that evidence was kept.
    pub(crate) fn keeps(&self) -> Option<Digest> {
        #[derive(Deserialize)]
        struct Kept {
            event: String,
            digest: Option<Digest>,
        }
        serde_json::from_str::<Kept>(self.parsed.event.get())
            .ok()
            .filter(|kept| kept.event == "evidence_kept")
            .and_then(|kept| kept.digest)
    }

    /// The whole record, if this program knows its event.
    pub(crate) fn read(self, case: &CaseId) -> Result<Record, StoreError> {
        let newer = |what: String| StoreError::NewerVersion {
            what,
            found: self.parsed.schema,
            known: SCHEMA,
        };
        if self.parsed.schema > SCHEMA {
            return Err(newer(format!("record {} of case {case}", self.parsed.seq)));
        }
        let event: Event = serde_json::from_str(self.parsed.event.get()).map_err(|error| {
            newer(format!(
                "record {} of case {case} ({error})",
                self.parsed.seq
            ))
        })?;
        Ok(Record {
            case: case.clone(),
            seq: self.parsed.seq,
            at: self.parsed.at,
            schema: self.parsed.schema,
            event,
            previous: self.parsed.previous,
            hash: self.hash,
            body: self.body.to_owned(),
        })
    }
}
