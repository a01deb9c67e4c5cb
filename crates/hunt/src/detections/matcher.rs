//! Matching while events stream by, correlating when they are through.
//!
//! A [`Matcher`] is fed one event at a time, in any order, by any number of
//! threads (each has a [`Matcher::fork`], they are merged). Of an event that
//! passes it keeps a row of what correlation needs, never the event. The
//! outcome depends on the set of events alone.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::column::Seen;
use super::correlate::Correlate;
use super::expression::{Expression, Gate, Residual, Truth, mail_domains};
use super::{Detection, Detections, PUBLIC_PROVIDERS, fold};
use crate::answer::{Finding, MAX_NAMED};
use crate::event::{Event, Source};

/// Which expression of a detection an event passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Step {
    /// `match`.
    Match,
    /// `correlate.then`.
    Then,
    /// `correlate.unless`.
    Unless,
}

/// What is kept of an event that passed.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) time: Timestamp,
    pub(crate) id: Arc<str>,
    pub(crate) source: Source,
    pub(crate) user: Arc<str>,
    /// Number that the feeder gave the event.
    pub(crate) ordinal: u64,
    pub(crate) step: Step,
    /// The columns that must be equal; none where one is empty.
    pub(crate) group: Option<Arc<str>>,
    /// The value that is counted or compared.
    pub(crate) value: Option<Arc<str>>,
    /// How many it counts for.
    pub(crate) weight: u32,
    /// Latitude and longitude.
    pub(crate) place: Option<(f64, f64)>,
    depends: Option<Box<Residual>>,
}

impl Row {
    /// Total order that says nothing of who fed the event, and when.
    fn order(&self, other: &Self) -> std::cmp::Ordering {
        let key = |row: &Self| {
            (
                row.time,
                row.id.clone(),
                row.source,
                row.step,
                row.user.clone(),
                row.group.clone(),
                row.value.clone(),
                row.weight,
                row.ordinal,
            )
        };
        key(self).cmp(&key(other))
    }

    fn repeats(&self, other: &Self) -> bool {
        !self.id.is_empty()
            && (self.time, &self.id, self.source, self.step)
                == (other.time, &other.id, other.source, other.step)
    }
}

/// One expression of one detection.
#[derive(Clone, Copy, Debug)]
struct Unit<'a> {
    detection: usize,
    step: Step,
    expression: &'a Expression,
    correlate: Option<&'a Correlate>,
}

/// Which expressions an event has to be tried on.
#[derive(Debug)]
struct Index<'a> {
    detections: Vec<&'a Detection>,
    actions: HashMap<String, Vec<Unit<'a>>>,
    sign_ins: Vec<Unit<'a>>,
    open: Vec<Unit<'a>>,
}

/// Detections at work on a stream of events.
#[derive(Clone, Debug)]
pub struct Matcher<'a> {
    index: Arc<Index<'a>>,
    texts: HashSet<Arc<str>>,
    own_domains: BTreeSet<String>,
    rows: Vec<Vec<Row>>,
}

/// A finding, with the numbers that were fed with its events.
#[derive(Clone, Debug, PartialEq)]
pub struct RaisedRows {
    /// The finding.
    pub finding: Finding,
    /// The events' numbers, in order of time: of all of them.
    pub ordinals: Vec<u64>,
    /// The events' record ids, in the same order: of all of them.
    pub records: Vec<Arc<str>>,
}

