//! Bytes to events, with an account of every record.
//!
//! Each record's form is recognised by its content ([`Form`]); archives are
//! opened, text is decoded, records are cut out even of damaged files. What
//! cannot be read is reported with file, line and reason, its text is kept,
//! and what can be told of it is salvaged. Of every input and of the whole:
//! read = kept + repeats + damaged.

mod alert;
mod audit;
pub(crate) mod chunk;
mod cloud_apps;
pub(crate) mod containers;
mod copilot;
mod csv_records;
pub(crate) mod cutter;
mod decode;
mod elastic;
mod entra;
mod fields;
mod form;
mod graph_activity;
mod hunting;
mod json_records;
mod listing;
mod query_result;
mod salvage;
mod table;
mod trace;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

pub use form::Form;
pub use salvage::Salvaged;

use crate::event::Event;
use chunk::Taker;
use containers::Bytes;

/// The longest record, in bytes; a longer one is damaged. The services write none of
/// a tenth of that.
pub const MAX_RECORD: usize = 16 << 20;

/// Text that is read at a time, in bytes.
const CHUNK: usize = 1 << 20;

/// How many records were read, and what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records met.
    pub read: u64,
    /// Kept as events.
    pub kept: u64,
    /// Met before, by their own id (or, without one, byte by byte).
    pub repeats: u64,
    /// Not readable.
    pub damaged: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, other: Self) {
        self.read += other.read;
        self.kept += other.kept;
        self.repeats += other.repeats;
        self.damaged += other.damaged;
    }
}

/// What one input held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputReport {
    /// The input's label; of a member, the archive's, `!`, its own.
    pub path: String,
    /// What its records are.
    pub form: Form,
    /// Their counts.
    pub counts: Counts,
    /// What else is to say: cut off, bytes replaced, members not unpacked.
    pub notes: Vec<String>,
}

/// One record that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Damaged {
    /// The input's label.
    pub path: String,
    /// Line of its first byte, from 1.
    pub line: u64,
    /// Why.
    pub reason: String,
    /// What can be told of it.
    pub salvaged: Salvaged,
    /// Its text, to keep beside the case.
    pub original: Box<str>,
}

/// Everything that was imported.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Imported {
    /// The events, by time, then source and record id.
    pub events: Vec<Event>,
    /// Every input, by label.
    pub inputs: Vec<InputReport>,
    /// Every damaged record, by input and line.
    pub damaged: Vec<Damaged>,
    /// The sums.
    pub counts: Counts,
}

/// Why an input could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {source}")]
pub struct ReadError {
    /// Which one.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

/// Collects inputs, in any order; [`Import::finish`] gives the same whatever
/// the order was.
#[derive(Debug, Default)]
pub struct Import {
    inputs: Vec<Input>,
}

#[derive(Debug)]
struct Input {
    label: Arc<str>,
    digest: [u8; 32],
    forms: Vec<Form>,
    events: Vec<Event>,
    damaged: Vec<Damaged>,
    notes: Vec<String>,
}

impl Import {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads one input: a file's bytes, or a page of a live tenant's answer
    /// under a label that says where it came from.
    pub fn add_bytes(&mut self, label: &str, bytes: &[u8]) {
        self.add(label, Bytes::Memory(bytes));
    }

    /// Reads a file, or every file below a directory.
    ///
    /// # Errors
    ///
    /// When a file or directory cannot be opened; what was read before stays.
    pub fn add_path(&mut self, path: &Path) -> Result<(), ReadError> {
        let fail = |source| ReadError {
            path: path.to_owned(),
            source,
        };
        if std::fs::metadata(path).map_err(fail)?.is_dir() {
            let mut entries = std::fs::read_dir(path)
                .map_err(fail)?
                .map(|entry| entry.map(|entry| entry.path()))
                .collect::<Result<Vec<_>, _>>()
                .map_err(fail)?;
            entries.sort();
            for entry in entries {
                // Links inside a directory may form a circle.
                if !entry.is_symlink() {
                    self.add_path(&entry)?;
                }
            }
            return Ok(());
        }
        let file = std::fs::File::open(path).map_err(fail)?;
        self.add(&path.to_string_lossy(), Bytes::File(file));
        Ok(())
    }

    /// The events alone, repeats and all.
    fn into_events(self) -> impl Iterator<Item = Event> {
        self.inputs.into_iter().flat_map(|input| input.events)
    }

