//! Verifies an exported case from the file alone.
//!
//! What the manifest says is trusted once its signature holds; the whole file is
//! then rebuilt in thought and compared: headers and padding byte by byte,
//! contents by digest, the journal record by record. The module `diagnose`
//! finds the place when the signature does not hold.

mod compare;
mod diagnose;

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use ed25519_dalek::{Signature, VerifyingKey};
use retake_playbook::Digest;
use serde::Deserialize;

use crate::container::{
    BLOCK, EVIDENCE, JOURNAL, KEY_IN_MANIFEST, MANIFEST, Manifest, SCHEMA, SIGNATURE_BYTES,
    padding, read_header,
};
use crate::error::StoreError;
use crate::key::{Fingerprint, NotAFingerprint, decode};
use crate::record::{CaseId, Link, Record, no_hash};
use compare::{END, Layout, compare};

/// What a whole and unaltered case is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Which case.
    pub case: CaseId,
    /// How many records its journal has.
    pub records: u64,
    /// How many pieces of evidence it holds.
    pub evidence: usize,
    /// The hash of the last record.
    pub head: Digest,
    /// The fingerprint of the key that signed it.
    pub fingerprint: Fingerprint,
    /// Whether that was the expected one. Without an expected fingerprint the file
    /// agrees with itself, and anybody may have signed it.
    pub expected_key: bool,
}

/// One place at which the file is not as it was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The entry of the archive.
    pub entry: String,
    /// Where it begins, counted from the first byte of the file.
    pub offset: u64,
    /// How many bytes it may cover.
    pub length: u64,
    /// What is wrong.
    pub what: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let entry = self.entry.escape_debug();
        match self.length {
            0 | 1 => write!(f, "{entry}, byte {}: {}", self.offset, self.what),
            length => write!(
                f,
                "{entry}, bytes {} to {}: {}",
                self.offset,
                self.offset.saturating_add(length - 1),
                self.what
            ),
        }
    }
}

/// A file that is not an unaltered case.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The file cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The expected fingerprint is none.
    #[error(transparent)]
    Fingerprint(#[from] NotAFingerprint),
    /// The file is something else.
    #[error("This is not an exported case: it begins with no manifest.")]
    NotACase,
    /// Written by a newer program.
    #[error("{what} is newer than this program, which knows `{known}`.")]
    NewerVersion {
        /// What was read.
        what: String,
        /// What this program knows.
        known: String,
    },
    /// The file was altered.
    #[error("This case is not as it was signed: {}", list(problems))]
    Altered {
        /// Where and how; never empty.
        problems: Vec<Problem>,
    },
}

impl VerifyError {
    /// Where and how the file was altered; empty for the other errors.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Altered { problems } => problems,
            _ => &[],
        }
    }

    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "Check the path and the right to read it.",
            Self::Fingerprint(_) => {
                "Copy the fingerprint as it was shown when the case was closed."
            }
            Self::NotACase => "`retake case export` writes such a file.",
            Self::NewerVersion { .. } => "Use the newer program that wrote it.",
            Self::Altered { .. } => {
                "Do not rely on this file. Ask for another copy, and for the fingerprint by another way than the file."
            }
        }
    }
}

fn list(problems: &[Problem]) -> String {
    let mut text = String::new();
    for (index, problem) in problems.iter().take(3).enumerate() {
        if index > 0 {
            text.push_str("; ");
        }
        text.push_str(&problem.to_string());
    }
    if problems.len() > 3 {
        text.push_str("; and more");
    }
    text
}

/// Verifies an exported case. It needs neither a store nor the machine that made
/// the file. `expected` is the fingerprint of the key that must have signed it, in
/// any of the ways in which people write it.
///
/// # Errors
/// [`VerifyError::Altered`] locates every byte that was altered, lost or added.
pub fn verify(path: &Path, expected: Option<&str>) -> Result<Verified, VerifyError> {
    verify_bytes(&load(path)?, expected)
}

/// The same for a file that is already in memory.
pub fn verify_bytes(bytes: &[u8], expected: Option<&str>) -> Result<Verified, VerifyError> {
    inspect(bytes, expected).map(|found| found.verified)
}

