//! The columns that hold a map of texts: `parameter`, and a property's `old` and `new`
//! value, under the names that detections use as prefixes.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array as _, ArrayRef, AsArray as _, MapBuilder, MapFieldNames, RecordBatch, StringBuilder,
};
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::arrow::error::ArrowError;
use retake_hunt::Event;
use retake_hunt::event::Modified;

/// A column of maps.
pub(crate) struct Map {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    get: fn(&Event) -> Vec<(&str, &str)>,
    set: fn(&mut Event, String, String),
}

pub(crate) const MAPS: &[Map] = &[
    Map {
        name: "parameter",
        about: "Parameters of the act, by name",
        get: |event| {
            let pairs = event.parameters.iter();
            pairs
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect()
        },
        set: |event, name, value| {
            event.parameters.insert(name, value);
        },
    },
    Map {
        name: "old",
        about: "Properties that the act changed: the value before, by name",
        get: |event| {
            let pairs = event.modified.iter();
            pairs
                .map(|(name, value)| (name.as_str(), value.old.as_str()))
                .collect()
        },
        set: |event, name, value| property(event, name).old = value,
    },
    Map {
        name: "new",
        about: "Properties that the act changed: the value after, by name",
        get: |event| {
            let pairs = event.modified.iter();
            pairs
                .map(|(name, value)| (name.as_str(), value.new.as_str()))
                .collect()
        },
        set: |event, name, value| property(event, name).new = value,
    },
];

fn property(event: &mut Event, name: String) -> &mut Modified {
    event.modified.entry(name).or_default()
}

/// Text to text.
pub(crate) fn data_type() -> DataType {
    let pair = Fields::from(vec![
        Field::new("key", DataType::Utf8, false),
        Field::new("value", DataType::Utf8, true),
    ]);
    DataType::Map(
        Arc::new(Field::new("key_value", DataType::Struct(pair), false)),
        false,
    )
}

/// One such column.
pub(crate) fn array(column: &Map, events: &[Event]) -> Result<ArrayRef, ArrowError> {
    let names = MapFieldNames {
        entry: "key_value".to_owned(),
        key: "key".to_owned(),
        value: "value".to_owned(),
    };
    let mut maps = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
    for event in events {
        for (name, value) in (column.get)(event) {
            maps.keys().append_value(name);
            maps.values().append_value(value);
        }
        maps.append(true)?;
    }
    Ok(Arc::new(maps.finish()))
}

/// Puts what the maps hold back into the events.
pub(crate) fn fill(batch: &RecordBatch, events: &mut [Event]) -> Result<(), ArrowError> {
    for column in MAPS {
        let Some(array) = crate::columns::one(batch, column.name, &data_type())? else {
            continue;
        };
        let maps = array.as_map();
        let names = maps.keys().as_string::<i32>();
        let values = maps.values().as_string::<i32>();
        for (event, bounds) in events.iter_mut().zip(maps.value_offsets().windows(2)) {
            for item in crate::columns::items(bounds) {
                let value = if values.is_valid(item) {
                    values.value(item)
                } else {
                    ""
                };
                (column.set)(event, names.value(item).to_owned(), value.to_owned());
            }
        }
    }
    Ok(())
}
