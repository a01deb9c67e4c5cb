//! The columns: what an event has, by the names of `retake_hunt::event`.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray as _, BooleanArray, Float64Array, ListArray, ListBuilder, RecordBatch,
    StringArray, StringBuilder, TimestampMicrosecondArray, UInt32Array, UInt64Array,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, Field, Float64Type, Schema, SchemaRef, TimeUnit, TimestampMicrosecondType,
    UInt32Type, UInt64Type,
};
use datafusion::arrow::error::ArrowError;
use jiff::Timestamp;
use retake_hunt::event::{MailAccess, Mfa, Outcome};
use retake_hunt::{Event, Source};

use crate::maps::{self, MAPS};

/// When it happened, UTC, to the microsecond; the original record has the rest.
pub(crate) const TIME: &str = "@timestamp";
/// Who did it.
pub(crate) const USER: &str = "user.name";
/// The record's own id.
pub(crate) const ID: &str = "event.id";
/// The record as it was read.
pub(crate) const ORIGINAL: &str = "event.original";

/// Every column of the table, in its order.
pub fn column_names() -> Vec<String> {
    let fields = schema().fields().clone();
    fields.iter().map(|field| field.name().clone()).collect()
}

/// The columns and their types.
pub(crate) fn schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let mut fields = vec![Field::new(
            TIME,
            DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            false,
        )];
        fields.extend(TEXTS.iter().map(|column| {
            let always = matches!(
                column.name,
                ID | ORIGINAL
                    | "event.dataset"
                    | "event.action"
                    | "event.kind"
                    | "event.outcome"
                    | "m365.mfa"
            );
            Field::new(column.name, DataType::Utf8, !always)
        }));
        fields.extend(LISTS.iter().map(|column| {
            let item = Arc::new(Field::new_list_field(DataType::Utf8, true));
            Field::new(column.name, DataType::List(item), false)
        }));
        fields.extend([
            Field::new("source.as.number", DataType::UInt32, true),
            Field::new("source.geo.location.lat", DataType::Float64, true),
            Field::new("source.geo.location.lon", DataType::Float64, true),
            Field::new("m365.interactive", DataType::Boolean, true),
            Field::new("m365.device.managed", DataType::Boolean, true),
            Field::new("m365.throttled", DataType::Boolean, false),
            Field::new("log.offset", DataType::UInt64, false),
        ]);
        fields.extend(
            MAPS.iter()
                .map(|column| Field::new(column.name, maps::data_type(), false)),
        );
        Arc::new(Schema::new(fields))
    });
    Arc::clone(&SCHEMA)
}

/// Events as columns.
pub(crate) fn batch(events: &[Event]) -> Result<RecordBatch, ArrowError> {
    let times: TimestampMicrosecondArray = events
        .iter()
        .map(|event| Some(event.time.as_microsecond()))
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
    arrays.extend([
        Arc::new(numbers) as ArrayRef,
        Arc::new(latitudes),
        Arc::new(longitudes),
        Arc::new(interactive),
        Arc::new(managed),
        Arc::new(throttled),
        Arc::new(lines),
    ]);
    for column in MAPS {
        arrays.push(maps::array(column, events)?);
    }
    RecordBatch::try_new(schema(), arrays)
}

