//! Finds the place when the signature does not hold.
//!
//! Everything in a manifest but the key follows from the other entries. So it is
//! made again from them: if the signature holds for that, the first difference is
//! the place; if it is the same as the one in the file, the signature or the key
//! was altered.

use std::ops::Range;

use super::{
    END, Problem, VerifyError, first_difference, holds, key_range, lines, manifest_lengths,
    problem, signature_header_at,
};
use crate::canonical::digest;
use crate::container::{
    BLOCK, Entry, JOURNAL, KEY_IN_MANIFEST, MANIFEST, Manifest, SCHEMA, SIGNATURE, SIGNATURE_BYTES,
    header, padding, read_header,
};
use crate::key::{Fingerprint, decode};
use retake_playbook::Digest;
use serde::Deserialize;

pub(super) fn diagnose(bytes: &[u8], expected: Option<Fingerprint>) -> VerifyError {
    let known = header(SIGNATURE, SIGNATURE_BYTES as u64).unwrap_or([0; BLOCK]);
    let begins = bytes.starts_with(MANIFEST.as_bytes());
    let found = find(bytes, &known);
    if !begins && found.is_none() {
        return VerifyError::NotACase;
    }
    let guessed = manifest_lengths(bytes)
        .into_iter()
        .rev()
        .flatten()
        .find_map(signature_header_at);
    let mut problems = Vec::new();
    match found.or(guessed).filter(|at| *at < bytes.len()) {
        Some(at) => look(bytes, at, &known, expected, &mut problems),
        None => problems.push(problem(
            MANIFEST,
            0..bytes.len(),
            "the file ends within it".to_owned(),
        )),
    }
    VerifyError::Altered { problems }
}

/// Looks at a file whose signature's header stands, or should stand, at `at`.
fn look(
    bytes: &[u8],
    at: usize,
    known: &[u8; BLOCK],
    expected: Option<Fingerprint>,
    problems: &mut Vec<Problem>,
) {
    let header = bytes.get(at..).unwrap_or_default();
    let header = &header[..header.len().min(BLOCK)];
    if let Some(place) = first_difference(header, known) {
        problems.push(problem(
            SIGNATURE,
            at + place..at + place + 1,
            "its header in the archive is altered".to_owned(),
        ));
    }
    // The entry takes two blocks; what follows is searched near by, because a byte
    // may be lost or added.
    let should = at.saturating_add(2 * BLOCK);
    let near = bytes.get(at..).unwrap_or_default();
    let near = &near[..near.len().min(8 * BLOCK)];
    let rest = find(near, format!("{JOURNAL}\0").as_bytes()).map_or(should, |found| at + found);
    if rest != should {
        problems.push(problem(
            SIGNATURE,
            at..rest,
            "it does not have its length of two blocks".to_owned(),
        ));
    }
    let content = at.saturating_add(BLOCK);
    let content = content..content.saturating_add(SIGNATURE_BYTES);
    let signature = bytes.get(content.clone()).unwrap_or_default();
    let unclear = |problems: &mut Vec<Problem>| {
        problems.push(problem(
            MANIFEST,
            0..at,
            "the signature does not hold for it".to_owned(),
        ));
    };
    let entries = match walk(bytes, rest) {
        Ok(entries) => entries,
        Err(place) => {
            if problems.is_empty() {
                unclear(problems);
            }
            problems.push(place);
            return;
        }
    };
    let Some(remade) = remake(bytes, &entries) else {
        unclear(problems);
        return;
    };
    let is = bytes.get(..at).unwrap_or_default();
    if let Some(place) = first_difference(is, &remade.head) {
        if holds(&remade.text, signature).is_some() {
            let last = if is.len() == remade.head.len() {
                let last = is.iter().zip(&remade.head).rposition(|(a, b)| a != b);
                last.map_or(at, |last| last + 1)
            } else {
                at
            };
            problems.push(problem(
                MANIFEST,
                place..last,
                "the signature does not hold for it; it does for what the other entries say should stand here".to_owned(),
            ));
        } else {
            unclear(problems);
        }
    } else if problems.is_empty() {
        key_or_signature(bytes, content, expected, problems);
    }
}