/// A verified file and where its parts lie.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) verified: Verified,
    pub(crate) journal: Range<usize>,
    pub(crate) evidence: BTreeMap<Digest, Range<usize>>,
}

pub(crate) fn load(path: &Path) -> Result<Vec<u8>, VerifyError> {
    let unreadable = |source| VerifyError::Unreadable {
        path: path.to_owned(),
        source,
    };
    // A pipe or a device would have no end.
    let data = std::fs::metadata(path).map_err(unreadable)?;
    if !data.is_file() {
        return Err(unreadable(io::Error::other("it is not a regular file")));
    }
    std::fs::read(path).map_err(unreadable)
}

pub(crate) fn inspect(bytes: &[u8], expected: Option<&str>) -> Result<Found, VerifyError> {
    let expected: Option<Fingerprint> = expected.map(str::parse).transpose()?;
    let Some(signed) = signed_manifest(bytes) else {
        return Err(diagnose::diagnose(bytes, expected));
    };
    let manifest = read_manifest(signed.text)?;
    let mut problems = Vec::new();
    if expected.is_some_and(|expected| expected != signed.fingerprint) {
        problems.push(problem(
            MANIFEST,
            key_range(),
            format!(
                "the whole file was signed with another key: its fingerprint is {}",
                signed.fingerprint
            ),
        ));
    }
    if manifest.text().ok().as_deref() != Some(signed.text) {
        problems.push(problem(
            MANIFEST,
            BLOCK..BLOCK + signed.text.len(),
            "it is signed, but not in the only form that a manifest may have".to_owned(),
        ));
    }
    let case = CaseId::parse(&*manifest.case).ok();
    let layout = case.and_then(|case| Some((case, Layout::of(&manifest, signed.text.len())?)));
    let Some((case, layout)) = layout else {
        problems.push(problem(
            MANIFEST,
            BLOCK..BLOCK + signed.text.len(),
            "it is signed, but lists entries that no export has".to_owned(),
        ));
        return Err(VerifyError::Altered { problems });
    };
    compare(bytes, &manifest, &layout, &mut problems);
    if !problems.is_empty() {
        return Err(VerifyError::Altered { problems });
    }
    let mut evidence = BTreeMap::new();
    let mut journal = 0..0;
    for slot in layout.slots {
        match (slot.name.strip_prefix(EVIDENCE), slot.sha256) {
            (Some(_), Some(sha256)) => {
                evidence.insert(sha256, slot.content);
            }
            _ if slot.name == JOURNAL => journal = slot.content,
            _ => {}
        }
    }
    Ok(Found {
        verified: Verified {
            case,
            records: manifest.records,
            evidence: evidence.len(),
            head: manifest.head,
            fingerprint: signed.fingerprint,
            expected_key: expected.is_some(),
        },
        journal,
        evidence,
    })
}

pub(crate) fn read_records(bytes: &[u8], found: &Found) -> Result<Vec<Record>, VerifyError> {
    let case = &found.verified.case;
    let content = bytes.get(found.journal.clone()).unwrap_or_default();
    let mut records = Vec::new();
    let mut previous = no_hash();
    for line in lines(content) {
        let mut buffer = String::new();
        let record = check_line(
            line,
            &mut buffer,
            case.as_str(),
            records.len() as u64 + 1,
            &previous,
        )
        .map_err(|what| VerifyError::Altered {
            problems: vec![problem(JOURNAL, found.journal.clone(), what)],
        })?
        .read(case)
        .map_err(|error| match error {
            StoreError::NewerVersion { what, known, .. } => VerifyError::NewerVersion {
                what,
                known: format!("events of version {known}"),
            },
            other => VerifyError::Altered {
                problems: vec![problem(JOURNAL, found.journal.clone(), other.to_string())],
            },
        })?;
        previous = record.hash.clone();
        records.push(record);
    }
    Ok(records)
}

struct Signed<'a> {
    text: &'a [u8],
    fingerprint: Fingerprint,
}

