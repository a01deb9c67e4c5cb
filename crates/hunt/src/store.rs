//! Where imported events lie while they are judged: in memory, or in files.
//!
//! An import hands every event once to a [`Sink`], in the order of the table:
//! by ISO week, then user (those of nobody first), time, source and record id.
//! The judgement reads them back from a [`Store`], which never has to hold
//! more than one user's events at a time.

use std::error::Error;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::event::Event;

/// Takes the events of an import.
pub trait Sink {
    /// Takes one event; none comes twice.
    ///
    /// # Errors
    ///
    /// When it cannot be put down; the import ends.
    fn put(&mut self, event: Event) -> Result<(), StoreError>;
}

/// Hands out the events of an import, without their originals
/// ([`Event::original`] is empty).
pub trait Store {
    /// Every user once, in order of their names (`""` for the events of
    /// nobody), with all their events by time, then source and record id.
    ///
    /// # Errors
    ///
    /// When the events cannot be read back, or with the visitor's own.
    fn each_user(&self, visit: &mut UserVisitor<'_>) -> Result<(), StoreError>;

    /// The same with the wanted events of each alone; users without one are left out. A
    /// store whose users may have more events than memory holds asks before it keeps one; the
    /// events of one user are asked about in order of time.
    ///
    /// # Errors
    ///
    /// See [`Store::each_user`].
    fn each_user_of(
        &self,
        wanted: &mut dyn FnMut(&Event) -> bool,
        visit: &mut UserVisitor<'_>,
    ) -> Result<(), StoreError> {
        self.each_user(&mut |user, mut events| {
            events.retain(&mut *wanted);
            if events.is_empty() {
                return Ok(());
            }
            visit(user, events)
        })
    }

    /// Every event once, in the order of the table.
    ///
    /// # Errors
    ///
    /// When the events cannot be read back, or with the visitor's own.
    fn scan(&self, visit: &mut EventVisitor<'_>) -> Result<(), StoreError>;
}

/// What [`Store::each_user`] calls: the user's name and events.
pub type UserVisitor<'a> = dyn FnMut(&str, Vec<Event>) -> Result<(), StoreError> + 'a;

/// What [`Store::scan`] calls.
pub type EventVisitor<'a> = dyn FnMut(Event) -> Result<(), StoreError> + 'a;

/// Why events cannot be put down or read back.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {source}")]
pub struct StoreError {
    /// What was being done, to which file.
    pub what: String,
    /// Why it failed.
    pub source: Box<dyn Error + Send + Sync>,
}

impl StoreError {
    /// With what was being done.
    pub fn new(what: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            what: what.into(),
            source: source.into(),
        }
    }
}

/// The ISO week of a moment, UTC, as the table's files are named: `2026-W47`.
pub fn week_of(time: Timestamp) -> String {
    let week = time.to_zoned(TimeZone::UTC).date().iso_week_date();
    format!("{:04}-W{:02}", week.year(), week.week())
}

/// The order of the table, within and across weeks.
pub fn table_order(a: &Event, b: &Event) -> std::cmp::Ordering {
    let week = |event: &Event| {
        let week = event.time.to_zoned(TimeZone::UTC).date().iso_week_date();
        (week.year(), week.week())
    };
    week(a)
        .cmp(&week(b))
        .then_with(|| a.user.cmp(&b.user))
        .then_with(|| (a.time, a.source).cmp(&(b.time, b.source)))
        .then_with(|| a.record_id.cmp(&b.record_id))
}

/// Events in memory: for small inputs and tests.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memory {
    /// Without their originals, which are copied for nobody.
    events: Vec<Event>,
    originals: Vec<Box<str>>,
}

impl Memory {
    /// A store of these events, in whatever order they come.
    pub fn new(mut events: Vec<Event>) -> Self {
        events.sort_by(table_order);
        let originals = events
            .iter_mut()
            .map(|event| std::mem::take(&mut event.original))
            .collect();
        Self { events, originals }
    }

    /// The events with their originals, in the order of the table.
    pub fn into_events(self) -> Vec<Event> {
        let mut events = self.events;
        for (event, original) in events.iter_mut().zip(self.originals) {
            event.original = original;
        }
        events
    }
}

impl Sink for Memory {
    fn put(&mut self, mut event: Event) -> Result<(), StoreError> {
        self.originals.push(std::mem::take(&mut event.original));
        self.events.push(event);
        Ok(())
    }
}

impl Store for Memory {
    fn each_user(&self, visit: &mut UserVisitor<'_>) -> Result<(), StoreError> {
        let mut order: Vec<&Event> = self.events.iter().collect();
        order.sort_by(|a, b| user(a).cmp(user(b)).then_with(|| by_time(a, b)));
        for events in order.chunk_by(|a, b| user(a) == user(b)) {
            let name = events.first().map_or("", |event| user(event));
            visit(name, events.iter().copied().cloned().collect())?;
        }
        Ok(())
    }

    fn scan(&self, visit: &mut EventVisitor<'_>) -> Result<(), StoreError> {
        self.events
            .iter()
            .try_for_each(|event| visit(event.clone()))
    }
}

/// The order of one user's events.
pub fn by_time(a: &Event, b: &Event) -> std::cmp::Ordering {
    (a.time, a.source, &a.record_id).cmp(&(b.time, b.source, &b.record_id))
}

/// An empty name is nobody's.
fn user(event: &Event) -> &str {
    event.user.as_deref().unwrap_or_default()
}
