//! Questions: SQL, read-only, with a bound on memory and on what is handed out.

use std::fs::File;
use std::sync::Arc;
use std::thread;

use datafusion::arrow::array::{Array, AsArray as _, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type, UInt64Type};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{ParquetReadOptions, SQLOptions, SessionConfig, SessionContext};
use futures_util::StreamExt as _;
use serde_json::{Map, Value};
use url::Url;

use crate::read::load;
use crate::table::{Table, TableError};

/// The most rows that an answer holds.
pub const MAX_ROWS: usize = 100_000;

/// The most bytes that an answer holds, about.
pub const MAX_BYTES: usize = 64 << 20;

/// What a question may take up, in bytes; more is put on disk, or refused.
const MEMORY: usize = 256 << 20;

/// The longest question, in bytes.
const MAX_QUESTION: usize = 16 << 10;

/// Deep expressions are walked by recursion.
const STACK: usize = 64 << 20;

/// What a question is answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The columns' names.
    pub columns: Vec<String>,
    /// The rows, each as long as `columns`: texts, numbers, truth values, `null`; a list as
    /// an array, a map as an object; a time as text (RFC 3339).
    pub rows: Vec<Vec<Value>>,
    /// There were more than [`MAX_ROWS`], or more than [`MAX_BYTES`] of them.
    pub cut: bool,
}

impl Table {
    /// Asks the table `events`. Nothing can be changed by it, and no other file be read.
    ///
    /// # Errors
    ///
    /// [`TableError::Query`] when the question is not understood, would change something,
    /// or needs more memory than there is for it.
    pub fn sql(&self, question: &str) -> Result<Answer, TableError> {
        if question.len() > MAX_QUESTION {
            return Err(TableError::Query(format!(
                "the question has {} bytes, {MAX_QUESTION} are the most",
                question.len()
            )));
        }
        thread::scope(|scope| {
            let asking = thread::Builder::new()
                .name("sql".to_owned())
                .stack_size(STACK)
                .spawn_scoped(scope, || ask(self, question));
            asking
                .map_err(|error| TableError::Thread(format!("no thread could start: {error}")))?
                .join()
                .unwrap_or_else(|_| Err(TableError::Thread("the query engine failed".to_owned())))
        })
    }
}

/// The engine is asynchronous; its door is not.
fn ask(table: &Table, question: &str) -> Result<Answer, TableError> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_stack_size(STACK)
        .enable_time()
        .build()
        .map_err(|error| TableError::Thread(format!("no thread could start: {error}")))?
        .block_on(answer(table, question))
}

async fn answer(table: &Table, question: &str) -> Result<Answer, TableError> {
    let options = SQLOptions::new()
        .with_allow_ddl(false)
        .with_allow_dml(false)
        .with_allow_statements(false);
    let session = session(table).await?;
    let frame = session.sql_with_options(question, options).await?;
    let columns = frame
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect();
    let mut stream = frame.execute_stream().await?;
    let mut answer = Answer {
        columns,
        rows: Vec::new(),
        cut: false,
    };
    let mut bytes = 0;
    while let Some(batch) = stream.next().await {
        for row in rows(&batch?)? {
            bytes += row.iter().map(size).sum::<usize>();
            if answer.rows.len() == MAX_ROWS || bytes > MAX_BYTES {
                answer.cut = true;
                return Ok(answer);
            }
            answer.rows.push(row);
        }
    }
    Ok(answer)
}

async fn session(table: &Table) -> Result<SessionContext, TableError> {
    // The engine passes over a file of no bytes as if it had no rows.
    for path in table.files()? {
        let file = File::open(&path).map_err(TableError::file(&path))?;
        load(&path, &file)?;
    }
    let mut config = SessionConfig::new().with_target_partitions(2);
    let parquet = &mut config.options_mut().execution.parquet;
    parquet.pushdown_filters = true;
    parquet.reorder_filters = true;
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(FairSpillPool::new(MEMORY)))
        .build_arc()?;
    let session = SessionContext::new_with_config_rt(config, runtime);
    // As an address: a path's brackets and stars would be taken for a pattern.
    let directory = table.directory();
    let absolute = std::path::absolute(directory).map_err(TableError::file(directory))?;
    let address = Url::from_directory_path(absolute)
        .map_err(|()| TableError::NoTable(directory.to_owned()))?;
    let parquet = ParquetReadOptions::default();
    session
        .register_parquet("events", address.as_str(), parquet)
        .await?;
    Ok(session)
}

