//! The table read back for the judgement: user by user across the weeks, or all of it.
//!
//! Held at a time: [`ROWS_HELD`] events, a page of every column of every open file
//! ([`MOST_OPEN`] of them), and the wanted events of one user.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use datafusion::parquet::arrow::ProjectionMask;
use datafusion::parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};
use datafusion::parquet::file::metadata::ParquetMetaData;
use retake_hunt::Event;
use retake_hunt::store::{EventVisitor, Store, StoreError, UserVisitor, by_time};

use crate::columns::{ORIGINAL, events};
use crate::table::{Table, TableError};

/// Events that are read ahead, over all files together.
const ROWS_HELD: usize = 4 * 1024;

/// Events that are read ahead of one file, at most and at least.
const ROWS_OF_ONE: (usize, usize) = (64, 2 * 1024);

/// Files that are open at a time. A table of more weeks than that (ten years of logs, or
/// times that are none) is read more slowly, each file opened anew for its next events.
const MOST_OPEN: usize = 128;

impl Store for Table {
    fn each_user(&self, visit: &mut UserVisitor<'_>) -> Result<(), StoreError> {
        self.each_user_of(&mut |_| true, visit)
    }

    fn each_user_of(
        &self,
        wanted: &mut dyn FnMut(&Event) -> bool,
        visit: &mut UserVisitor<'_>,
    ) -> Result<(), StoreError> {
        let read = |error| StoreError::new("reading the table of events", Box::new(error));
        let files = self.files().map_err(read)?;
        let rows = (ROWS_HELD / files.len().max(1)).clamp(ROWS_OF_ONE.0, ROWS_OF_ONE.1);
        let stay_open = files.len() <= MOST_OPEN;
        let mut weeks = Vec::with_capacity(files.len());
        for path in files {
            weeks.push(Week::open(path, rows, stay_open).map_err(read)?);
        }
        let mut next: BinaryHeap<Reverse<(String, usize)>> = BinaryHeap::new();
        for (number, week) in weeks.iter_mut().enumerate() {
            if let Some(user) = week.user().map_err(read)? {
                next.push(Reverse((user.to_owned(), number)));
            }
        }
        while let Some(Reverse((user, first))) = next.pop() {
            let mut of_user = vec![first];
            while let Some(Reverse((same, _))) = next.peek()
                && *same == user
                && let Some(Reverse((_, number))) = next.pop()
            {
                of_user.push(number);
            }
            let mut found = Vec::new();
            for number in of_user {
                let Some(week) = weeks.get_mut(number) else {
                    continue;
                };
                week.take(&user, wanted, &mut found).map_err(read)?;
                if let Some(after) = week.user().map_err(read)? {
                    if after < user.as_str() {
                        return Err(read(week.unsorted()));
                    }
                    next.push(Reverse((after.to_owned(), number)));
                }
            }
            if !found.is_empty() {
                found.sort_by(by_time);
                visit(&user, found)?;
            }
        }
        Ok(())
    }

    fn scan(&self, visit: &mut EventVisitor<'_>) -> Result<(), StoreError> {
        let read = |error| StoreError::new("reading the table of events", Box::new(error));
        for path in self.files().map_err(read)? {
            let mut week = Week::open(path, ROWS_OF_ONE.1, true).map_err(read)?;
            while let Some(event) = week.next_event().map_err(read)? {
                visit(event)?;
            }
        }
        Ok(())
    }
}

/// One file, read from its begin to its end.
struct Week {
    path: PathBuf,
    metadata: ArrowReaderMetadata,
    reader: Option<ParquetRecordBatchReader>,
    stay_open: bool,
    /// Rows that are read at a time.
    rows: usize,
    /// Rows that have been read.
    done: usize,
    ahead: VecDeque<Event>,
}

impl Week {
    fn open(path: PathBuf, rows: usize, stay_open: bool) -> Result<Self, TableError> {
        let file = File::open(&path).map_err(TableError::file(&path))?;
        let metadata = load(&path, &file)?;
        Ok(Self {
            path,
            metadata,
            reader: None,
            stay_open,
            rows,
            done: 0,
            ahead: VecDeque::new(),
        })
    }

    fn next_event(&mut self) -> Result<Option<Event>, TableError> {
        self.fill()?;
        Ok(self.ahead.pop_front())
    }

    /// Whose the next event is; `None` at the end.
    fn user(&mut self) -> Result<Option<&str>, TableError> {
        self.fill()?;
        Ok(self.ahead.front().map(user_of))
    }

    /// The next events that are wanted, as long as they are this user's.
    fn take(
        &mut self,
        user: &str,
        wanted: &mut dyn FnMut(&Event) -> bool,
        into: &mut Vec<Event>,
    ) -> Result<(), TableError> {
        while self.user()? == Some(user) {
            into.extend(self.ahead.pop_front().filter(&mut *wanted));
        }
        Ok(())
    }

