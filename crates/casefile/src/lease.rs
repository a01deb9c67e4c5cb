//! The claim of one responder to one case.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use crate::error::StoreError;
use crate::key::private;
use crate::record::CaseId;

/// Who holds which case in a store that lives in memory.
pub(crate) type Held = Arc<Mutex<BTreeMap<CaseId, String>>>;

/// A claim to a case. It ends when it is dropped, and with the process that holds
/// it, however that process ends.
#[derive(Debug)]
pub struct Lease {
    case: CaseId,
    hold: Hold,
}

#[derive(Debug)]
enum Hold {
    File(File),
    Memory(Held),
}

impl Lease {
    /// The case that is claimed.
    pub fn case(&self) -> &CaseId {
        &self.case
    }

    /// The operating system's lock is the claim; the text in the file only tells
    /// others whom to ask.
    pub(crate) fn on_file(folder: &Path, case: &CaseId, owner: &str) -> Result<Self, StoreError> {
        let path = folder.join(format!("{case}.lock"));
        let failed = |error| StoreError::io(&path, error);
        fs::create_dir_all(folder).map_err(failed)?;
        let mut file = private(
            OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false),
        )
        .open(&path)
        .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // What stands there may be half written or unreadable; the conflict
                // stands all the same.
                let _ = (&file).take(1024).read_to_string(&mut text);
                let owner = match text.trim_end() {
                    "" => "another process",
                    owner => owner,
                };
                return Err(StoreError::Leased {
                    case: case.clone(),
                    owner: owner.to_owned(),
                    since: since(&file),
                });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{owner}"))
            .map_err(failed)?;
        Ok(Self {
            case: case.clone(),
            hold: Hold::File(file),
        })
    }

    pub(crate) fn in_memory(held: &Held, case: &CaseId, owner: &str) -> Result<Self, StoreError> {
        let mut all = held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(owner) = all.get(case) {
            return Err(StoreError::Leased {
                case: case.clone(),
                owner: owner.clone(),
                since: None,
            });
        }
        all.insert(case.clone(), owner.to_owned());
        Ok(Self {
            case: case.clone(),
            hold: Hold::Memory(Arc::clone(held)),
        })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        match &self.hold {
            // Closing the file would do; a child process that inherited it must not
            // keep the claim alive, though.
            Hold::File(file) => {
                let _ = file.unlock();
            }
            Hold::Memory(held) => {
                held.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .remove(&self.case);
            }
        }
    }
}

/// When the owner's name was written: the file system knows, without a clock of
/// ours.
fn since(file: &File) -> Option<Timestamp> {
    let modified = file.metadata().ok()?.modified().ok()?;
    Timestamp::try_from(modified).ok()
}