/// About what a value takes up.
fn size(value: &Value) -> usize {
    let inside = match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(pairs) => pairs
            .iter()
            .map(|(name, value)| name.len() + size(value))
            .sum(),
        _ => 0,
    };
    size_of::<Value>() + inside
}

fn rows(batch: &RecordBatch) -> Result<Vec<Vec<Value>>, TableError> {
    let mut rows = vec![Vec::with_capacity(batch.num_columns()); batch.num_rows()];
    for array in batch.columns() {
        let values = values(array).map_err(|error| TableError::Query(error.to_string()))?;
        for (row, value) in rows.iter_mut().zip(values) {
            row.push(value);
        }
    }
    Ok(rows)
}

/// What one column holds, row by row.
fn values(array: &dyn Array) -> Result<Vec<Value>, ArrowError> {
    let number = |number: Option<f64>| match number {
        Some(number) => serde_json::Number::from_f64(number)
            .map_or_else(|| Value::String(number.to_string()), Value::Number),
        None => Value::Null,
    };
    Ok(match array.data_type() {
        DataType::Null => vec![Value::Null; array.len()],
        DataType::Boolean => array.as_boolean().iter().map(Value::from).collect(),
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => {
            let array = cast(array, &DataType::Int64)?;
            let numbers = array.as_primitive::<Int64Type>();
            numbers.iter().map(Value::from).collect()
        }
        DataType::UInt8 | DataType::UInt16 | DataType::UInt32 | DataType::UInt64 => {
            let array = cast(array, &DataType::UInt64)?;
            let numbers = array.as_primitive::<UInt64Type>();
            numbers.iter().map(Value::from).collect()
        }
        DataType::Float16 | DataType::Float32 | DataType::Float64 => {
            let array = cast(array, &DataType::Float64)?;
            array
                .as_primitive::<Float64Type>()
                .iter()
                .map(number)
                .collect()
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(_, _) => {
            let array = cast(array, &DataType::Utf8)?;
            array.as_string::<i32>().iter().map(Value::from).collect()
        }
        DataType::List(_) => nested(array.as_list::<i32>().iter(), Value::Array)?,
        DataType::LargeList(_) => nested(array.as_list::<i64>().iter(), Value::Array)?,
        DataType::Map(_, _) => {
            let maps = array.as_map();
            let mut found = Vec::with_capacity(maps.len());
            for row in 0..maps.len() {
                if maps.is_null(row) {
                    found.push(Value::Null);
                    continue;
                }
                let pairs = maps.value(row);
                let names = values(pairs.column(0))?;
                let held = values(pairs.column(1))?;
                let names = names.into_iter().map(|name| match name {
                    Value::String(name) => name,
                    other => other.to_string(),
                });
                found.push(Value::Object(names.zip(held).collect()));
            }
            found
        }
        DataType::Struct(fields) => {
            let parts = array.as_struct();
            let mut found = vec![Map::new(); array.len()];
            for (field, part) in fields.iter().zip(parts.columns()) {
                for (object, value) in found.iter_mut().zip(values(part)?) {
                    object.insert(field.name().clone(), value);
                }
            }
            found.into_iter().map(Value::Object).collect()
        }
        _ => {
            let options = FormatOptions::default();
            let formatter = ArrayFormatter::try_new(array, &options)?;
            let text = |row: usize| (!array.is_null(row)).then(|| formatter.value(row).to_string());
            (0..array.len()).map(|row| Value::from(text(row))).collect()
        }
    })
}

fn nested(
    lists: impl Iterator<Item = Option<Arc<dyn Array>>>,
    whole: fn(Vec<Value>) -> Value,
) -> Result<Vec<Value>, ArrowError> {
    lists
        .map(|list| match list {
            Some(list) => values(&list).map(whole),
            None => Ok(Value::Null),
        })
        .collect()
}