/// Columns as events again. Columns that are not there stay empty: a table of an
/// earlier release has fewer.
pub(crate) fn events(batch: &RecordBatch) -> Result<Vec<Event>, ArrowError> {
    let times = one(
        batch,
        TIME,
        &DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
    )?
    .ok_or_else(|| ArrowError::SchemaError(format!("there is no column {TIME}")))?;
    let times = times.as_primitive::<TimestampMicrosecondType>();
    let mut events = Vec::with_capacity(batch.num_rows());
    for row in 0..batch.num_rows() {
        let time = Timestamp::from_microsecond(times.value(row))
            .map_err(|error| ArrowError::CastError(format!("{TIME}: {error}")))?;
        events.push(Event::new(Source::Ual, time, "", ""));
    }
    for column in TEXTS {
        let Some(array) = one(batch, column.name, &DataType::Utf8)? else {
            continue;
        };
        let texts = array.as_string::<i32>();
        for (event, text) in events.iter_mut().zip(texts) {
            if let Some(text) = text {
                (column.set)(event, text.to_owned());
            }
        }
    }
    for column in LISTS {
        let item = Arc::new(Field::new_list_field(DataType::Utf8, true));
        let Some(array) = one(batch, column.name, &DataType::List(item))? else {
            continue;
        };
        let lists = array.as_list::<i32>();
        for (event, list) in events.iter_mut().zip(rows_of(lists)) {
            (column.set)(event, list);
        }
    }
    if let Some(array) = one(batch, "source.as.number", &DataType::UInt32)? {
        for (event, number) in events.iter_mut().zip(array.as_primitive::<UInt32Type>()) {
            event.network = number;
        }
    }
    let at = (
        one(batch, "source.geo.location.lat", &DataType::Float64)?,
        one(batch, "source.geo.location.lon", &DataType::Float64)?,
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
    if let Some(array) = one(batch, "m365.interactive", &DataType::Boolean)? {
        for (event, value) in events.iter_mut().zip(array.as_boolean()) {
            event.interactive = value;
        }
    }
    if let Some(array) = one(batch, "m365.device.managed", &DataType::Boolean)? {
        for (event, value) in events.iter_mut().zip(array.as_boolean()) {
            event.device.managed = value;
        }
    }
    if let Some(array) = one(batch, "m365.throttled", &DataType::Boolean)? {
        for (event, value) in events.iter_mut().zip(array.as_boolean()) {
            event.throttled = value.unwrap_or_default();
        }
    }
    if let Some(array) = one(batch, "log.offset", &DataType::UInt64)? {
        for (event, line) in events.iter_mut().zip(array.as_primitive::<UInt64Type>()) {
            event.origin.line = line.unwrap_or_default();
        }
    }
    maps::fill(batch, &mut events)?;
    Ok(events)
}

/// One column as this type; the engine may hand it out in another of the same meaning.
pub(crate) fn one(
    batch: &RecordBatch,
    name: &str,
    data_type: &DataType,
) -> Result<Option<ArrayRef>, ArrowError> {
    batch
        .column_by_name(name)
        .map(|array| cast(array, data_type))
        .transpose()
}

/// The texts of every row of a column of lists.
pub(crate) fn rows_of(lists: &ListArray) -> impl Iterator<Item = Vec<String>> + '_ {
    lists.iter().map(|list| {
        let Some(list) = list else { return Vec::new() };
        let texts = list.as_string::<i32>();
        texts.iter().flatten().map(str::to_owned).collect()
    })
}

/// A column with one text, or none.
struct Text {
    name: &'static str,
    get: fn(&Event) -> Option<Cow<'_, str>>,
    set: fn(&mut Event, String),
}

/// A column with any number of texts.
struct Texts {
    name: &'static str,
    get: fn(&Event) -> Vec<&str>,
    set: fn(&mut Event, Vec<String>),
}

macro_rules! text {
    ($name:expr, $($field:ident).+) => {
        Text {
            name: $name,
            get: |event| event.$($field).+.as_deref().map(Cow::Borrowed),
            set: |event, text| event.$($field).+ = Some(text),
        }
    };
}

