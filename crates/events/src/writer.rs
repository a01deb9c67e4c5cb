//! Writing the table: events in, files out, whole or not at all.
//!
//! Events become columns and pages on a thread of their own. Held at a time: two lots of
//! events ([`LOT_ROWS`], [`LOT_BYTES`]) and the encoded pages of one group ([`GROUP_BYTES`]).

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::arrow::arrow_writer::ArrowWriterOptions;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::metadata::SortingColumn;
use datafusion::parquet::file::properties::{EnabledStatistics, WriterProperties};
use datafusion::parquet::schema::types::ColumnPath;
use jiff::Timestamp;
use retake_hunt::store::{Sink, StoreError, week_of};
use retake_hunt::{Event, Source};

use crate::columns::{ORIGINAL, TIME, USER, batch, schema};
use crate::table::{Table, TableError, files_of};
use crate::texts::{TEXTS, Values};

/// Events that are turned into columns at a time, at most.
const LOT_ROWS: usize = 4 * 1024;

/// Bytes of originals in such a lot, beyond which it ends.
const LOT_BYTES: usize = 8 << 20;

/// Rows of a page: what is read at least to see one user.
const PAGE_ROWS: usize = 1024;

/// Bytes of a page of originals, likewise.
const PAGE_BYTES: usize = 256 << 10;

/// Rows of a group: what a file is divided into.
const GROUP_ROWS: usize = 128 * 1024;

/// Bytes of a group, encoded: what is held while it is written.
const GROUP_BYTES: usize = 32 << 20;

/// Bytes of a column's distinct values, beyond which a group goes on without its dictionary.
const DICTIONARY_BYTES: usize = 128 << 10;

/// The file that says who is writing, in the directory of what is not yet finished.
const LOCK: &str = "writing";

/// Takes events in the order of the table and writes them down.
///
/// They are written beside the directory and take its place in [`TableWriter::finish`]:
/// whoever is stopped in the middle leaves the earlier table, or none, never half a table.
/// Dropped unfinished it leaves nothing behind.
#[derive(Debug)]
pub struct TableWriter {
    directory: PathBuf,
    lot: Lot,
    bytes: usize,
    last: Option<Key>,
    lots: Option<SyncSender<Lot>>,
    encoder: Option<JoinHandle<Result<(), TableError>>>,
    // Last: the directory goes when nobody writes into it any more.
    partial: Partial,
}

/// Events of one week.
#[derive(Debug, Default)]
struct Lot {
    week: Option<i64>,
    events: Vec<Event>,
}

/// What the order goes by.
type Key = (i64, Option<String>, Timestamp, Source, String);

impl TableWriter {
    pub(crate) fn create(directory: &Path) -> Result<Self, TableError> {
        let directory = std::path::absolute(directory).map_err(TableError::file(directory))?;
        files_of(&directory)?;
        let partial = Partial::create(&directory)?;
        let (lots, queue) = sync_channel(0);
        let into = partial.path.clone();
        let encoder = thread::Builder::new()
            .name("events".to_owned())
            .spawn(move || encode(&queue, &into))
            .map_err(TableError::file(&directory))?;
        Ok(Self {
            directory,
            lot: Lot::default(),
            bytes: 0,
            last: None,
            lots: Some(lots),
            encoder: Some(encoder),
            partial,
        })
    }

    /// Ends the table and puts it in its place. An import without events leaves a table
    /// without rows.
    ///
    /// # Errors
    ///
    /// When a file cannot be written, or something that is no table has come to lie in the
    /// directory meanwhile; nothing is left behind then.
    pub fn finish(mut self) -> Result<Table, TableError> {
        self.hand_over()?;
        self.stop()?;
        self.partial.put_in_place(&self.directory)?;
        Ok(Table::at(&self.directory))
    }

    fn take(&mut self, event: Event) -> Result<(), TableError> {
        let week = week_number(event.time);
        let in_order = match self.lot.events.last() {
            Some(last) => {
                (
                    self.lot.week,
                    &last.user,
                    last.time,
                    last.source,
                    &last.record_id,
                ) <= (
                    Some(week),
                    &event.user,
                    event.time,
                    event.source,
                    &event.record_id,
                )
            }
            None => self
                .last
                .as_ref()
                .is_none_or(|(before, user, time, source, id)| {
                    (*before, user, *time, *source, id)
                        <= (
                            week,
                            &event.user,
                            event.time,
                            event.source,
                            &event.record_id,
                        )
                }),
        };
        if !in_order {
            return Err(TableError::Order {
                id: event.record_id,
                time: event.time,
            });
        }
        let full = self.lot.events.len() >= LOT_ROWS || self.bytes >= LOT_BYTES;
        if full || self.lot.week != Some(week) {
            self.hand_over()?;
            self.lot.week = Some(week);
        }
        self.bytes += event.original.len();
        self.lot.events.push(event);
        Ok(())
    }

