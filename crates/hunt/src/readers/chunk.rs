//! What is cut out of a stream, and how it becomes events.
//!
//! Cutting finds where records begin and end, in order, by one thread; what a
//! record says is found chunk by chunk, by as many threads as there are.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::csv_records::{self, Header};
use super::form::{self, Form};
use super::json_records;
use super::salvage::{self, Salvaged};
use super::table::{self, Table};
use crate::event::Event;

/// How much of a damaged record's text is kept, in bytes.
const MAX_DAMAGED: usize = 64 << 10;

/// The text of something damaged, as much of it as is kept.
#[derive(Default)]
pub(super) struct Kept(String);

impl Kept {
    /// More of it.
    pub(super) fn push(&mut self, text: &str) {
        let room = MAX_DAMAGED.saturating_sub(self.0.len());
        let end = text.floor_char_boundary(room);
        self.0.push_str(text.get(..end).unwrap_or_default());
    }

    /// What was kept.
    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

/// What the records of a chunk are.
#[derive(Clone)]
pub(super) enum Layout {
    /// JSON objects.
    Json,
    /// Rows under this header.
    Rows(Arc<Header>, Table),
    /// Rows of a query's answer, JSON lists under these columns.
    Cells(Arc<Vec<String>>),
}

/// Records, in order.
pub(crate) struct Chunk {
    layout: Layout,
    text: String,
    units: Vec<Unit>,
}

/// One record: where it stands in the chunk's text.
struct Unit {
    from: usize,
    to: usize,
    /// Line of its first byte, from 1.
    line: u64,
    /// Why it is damaged, where that is plain from its extent.
    broken: Option<Cow<'static, str>>,
}

impl Chunk {
    /// Hands its records, whole and damaged, to `taker`, in order.
    pub(crate) fn read(&self, taker: &mut dyn Taker) {
        for unit in &self.units {
            let text = self.text.get(unit.from..unit.to).unwrap_or_default();
            if let Some(reason) = &unit.broken {
                damage(taker, unit.line, reason, text);
                continue;
            }
            match &self.layout {
                Layout::Json => json(text, unit.line, taker),
                Layout::Rows(header, table) => row(text, unit.line, header, *table, taker),
                Layout::Cells(columns) => cells(text, unit.line, columns, taker),
            }
        }
    }
}

/// Takes what a chunk's records turn out to be.
pub(crate) trait Taker {
    /// An event, with its own id.
    fn keep(&mut self, form: Form, event: Event);
    /// A record that cannot be read.
    fn damage(&mut self, line: u64, reason: String, salvaged: Salvaged, text: &str);
}

fn keep(taker: &mut dyn Taker, form: Form, mut event: Event, line: u64) {
    if event.record_id.is_empty() {
        let digest: [u8; 32] = Sha256::digest(event.original.as_bytes()).into();
        event.record_id = format!("sha256:{}", retake_playbook::Digest::from_bytes(digest));
    }
    event.origin.line = line;
    taker.keep(form, event);
}

fn damage(taker: &mut dyn Taker, line: u64, reason: &str, text: &str) {
    taker.damage(
        line,
        reason.to_owned(),
        salvage::from_text(text),
        shortened(text),
    );
}

fn shortened(text: &str) -> &str {
    let end = text.floor_char_boundary(MAX_DAMAGED);
    text.get(..end).unwrap_or_default()
}

fn json(text: &str, line: u64, taker: &mut dyn Taker) {
    match serde_json::from_str::<Value>(text) {
        // What looked like one record on one line is a page of records.
        Ok(value) if json_records::is_page(&value) => several(text, line, taker),
        Ok(value) => match form::event(&value, text) {
            Ok((form, event)) => keep(taker, form, event, line),
            Err(reason) => match form::listed(&value) {
                Some(items) => listed(items, line, taker),
                None => damage(taker, line, &reason, text),
            },
        },
        // Several records on one line, one after another.
        Err(error) if json_records::goes_on(&error) => several(text, line, taker),
        Err(error) => damage(taker, line, &json_records::reason(&error), text),
    }
}

/// Looks at a line's inside, where it is more than one record.
fn several(text: &str, line: u64, taker: &mut dyn Taker) {
    json_records::each(text, &mut |record, at, broken| {
        let line = line + at - 1;
        match (broken, serde_json::from_str::<Value>(record)) {
            (Some(reason), _) => damage(taker, line, &reason, record),
            (None, Ok(value)) => match form::event(&value, record) {
                Ok((form, event)) => keep(taker, form, event, line),
                Err(reason) => damage(taker, line, &reason, record),
            },
            (None, Err(error)) => damage(taker, line, &json_records::reason(&error), record),
        }
    });
}

/// Records of a page whose key nobody knows.
fn listed(items: &[Value], line: u64, taker: &mut dyn Taker) {
    for item in items {
        value(item, line, taker);
    }
}

/// A record that has no text of its own.
fn value(value: &Value, line: u64, taker: &mut dyn Taker) {
    let text = value.to_string();
    match form::event(value, &text) {
        Ok((form, event)) => keep(taker, form, event, line),
        Err(reason) => damage(taker, line, &reason, &text),
    }
}

fn cells(text: &str, line: u64, columns: &[String], taker: &mut dyn Taker) {
    let cells = match serde_json::from_str::<Vec<Value>>(text) {
        Ok(cells) => cells,
        Err(error) => return damage(taker, line, &json_records::reason(&error), text),
    };
    let mut map = Map::new();
    for (name, cell) in columns.iter().zip(cells) {
        if !cell.is_null() && cell.as_str() != Some("") {
            map.insert(name.clone(), cell);
        }
    }
    value(&Value::Object(map), line, taker);
}

fn row(text: &str, line: u64, header: &Header, table: Table, taker: &mut dyn Taker) {
    let Some(fields) = csv_records::fields(text, header) else {
        return damage(taker, line, "a quote stands where none may", text);
    };
    let original = table::original(header, &fields);
    match table::event(table, header, &fields, &original) {
        Ok((form, event)) => keep(taker, form, event, line),
        Err(reason) => {
            let salvaged = salvage::from_row(header, &fields, text);
            taker.damage(line, reason, salvaged, shortened(text));
        }
    }
}

/// Where cut records go; full chunks are handed on.
pub(super) struct Out<'a> {
    chunk: Chunk,
    target: usize,
    emit: &'a mut dyn FnMut(Chunk),
}

