//! The columns: what an event has, by the names of `retake_hunt::event`.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, ListArray, ListBuilder, RecordBatch,
    StringArray, StringBuilder, TimestampMicrosecondArray, UInt32Array, UInt64Array,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, Field, Float64Type, Schema, SchemaRef, TimeUnit, TimestampMicrosecondType,
    UInt32Type, UInt64Type,
};
use datafusion::arrow::error::ArrowError;
use jiff::Timestamp;
use retake_hunt::{Event, Source};

use crate::maps::{self, MAPS};
use crate::texts::{LISTS, TEXTS, Values};

/// When it happened, UTC, to the microsecond.
pub(crate) const TIME: &str = "@timestamp";
/// What the log says of the time beyond the microsecond.
const BEYOND: &str = "m365.nanoseconds";
/// Who did it.
pub(crate) const USER: &str = "user.name";
/// The record's own id.
pub(crate) const ID: &str = "event.id";
/// The record as it was read.
pub(crate) const ORIGINAL: &str = "event.original";

const NETWORK: &str = "source.as.number";
const LATITUDE: &str = "source.geo.location.lat";
const LONGITUDE: &str = "source.geo.location.lon";
const INTERACTIVE: &str = "m365.interactive";
const MANAGED: &str = "m365.device.managed";
const THROTTLED: &str = "m365.throttled";
const LINE: &str = "log.offset";

/// The columns that are neither text nor map.
const PLAIN: [(&str, &str, &str); 9] = [
    (
        TIME,
        "time",
        "When it happened, UTC, to the microsecond; 1970-01-01 where the record does not say",
    ),
    (
        BEYOND,
        "number",
        "What the log says of the time beyond that microsecond",
    ),
    (
        NETWORK,
        "number",
        "Autonomous system of the address, when the log says it",
    ),
    (LATITUDE, "number", "Latitude in degrees, likewise"),
    (LONGITUDE, "number", "Longitude in degrees, likewise"),
    (
        INTERACTIVE,
        "truth",
        "A person was there; nothing where the log does not tell",
    ),
    (
        MANAGED,
        "truth",
        "The device is managed or compliant, when the log says so",
    ),
    (
        THROTTLED,
        "truth",
        "Mail access audit was throttled: assume that everything was read",
    ),
    (LINE, "number", "Line of the record's first byte, from 1"),
];

/// One column of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name, to be written in double quotes in SQL.
    pub name: String,
    /// `text`, `texts` (a list), `number`, `truth`, `time`, or `map` (text to text).
    pub kind: &'static str,
    /// What it holds.
    pub about: &'static str,
}

/// Every column of the table, in its order.
pub fn columns() -> Vec<Column> {
    let fields = schema().fields().clone();
    let told = fields.iter().map(|field| {
        let name = field.name();
        let text = TEXTS.iter().find(|column| column.name == name);
        let list = LISTS.iter().find(|column| column.name == name);
        let map = MAPS.iter().find(|column| column.name == name);
        let plain = PLAIN.iter().find(|column| column.0 == name);
        let (kind, about) = text
            .map(|column| ("text", column.about))
            .or(list.map(|column| ("texts", column.about)))
            .or(map.map(|column| ("map", column.about)))
            .or(plain.map(|column| (column.1, column.2)))
            .unwrap_or_default();
        Column {
            name: name.clone(),
            kind,
            about,
        }
    });
    told.collect()
}

/// Every column's name, in their order.
pub fn column_names() -> Vec<String> {
    let fields = schema().fields().clone();
    fields.iter().map(|field| field.name().clone()).collect()
}