impl Detections {
    /// Makes them ready for a stream.
    pub fn matcher(&self) -> Matcher<'_> {
        self.matcher_of(|_| true)
    }

    /// The same with some of them.
    pub(super) fn matcher_of(&self, choose: fn(&Detection) -> bool) -> Matcher<'_> {
        let mut index = Index {
            detections: self.0.iter().filter(|one| choose(one)).collect(),
            actions: HashMap::new(),
            sign_ins: Vec::new(),
            open: Vec::new(),
        };
        for (number, detection) in index.detections.clone().into_iter().enumerate() {
            let correlate = detection.correlate.as_ref();
            index.add(number, Step::Match, &detection.expression, correlate);
            if let Some(then) = correlate.and_then(|correlate| correlate.then.as_ref()) {
                index.add(number, Step::Then, then, correlate);
            }
            if let Some(unless) = correlate.and_then(|correlate| correlate.unless.as_ref()) {
                index.add(number, Step::Unless, unless, correlate);
            }
        }
        Matcher {
            rows: vec![Vec::new(); index.detections.len()],
            index: Arc::new(index),
            texts: HashSet::new(),
            own_domains: BTreeSet::new(),
        }
    }
}

impl<'a> Index<'a> {
    fn add(
        &mut self,
        detection: usize,
        step: Step,
        expression: &'a Expression,
        correlate: Option<&'a Correlate>,
    ) {
        let unit = Unit {
            detection,
            step,
            expression,
            correlate,
        };
        match expression.gate() {
            Gate::Actions(names) => {
                for name in names {
                    self.actions.entry(name).or_default().push(unit);
                }
            }
            Gate::SignIns => self.sign_ins.push(unit),
            Gate::Open => self.open.push(unit),
        }
    }
}

impl Matcher<'_> {
    /// Tries the event. `ordinal` is the feeder's own number for it and comes
    /// back with findings; it has no part in the judgement.
    pub fn feed(&mut self, ordinal: u64, event: &Event) {
        add_own_domains(&mut self.own_domains, event);
        let index = Arc::clone(&self.index);
        let seen = Seen::new(event);
        let action = fold::lower(&event.operation);
        if let Some(units) = index.actions.get(action.as_ref()) {
            self.try_all(units, ordinal, &seen);
        }
        if event.is_sign_in() {
            self.try_all(&index.sign_ins, ordinal, &seen);
        }
        self.try_all(&index.open, ordinal, &seen);
    }

    /// An empty matcher with the same detections, for another thread.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self {
            index: Arc::clone(&self.index),
            texts: HashSet::new(),
            own_domains: BTreeSet::new(),
            rows: vec![Vec::new(); self.rows.len()],
        }
    }

    /// Takes over what another matcher of the same detections has seen.
    pub fn merge(&mut self, other: Self) {
        self.own_domains.extend(other.own_domains);
        for (rows, more) in self.rows.iter_mut().zip(other.rows) {
            rows.extend(more);
        }
    }

    /// How many rows are kept: what memory grows with.
    pub fn kept(&self) -> usize {
        self.rows.iter().map(Vec::len).sum()
    }

    /// The findings, worst first, one per detection and user. Without
    /// `own_domains` the mail domains of the accounts at work in the events
    /// are the organisation's own.
    pub fn finish(self, own_domains: Option<&BTreeSet<String>>) -> Vec<RaisedRows> {
        let own_domains = own_domains.unwrap_or(&self.own_domains);
        let mut raised = Vec::new();
        for (detection, mut rows) in self.index.detections.iter().zip(self.rows) {
            rows.retain(|row| {
                row.depends
                    .as_ref()
                    .is_none_or(|rest| rest.holds(own_domains))
            });
            rows.sort_by(Row::order);
            rows.dedup_by(|a, b| a.repeats(b));
            raised.extend(raise(detection, &rows));
        }
        raised.sort_by(|a, b| {
            let rank = |raised: &RaisedRows| {
                (
                    std::cmp::Reverse(raised.finding.severity),
                    raised.finding.first,
                )
            };
            rank(a).cmp(&rank(b)).then_with(|| {
                (&a.finding.detection, &a.finding.user)
                    .cmp(&(&b.finding.detection, &b.finding.user))
            })
        });
        raised
    }

    fn try_all(&mut self, units: &[Unit<'_>], ordinal: u64, seen: &Seen<'_>) {
        for unit in units {
            let depends = match unit.expression.truth(seen) {
                Truth::No => continue,
                Truth::Yes => None,
                Truth::Depends(rest) => Some(Box::new(rest)),
            };
            let (group, value, weight, place) = match unit.correlate {
                None => (None, None, 1, None),
                Some(correlate) => (
                    correlate
                        .group(unit.step, seen)
                        .map(|text| self.text(&text)),
                    correlate.value(seen).map(|text| self.text(&text)),
                    correlate.weight(seen),
                    seen.event.place.coordinates,
                ),
            };
            // Without a group nothing can come together.
            if unit.correlate.is_some() && group.is_none() {
                continue;
            }
            let row = Row {
                time: seen.event.time,
                id: self.text(&seen.event.record_id),
                source: seen.event.source,
                user: self.text(user_of(seen.event)),
                ordinal,
                step: unit.step,
                group,
                value,
                weight,
                place,
                depends,
            };
            if let Some(rows) = self.rows.get_mut(unit.detection) {
                rows.push(row);
            }
        }
    }

    fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(have) = self.texts.get(text) {
            return Arc::clone(have);
        }
        let new: Arc<str> = text.into();
        self.texts.insert(Arc::clone(&new));
        new
    }
}

