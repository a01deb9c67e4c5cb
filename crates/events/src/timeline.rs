//! One user's events, without a look at anybody else's: by the statistics of the groups,
//! then of the pages, then by the rows.

use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use datafusion::arrow::array::{BooleanArray, RecordBatch, Scalar, StringArray};
use datafusion::arrow::compute::kernels::cmp::eq;
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::error::ArrowError;
use datafusion::parquet::arrow::ProjectionMask;
use datafusion::parquet::arrow::arrow_reader::{
    ArrowPredicateFn, ArrowReaderMetadata, ParquetRecordBatchReaderBuilder, RowFilter,
    RowSelection, RowSelector,
};
use datafusion::parquet::data_type::ByteArray;
use datafusion::parquet::file::metadata::{
    PageIndexPolicy, ParquetMetaData, ParquetMetaDataOptions, ParquetMetaDataReader,
    ParquetStatisticsPolicy, RowGroupMetaData,
};
use datafusion::parquet::file::page_index::column_index::ColumnIndexMetaData;
use datafusion::parquet::file::statistics::Statistics;
use retake_hunt::Event;
use retake_hunt::store::by_time;

use crate::columns::{TIME, USER, events, one, parts};
use crate::read::{guarded, is_sound, pages_are_sound, reader_options, without_originals};
use crate::table::{Table, TableError, Wanted};

/// Files that are looked through at a time.
const THREADS: usize = 2;

impl Table {
    /// The events that are wanted, by time, then source and record id.
    ///
    /// # Errors
    ///
    /// When a file cannot be read.
    pub fn timeline(&self, wanted: &Wanted) -> Result<Vec<Event>, TableError> {
        let mut wanted = wanted.clone();
        wanted.user = wanted.user.map(|user| user.to_lowercase());
        let files = self.files()?;
        let next = AtomicUsize::new(0);
        let look = || -> Result<Vec<Event>, TableError> {
            let mut found = Vec::new();
            while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                found.extend(guarded(path, || of_file(path, &wanted))?);
            }
            Ok(found)
        };
        let parts: Vec<_> = thread::scope(|scope| {
            let others: Vec<_> = (1..THREADS.min(files.len()))
                .map(|_| scope.spawn(look))
                .collect();
            let own = look();
            let others = others.into_iter().map(|other| {
                other.join().unwrap_or_else(|_| {
                    Err(TableError::Thread(
                        "a reader of the table failed".to_owned(),
                    ))
                })
            });
            std::iter::once(own).chain(others).collect()
        });
        let mut found = Vec::new();
        for part in parts {
            found.extend(part?);
        }
        found.sort_by(by_time);
        Ok(found)
    }
}

fn of_file(path: &Path, wanted: &Wanted) -> Result<Vec<Event>, TableError> {
    let file = File::open(path).map_err(TableError::file(path))?;
    let parquet = TableError::parquet;
    let footer = ParquetMetaDataReader::new()
        .with_metadata_options(Some(footer_options()))
        .parse_and_finish(&file)
        .map_err(parquet(path))?;
    let size = file.metadata().map_err(TableError::file(path))?.len();
    if !is_sound(&footer, size) {
        return Err(TableError::Damaged(path.to_owned()));
    }
    let asked = Asked::new(&footer, wanted);
    let mut footer = footer.into_builder();
    let mut groups = footer.take_row_groups();
    groups.retain(|group| asked.may_be_in(group));
    if groups.is_empty() {
        return Ok(Vec::new());
    }
    // The page index of what is left only.
    let mut reader =
        ParquetMetaDataReader::new_with_metadata(footer.set_row_groups(groups).build())
            .with_page_index_policy(PageIndexPolicy::Optional);
    reader.read_page_indexes(&file).map_err(parquet(path))?;
    let footer = reader.finish().map_err(parquet(path))?;
    if !pages_are_sound(&footer) {
        return Err(TableError::Damaged(path.to_owned()));
    }
    let pages = asked.pages(&footer);
    let metadata =
        ArrowReaderMetadata::try_new(footer.into(), reader_options()).map_err(parquet(path))?;
    let mut builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata.clone());
    if wanted.without_originals {
        builder = builder.with_projection(without_originals(&metadata));
    }
    if let Some(pages) = pages {
        builder = builder.with_row_selection(pages);
    }
    if let (Some(user), Some(leaf)) = (&wanted.user, asked.user_leaf) {
        let mask = ProjectionMask::leaves(metadata.parquet_schema(), [leaf]);
        let user = StringArray::new_scalar(user.as_str());
        let filter = ArrowPredicateFn::new(mask, move |batch| is_user(&batch, &user));
        builder = builder.with_row_filter(RowFilter::new(vec![Box::new(filter)]));
    }
    let mut found = Vec::new();
    for batch in builder.build().map_err(parquet(path))? {
        let batch = batch.map_err(TableError::columns(path))?;
        found.extend(events(&batch).map_err(TableError::columns(path))?);
    }
    found.retain(|event| {
        wanted.from.is_none_or(|from| event.time >= from)
            && wanted.to.is_none_or(|to| event.time < to)
    });
    Ok(found)
}