    fn hand_over(&mut self) -> Result<(), TableError> {
        let Some(last) = self.lot.events.last() else {
            return Ok(());
        };
        self.last = Some((
            self.lot.week.unwrap_or_default(),
            last.user.clone(),
            last.time,
            last.source,
            last.record_id.clone(),
        ));
        self.bytes = 0;
        let next = Lot {
            week: None,
            events: Vec::with_capacity(self.lot.events.len()),
        };
        let lot = std::mem::replace(&mut self.lot, next);
        let sent = self.lots.as_ref().map(|lots| lots.send(lot));
        match sent {
            Some(Ok(())) => Ok(()),
            // The encoder has ended before its time, and says why.
            _ => self.stop().and(Err(TableError::Thread(
                "the table was given up after an earlier error".to_owned(),
            ))),
        }
    }

    /// Waits until everything that was handed over is written.
    fn stop(&mut self) -> Result<(), TableError> {
        self.lots = None;
        match self.encoder.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            Some(Err(_)) => Err(TableError::Thread(
                "the thread that writes the table has failed".to_owned(),
            )),
            None => Ok(()),
        }
    }
}

impl Sink for TableWriter {
    fn put(&mut self, event: Event) -> Result<(), StoreError> {
        self.take(event).map_err(|error| {
            StoreError::new(
                format!("writing the table in {}", self.directory.display()),
                error,
            )
        })
    }
}

impl Drop for TableWriter {
    fn drop(&mut self) {
        // What went wrong while giving up interests nobody.
        drop(self.stop());
    }
}

/// The ISO weeks by number, from that of 1970-01-01, a Thursday.
pub(crate) fn week_number(time: Timestamp) -> i64 {
    const DAY: i128 = 86_400_000_000_000;
    (time.as_nanosecond() + 3 * DAY).div_euclid(7 * DAY) as i64
}

/// The encoder's thread.
fn encode(lots: &Receiver<Lot>, directory: &Path) -> Result<(), TableError> {
    let mut current: Option<(Option<i64>, WeekFile)> = None;
    let mut any = false;
    for lot in lots {
        let Some(first) = lot.events.first() else {
            continue;
        };
        let mut file = match current.take() {
            Some((week, file)) if week == lot.week => file,
            earlier => {
                if let Some((_, file)) = earlier {
                    file.close()?;
                }
                WeekFile::create(directory, &week_of(first.time))?
            }
        };
        any = true;
        file.write(&lot.events)?;
        current = Some((lot.week, file));
    }
    if let Some((_, file)) = current {
        file.close()?;
    }
    if !any {
        WeekFile::create(directory, "none")?.close()?;
    }
    Ok(())
}

struct WeekFile {
    path: PathBuf,
    writer: ArrowWriter<File>,
}

impl WeekFile {
    fn create(directory: &Path, week: &str) -> Result<Self, TableError> {
        let path = directory.join(format!("events-{week}.parquet"));
        let file = File::create_new(&path).map_err(TableError::file(&path))?;
        let writer = properties()
            .and_then(|properties| {
                let options = ArrowWriterOptions::new()
                    .with_properties(properties)
                    // Every type is Parquet's own; and the decoder of this hint panics where
                    // the file is damaged.
                    .with_skip_arrow_metadata(true);
                ArrowWriter::try_new_with_options(file, schema(), options)
            })
            .map_err(TableError::parquet(&path))?;
        Ok(Self { path, writer })
    }

    fn write(&mut self, events: &[Event]) -> Result<(), TableError> {
        let batch = batch(events).map_err(TableError::columns(&self.path))?;
        self.writer
            .write(&batch)
            .map_err(TableError::parquet(&self.path))
    }

    fn close(self) -> Result<(), TableError> {
        let closed = self.writer.close().map(drop);
        closed.map_err(TableError::parquet(&self.path))
    }
}

