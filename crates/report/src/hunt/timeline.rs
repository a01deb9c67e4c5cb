//! The events as a timeline, one at a time: a table for people, CSV, JSON
//! lines, and the two forms that Timesketch imports.
//!
//! Columns are named as in the table of events, but for `timestamp`: a spreadsheet
//! takes `@timestamp` for a formula (`docs/decisions/hunt-outputs.md`).
//! Timesketch wants `message`, `datetime` (ISO 8601 with an offset) and
//! `timestamp_desc` in every row, reads `tag` as a list, and makes objects of
//! names with stops in them, so there they have underscores.

use std::collections::HashMap;
use std::io::{self, Write};

use jiff::Timestamp;
use retake_hunt::event::NO_TIME;
use retake_hunt::retrace::Whose;
use retake_hunt::{Event, HuntReport, Source};
use serde_json::{Map, Value, json};

use super::cell;
use super::layout::pad;
use crate::escape;

/// The form of a timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Columns of text, for reading.
    Table,
    /// One JSON object a line.
    JsonLines,
    /// Comma-separated, with a line of names.
    Csv,
    /// For Timesketch, one JSON object a line.
    TimesketchJsonLines,
    /// For Timesketch, comma-separated.
    TimesketchCsv,
}

/// Columns that are texts of the event; see [`Event::values`].
const COLUMNS: [&str; 24] = [
    "user.name",
    "event.dataset",
    "event.action",
    "event.outcome",
    "event.code",
    "event.reason",
    "source.ip",
    "source.as.number",
    "source.geo.country_iso_code",
    "source.geo.city_name",
    "user_agent.original",
    "m365.client",
    "m365.app.name",
    "m365.app.id",
    "m365.object",
    "m365.mailbox",
    "m365.folder",
    "email.sender.address",
    "email.to.address",
    "email.subject",
    "email.message_id",
    "m365.session_id",
    "m365.token_id",
    "event.id",
];

/// Parts of a value that is a list, in a cell.
const BETWEEN: &str = "; ";

/// Writes a timeline.
#[derive(Debug)]
pub struct Timeline<'a, W: Write> {
    out: Out<W>,
    form: Form,
    /// Record id → the detections that it raised.
    raised: HashMap<&'a str, Vec<&'a str>>,
    written: u64,
}

#[derive(Debug)]
enum Out<W: Write> {
    Plain(W),
    Csv(Box<csv::Writer<W>>),
}

impl<'a, W: Write> Timeline<'a, W> {
    /// Ready to write, the head written.
    pub fn new(out: W, form: Form, report: &'a HuntReport) -> io::Result<Self> {
        let mut raised: HashMap<&str, Vec<&str>> = HashMap::new();
        for finding in &report.findings {
            for id in &finding.events {
                let ids = raised.entry(id).or_default();
                if !ids.contains(&finding.detection.as_str()) {
                    ids.push(&finding.detection);
                }
            }
        }
        for ids in raised.values_mut() {
            ids.sort_unstable();
        }
        let out = match form {
            Form::Csv | Form::TimesketchCsv => Out::Csv(Box::new(
                csv::WriterBuilder::new()
                    .terminator(csv::Terminator::CRLF)
                    .from_writer(out),
            )),
            _ => Out::Plain(out),
        };
        let mut timeline = Self {
            out,
            form,
            raised,
            written: 0,
        };
        timeline.head()?;
        Ok(timeline)
    }

    /// Writes one event.
    pub fn put(&mut self, event: &Event, whose: Whose) -> io::Result<()> {
        let raised = self
            .raised
            .get(event.record_id.as_str())
            .map_or(&[][..], Vec::as_slice);
        self.written += 1;
        match (&mut self.out, self.form) {
            (Out::Csv(writer), form) => {
                let cells = cells(event, whose, raised, form == Form::TimesketchCsv);
                writer.write_record(cells).map_err(io::Error::other)
            }
            (Out::Plain(out), Form::Table) => writeln!(out, "{}", row(event, whose, raised)),
            (Out::Plain(out), form) => {
                let object = object(event, whose, raised, form == Form::TimesketchJsonLines);
                writeln!(out, "{}", escape::json(&object.to_string()))
            }
        }
    }

    /// Everything is written; gives back where to, and how many events.
    pub fn finish(self) -> io::Result<(W, u64)> {
        let mut out = match self.out {
            Out::Plain(out) => out,
            Out::Csv(writer) => writer
                .into_inner()
                .map_err(|error| io::Error::new(error.error().kind(), error.error().to_string()))?,
        };
        out.flush()?;
        Ok((out, self.written))
    }

    fn head(&mut self) -> io::Result<()> {
        match (&mut self.out, self.form) {
            (Out::Csv(writer), form) => {
                let timesketch = form == Form::TimesketchCsv;
                let mut names: Vec<String> = if timesketch {
                    ["message", "datetime", "timestamp_desc", "tag"]
                        .map(str::to_owned)
                        .to_vec()
                } else {
                    ["timestamp", "rule.id"].map(str::to_owned).to_vec()
                };
                names.extend(
                    ["retake.whose"]
                        .into_iter()
                        .chain(COLUMNS)
                        .chain(["retake.file", "retake.line"])
                        .map(|name| column(name, timesketch)),
                );
                writer.write_record(names).map_err(io::Error::other)
            }
            (Out::Plain(out), Form::Table) => writeln!(
                out,
                "{}  {}  {}  {}  {}  {}  {}  object, detections",
                pad("time (UTC)", 19),
                pad("whose", 11),
                pad("user", 30),
                pad("log", 16),
                pad("operation", 30),
                pad("outcome", 7),
                pad("address", 15),
            ),
            (Out::Plain(_), _) => Ok(()),
        }
    }
}