const TEXTS: &[Text] = &[
    Text {
        name: ID,
        get: |event| Some(Cow::Borrowed(&event.record_id)),
        set: |event, text| event.record_id = text,
    },
    Text {
        name: "event.dataset",
        get: |event| Some(Cow::Borrowed(event.source.name())),
        set: |event, text| {
            if let Some(source) = Source::ALL.into_iter().find(|source| source.name() == text) {
                event.source = source;
            }
        },
    },
    Text {
        name: "event.kind",
        get: |event| {
            Some(Cow::Borrowed(if event.is_sign_in() {
                "sign_in"
            } else {
                "change"
            }))
        },
        // It follows from the source and the operation.
        set: |_, _| {},
    },
    Text {
        name: "event.action",
        get: |event| Some(Cow::Borrowed(&event.operation)),
        set: |event, text| event.operation = text,
    },
    text!("event.provider", workload),
    Text {
        name: "event.outcome",
        get: |event| {
            Some(Cow::Borrowed(match event.outcome {
                Outcome::Success => "success",
                Outcome::Failure => "failure",
                Outcome::Unknown => "unknown",
            }))
        },
        set: |event, text| {
            event.outcome = match text.as_str() {
                "success" => Outcome::Success,
                "failure" => Outcome::Failure,
                _ => Outcome::Unknown,
            };
        },
    },
    text!("event.code", error_code),
    text!("event.reason", reason),
    text!("organization.id", tenant_id),
    text!(USER, user),
    text!("user.id", user_id),
    text!("user.type", user_type),
    Text {
        name: "source.ip",
        get: |event| event.address.map(|address| Cow::Owned(address.to_string())),
        set: |event, text| event.address = text.parse::<IpAddr>().ok(),
    },
    text!("source.geo.country_iso_code", place.country),
    text!("source.geo.region_name", place.state),
    text!("source.geo.city_name", place.city),
    text!("user_agent.original", user_agent),
    text!("device.id", device.id),
    text!("device.name", device.name),
    text!("m365.device.os", device.os),
    text!("m365.device.browser", device.browser),
    text!("m365.device.trust", device.trust),
    text!("email.sender.address", sender),
    text!("email.subject", subject),
    text!("m365.record_type", record_type),
    text!("m365.client", client),
    text!("m365.app.id", app_id),
    text!("m365.app.name", app_name),
    text!("m365.resource.id", resource_id),
    text!("m365.resource.name", resource_name),
    text!("m365.session_id", session_id),
    text!("m365.service_session_id", service_session_id),
    text!("m365.token_id", token_id),
    text!("m365.correlation_id", correlation_id),
    text!("m365.protocol", protocol),
    text!("m365.transfer", transfer),
    text!("m365.incoming_token", incoming_token),
    Text {
        name: "m365.mfa",
        get: |event| {
            Some(Cow::Borrowed(match event.mfa {
                Mfa::Given => "given",
                Mfa::Claim => "claim",
                Mfa::Missing => "missing",
                Mfa::NotRequired => "not_required",
                Mfa::Unknown => "unknown",
            }))
        },
        set: |event, text| {
            event.mfa = match text.as_str() {
                "given" => Mfa::Given,
                "claim" => Mfa::Claim,
                "missing" => Mfa::Missing,
                "not_required" => Mfa::NotRequired,
                _ => Mfa::Unknown,
            };
        },
    },
    text!("m365.conditional_access", conditional_access),
    text!("m365.risk", risk),
    text!("m365.object", object),
    text!("m365.mailbox", mailbox),
    text!("m365.logon_type", logon_type),
    text!("m365.folder", folder),
    Text {
        name: "m365.mail_access",
        get: |event| {
            event.mail_access.map(|access| {
                Cow::Borrowed(match access {
                    MailAccess::Bind => "bind",
                    MailAccess::Sync => "sync",
                })
            })
        },
        set: |event, text| {
            event.mail_access = match text.as_str() {
                "bind" => Some(MailAccess::Bind),
                "sync" => Some(MailAccess::Sync),
                _ => None,
            };
        },
    },
    Text {
        name: "m365.targets",
        get: |event| as_json(&event.targets),
        set: |event, text| event.targets = serde_json::from_str(&text).unwrap_or_default(),
    },
    Text {
        name: "m365.folders",
        get: |event| as_json(&event.folders),
        set: |event, text| event.folders = serde_json::from_str(&text).unwrap_or_default(),
    },
    Text {
        name: "log.file.path",
        get: |event| Some(Cow::Borrowed(&event.origin.input)),
        set: |event, text| event.origin.input = text.into(),
    },
    Text {
        name: ORIGINAL,
        get: |event| Some(Cow::Borrowed(&event.original)),
        set: |event, text| event.original = text.into(),
    },
];

const LISTS: &[Texts] = &[
    Texts {
        name: "email.to.address",
        get: |event| borrowed(&event.recipients),
        set: |event, texts| event.recipients = texts,
    },
    Texts {
        name: "email.message_id",
        get: |event| borrowed(&event.message_ids),
        set: |event, texts| event.message_ids = texts,
    },
    Texts {
        name: "m365.risk_types",
        get: |event| borrowed(&event.risk_types),
        set: |event, texts| event.risk_types = texts,
    },
    // What `m365.targets` holds whole, so that it can be asked for.
    Texts {
        name: "user.target.name",
        get: |event| {
            event
                .targets
                .iter()
                .filter_map(|target| target.upn.as_deref())
                .collect()
        },
        set: |_, _| {},
    },
    Texts {
        name: "m365.target.name",
        get: |event| {
            event
                .targets
                .iter()
                .filter_map(|target| target.name.as_deref())
                .collect()
        },
        set: |_, _| {},
    },
    Texts {
        name: "m365.target.id",
        get: |event| {
            event
                .targets
                .iter()
                .filter_map(|target| target.id.as_deref())
                .collect()
        },
        set: |_, _| {},
    },
];

/// A list of things with parts of their own, as JSON text; nothing where it is empty.
fn as_json<T: serde::Serialize>(items: &[T]) -> Option<Cow<'_, str>> {
    (!items.is_empty())
        .then(|| serde_json::to_string(items).ok().map(Cow::Owned))
        .flatten()
}

fn borrowed(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}
