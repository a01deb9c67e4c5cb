//! Where the table lies: a directory with one file for each week.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use datafusion::arrow::error::ArrowError;
use datafusion::error::DataFusionError;
use datafusion::parquet::errors::ParquetError;
use jiff::Timestamp;
use retake_hunt::Event;
use retake_hunt::store::{Sink as _, StoreError, table_order};

use crate::writer::TableWriter;

/// The table `events` in a directory.
#[derive(Clone, Debug)]
pub struct Table {
    directory: PathBuf,
}

/// Which events; what is `None` does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Of this user, as the table writes it (lower case).
    pub user: Option<String>,
    /// At this moment or later.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub to: Option<Timestamp>,
    /// Leave [`Event::original`] empty, which is most of what there is to read.
    pub without_originals: bool,
}

/// Why the table cannot be written or asked.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// A file or directory.
    #[error("{path}: {source}")]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is something else where the table should go.
    #[error("{0} is there already and is no table of events: nothing was written to it")]
    Occupied(PathBuf),
    /// Somebody else is writing there.
    #[error("another process is writing the table in {0}: nothing was written to it")]
    Busy(PathBuf),
    /// No table is there.
    #[error("{0} holds no table of events (a directory with files `events-*.parquet`)")]
    NoTable(PathBuf),
    /// An event came before one that it should follow.
    #[error("the event {id} of {time} does not come in the order of the table")]
    Order {
        /// The event's record id.
        id: String,
        /// Its time.
        time: Timestamp,
    },
    /// The question is not understood, not answerable, or would change something.
    #[error("{0}")]
    Query(String),
    /// A file's rows are not in order, or fewer than it says.
    #[error("{0} is damaged, or was not written by retake: its rows are not as they should be")]
    Damaged(PathBuf),
    /// A thread that was needed could not be started, or failed.
    #[error("{0}")]
    Thread(String),
    /// A column is not of the type, or holds what it should not.
    #[error("{path} is damaged or of another release: {source}")]
    Columns {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: ArrowError,
    },
    /// A Parquet file cannot be written or read.
    #[error("{path} is damaged or cannot be written: {source}")]
    Parquet {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: ParquetError,
    },
}

impl TableError {
    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }

    pub(crate) fn columns(path: &Path) -> impl FnOnce(ArrowError) -> Self {
        let path = path.to_owned();
        move |source| Self::Columns { path, source }
    }

    pub(crate) fn parquet(path: &Path) -> impl FnOnce(ParquetError) -> Self {
        let path = path.to_owned();
        move |source| Self::Parquet { path, source }
    }
}

impl From<DataFusionError> for TableError {
    fn from(error: DataFusionError) -> Self {
        Self::Query(error.strip_backtrace())
    }
}

impl Table {
    /// Starts to write a table into a directory that is not there yet, is empty, or holds
    /// an earlier table, which it takes the place of once it is finished. A directory with
    /// anything else in it is left as it is.
    ///
    /// # Errors
    ///
    /// [`TableError::Occupied`], [`TableError::Busy`], or [`TableError::File`].
    pub fn create(directory: &Path) -> Result<TableWriter, TableError> {
        TableWriter::create(directory)
    }

    /// Writes these events, in whatever order they come, as [`Table::create`] does.
    ///
    /// # Errors
    ///
    /// As [`Table::create`] and [`TableWriter::finish`].
    pub fn write(directory: &Path, events: &[Event]) -> Result<Self, TableError> {
        let mut writer = Self::create(directory)?;
        let mut events: Vec<&Event> = events.iter().collect();
        events.sort_by(|a, b| table_order(a, b));
        for event in events {
            if let Err(error) = writer.put(event.clone()) {
                return Err(own(error, directory));
            }
        }
        writer.finish()
    }

    /// The table that lies in a directory.
    ///
    /// # Errors
    ///
    /// [`TableError::NoTable`] where there is none or something else.
    pub fn open(directory: &Path) -> Result<Self, TableError> {
        match files_of(directory) {
            Ok(Some(files)) if !files.is_empty() => Ok(Self::at(directory)),
            Ok(_) | Err(TableError::Occupied(_)) => Err(TableError::NoTable(directory.to_owned())),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn at(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
        }
    }

    /// Where it lies.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Its files, in the order of their weeks.
    pub(crate) fn files(&self) -> Result<Vec<PathBuf>, TableError> {
        files_of(&self.directory)?.ok_or_else(|| TableError::NoTable(self.directory.clone()))
    }
}

/// The table's own error out of what a [`retake_hunt::Sink`] may say.
fn own(error: StoreError, directory: &Path) -> TableError {
    match error.source.downcast::<TableError>() {
        Ok(error) => *error,
        Err(error) => TableError::File {
            path: directory.to_owned(),
            source: io::Error::other(error),
        },
    }
}

/// The files of a table, in the order of their weeks; `None` where there is no directory.
pub(crate) fn files_of(directory: &Path) -> Result<Option<Vec<PathBuf>>, TableError> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return Err(TableError::Occupied(directory.to_owned()));
        }
        Err(error) => return Err(TableError::file(directory)(error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(TableError::file(directory))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let Some(week) = name
            .strip_prefix("events-")
            .and_then(|rest| rest.strip_suffix(".parquet"))
        else {
            return Err(TableError::Occupied(directory.to_owned()));
        };
        files.push((year_and_week(week), path));
    }
    files.sort();
    Ok(Some(files.into_iter().map(|(_, path)| path).collect()))
}

/// `2026-W47` as numbers: years before the first have a minus.
fn year_and_week(name: &str) -> Option<(i32, u8)> {
    let (year, week) = name.rsplit_once("-W")?;
    Some((year.parse().ok()?, week.parse().ok()?))
}