fn column(name: &str, timesketch: bool) -> String {
    if timesketch {
        name.replace('.', "_")
    } else {
        name.to_owned()
    }
}

fn cells(event: &Event, whose: Whose, raised: &[&str], timesketch: bool) -> Vec<String> {
    let mut cells = if timesketch {
        vec![
            cell::text(&message(event)),
            with_offset(event.time),
            timestamp_desc(event).to_owned(),
            json!(raised).to_string(),
        ]
    } else {
        let time = if event.time == NO_TIME {
            String::new()
        } else {
            event.time.to_string()
        };
        vec![time, raised.join(BETWEEN)]
    };
    cells.push(whose.name().to_owned());
    for name in COLUMNS {
        let values = event.values(name).unwrap_or_default();
        let joined = values
            .iter()
            .map(AsRef::as_ref)
            .collect::<Vec<&str>>()
            .join(BETWEEN);
        cells.push(cell::text(&joined));
    }
    cells.push(cell::text(&event.origin.input));
    cells.push(event.origin.line.to_string());
    cells
}

fn object(event: &Event, whose: Whose, raised: &[&str], timesketch: bool) -> Value {
    let mut object = Map::new();
    if timesketch {
        object.insert("message".to_owned(), json!(message(event)));
        object.insert("datetime".to_owned(), json!(with_offset(event.time)));
        object.insert("timestamp_desc".to_owned(), json!(timestamp_desc(event)));
        object.insert("tag".to_owned(), json!(raised));
    } else {
        let time = (event.time != NO_TIME).then(|| event.time.to_string());
        object.insert("timestamp".to_owned(), json!(time));
        object.insert("rule.id".to_owned(), json!(raised));
    }
    object.insert(column("retake.whose", timesketch), json!(whose.name()));
    for name in COLUMNS {
        let values = event.values(name).unwrap_or_default();
        let value = match values.as_slice() {
            [] => continue,
            [one] => match one.parse::<u32>() {
                Ok(number) if name == "source.as.number" => json!(number),
                _ => json!(one),
            },
            many => json!(many),
        };
        object.insert(column(name, timesketch), value);
    }
    object.insert(
        column("retake.file", timesketch),
        json!(&*event.origin.input),
    );
    object.insert(column("retake.line", timesketch), json!(event.origin.line));
    Value::Object(object)
}

fn row(event: &Event, whose: Whose, raised: &[&str]) -> String {
    let time = if event.time == NO_TIME {
        "-".to_owned()
    } else {
        event.time.strftime("%Y-%m-%d %H:%M:%S").to_string()
    };
    let shown = |text: &str, width: usize| pad(&escape::visible(text), width);
    let address = event
        .address
        .map_or_else(String::new, |address| address.to_string());
    let mut rest = event.object.as_deref().map_or_else(String::new, |object| {
        escape::visible_within(object, 120).into_owned()
    });
    if !raised.is_empty() {
        rest = format!("{rest} [{}]", raised.join(" "));
    }
    let outcome = event.values("event.outcome").unwrap_or_default();
    format!(
        "{}  {}  {}  {}  {}  {}  {}  {}",
        pad(&time, 19),
        pad(whose.name(), 11),
        shown(event.user.as_deref().unwrap_or("-"), 30),
        pad(event.source.name(), 16),
        shown(&event.operation, 30),
        pad(outcome.first().map_or("-", AsRef::as_ref), 7),
        pad(&address, 15),
        rest.trim()
    )
    .trim_end()
    .to_owned()
}

/// What happened, in one sentence.
fn message(event: &Event) -> String {
    let mut message = escape::visible(&event.operation).into_owned();
    if let Some(user) = &event.user {
        message = format!("{message} by {}", escape::visible(user));
    }
    if let Some(address) = event.address {
        message = format!("{message} from {address}");
    }
    if let Some(object) = event.object.as_deref().or(event.subject.as_deref()) {
        message = format!("{message}: {}", escape::visible(object));
    }
    if event.outcome == retake_hunt::event::Outcome::Failure {
        message.push_str(" (failed)");
    }
    message
}

/// ISO 8601 with an offset, to the microsecond where there are any. The time of
/// a state without one is 1970, and `timestamp_desc` says so.
fn with_offset(time: Timestamp) -> String {
    let form = if time.subsec_nanosecond() == 0 {
        "%Y-%m-%dT%H:%M:%S+00:00"
    } else {
        "%Y-%m-%dT%H:%M:%S.%6f+00:00"
    };
    time.strftime(form).to_string()
}

fn timestamp_desc(event: &Event) -> &'static str {
    match event.source {
        _ if event.time == NO_TIME => "No time in the record",
        _ if event.is_sign_in() => "Sign-in Time",
        Source::MessageTrace => "Message Received Time",
        Source::RiskDetections | Source::SecurityAlerts => "Detection Time",
        Source::Listing => "Creation Time",
        _ => "Event Time",
    }
}
