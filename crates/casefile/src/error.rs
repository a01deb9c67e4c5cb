//! What can go wrong with a store, each with what is still safe and what to do.

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use retake_playbook::Digest;
use rusqlite::ErrorCode;
use rusqlite::ffi;

use crate::record::CaseId;

/// A store, or an export of it, that could not do what was asked.
///
/// `Display` says what happened, to which object, and what is still safe;
/// [`StoreError::hint`] says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file is not one of ours, or is not whole.
    #[error("{} is not a case store that can be read: {why}. It was left as it is.", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Written by a newer program.
    #[error(
        "{what} has version {found} or holds something unknown to this program, which knows up to version {known}. Nothing was changed."
    )]
    NewerVersion {
        /// What was read.
        what: String,
        /// Its version.
        found: u32,
        /// The newest version that this program knows.
        known: u32,
    },
    /// No such case.
    #[error("There is no case `{case}` in this store. Nothing was changed.")]
    NotFound {
        /// The case asked for.
        case: CaseId,
    },
    /// A text that cannot be a case id.
    #[error("`{}` is not a case id. Nothing was changed.", text.escape_debug())]
    NotACaseId {
        /// The text.
        text: String,
    },
    /// The account already has an open case.
    #[error("This account already has an open case, `{case}`. No second one was opened.")]
    AlreadyOpen {
        /// The open case.
        case: CaseId,
    },
    /// The id is taken.
    #[error("There already is a case `{case}`. It was left as it is.")]
    CaseExists {
        /// The case.
        case: CaseId,
    },
    /// Somebody else appended in between.
    #[error(
        "Case `{case}` has {found} records, expected were {expected}: somebody else wrote to it. Nothing was appended."
    )]
    Conflict {
        /// The case.
        case: CaseId,
        /// How many records the writer had seen.
        expected: u64,
        /// How many there are.
        found: u64,
    },
    /// The journal is not as it was written.
    #[error(
        "The journal of case `{case}` was altered at record {seq}: {why}. The records before it are whole; nothing was changed now."
    )]
    Integrity {
        /// The case.
        case: CaseId,
        /// The first record that is wrong.
        seq: u64,
        /// How.
        why: String,
    },
    /// Kept bytes no longer have their digest.
    #[error(
        "Evidence {digest} of case `{case}` was altered in the store: its bytes have another SHA-256. The journal still holds the true digest."
    )]
    EvidenceDamaged {
        /// The case.
        case: CaseId,
        /// The digest under which it was kept.
        digest: Digest,
    },
    /// The journal names evidence that is not there.
    #[error(
        "Evidence {digest} is named by the journal of case `{case}` and is not in the store. Nothing was exported."
    )]
    EvidenceMissing {
        /// The case.
        case: CaseId,
        /// The missing digest.
        digest: Digest,
    },
    /// Another responder works on the case.
    #[error("Case `{case}` is being worked on by {owner}{}. Nothing was changed.", since.map(|at| format!(" since {at}")).unwrap_or_default())]
    Leased {
        /// The case.
        case: CaseId,
        /// Who holds it.
        owner: String,
        /// Since when, if it could be read.
        since: Option<Timestamp>,
    },
    /// No room left.
    #[error("No room is left for {}, or the disk fails to write ({why}). Nothing of this write was kept, and everything written before is whole.", path.display())]
    Full {
        /// The file that could not grow.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// The file or directory may not be written.
    #[error("{} cannot be written: {why}. Nothing was changed.", path.display())]
    NotWritable {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// Another process kept the store locked for too long.
    #[error("Another process keeps {} locked. Nothing was changed.", path.display())]
    Busy {
        /// The store's file.
        path: PathBuf,
    },
    /// An export would replace a file.
    #[error("{} already exists. It was left as it is, and nothing was exported.", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The signing key can be read by others.
    #[error("The signing key {} can be read by other users of this machine (mode {mode:o}), so its signature would prove nothing. Nothing was signed.", path.display())]
    KeyExposed {
        /// The key's file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The event cannot be written as JSON and read back.
    #[error("An event of case `{case}` cannot be written: {source}. Nothing was appended.")]
    Unwritable {
        /// The case.
        case: CaseId,
        /// Why.
        source: serde_json::Error,
    },
    /// Something else that the operating system refused.
    #[error("{} could not be used: {source}. What was written before is whole.", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Something else that the database refused.
    #[error("{} could not be used: {source}. What was written before is whole.", path.display())]
    Database {
        /// The store's file.
        path: PathBuf,
        /// What the database said.
        source: rusqlite::Error,
    },
}

impl StoreError {
    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Foreign { .. } => {
                "Name another store directory, or restore the file from a copy. An exported case can be read without its store."
            }
            Self::NewerVersion { .. } => "Use the newer program that wrote it.",
            Self::NotFound { .. } => "`retake case list` shows the cases of this store.",
            Self::NotACaseId { .. } => {
                "A case id has 1 to 64 of a-z, 0-9 and `-`. `retake case list` shows those that exist."
            }
            Self::AlreadyOpen { .. } => "Go on with the open case: the same command resumes it.",
            Self::CaseExists { .. } => "Choose another id.",
            Self::Conflict { .. } => "Read the case again and decide anew.",
            Self::Integrity { .. } | Self::EvidenceDamaged { .. } => {
                "Do not go on with this case on this machine. Compare with an exported copy, and find out who could write to the store."
            }
            Self::EvidenceMissing { .. } => {
                "Restore the store from a copy; the journal says what the evidence was."
            }
            Self::Leased { .. } => {
                "Wait for the other responder, or end that process: its claim ends with it. `retake case show` reads the case meanwhile."
            }
            Self::Full { .. } => {
                "Make room on that disk and give the same command again: it resumes."
            }
            Self::NotWritable { .. } => {
                "Give this user the right to write there, or name another store directory."
            }
            Self::Busy { .. } => {
                "Give the same command again; if it stays so, end the other process."
            }
            Self::Exists { .. } => "Name another file, or say that this one may be replaced.",
            Self::KeyExposed { .. } => {
                "Find out who could read it. `chmod 600` makes it usable again; deleting it makes a new key with a new fingerprint."
            }
            Self::Unwritable { .. } => "This is a mistake in the program; please report it.",
            Self::Io { .. } | Self::Database { .. } => {
                "Look at what the system said; the same command resumes when it is put right."
            }
        }
    }

    /// Whether somebody changed what was written: the kind of error that a
    /// responder must not simply try again.
    pub fn is_integrity(&self) -> bool {
        matches!(
            self,
            Self::Integrity { .. } | Self::EvidenceDamaged { .. } | Self::EvidenceMissing { .. }
        )
    }

    pub(crate) fn database(path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        let rusqlite::Error::SqliteFailure(failure, _) = &source else {
            return Self::Database { path, source };
        };
        let why = source.to_string();
        match failure.code {
            ErrorCode::DiskFull => Self::Full { path, why },
            ErrorCode::SystemIoFailure if writes(failure.extended_code) => Self::Full { path, why },
            ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied => {
                Self::NotWritable { path, why }
            }
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::Busy { path },
            ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt => Self::Foreign { path, why },
            _ => Self::Database { path, source },
        }
    }

    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        let why = source.to_string();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path, why },
            io::ErrorKind::PermissionDenied
            | io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::NotADirectory => Self::NotWritable { path, why },
            _ => Self::Io { path, source },
        }
    }
}

/// The I/O failures of SQLite that a disk without room can answer with.
fn writes(extended: i32) -> bool {
    matches!(
        extended,
        ffi::SQLITE_IOERR_WRITE
            | ffi::SQLITE_IOERR_FSYNC
            | ffi::SQLITE_IOERR_DIR_FSYNC
            | ffi::SQLITE_IOERR_TRUNCATE
            | ffi::SQLITE_IOERR_SHMSIZE
            | ffi::SQLITE_IOERR_SHMMAP
            | ffi::SQLITE_IOERR_COMMIT_ATOMIC
    )
}
