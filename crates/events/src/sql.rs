//! Questions: SQL, read-only, with a bound on memory and on what is handed out.

use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::{col, lit};
use datafusion::prelude::{
    DataFrame, ParquetReadOptions, SQLOptions, SessionConfig, SessionContext,
};
use datafusion::scalar::ScalarValue;
use retake_hunt::Event;

use crate::columns::{TIME, USER, events};
use crate::table::{Table, TableError, Wanted};

/// The most rows that an answer holds.
pub const MAX_ROWS: usize = 100_000;

/// What a question may take up, in bytes; more is put on disk, or refused.
const MEMORY: usize = 256 << 20;

/// What a question is answered with: every value as text, `None` where there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The columns' names.
    pub columns: Vec<String>,
    /// The rows, each as long as `columns`.
    pub rows: Vec<Vec<Option<String>>>,
    /// There were more than [`MAX_ROWS`].
    pub cut: bool,
}

impl Table {
    /// Asks the table `events`. Nothing can be changed by it.
    ///
    /// Fails with [`TableError::Query`] when the question is not understood or would
    /// change something.
    pub fn sql(&self, question: &str) -> Result<Answer, TableError> {
        let options = SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false);
        run(async {
            let session = self.session().await?;
            let frame = session.sql_with_options(question, options).await?;
            let columns: Vec<String> = frame
                .schema()
                .fields()
                .iter()
                .map(|field| field.name().clone())
                .collect();
            let batches = frame.limit(0, Some(MAX_ROWS + 1))?.collect().await?;
            let mut rows = Vec::new();
            for batch in &batches {
                rows.extend(texts(batch)?);
            }
            let cut = rows.len() > MAX_ROWS;
            rows.truncate(MAX_ROWS);
            Ok(Answer { columns, rows, cut })
        })
    }

    /// The events that are wanted, by time, then source and record id.
    pub fn timeline(&self, wanted: &Wanted) -> Result<Vec<Event>, TableError> {
        let batches = run(async {
            let session = self.session().await?;
            let frame = narrowed(session.table("events").await?, wanted)?;
            Ok(frame.collect().await?)
        })?;
        let mut found = Vec::new();
        for batch in &batches {
            found.extend(events(batch)?);
        }
        found.sort_by(|a, b| {
            (a.time, a.source, &a.record_id).cmp(&(b.time, b.source, &b.record_id))
        });
        Ok(found)
    }

    async fn session(&self) -> Result<SessionContext, TableError> {
        let mut config = SessionConfig::new().with_target_partitions(2);
        // Names are as the columns are written: `User.Name` is not `user.name`.
        config.options_mut().execution.parquet.pushdown_filters = true;
        config.options_mut().execution.parquet.reorder_filters = true;
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_limit(MEMORY, 1.0)
            .build_arc()?;
        let session = SessionContext::new_with_config_rt(config, runtime);
        let directory = self.directory().to_string_lossy();
        session
            .register_parquet(
                "events",
                format!("{directory}/"),
                ParquetReadOptions::default(),
            )
            .await?;
        Ok(session)
    }
}

fn narrowed(mut frame: DataFrame, wanted: &Wanted) -> Result<DataFrame, TableError> {
    // A dot is part of the name, not a way into something.
    let column = |name: &str| col(format!("\"{name}\""));
    let moment = |time: jiff::Timestamp| {
        lit(ScalarValue::TimestampMicrosecond(
            Some(time.as_microsecond()),
            Some(Arc::from("UTC")),
        ))
    };
    if let Some(user) = &wanted.user {
        frame = frame.filter(column(USER).eq(lit(user.to_lowercase())))?;
    }
    if let Some(from) = wanted.from {
        frame = frame.filter(column(TIME).gt_eq(moment(from)))?;
    }
    if let Some(to) = wanted.to {
        frame = frame.filter(column(TIME).lt(moment(to)))?;
    }
    Ok(frame)
}

/// Rows as text; an unpaired or control character stays what it is, the exits escape.
fn texts(batch: &RecordBatch) -> Result<Vec<Vec<Option<String>>>, TableError> {
    let mut rows = vec![Vec::with_capacity(batch.num_columns()); batch.num_rows()];
    let options = FormatOptions::default();
    for array in batch.columns() {
        if let Ok(strings) = cast(array, &DataType::Utf8)
            && let Some(strings) = strings.as_any().downcast_ref::<StringArray>()
        {
            for (row, text) in rows.iter_mut().zip(strings) {
                row.push(text.map(str::to_owned));
            }
            continue;
        }
        let formatter = ArrayFormatter::try_new(array, &options)?;
        for (index, row) in rows.iter_mut().enumerate() {
            row.push((!array.is_null(index)).then(|| formatter.value(index).to_string()));
        }
    }
    Ok(rows)
}

/// The engine is asynchronous; its door is not.
fn run<T>(work: impl Future<Output = Result<T, TableError>>) -> Result<T, TableError> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .map_err(|error| TableError::Query(format!("no threads could be started: {error}")))?
        .block_on(work)
}