/// What one detection raises; the rows are in order.
fn raise(detection: &Detection, rows: &[Row]) -> Vec<RaisedRows> {
    let mut by_user: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    match &detection.correlate {
        None => {
            for row in rows {
                by_user.entry(&row.user).or_default().push(row);
            }
        }
        Some(correlate) => {
            for burst in correlate.find(rows) {
                let users: BTreeSet<&str> = burst
                    .iter()
                    .filter(|row| correlate.blames(row))
                    .map(|row| &*row.user)
                    .collect();
                for user in users {
                    by_user.entry(user).or_default().extend(&burst);
                }
            }
        }
    }
    by_user
        .into_iter()
        .filter_map(|(user, mut rows)| {
            rows.sort_by(|a, b| a.order(b));
            // One event may stand in several bursts, or pass two expressions.
            rows.dedup_by(|a, b| (a.ordinal, a.time, &a.id) == (b.ordinal, b.time, &b.id));
            let (first, last) = (rows.first()?.time, rows.last()?.time);
            Some(RaisedRows {
                finding: Finding {
                    detection: detection.id.clone(),
                    title: detection.title.clone(),
                    severity: detection.severity,
                    technique: detection.technique.clone(),
                    confidence: detection.confidence,
                    user: user.to_owned(),
                    first,
                    last,
                    count: rows.len(),
                    events: rows
                        .iter()
                        .take(MAX_NAMED)
                        .map(|row| row.id.to_string())
                        .collect(),
                    why: detection.why.clone(),
                },
                ordinals: rows.iter().map(|row| row.ordinal).collect(),
                records: rows.iter().map(|row| Arc::clone(&row.id)).collect(),
            })
        })
        .collect()
}

fn user_of(event: &Event) -> &str {
    event
        .user
        .as_deref()
        .or(event.sender.as_deref())
        .unwrap_or_default()
}

/// Adds the mail domains of whoever is at work in the event: the mailbox's
/// owner, and who acts and is no guest.
pub(crate) fn add_own_domains(domains: &mut BTreeSet<String>, event: &Event) {
    if event
        .user_type
        .as_deref()
        .is_some_and(|kind| kind.eq_ignore_ascii_case("guest"))
    {
        return;
    }
    for name in event.user.iter().chain(&event.mailbox) {
        // Most events name a domain that is known already.
        let known = name
            .rsplit_once('@')
            .is_some_and(|(local, domain)| domains.contains(domain) && !local.contains('@'));
        if known || name.contains("#ext#") {
            continue;
        }
        domains.extend(
            mail_domains(name)
                // A guest's home address stands for the guest in some logs:
                // nobody's own domain is a public provider's.
                .filter(|domain| !PUBLIC_PROVIDERS.contains(&domain.as_str())),
        );
    }
}