/// The columns and their types.
pub(crate) fn schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let mut fields = vec![Field::new(TIME, time_type(), false)];
        fields.extend(TEXTS.iter().map(|column| {
            let always = column.values == Values::Always || matches!(column.name, ID | ORIGINAL);
            Field::new(column.name, DataType::Utf8, !always)
        }));
        fields.extend(
            LISTS
                .iter()
                .map(|column| Field::new(column.name, list_type(), false)),
        );
        fields.extend([
            Field::new(NETWORK, DataType::UInt32, true),
            Field::new(LATITUDE, DataType::Float64, true),
            Field::new(LONGITUDE, DataType::Float64, true),
            Field::new(INTERACTIVE, DataType::Boolean, true),
            Field::new(MANAGED, DataType::Boolean, true),
            Field::new(THROTTLED, DataType::Boolean, false),
            Field::new(LINE, DataType::UInt64, false),
            Field::new(BEYOND, DataType::UInt32, true),
        ]);
        fields.extend(
            MAPS.iter()
                .map(|column| Field::new(column.name, maps::data_type(), false)),
        );
        Arc::new(Schema::new(fields))
    });
    Arc::clone(&SCHEMA)
}

fn time_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

fn list_type() -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true)))
}

/// A moment as the table writes it: microseconds since 1970, and the nanoseconds beyond.
pub(crate) fn parts(time: Timestamp) -> (i64, u32) {
    let nanoseconds = time.as_nanosecond();
    // Both fit: the calendar ends with the year 9999.
    (
        nanoseconds.div_euclid(1_000) as i64,
        nanoseconds.rem_euclid(1_000) as u32,
    )
}

/// Events as columns.
pub(crate) fn batch(events: &[Event]) -> Result<RecordBatch, ArrowError> {
    let times: TimestampMicrosecondArray = events
        .iter()
        .map(|event| Some(parts(event.time).0))
        .collect();
    let mut arrays: Vec<ArrayRef> = vec![Arc::new(times.with_timezone("UTC"))];
    for column in TEXTS {
        let texts: StringArray = events.iter().map(|event| (column.get)(event)).collect();
        arrays.push(Arc::new(texts));
    }
    for column in LISTS {
        let mut lists = ListBuilder::new(StringBuilder::new());
        for event in events {
            for text in (column.get)(event) {
                lists.values().append_value(text);
            }
            lists.append(true);
        }
        arrays.push(Arc::new(lists.finish()));
    }
    let numbers: UInt32Array = events.iter().map(|event| event.network).collect();
    let latitudes: Float64Array = events
        .iter()
        .map(|event| event.place.coordinates.map(|at| at.0))
        .collect();
    let longitudes: Float64Array = events
        .iter()
        .map(|event| event.place.coordinates.map(|at| at.1))
        .collect();
    let interactive: BooleanArray = events.iter().map(|event| event.interactive).collect();
    let managed: BooleanArray = events.iter().map(|event| event.device.managed).collect();
    let throttled: BooleanArray = events.iter().map(|event| Some(event.throttled)).collect();
    let lines: UInt64Array = events.iter().map(|event| Some(event.origin.line)).collect();
    let beyond: UInt32Array = events
        .iter()
        .map(|event| Some(parts(event.time).1).filter(|nanoseconds| *nanoseconds > 0))
        .collect();
    arrays.extend([
        Arc::new(numbers) as ArrayRef,
        Arc::new(latitudes),
        Arc::new(longitudes),
        Arc::new(interactive),
        Arc::new(managed),
        Arc::new(throttled),
        Arc::new(lines),
        Arc::new(beyond),
    ]);
    for column in MAPS {
        arrays.push(maps::array(column, events)?);
    }
    RecordBatch::try_new(schema(), arrays)
}

