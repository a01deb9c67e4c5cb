//! Reads an exported case, after verifying it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use retake_playbook::Digest;

use crate::record::Record;
use crate::verify::{Verified, VerifyError, inspect, load, read_records};

/// An exported case in memory: verified, with its records and its evidence.
#[derive(Debug)]
pub struct Bundle {
    verified: Verified,
    records: Vec<Record>,
    evidence: BTreeMap<Digest, Range<usize>>,
    bytes: Vec<u8>,
}

impl Bundle {
    /// Verifies and reads a file; `expected` as in [`crate::verify()`].
    ///
    /// # Errors
    /// Those of [`crate::verify()`], and [`VerifyError::NewerVersion`] for an event
    /// that this program does not know.
    pub fn open(path: &Path, expected: Option<&str>) -> Result<Self, VerifyError> {
        Self::from_bytes(load(path)?, expected)
    }

    /// The same for a file that is already in memory.
    pub fn from_bytes(bytes: Vec<u8>, expected: Option<&str>) -> Result<Self, VerifyError> {
        let found = inspect(&bytes, expected)?;
        let records = read_records(&bytes, &found)?;
        Ok(Self {
            verified: found.verified,
            records,
            evidence: found.evidence,
            bytes,
        })
    }

    /// What was verified.
    pub fn verified(&self) -> &Verified {
        &self.verified
    }

    /// The journal.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The bytes kept under this digest.
    pub fn evidence(&self, kept: &Digest) -> Option<&[u8]> {
        self.bytes.get(self.evidence.get(kept)?.clone())
    }

    /// The digests of everything kept, sorted.
    pub fn evidence_digests(&self) -> impl Iterator<Item = &Digest> {
        self.evidence.keys()
    }
}
