//! Where the table lies: a directory with one file for each week, written whole or not
//! at all.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use datafusion::arrow::error::ArrowError;
use datafusion::error::DataFusionError;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::properties::{EnabledStatistics, WriterProperties};
use datafusion::parquet::schema::types::ColumnPath;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use retake_hunt::Event;

use crate::columns::{ID, ORIGINAL, TIME, USER, batch, schema};

/// Rows that are turned into columns at a time.
const ROWS: usize = 8 * 1024;

/// Rows of a page: what is read at least to see one user.
const PAGE_ROWS: usize = 2 * 1024;

/// Rows of a group: what a file is divided into, and what is held while it is written.
const GROUP_ROWS: usize = 128 * 1024;

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
    /// No table is there.
    #[error("{0} holds no table of events (a directory with files `events-*.parquet`)")]
    NoTable(PathBuf),
    /// The question is not understood, not answerable, or would change something.
    #[error("{0}")]
    Query(String),
    /// A column is not of the type that it should have.
    #[error("the table is damaged or of another release: {0}")]
    Columns(#[from] ArrowError),
    /// A Parquet file cannot be written or read.
    #[error("the table is damaged or cannot be written: {0}")]
    Parquet(#[from] ParquetError),
}

impl From<DataFusionError> for TableError {
    fn from(error: DataFusionError) -> Self {
        Self::Query(error.strip_backtrace())
    }
}

impl Table {
    /// Writes the table into a directory that is not there yet, is empty, or holds an
    /// earlier table, which it takes the place of. A directory with anything else in it
    /// is left as it is.
    ///
    /// The files are written beside it first: whoever stops it in the middle finds the
    /// earlier table, or none, never half a table.
    pub fn write(directory: &Path, events: &[Event]) -> Result<Self, TableError> {
        let earlier = files_of(directory)?;
        let beside = beside(directory);
        let at = |source| TableError::File {
            path: beside.clone(),
            source,
        };
        if beside.exists() {
            fs::remove_dir_all(&beside).map_err(at)?;
        }
        fs::create_dir_all(&beside).map_err(at)?;
        let mut weeks: BTreeMap<String, Vec<&Event>> = BTreeMap::new();
        for event in events {
            weeks.entry(week_of(event.time)).or_default().push(event);
        }
        for (week, mut events) in weeks {
            events.sort_by(|a, b| {
                let key = |event: &Event| (event.time, event.source);
                a.user
                    .cmp(&b.user)
                    .then_with(|| key(a).cmp(&key(b)))
                    .then_with(|| a.record_id.cmp(&b.record_id))
            });
            write_week(&beside.join(format!("events-{week}.parquet")), &events)?;
        }
        if earlier.is_some() {
            fs::remove_dir_all(directory).map_err(|source| TableError::File {
                path: directory.to_owned(),
                source,
            })?;
        }
        fs::rename(&beside, directory).map_err(at)?;
        Ok(Self {
            directory: directory.to_owned(),
        })
    }

    /// The table that lies in a directory.
    pub fn open(directory: &Path) -> Result<Self, TableError> {
        match files_of(directory) {
            Ok(Some(files)) if !files.is_empty() => Ok(Self {
                directory: directory.to_owned(),
            }),
            Ok(_) | Err(TableError::Occupied(_)) => Err(TableError::NoTable(directory.to_owned())),
            Err(error) => Err(error),
        }
    }

    /// Where it lies.
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

/// The files of a table, by name; `None` where there is no directory.
fn files_of(directory: &Path) -> Result<Option<Vec<PathBuf>>, TableError> {
    let at = |source| TableError::File {
        path: directory.to_owned(),
        source,
    };
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return Err(TableError::Occupied(directory.to_owned()));
        }
        Err(error) => return Err(at(error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(at)?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let ours = name.starts_with("events-")
            && path
                .extension()
                .is_some_and(|extension| extension == "parquet");
        if !ours {
            return Err(TableError::Occupied(directory.to_owned()));
        }
        files.push(path);
    }
    files.sort();
    Ok(Some(files))
}

/// Where the files are written until they are whole.
fn beside(directory: &Path) -> PathBuf {
    let mut name = directory.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    directory.with_file_name(name)
}

/// The ISO week of a moment, UTC: `2026-W47`.
fn week_of(time: Timestamp) -> String {
    let week = time.to_zoned(TimeZone::UTC).date().iso_week_date();
    format!("{:04}-W{:02}", week.year(), week.week())
}

fn write_week(path: &Path, events: &[&Event]) -> Result<(), TableError> {
    let file = File::create(path).map_err(|source| TableError::File {
        path: path.to_owned(),
        source,
    })?;
    let mut writer = ArrowWriter::try_new(file, schema(), Some(properties()?))?;
    for rows in events.chunks(ROWS) {
        let rows: Vec<Event> = rows.iter().map(|event| (*event).clone()).collect();
        writer.write(&batch(&rows)?)?;
    }
    writer.close()?;
    Ok(())
}

fn properties() -> Result<WriterProperties, ParquetError> {
    let column = |name: &str| ColumnPath::new(vec![name.to_owned()]);
    let builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_write_batch_size(PAGE_ROWS)
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        // What two values in different files, or none, are alike in: nothing to look for.
        .set_column_dictionary_enabled(column(ORIGINAL), false)
        .set_column_dictionary_enabled(column(ID), false)
        .set_column_statistics_enabled(column(ORIGINAL), EnabledStatistics::None);
    Ok([USER, TIME]
        .into_iter()
        .fold(builder, |builder, name| {
            builder.set_column_statistics_enabled(column(name), EnabledStatistics::Page)
        })
        .build())
}