fn properties() -> Result<WriterProperties, ParquetError> {
    let column = |name: &str| ColumnPath::new(vec![name.to_owned()]);
    let mut builder = WriterProperties::builder()
        // Cheap both ways, and a reader needs no room for it: a page of one of sixty
        // columns is a few hundred bytes.
        .set_compression(Compression::LZ4_RAW)
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_write_batch_size(PAGE_ROWS)
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_max_row_group_bytes(Some(GROUP_BYTES))
        .set_dictionary_page_size_limit(DICTIONARY_BYTES)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        // Where nine tenths of the bytes are.
        .set_column_compression(column(ORIGINAL), Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_column_data_page_size_limit(column(ORIGINAL), PAGE_BYTES)
        .set_column_statistics_enabled(column(ORIGINAL), EnabledStatistics::None)
        .set_column_dictionary_enabled(column(TIME), false)
        .set_sorting_columns(Some(sorting()));
    for text in TEXTS.iter().filter(|text| text.values == Values::Own) {
        builder = builder.set_column_dictionary_enabled(column(text.name), false);
    }
    for name in [USER, TIME] {
        builder = builder.set_column_statistics_enabled(column(name), EnabledStatistics::Page);
    }
    Ok(builder.build())
}

/// User, then time, by the columns' numbers.
fn sorting() -> Vec<SortingColumn> {
    let schema = schema();
    let by = [USER, TIME].map(|name| {
        let number = schema.index_of(name).ok()?;
        Some(SortingColumn {
            column_idx: i32::try_from(number).ok()?,
            descending: false,
            nulls_first: true,
        })
    });
    by.into_iter().flatten().collect()
}

/// The directory beside, where the files are written until they are whole.
#[derive(Debug)]
struct Partial {
    path: PathBuf,
    lock: Option<File>,
}

impl Partial {
    /// What an earlier run has left there is taken away, unless it is still writing.
    fn create(directory: &Path) -> Result<Self, TableError> {
        let path = beside(directory, "partial")?;
        let at = |source| TableError::File {
            path: path.clone(),
            source,
        };
        private(&path).map_err(at)?;
        for entry in fs::read_dir(&path).map_err(at)? {
            let name = entry.map_err(at)?.file_name();
            let name = name.to_string_lossy();
            if name != LOCK && !name.starts_with("events-") {
                return Err(TableError::Occupied(path));
            }
        }
        let lock = File::create(path.join(LOCK)).map_err(at)?;
        match lock.try_lock() {
            Ok(()) => {}
            // A file system without locks: whoever writes there twice at once is told by
            // the files that are there already.
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {}
            Err(TryLockError::WouldBlock) => return Err(TableError::Busy(directory.to_owned())),
            Err(TryLockError::Error(error)) => return Err(at(error)),
        }
        let partial = Self {
            path,
            lock: Some(lock),
        };
        for file in fs::read_dir(&partial.path).map_err(TableError::file(&partial.path))? {
            let file = file.map_err(TableError::file(&partial.path))?;
            if file.file_name() != LOCK {
                fs::remove_file(file.path()).map_err(TableError::file(&file.path()))?;
            }
        }
        Ok(partial)
    }

    fn put_in_place(&mut self, directory: &Path) -> Result<(), TableError> {
        let earlier = files_of(directory)?;
        let lock = self.path.join(LOCK);
        fs::remove_file(&lock).map_err(TableError::file(&lock))?;
        let old = beside(directory, "old")?;
        let moved = match &earlier {
            Some(files) if files.is_empty() => {
                fs::remove_dir(directory).map_err(TableError::file(directory))?;
                false
            }
            Some(_) => {
                // Fails where something else has that name.
                fs::rename(directory, &old).map_err(TableError::file(&old))?;
                true
            }
            None => false,
        };
        if let Err(error) = fs::rename(&self.path, directory) {
            if moved {
                fs::rename(&old, directory).map_err(TableError::file(&old))?;
            }
            return Err(TableError::file(directory)(error));
        }
        self.lock = None;
        if moved {
            fs::remove_dir_all(&old).map_err(TableError::file(&old))?;
        }
        Ok(())
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // Held: not put in place.
        if self.lock.take().is_some() {
            // Nobody is there to tell; the next run takes it away.
            drop(fs::remove_dir_all(&self.path));
        }
    }
}

/// A directory with its parents, itself for its owner alone: it will hold what people did.
fn private(path: &Path) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        // What an earlier run has left, whose files are looked at next.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        result => result,
    }
}

/// Another name in the same place: `events.partial` beside `events`.
fn beside(directory: &Path, what: &str) -> Result<PathBuf, TableError> {
    let Some(name) = directory.file_name() else {
        return Err(TableError::File {
            path: directory.to_owned(),
            source: io::Error::other("this is no name for a new directory"),
        });
    };
    let mut name = name.to_owned();
    name.push(".");
    name.push(what);
    Ok(directory.with_file_name(name))
}