    fn fill(&mut self) -> Result<(), TableError> {
        while self.ahead.is_empty() && self.done < self.all() {
            let mut reader = match self.reader.take() {
                Some(reader) => reader,
                None => rest(&self.path, &self.metadata, self.rows, self.done)?,
            };
            let Some(batch) = guarded(&self.path, || Ok(reader.next()))? else {
                // Fewer rows than the file says it has.
                return Err(self.unsorted());
            };
            let batch = batch.map_err(TableError::columns(&self.path))?;
            self.done += batch.num_rows();
            self.ahead = events(&batch)
                .map_err(TableError::columns(&self.path))?
                .into();
            if self.stay_open {
                self.reader = Some(reader);
            }
        }
        Ok(())
    }

    fn all(&self) -> usize {
        let rows = self.metadata.metadata().file_metadata().num_rows();
        usize::try_from(rows).unwrap_or(0)
    }

    fn unsorted(&self) -> TableError {
        TableError::Damaged(self.path.clone())
    }
}

/// The rows of a file after the first ones, without originals.
fn rest(
    path: &Path,
    metadata: &ArrowReaderMetadata,
    rows: usize,
    done: usize,
) -> Result<ParquetRecordBatchReader, TableError> {
    // Groups that are behind are not even opened.
    let mut before = 0;
    let mut groups = Vec::new();
    for (number, group) in metadata.metadata().row_groups().iter().enumerate() {
        let size = usize::try_from(group.num_rows()).unwrap_or(0);
        if before + size <= done && groups.is_empty() {
            before += size;
        } else {
            groups.push(number);
        }
    }
    let file = File::open(path).map_err(TableError::file(path))?;
    ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata.clone())
        .with_projection(without_originals(metadata))
        .with_row_groups(groups)
        .with_offset(done - before)
        .with_batch_size(rows)
        .build()
        .map_err(TableError::parquet(path))
}

/// Types as Parquet has them: hints that another writer left for its own kind are not decoded.
pub(crate) fn reader_options() -> ArrowReaderOptions {
    ArrowReaderOptions::new().with_skip_arrow_metadata(true)
}

/// A file's footer, if what it says of the file can be true: the reader below calculates
/// with it unchecked.
pub(crate) fn load(path: &Path, file: &File) -> Result<ArrowReaderMetadata, TableError> {
    let metadata = guarded(path, || {
        ArrowReaderMetadata::load(file, reader_options()).map_err(TableError::parquet(path))
    })?;
    let size = file.metadata().map_err(TableError::file(path))?.len();
    if is_sound(metadata.metadata(), size) {
        Ok(metadata)
    } else {
        Err(TableError::Damaged(path.to_owned()))
    }
}

/// The Parquet reader panics at some damage that cannot be seen beforehand, such as another
/// letter in a page's own head.
pub(crate) fn guarded<T>(
    path: &Path,
    read: impl FnOnce() -> Result<T, TableError>,
) -> Result<T, TableError> {
    // Nothing that was being read is looked at again.
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err(TableError::Damaged(path.to_owned())))
}

/// Every column lies within the file, its pages within the column, and the rows add up.
pub(crate) fn is_sound(footer: &ParquetMetaData, size: u64) -> bool {
    let groups = footer.row_groups();
    let rows = groups
        .iter()
        .try_fold(0_i64, |sum, group| sum.checked_add(group.num_rows()));
    let add_up = rows == Some(footer.file_metadata().num_rows())
        && groups.iter().all(|group| group.num_rows() >= 0);
    add_up
        && groups.iter().all(|group| {
            group.columns().iter().all(|column| {
                let first = column
                    .dictionary_page_offset()
                    .unwrap_or(column.data_page_offset());
                let length = column.compressed_size();
                let Some(end) = first.checked_add(length) else {
                    return false;
                };
                first >= 0
                    && length >= 0
                    && column.uncompressed_size() >= 0
                    && column.num_values() >= 0
                    && (first..=end).contains(&column.data_page_offset())
                    && end as u64 <= size
            })
        })
}

/// The same of the page index, where it was read.
pub(crate) fn pages_are_sound(footer: &ParquetMetaData) -> bool {
    let Some(index) = footer.offset_index() else {
        return true;
    };
    footer.row_groups().iter().zip(index).all(|(group, index)| {
        group.columns().iter().zip(index).all(|(column, index)| {
            let mut at = column.data_page_offset();
            let mut row = 0;
            let (first, length) = column.byte_range();
            index.page_locations().iter().all(|page| {
                let begins = page.offset >= at && page.first_row_index >= row;
                let size = i64::from(page.compressed_page_size);
                let Some(after) = page.offset.checked_add(size) else {
                    return false;
                };
                (at, row) = (after, page.first_row_index);
                begins && size >= 0 && row <= group.num_rows() && after as u64 <= first + length
            })
        })
    })
}

/// All columns but the originals.
pub(crate) fn without_originals(metadata: &ArrowReaderMetadata) -> ProjectionMask {
    let names = metadata.schema().fields().iter().enumerate();
    let wanted = names.filter(|(_, field)| field.name() != ORIGINAL);
    ProjectionMask::roots(metadata.parquet_schema(), wanted.map(|(number, _)| number))
}

fn user_of(event: &Event) -> &str {
    event.user.as_deref().unwrap_or_default()
}
