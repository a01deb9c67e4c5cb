//! Files of any size to a table of events, in bounded memory.
//!
//! One thread reads, unpacks and cuts; the others ([`Settings::threads`]) make
//! events of what was cut, match them against the detections, and put them on
//! disk in sorted runs. When all is read, repeats are told by their ids, and the
//! runs are merged into the [`Sink`], in the order of the table, without the
//! repeats. What memory holds depends on the settings and on what was found,
//! not on how much was read.

mod repeats;
mod sorted;
mod spill;
mod work;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use crate::detections::{Detections, RaisedRows};
use crate::progress::Progress;
use crate::readers::chunk::Chunk;
use crate::readers::containers::{self, Bytes, Counted};
use crate::readers::{Counts, Damaged, Form, InputReport, ReadError, Salvaged, cutter, whole_form};
use crate::sigma::{Sigma, SigmaAnswer};
use crate::store::{Sink, StoreError};
pub use sorted::Sorted;
use work::{Damage, Job, Worker};

/// How many damaged records a report names one by one; all are counted.
pub const MAX_DAMAGED: usize = 1000;

/// Chunks that wait to be read, for each thread.
const WAITING: usize = 2;

/// How an import is run. Nothing of it changes what comes out.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Threads that make events of what was cut; at least 1.
    pub threads: usize,
    /// Bytes that are cut at a time.
    pub chunk: usize,
    /// Bytes of events that each thread holds before they are put on disk.
    pub run: usize,
    /// Rows of matched events that each thread holds before they are put on disk.
    pub rows: usize,
    /// Bytes that an archive may unpack to whatever its size; beyond that, two hundred
    /// times its size.
    pub free: u64,
    /// Directory for temporary files, as large as the input at most.
    pub scratch: PathBuf,
}

impl Settings {
    /// As many threads as there are, up to four, and about 200 MB at two threads.
    pub fn new(scratch: PathBuf) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            threads: threads.min(4),
            chunk: 1 << 20,
            run: 16 << 20,
            rows: 60_000,
            free: containers::FREE,
            scratch,
        }
    }
}

/// What was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// Every input, by label.
    pub inputs: Vec<InputReport>,
    /// The first [`MAX_DAMAGED`] damaged records, by input and line.
    pub damaged: Vec<Damaged>,
    /// The sums.
    pub counts: Counts,
}

/// What was found in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matched {
    /// What the detections found, worst first.
    pub raised: Vec<RaisedRows>,
    /// What the Sigma rules found.
    pub sigma: SigmaAnswer,
    /// The mail domains of the accounts at work in the events.
    pub own_domains: BTreeSet<String>,
}

/// What is matched while the events pass by.
#[derive(Clone, Copy, Debug)]
pub struct Matching<'a> {
    /// Detections.
    pub detections: &'a Detections,
    /// Sigma rules.
    pub sigma: &'a Sigma,
    /// The organisation's own mail domains; empty: taken from the events.
    pub own_domains: &'a BTreeSet<String>,
}

/// Something to read.
pub enum Input<'a> {
    /// A file, or every file below a directory.
    Path(PathBuf),
    /// Something that can be read once, such as standard input, under a label.
    Stream(&'a str, &'a mut dyn Read),
}