    /// Sorts, finds repeats and sums up.
    pub fn finish(mut self) -> Imported {
        // Which of two inputs holds the repeat must not depend on the order
        // in which they came.
        self.inputs
            .sort_by(|a, b| (&a.label, a.digest, &a.notes).cmp(&(&b.label, b.digest, &b.notes)));
        let mut imported = Imported::default();
        let mut seen: HashMap<String, usize> = HashMap::new();
        for input in self.inputs {
            let mut counts = Counts {
                damaged: input.damaged.len() as u64,
                ..Counts::default()
            };
            for event in input.events {
                match seen.entry(identity(&event)) {
                    Entry::Vacant(slot) => {
                        slot.insert(imported.events.len());
                        imported.events.push(event);
                        counts.kept += 1;
                    }
                    Entry::Occupied(slot) => {
                        counts.repeats += 1;
                        if let Some(first) = imported.events.get_mut(*slot.get()) {
                            keep_fuller(first, event);
                        }
                    }
                }
            }
            counts.read = counts.kept + counts.repeats + counts.damaged;
            imported.counts.add(counts);
            imported.inputs.push(InputReport {
                path: input.label.to_string(),
                form: whole_form(&input.forms, counts),
                counts,
                notes: input.notes,
            });
            imported.damaged.extend(input.damaged);
        }
        imported.events.sort_by(|a, b| {
            (a.time, a.source, &a.record_id).cmp(&(b.time, b.source, &b.record_id))
        });
        imported.damaged.sort();
        imported
    }

    fn add(&mut self, label: &str, bytes: Bytes<'_>) {
        containers::each(label, bytes, containers::FREE, &mut |label, reader| {
            let mut hashed = Hashed {
                reader,
                hash: Sha256::new(),
            };
            let mut input = Input::new(label);
            let said = cutter::cut(&mut hashed, CHUNK, &mut |chunk| chunk.read(&mut input));
            input.digest = hashed.hash.finalize().into();
            // An archive of which nothing could be unpacked is damage, not silence.
            if let Some(fault) = &said.fault
                && input.events.is_empty()
                && input.damaged.is_empty()
            {
                input.damage(1, fault.clone(), Salvaged::default(), "");
            }
            input.notes.extend(said.fault);
            input.notes.extend(said.notes);
            self.inputs.push(input);
        });
    }
}

/// Tells two inputs of one label apart.
struct Hashed<'a> {
    reader: &'a mut dyn io::Read,
    hash: Sha256,
}

impl io::Read for Hashed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.reader.read(buffer)?;
        self.hash.update(buffer.get(..length).unwrap_or_default());
        Ok(length)
    }
}

/// Events of inputs that come one after the other, such as the pages of a log
/// that is watched: what was read once is not read again.
///
/// Holds the same events as an [`Import`] of the same inputs, without its account
/// of what was read.
#[derive(Debug, Default)]
pub struct Growing {
    events: Vec<Event>,
    by_id: HashMap<String, usize>,
}

impl Growing {
    /// Reads one more input.
    pub fn add_bytes(&mut self, label: &str, bytes: &[u8]) {
        let mut import = Import::new();
        import.add_bytes(label, bytes);
        for event in import.into_events() {
            match self.by_id.entry(identity(&event)) {
                Entry::Vacant(slot) => {
                    slot.insert(self.events.len());
                    self.events.push(event);
                }
                Entry::Occupied(slot) => {
                    if let Some(first) = self.events.get_mut(*slot.get()) {
                        keep_fuller(first, event);
                    }
                }
            }
        }
    }

    /// Every event, each once, in the order in which they were met.
    pub fn events(&self) -> &[Event] {
        &self.events
    }
}

/// What tells a record from every other.
fn identity(event: &Event) -> String {
    format!("{}:{}", event.source.name(), event.record_id)
}

impl Input {
    fn new(label: &str) -> Self {
        Self {
            label: label.into(),
            digest: [0; 32],
            forms: Vec::new(),
            events: Vec::new(),
            damaged: Vec::new(),
            notes: Vec::new(),
        }
    }
}

impl Taker for Input {
    fn keep(&mut self, form: Form, mut event: Event) {
        event.origin.input = Arc::clone(&self.label);
        if !self.forms.contains(&form) {
            self.forms.push(form);
        }
        self.events.push(event);
    }

    fn damage(&mut self, line: u64, reason: String, salvaged: Salvaged, text: &str) {
        self.damaged.push(Damaged {
            path: self.label.to_string(),
            line,
            reason,
            salvaged,
            original: text.into(),
        });
    }
}

/// Two records with one id: the fuller is kept, and where both are as full,
/// the same one whatever came first.
fn keep_fuller(first: &mut Event, second: Event) {
    let rank = |event: &Event| (event.fullness(), event.original.len());
    let (a, b) = (rank(first), rank(&second));
    if b > a || (b == a && second.original < first.original) {
        *first = second;
    }
}

pub(crate) fn whole_form(forms: &[Form], counts: Counts) -> Form {
    match forms {
        [] if counts.read == 0 => Form::Empty,
        [] => Form::Unknown,
        [one] => *one,
        _ => Form::Mixed,
    }
}