impl<'a> Out<'a> {
    /// Chunks of about `target` bytes go to `emit`.
    pub(super) fn new(target: usize, emit: &'a mut dyn FnMut(Chunk)) -> Self {
        Self {
            chunk: Chunk::empty(Layout::Json),
            target,
            emit,
        }
    }

    /// From here on the records are of this layout.
    pub(super) fn layout(&mut self, layout: Layout) {
        self.flush();
        self.chunk.layout = layout;
    }

    /// One record.
    pub(super) fn unit(&mut self, text: &str, line: u64) {
        self.put(text, line, None);
    }

    /// One that is damaged.
    pub(super) fn broken(&mut self, text: &str, line: u64, reason: Cow<'static, str>) {
        self.put(shortened(text), line, Some(reason));
    }

    /// Hands on what there is.
    pub(super) fn flush(&mut self) {
        if !self.chunk.units.is_empty() {
            let next = Chunk::empty(self.chunk.layout.clone());
            (self.emit)(std::mem::replace(&mut self.chunk, next));
        }
    }

    fn put(&mut self, text: &str, line: u64, broken: Option<Cow<'static, str>>) {
        let from = self.chunk.text.len();
        self.chunk.text.push_str(text);
        self.chunk.units.push(Unit {
            from,
            to: self.chunk.text.len(),
            line,
            broken,
        });
        if self.chunk.text.len() >= self.target {
            self.flush();
        }
    }
}

impl Chunk {
    fn empty(layout: Layout) -> Self {
        Self {
            layout,
            text: String::new(),
            units: Vec::new(),
        }
    }
}