/// Of sixty columns' statistics two are of use here.
fn footer_options() -> ParquetMetaDataOptions {
    let schema = crate::columns::schema();
    // No list comes before these two: a column is a leaf.
    let leaves: Vec<usize> = [TIME, USER]
        .iter()
        .filter_map(|name| schema.index_of(name).ok())
        .collect();
    ParquetMetaDataOptions::new()
        .with_column_stats_policy(ParquetStatisticsPolicy::skip_except(&leaves))
        .with_encoding_stats_policy(ParquetStatisticsPolicy::SkipAll)
        .with_size_stats_policy(ParquetStatisticsPolicy::SkipAll)
}

fn is_user(batch: &RecordBatch, user: &Scalar<StringArray>) -> Result<BooleanArray, ArrowError> {
    match one(batch, USER, &DataType::Utf8)? {
        Some(users) => eq(&users, user),
        None => Ok(BooleanArray::from(vec![true; batch.num_rows()])),
    }
}

/// What is wanted, in the terms of a file.
struct Asked<'a> {
    user: Option<&'a [u8]>,
    /// Microseconds, both ends included: the last one is looked at again.
    times: Range<i64>,
    user_leaf: Option<usize>,
    time_leaf: Option<usize>,
}

impl<'a> Asked<'a> {
    fn new(footer: &ParquetMetaData, wanted: &'a Wanted) -> Self {
        let columns = footer.file_metadata().schema_descr().columns();
        let leaf = |name: &str| {
            columns
                .iter()
                .position(|column| column.path().parts() == [name.to_owned()])
        };
        Self {
            user: wanted.user.as_deref().map(str::as_bytes),
            times: wanted.from.map_or(i64::MIN, |from| parts(from).0)
                ..wanted.to.map_or(i64::MAX, |to| parts(to).0),
            user_leaf: leaf(USER),
            time_leaf: leaf(TIME),
        }
    }

    fn may_be_in(&self, group: &RowGroupMetaData) -> bool {
        let statistics = |leaf: Option<usize>| {
            let column = group.columns().get(leaf?)?;
            column.statistics()
        };
        let user = match statistics(self.user_leaf) {
            Some(Statistics::ByteArray(values)) => self.may_be_user(
                values.min_opt().map(ByteArray::data),
                values.max_opt().map(ByteArray::data),
            ),
            _ => true,
        };
        let time = match statistics(self.time_leaf) {
            Some(Statistics::Int64(values)) => {
                self.may_be_time(values.min_opt().copied(), values.max_opt().copied())
            }
            _ => true,
        };
        user && time
    }

    fn may_be_user(&self, least: Option<&[u8]>, most: Option<&[u8]>) -> bool {
        self.user.is_none_or(|user| {
            least.is_none_or(|least| least <= user) && most.is_none_or(|most| user <= most)
        })
    }

    fn may_be_time(&self, least: Option<i64>, most: Option<i64>) -> bool {
        least.is_none_or(|least| least <= self.times.end)
            && most.is_none_or(|most| self.times.start <= most)
    }

    /// The rows whose pages may hold what is wanted; `None` where the file has no index.
    fn pages(&self, footer: &ParquetMetaData) -> Option<RowSelection> {
        let mut selection: Option<RowSelection> = None;
        for leaf in [self.user_leaf, self.time_leaf].into_iter().flatten() {
            let mut rows = Vec::new();
            for (number, group) in footer.row_groups().iter().enumerate() {
                let values = footer.column_index()?.get(number)?.get(leaf)?;
                let places = footer.offset_index()?.get(number)?.get(leaf)?;
                let starts: Vec<i64> = places
                    .page_locations()
                    .iter()
                    .map(|page| page.first_row_index)
                    .collect();
                for (page, start) in starts.iter().enumerate() {
                    let end = starts.get(page + 1).copied().unwrap_or(group.num_rows());
                    let rows_of_page = usize::try_from(end - start).ok()?;
                    rows.push(if self.may_be_on(values, page) {
                        RowSelector::select(rows_of_page)
                    } else {
                        RowSelector::skip(rows_of_page)
                    });
                }
            }
            let rows = RowSelection::from(rows);
            selection = Some(match selection {
                Some(before) => before.intersection(&rows),
                None => rows,
            });
        }
        selection
    }

    fn may_be_on(&self, values: &ColumnIndexMetaData, page: usize) -> bool {
        match values {
            ColumnIndexMetaData::BYTE_ARRAY(texts) => {
                if page as u64 >= values.num_pages() {
                    return true;
                }
                if texts.is_null_page(page) {
                    return self.user.is_none();
                }
                self.may_be_user(texts.min_value(page), texts.max_value(page))
            }
            ColumnIndexMetaData::INT64(numbers) => {
                if page as u64 >= values.num_pages() {
                    return true;
                }
                self.may_be_time(
                    numbers.min_value(page).copied(),
                    numbers.max_value(page).copied(),
                )
            }
            _ => true,
        }
    }
}