/// The manifest, if there is one that its signature holds for. Its length is
/// known twice, from its header and from the line feed that ends it, so that a
/// damaged header does not hide it.
fn signed_manifest(bytes: &[u8]) -> Option<Signed<'_>> {
    manifest_lengths(bytes)
        .into_iter()
        .flatten()
        .find_map(|length| {
            let text = bytes.get(BLOCK..BLOCK.checked_add(length)?)?;
            let start = signature_header_at(length)?.checked_add(BLOCK)?;
            let signature = bytes.get(start..start.checked_add(SIGNATURE_BYTES)?)?;
            holds(text, signature)
        })
}

fn manifest_lengths(bytes: &[u8]) -> [Option<usize>; 2] {
    let by_header = bytes
        .get(..BLOCK)
        .and_then(read_header)
        .and_then(|(_, length)| usize::try_from(length).ok());
    let by_line = bytes
        .get(BLOCK..)
        .and_then(|rest| rest.iter().position(|byte| *byte == b'\n'))
        .map(|end| end + 1);
    [by_header, by_line.filter(|_| by_line != by_header)]
}

fn signature_header_at(manifest: usize) -> Option<usize> {
    BLOCK
        .checked_add(manifest)?
        .checked_add(padding(manifest as u64) as usize)
}

fn holds<'a>(text: &'a [u8], signature: &[u8]) -> Option<Signed<'a>> {
    let digits = |bytes| std::str::from_utf8(bytes).ok();
    let key: [u8; 32] = decode(digits(text.get(KEY_IN_MANIFEST)?)?)?;
    let signature: [u8; 64] = decode(digits(signature.strip_suffix(b"\n")?)?)?;
    VerifyingKey::from_bytes(&key)
        .ok()?
        .verify_strict(text, &Signature::from_bytes(&signature))
        .ok()?;
    Some(Signed {
        text,
        fingerprint: Fingerprint::of(&key),
    })
}

fn read_manifest(text: &[u8]) -> Result<Manifest, VerifyError> {
    #[derive(Deserialize)]
    struct Version {
        schema: String,
    }
    match serde_json::from_slice::<Manifest>(text) {
        Ok(manifest) if manifest.schema == SCHEMA => Ok(manifest),
        read => match serde_json::from_slice::<Version>(text) {
            Ok(version) if version.schema != SCHEMA => Err(VerifyError::NewerVersion {
                what: format!("The container (`{}`)", version.schema.escape_debug()),
                known: SCHEMA.to_owned(),
            }),
            _ => Err(VerifyError::Altered {
                problems: vec![problem(
                    MANIFEST,
                    BLOCK..BLOCK + text.len(),
                    format!(
                        "it is signed, but cannot be read: {}",
                        read.err()
                            .map(|error| error.to_string())
                            .unwrap_or_default()
                    ),
                )],
            }),
        },
    }
}

/// Lines with their line feeds.
fn lines(content: &[u8]) -> impl Iterator<Item = &[u8]> {
    content.split_inclusive(|byte| *byte == b'\n')
}

fn check_line<'a>(
    line: &'a [u8],
    buffer: &'a mut String,
    case: &str,
    seq: u64,
    previous: &Digest,
) -> Result<Link<'a>, String> {
    let line = line
        .strip_suffix(b"\n")
        .ok_or_else(|| "its line does not end".to_owned())?;
    let line = std::str::from_utf8(line).map_err(|error| error.to_string())?;
    Link::check_line(line, buffer, case, seq, previous)
}

fn key_range() -> Range<usize> {
    BLOCK + KEY_IN_MANIFEST.start..BLOCK + KEY_IN_MANIFEST.end
}

fn first_difference(is: &[u8], should: &[u8]) -> Option<usize> {
    is.iter()
        .zip(should)
        .position(|(a, b)| a != b)
        .or_else(|| (is.len() != should.len()).then(|| is.len().min(should.len())))
}

fn problem(entry: &str, range: Range<usize>, what: String) -> Problem {
    Problem {
        entry: entry.to_owned(),
        offset: range.start as u64,
        length: range.end.saturating_sub(range.start) as u64,
        what,
    }
}