fn key_or_signature(
    bytes: &[u8],
    signature: Range<usize>,
    expected: Option<Fingerprint>,
    problems: &mut Vec<Problem>,
) {
    let key = bytes
        .get(key_range())
        .and_then(|digits| std::str::from_utf8(digits).ok())
        .and_then(decode)
        .map(|key| Fingerprint::of(&key));
    if expected.is_none() || key != expected {
        problems.push(problem(
            MANIFEST,
            key_range(),
            match key {
                Some(key) => {
                    format!("the signature does not hold with this key, whose fingerprint is {key}")
                }
                None => "this is not a key".to_owned(),
            },
        ));
    }
    problems.push(problem(
        SIGNATURE,
        signature,
        "the signature does not hold for manifest.json, which agrees with the other entries"
            .to_owned(),
    ));
}

/// The entries from `at` to the end of the archive, or the first place at which
/// they cannot be followed.
fn walk(bytes: &[u8], mut at: usize) -> Result<Vec<(String, Range<usize>)>, Problem> {
    let mut entries = Vec::new();
    loop {
        let Some(block) = bytes.get(at..at.saturating_add(BLOCK)) else {
            return Err(problem(
                END,
                at.min(bytes.len())..bytes.len(),
                "the file ends too early".to_owned(),
            ));
        };
        if block.iter().all(|byte| *byte == 0) {
            let tail = bytes.get(at..).unwrap_or_default();
            return if tail.len() == 2 * BLOCK && tail.iter().all(|byte| *byte == 0) {
                Ok(entries)
            } else {
                Err(problem(
                    END,
                    at..bytes.len(),
                    "the end of the archive is altered".to_owned(),
                ))
            };
        }
        let whole = read_header(block).and_then(|(name, length)| {
            (header(name, length)?.as_slice() == block).then_some(())?;
            let start = at.checked_add(BLOCK)?;
            let end = start.checked_add(usize::try_from(length).ok()?)?;
            let next = end.checked_add(padding(length) as usize)?;
            (next <= bytes.len()).then(|| (name.to_owned(), start..end, next))
        });
        let Some((name, content, next)) = whole else {
            return Err(problem(
                entries
                    .last()
                    .map_or(JOURNAL, |(name, _): &(String, _)| name.as_str()),
                at..at + BLOCK,
                "no header of an entry stands here, behind the end of this one".to_owned(),
            ));
        };
        entries.push((name, content));
        at = next;
    }
}

struct Remade {
    text: Vec<u8>,
    /// Header, text and padding.
    head: Vec<u8>,
}

/// The manifest as the other entries say that it must be.
fn remake(bytes: &[u8], entries: &[(String, Range<usize>)]) -> Option<Remade> {
    #[derive(Deserialize)]
    struct Line {
        case: String,
        hash: Digest,
    }
    let (name, journal) = entries.first()?;
    if name != JOURNAL {
        return None;
    }
    let journal = bytes.get(journal.clone())?;
    let last: Line = serde_json::from_slice(lines(journal).last()?).ok()?;
    let key = bytes.get(BLOCK..)?.get(KEY_IN_MANIFEST)?;
    let manifest = Manifest {
        schema: SCHEMA.to_owned(),
        public_key: String::from_utf8_lossy(key).into_owned(),
        case: last.case,
        records: lines(journal).count() as u64,
        head: last.hash,
        entries: entries
            .iter()
            .map(|(name, content)| {
                let content = bytes.get(content.clone())?;
                Some(Entry {
                    name: name.clone(),
                    bytes: content.len() as u64,
                    sha256: digest(content),
                })
            })
            .collect::<Option<_>>()?,
    };
    let text = manifest.text().ok()?;
    let length = text.len() as u64;
    let mut head = header(MANIFEST, length)?.to_vec();
    head.extend_from_slice(&text);
    head.resize(head.len() + padding(length) as usize, 0);
    Some(Remade { text, head })
}

fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes
        .windows(needle.len())
        .position(|window| window == needle)
}