/// Columns as events again. Columns that are not there stay empty: a table of an
/// earlier release has fewer.
pub(crate) fn events(batch: &RecordBatch) -> Result<Vec<Event>, ArrowError> {
    let times = one(batch, TIME, &time_type())?
        .ok_or_else(|| ArrowError::SchemaError(format!("there is no column {TIME}")))?;
    let times = times.as_primitive::<TimestampMicrosecondType>();
    let beyond = one(batch, BEYOND, &DataType::UInt32)?;
    let beyond = beyond.as_ref().map(AsArray::as_primitive::<UInt32Type>);
    let mut events = Vec::with_capacity(batch.num_rows());
    for (row, time) in times.iter().enumerate() {
        let beyond = beyond.map_or(0, |array| {
            if array.is_null(row) {
                0
            } else {
                array.value(row)
            }
        });
        let nanoseconds = i128::from(time.unwrap_or_default()) * 1_000 + i128::from(beyond);
        let time = Timestamp::from_nanosecond(nanoseconds)
            .map_err(|error| ArrowError::CastError(format!("{TIME}: {error}")))?;
        events.push(Event::new(Source::Ual, time, "", ""));
    }
    for column in TEXTS {
        let Some(array) = one(batch, column.name, &DataType::Utf8)? else {
            continue;
        };
        let texts = array.as_string::<i32>();
        for (event, text) in events.iter_mut().zip(texts) {
            let Some(text) = text else { continue };
            if !(column.set)(event, text.to_owned()) {
                return Err(ArrowError::CastError(format!(
                    "{}: {text:?} is no value of this column",
                    column.name
                )));
            }
        }
    }
    for column in LISTS {
        let Some(array) = one(batch, column.name, &list_type())? else {
            continue;
        };
        let lists = array.as_list::<i32>();
        for (event, list) in events.iter_mut().zip(rows_of(lists)) {
            (column.set)(event, list);
        }
    }
    fill(batch, &mut events)?;
    maps::fill(batch, &mut events)?;
    Ok(events)
}

/// The columns that are neither text nor map.
fn fill(batch: &RecordBatch, events: &mut [Event]) -> Result<(), ArrowError> {
    if let Some(array) = one(batch, NETWORK, &DataType::UInt32)? {
        for (event, number) in events.iter_mut().zip(array.as_primitive::<UInt32Type>()) {
            event.network = number;
        }
    }
    let at = (
        one(batch, LATITUDE, &DataType::Float64)?,
        one(batch, LONGITUDE, &DataType::Float64)?,
    );
    if let (Some(latitudes), Some(longitudes)) = at {
        let pairs = latitudes
            .as_primitive::<Float64Type>()
            .iter()
            .zip(longitudes.as_primitive::<Float64Type>().iter());
        for (event, pair) in events.iter_mut().zip(pairs) {
            event.place.coordinates = pair.0.zip(pair.1);
        }
    }
    if let Some(array) = one(batch, INTERACTIVE, &DataType::Boolean)? {
        for (event, value) in events.iter_mut().zip(array.as_boolean()) {
            event.interactive = value;
        }
    }
    if let Some(array) = one(batch, MANAGED, &DataType::Boolean)? {
        for (event, value) in events.iter_mut().zip(array.as_boolean()) {
            event.device.managed = value;
        }
    }
    if let Some(array) = one(batch, THROTTLED, &DataType::Boolean)? {
        for (event, value) in events.iter_mut().zip(array.as_boolean()) {
            event.throttled = value.unwrap_or_default();
        }
    }
    if let Some(array) = one(batch, LINE, &DataType::UInt64)? {
        for (event, line) in events.iter_mut().zip(array.as_primitive::<UInt64Type>()) {
            event.origin.line = line.unwrap_or_default();
        }
    }
    Ok(())
}

/// One column as this type; the engine may hand it out in another of the same meaning.
pub(crate) fn one(
    batch: &RecordBatch,
    name: &str,
    data_type: &DataType,
) -> Result<Option<ArrayRef>, ArrowError> {
    batch
        .column_by_name(name)
        .map(|array| {
            if array.data_type() == data_type {
                Ok(Arc::clone(array))
            } else {
                cast(array, data_type)
            }
        })
        .transpose()
}

/// The texts of every row of a column of lists.
fn rows_of(lists: &ListArray) -> impl Iterator<Item = Vec<String>> + '_ {
    let texts = lists.values().as_string::<i32>();
    lists.value_offsets().windows(2).map(|bounds| {
        items(bounds)
            .filter(|item| texts.is_valid(*item))
            .map(|item| texts.value(item).to_owned())
            .collect()
    })
}

/// What lies between two neighbouring offsets of a list or map.
pub(crate) fn items(bounds: &[i32]) -> std::ops::Range<usize> {
    let at = |index: usize| bounds.get(index).map_or(0, |offset| *offset as usize);
    at(0)..at(1)
}