/// Why an import ended before its end. Damaged records are no such reason.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// An input could not be opened.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Nothing can be put on disk while the import runs.
    #[error("temporary files in {directory}: {source}")]
    Scratch {
        /// Where.
        directory: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What is damaged cannot be kept.
    #[error("the damaged records cannot be written: {0}")]
    Damage(io::Error),
    /// The events cannot be put where they belong.
    #[error(transparent)]
    Sink(#[from] StoreError),
}

/// Reads inputs, in whatever order they are given, and hands their events to the
/// sink. Every damaged record goes to `damage`, as one line of JSON each, where that
/// is given; the report names the first of them.
///
/// # Errors
///
/// See [`ImportError`]; the sink then holds a part, which is of no use.
pub fn import(
    inputs: Vec<Input<'_>>,
    settings: &Settings,
    matching: Matching<'_>,
    sink: &mut dyn Sink,
    damage: Option<&mut (dyn io::Write + Send)>,
    progress: &mut dyn FnMut(&Progress),
) -> Result<(ImportReport, Matched), ImportError> {
    let sources = sources(inputs)?;
    let scratch = |source| ImportError::Scratch {
        directory: settings.scratch.clone(),
        source,
    };
    let done = Arc::new(AtomicU64::new(0));
    let shared = work::Shared {
        damage: Mutex::new(Damage::new(damage)),
        records: AtomicU64::new(0),
        news: Mutex::new(Vec::new()),
    };
    let workers: Vec<Worker<'_, '_, '_>> = (0..settings.threads.max(1))
        .map(|_| Worker::new(settings, matching, &shared))
        .collect::<io::Result<_>>()
        .map_err(scratch)?;
    let (sender, receiver) = mpsc::sync_channel::<Job>(workers.len() * WAITING);
    let receiver = Mutex::new(receiver);
    let (read, workers) = std::thread::scope(|scope| {
        let threads: Vec<_> = workers
            .into_iter()
            .map(|worker| scope.spawn(|| worker.run(&receiver)))
            .collect();
        let mut reader = Reader {
            sender: Some(sender),
            size: settings.chunk,
            free: settings.free,
            chunks: Vec::new(),
            inputs: Vec::new(),
            shared: &shared,
            done: &done,
            total: sources.total,
            progress,
        };
        reader.read_all(sources.list);
        let read = (reader.inputs, reader.chunks);
        drop(reader.sender);
        let workers: Vec<_> = threads
            .into_iter()
            .map(std::thread::ScopedJoinHandle::join)
            .collect();
        (read, workers)
    });
    let mut parts = work::Parts::default();
    for worker in workers {
        match worker {
            Ok(part) => parts.add(part.map_err(scratch)?),
            // Its panic is the caller's.
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
    let repeats = repeats::find(std::mem::take(&mut parts.ids)).map_err(scratch)?;
    let matched = parts.matched(matching, &repeats).map_err(scratch)?;
    let runs = parts.runs().map_err(scratch)?;
    let report = report(read, parts.inputs, &repeats, shared.damage)?;
    spill::merge(
        runs,
        &settings.scratch,
        &|ordinal| repeats.wanted(ordinal),
        &mut |event| sink.put(event).map_err(Ended::Sink),
    )
    .map_err(|ended| match ended {
        Ended::Sink(error) => ImportError::Sink(error),
        Ended::Scratch(source) => scratch(source),
    })?;
    Ok((report, matched))
}

/// What ends a merge.
enum Ended {
    Sink(StoreError),
    Scratch(io::Error),
}

impl From<io::Error> for Ended {
    fn from(error: io::Error) -> Self {
        Self::Scratch(error)
    }
}

/// What is to be read, sorted by label, and how many bytes that is.
struct Sources<'a> {
    list: Vec<(String, Source<'a>)>,
    total: Option<u64>,
}

enum Source<'a> {
    File(PathBuf),
    Stream(&'a mut dyn Read),
}

fn sources(inputs: Vec<Input<'_>>) -> Result<Sources<'_>, ReadError> {
    let mut list = Vec::new();
    let mut total = Some(0_u64);
    for input in inputs {
        match input {
            Input::Path(path) => files(&path, &mut |path, size| {
                total = total.map(|total| total.saturating_add(size));
                let label = path.to_string_lossy().into_owned();
                list.push((label, Source::File(path)));
            })?,
            Input::Stream(label, reader) => {
                total = None;
                list.push((label.to_owned(), Source::Stream(reader)));
            }
        }
    }
    // Which of two inputs holds the repeat must not depend on the order in which they
    // came.
    list.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(Sources { list, total })
}

/// Every file below a path, with its size.
fn files(path: &Path, visit: &mut dyn FnMut(PathBuf, u64)) -> Result<(), ReadError> {
    let fail = |source| ReadError {
        path: path.to_owned(),
        source,
    };
    let metadata = std::fs::metadata(path).map_err(fail)?;
    if !metadata.is_dir() {
        // Whether it can be read is told before anything is.
        File::open(path).map_err(fail)?;
        visit(path.to_owned(), metadata.len());
        return Ok(());
    }
    for entry in std::fs::read_dir(path).map_err(fail)? {
        let entry = entry.map_err(fail)?.path();
        // Links inside a directory may form a circle.
        if !entry.is_symlink() {
            files(&entry, visit)?;
        }
    }
    Ok(())
}

/// The thread that reads and cuts.
struct Reader<'a, 'd> {
    sender: Option<mpsc::SyncSender<Job>>,
    size: usize,
    free: u64,
    /// The input of each chunk.
    chunks: Vec<u32>,
    inputs: Vec<InputRead>,
    shared: &'a work::Shared<'d>,
    done: &'a Arc<AtomicU64>,
    total: Option<u64>,
    progress: &'a mut dyn FnMut(&Progress),
}

/// One input that was read.
struct InputRead {
    label: Arc<str>,
    notes: Vec<String>,
    fault: Option<String>,
}

impl Reader<'_, '_> {
    fn read_all(&mut self, list: Vec<(String, Source<'_>)>) {
        for (label, source) in list {
            match source {
                Source::Stream(reader) => self.read(&label, Bytes::Stream(reader)),
                Source::File(path) => match File::open(&path) {
                    Ok(file) => {
                        let file = Counted::new(file, Arc::clone(self.done));
                        self.read(&label, Bytes::Counted(file));
                    }
                    // It could be opened before anything was read.
                    Err(error) => self.inputs.push(InputRead {
                        label: label.into(),
                        notes: Vec::new(),
                        fault: Some(error.to_string()),
                    }),
                },
            }
            self.tell();
        }
    }

    fn read(&mut self, label: &str, bytes: Bytes<'_>) {
        containers::each(label, bytes, self.free, &mut |label, reader| {
            let input = u32::try_from(self.inputs.len()).unwrap_or(u32::MAX);
            let label: Arc<str> = label.into();
            let size = self.size;
            let said = cutter::cut(reader, size, &mut |chunk| self.send(input, &label, chunk));
            self.inputs.push(InputRead {
                label,
                notes: said.notes,
                fault: said.fault,
            });
        });
    }

    fn send(&mut self, input: u32, label: &Arc<str>, chunk: Chunk) {
        let number = u32::try_from(self.chunks.len()).unwrap_or(u32::MAX);
        self.chunks.push(input);
        let job = Job {
            number,
            input,
            label: Arc::clone(label),
            chunk,
        };
        // When every worker has ended, one of them says why.
        if let Some(sender) = &self.sender
            && sender.send(job).is_err()
        {
            self.sender = None;
        }
        self.tell();
    }

    fn tell(&mut self) {
        let done = self.done.load(Ordering::Relaxed);
        let mut news = self
            .shared
            .news
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let told = Progress {
            bytes_done: self.total.map_or(done, |total| done.min(total)),
            bytes_total: self.total,
            records: self.shared.records.load(Ordering::Relaxed),
            new_findings: std::mem::take(&mut *news),
        };
        drop(news);
        (self.progress)(&told);
    }
}

/// The account of everything that was read.
fn report(
    (read, chunks): (Vec<InputRead>, Vec<u32>),
    mut of_inputs: BTreeMap<u32, work::OfInput>,
    repeats: &repeats::Repeats,
    damage: Mutex<Damage<'_>>,
) -> Result<ImportReport, ImportError> {
    let mut damage = damage.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut met: BTreeMap<u32, u64> = BTreeMap::new();
    for (chunk, count) in &repeats.met {
        let input = usize::try_from(*chunk)
            .ok()
            .and_then(|chunk| chunks.get(chunk));
        *met.entry(input.copied().unwrap_or(u32::MAX)).or_default() += count;
    }
    let mut report = ImportReport::default();
    for (input, number) in read.into_iter().zip(0_u32..) {
        let mut of = of_inputs.remove(&number).unwrap_or_default();
        // An archive of which nothing could be unpacked is damage, not silence.
        if let Some(fault) = input.fault.as_ref().filter(|_| of.events + of.damaged == 0) {
            of.damaged += 1;
            damage.put(Damaged {
                path: input.label.to_string(),
                line: 1,
                reason: fault.clone(),
                salvaged: Salvaged::default(),
                original: Box::default(),
            });
        }
        let repeats = met.get(&number).copied().unwrap_or_default();
        let counts = Counts {
            read: of.events + of.damaged,
            kept: of.events.saturating_sub(repeats),
            repeats,
            damaged: of.damaged,
        };
        report.counts.add(counts);
        let forms: Vec<Form> = of.forms.into_iter().collect();
        report.inputs.push(InputReport {
            path: input.label.to_string(),
            form: whole_form(&forms, counts),
            counts,
            notes: input.fault.into_iter().chain(input.notes).collect(),
        });
    }
    report.damaged = damage.finish()?;
    Ok(report)
}
