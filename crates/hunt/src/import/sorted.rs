//! Events in order of time, in bounded memory.

use std::io;
use std::path::{Path, PathBuf};

use super::spill::{self, Spill};
use crate::event::Event;

/// Takes events in any order and gives them back by time, then source and record id. What
/// does not fit into memory is put into a nameless file.
pub struct Sorted {
    spill: Spill,
    scratch: PathBuf,
    count: u64,
}

impl Sorted {
    /// Holds about `limit` bytes in memory; its file is in this directory.
    ///
    /// # Errors
    ///
    /// When there can be no file.
    pub fn new(scratch: &Path, limit: usize) -> io::Result<Self> {
        Ok(Self {
            spill: Spill::new(scratch, limit, spill::by_time)?,
            scratch: scratch.to_owned(),
            count: 0,
        })
    }

    /// One more event.
    ///
    /// # Errors
    ///
    /// When it cannot be put on disk.
    pub fn put(&mut self, event: &Event) -> io::Result<()> {
        self.count += 1;
        self.spill.put(self.count, event)
    }

    /// Hands them to `visit`.
    ///
    /// # Errors
    ///
    /// When they cannot be read back, or with the visitor's own.
    pub fn each<E: From<io::Error>>(
        self,
        visit: &mut dyn FnMut(Event) -> Result<(), E>,
    ) -> Result<(), E> {
        let runs = vec![self.spill.finish()?];
        spill::merge(runs, &self.scratch, &|_| true, visit)
    }
}
