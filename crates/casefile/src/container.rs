//! The form of an exported case: a ustar archive in which every byte follows from
//! its entries, so that each one can be checked and not only the contents.
//!
//! The archive holds, in this order, `manifest.json`, `manifest.sig`,
//! `journal.jsonl` and one `evidence/<sha256>` for each kept digest, sorted. Mode
//! is 0644; owner, group and time are 0; two blocks of zeros end it. The manifest
//! is one line of JSON with its members in the order of [`Manifest`]; the
//! signature is 128 hexadecimal digits and a line feed.

use std::ops::Range;

use retake_playbook::Digest;
use serde::{Deserialize, Serialize};

/// The container's version, as the manifest names it.
pub(crate) const SCHEMA: &str = "retake.case/1";

pub(crate) const MANIFEST: &str = "manifest.json";
pub(crate) const SIGNATURE: &str = "manifest.sig";
pub(crate) const JOURNAL: &str = "journal.jsonl";
pub(crate) const EVIDENCE: &str = "evidence/";

/// An archive is made of blocks of this many bytes.
pub(crate) const BLOCK: usize = 512;

/// 64 bytes as digits, and a line feed.
pub(crate) const SIGNATURE_BYTES: usize = 129;

/// Where the public key's digits stand, counted from the manifest's first byte:
/// schema and key come first, so that the key is found even in a damaged manifest.
pub(crate) const KEY_IN_MANIFEST: Range<usize> = {
    let start = r#"{"schema":"","public_key":""#.len() + SCHEMA.len();
    start..start + 64
};

/// What is signed.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    pub(crate) schema: String,
    pub(crate) public_key: String,
    pub(crate) case: String,
    pub(crate) records: u64,
    /// The hash of the last record.
    pub(crate) head: Digest,
    pub(crate) entries: Vec<Entry>,
}

/// One file of the archive after manifest and signature.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) bytes: u64,
    pub(crate) sha256: Digest,
}

impl Manifest {
    /// Its only text.
    pub(crate) fn text(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut text = serde_json::to_vec(self)?;
        text.push(b'\n');
        Ok(text)
    }
}

/// The header of an entry, if name and length fit into one.
pub(crate) fn header(name: &str, bytes: u64) -> Option<[u8; BLOCK]> {
    let mut block = [0; BLOCK];
    let size = format!("{bytes:011o}");
    if name.len() >= 100 || size.len() > 11 {
        return None;
    }
    let mut put = |at: usize, field: &[u8]| {
        if let Some(place) = block.get_mut(at..at + field.len()) {
            place.copy_from_slice(field);
        }
    };
    put(0, name.as_bytes());
    put(100, b"0000644\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, size.as_bytes());
    put(136, b"00000000000\0");
    put(148, b"        ");
    put(156, b"0");
    put(257, b"ustar\x0000");
    put(329, b"0000000\0");
    put(337, b"0000000\0");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    if let Some(place) = block.get_mut(148..156) {
        place.copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
    Some(block)
}

/// Name and length from a header, if they can be read; nothing is said about
/// the rest of it.
pub(crate) fn read_header(block: &[u8]) -> Option<(&str, u64)> {
    let name = block.get(..100)?;
    let end = name.iter().position(|byte| *byte == 0)?;
    let name = std::str::from_utf8(name.get(..end)?).ok()?;
    let size = block.get(124..135)?;
    if !size.iter().all(|digit| (b'0'..=b'7').contains(digit)) {
        return None;
    }
    let bytes = size
        .iter()
        .fold(0, |sum, digit| sum * 8 + u64::from(digit - b'0'));
    Some((name, bytes))
}

/// How many zeros follow contents of this length.
pub(crate) fn padding(bytes: u64) -> u64 {
    (BLOCK as u64 - bytes % BLOCK as u64) % BLOCK as u64
}
