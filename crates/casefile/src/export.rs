//! Writes a case as one signed file.

use std::fs::{self, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use retake_playbook::event::Event;

use crate::canonical::digest;
use crate::container::{
    BLOCK, EVIDENCE, Entry, JOURNAL, MANIFEST, Manifest, SCHEMA, SIGNATURE, header, padding,
};
use crate::error::StoreError;
use crate::key::{Fingerprint, SigningKey32, encode, private, sync_parent};
use crate::record::{CaseId, no_hash};
use crate::store::Store;

/// What was exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// By which the file is verified; to be handed over by another way than the file.
    pub fingerprint: Fingerprint,
    /// How many entries the archive has, manifest and signature included.
    pub entries: usize,
    /// How long it is.
    pub bytes: u64,
}

/// Whether an export may replace a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overwrite {
    /// It may not.
    Refuse,
    /// It may.
    Replace,
}

/// Writes the case to `out`: whole, or not at all.
///
/// The same journal, evidence and key give the same bytes.
pub fn export(
    store: &Store,
    case: &CaseId,
    out: &Path,
    key: &SigningKey32,
    overwrite: Overwrite,
) -> Result<Export, StoreError> {
    let exists = || {
        overwrite == Overwrite::Refuse
            // Also a link to nowhere is something that stands there.
            && fs::symlink_metadata(out).is_ok()
    };
    let taken = || StoreError::Exists {
        path: out.to_owned(),
    };
    if exists() {
        return Err(taken());
    }
    let mut name = out
        .file_name()
        .ok_or_else(|| StoreError::io(out, io::ErrorKind::IsADirectory.into()))?
        .to_owned();
    name.push(".part");
    let part = out.with_file_name(name);
    let written = write_part(store, case, &part, key).and_then(|export| {
        if exists() {
            return Err(taken());
        }
        fs::rename(&part, out)
            .and_then(|()| sync_parent(out))
            .map_err(|error| StoreError::io(out, error))?;
        Ok(export)
    });
    if written.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(&part);
    }
    written
}

/// The bytes that [`export()`] writes.
pub fn pack(store: &Store, case: &CaseId, key: &SigningKey32) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::new();
    write_to(store, case, &mut bytes, Path::new("memory"), key)?;
    Ok(bytes)
}

fn write_part(
    store: &Store,
    case: &CaseId,
    part: &Path,
    key: &SigningKey32,
) -> Result<Export, StoreError> {
    let failed = |error| StoreError::io(part, error);
    // What an export that was killed left behind goes; a link that somebody put
    // there is not followed.
    let _ = fs::remove_file(part);
    let file = private(OpenOptions::new().write(true).create_new(true))
        .open(part)
        .map_err(failed)?;
    let mut out = BufWriter::new(file);
    let export = write_to(store, case, &mut out, part, key)?;
    let file = out
        .into_inner()
        .map_err(|error| failed(error.into_error()))?;
    file.sync_all().map_err(failed)?;
    Ok(export)
}

fn write_to(
    store: &Store,
    case: &CaseId,
    out: &mut dyn Write,
    path: &Path,
    key: &SigningKey32,
) -> Result<Export, StoreError> {
    let records = store.records(case)?;
    let digests = store.evidence_digests(case)?;
    for record in &records {
        if let Event::EvidenceKept(kept) = &record.event
            && digests.binary_search(&kept.digest).is_err()
        {
            return Err(StoreError::EvidenceMissing {
                case: case.clone(),
                digest: kept.digest.clone(),
            });
        }
    }
    let mut journal = String::new();
    for record in &records {
        journal.push_str(&record.line());
        journal.push('\n');
    }
    let mut entries = vec![Entry {
        name: JOURNAL.to_owned(),
        bytes: journal.len() as u64,
        sha256: digest(journal.as_bytes()),
    }];
    // Evidence is read twice, once for its length and once to be written, so that
    // one piece at a time is in memory.
    let load = |kept| {
        store
            .evidence(case, kept)?
            .ok_or_else(|| StoreError::EvidenceMissing {
                case: case.clone(),
                digest: kept.clone(),
            })
    };
    for kept in &digests {
        entries.push(Entry {
            name: format!("{EVIDENCE}{kept}"),
            bytes: load(kept)?.len() as u64,
            sha256: kept.clone(),
        });
    }
    let manifest = Manifest {
        schema: SCHEMA.to_owned(),
        public_key: encode(&key.public()),
        case: case.to_string(),
        records: records.len() as u64,
        head: records
            .last()
            .map_or_else(no_hash, |last| last.hash.clone()),
        entries,
    };
    let text = manifest.text().map_err(|source| StoreError::Unwritable {
        case: case.clone(),
        source,
    })?;
    let signature = format!("{}\n", encode(&key.sign(&text)));

    let mut bytes = 0;
    let mut entry = |name: &str, content: &[u8]| {
        bytes += write_entry(out, name, content).map_err(|error| StoreError::io(path, error))?;
        Ok(())
    };
    entry(MANIFEST, &text)?;
    entry(SIGNATURE, signature.as_bytes())?;
    entry(JOURNAL, journal.as_bytes())?;
    for kept in &digests {
        entry(&format!("{EVIDENCE}{kept}"), &load(kept)?)?;
    }
    out.write_all(&[0; 2 * BLOCK])
        .and_then(|()| out.flush())
        .map_err(|error| StoreError::io(path, error))?;
    Ok(Export {
        fingerprint: key.fingerprint(),
        entries: manifest.entries.len() + 2,
        bytes: bytes + 2 * BLOCK as u64,
    })
}

fn write_entry(out: &mut dyn Write, name: &str, content: &[u8]) -> io::Result<u64> {
    let length = content.len() as u64;
    let header = header(name, length).ok_or(io::ErrorKind::FileTooLarge)?;
    out.write_all(&header)?;
    out.write_all(content)?;
    let zeros = padding(length);
    out.write_all(&[0; BLOCK][..zeros as usize])?;
    Ok(BLOCK as u64 + length + zeros)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    /// A disk with room for so many bytes.
    struct Disk(usize);

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self
                .0
                .checked_sub(bytes.len())
                .ok_or(io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_disk_that_fills_up_during_an_export_is_called_full_and_never_done() {
        let store = Store::open_in_memory().unwrap();
        let case = store
            .create_case("t", "a", "case-1", Timestamp::UNIX_EPOCH)
            .unwrap();
        store.keep(&case, b"answer").unwrap();
        let key = SigningKey32::new([3; 32]);
        let whole = pack(&store, &case, &key).unwrap().len();
        for room in (0..whole).step_by(100) {
            let written = write_to(&store, &case, &mut Disk(room), Path::new("x.tar"), &key);
            assert!(matches!(written, Err(StoreError::Full { .. })), "{room}");
        }
        assert!(write_to(&store, &case, &mut Disk(whole), Path::new("x.tar"), &key).is_ok());
    }
}
