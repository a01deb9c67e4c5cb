//! What the detections found, by record.

use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::intruder::Raised;
use super::scope::Scope;
use crate::answer::{Finding, Severity};
use crate::detections::{Detections, RaisedRows};
use crate::event::Event;

/// Findings of the detections that count in a verdict.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    list: Vec<Finding>,
    /// Digest of a record's id, and the number of a finding that it is among; in order. There may
    /// be as many as a tenth of all records: ids themselves would take five times the room.
    by_record: Vec<(u64, u32)>,
    by_user: HashMap<String, Vec<usize>>,
    /// Detections that need a look.
    pub(super) serious: BTreeSet<String>,
}

impl Findings {
    /// Of what was raised, the part that counts.
    pub(crate) fn new(raised: &[RaisedRows], detections: &Detections) -> Self {
        let counts: BTreeSet<&str> = detections
            .iter()
            .filter(|detection| detection.score)
            .map(|detection| detection.id.as_str())
            .collect();
        let mut findings = Self {
            serious: detections
                .iter()
                .filter(|detection| detection.severity >= Severity::Medium)
                .map(|detection| detection.id.clone())
                .collect(),
            ..Self::default()
        };
        for raised in raised
            .iter()
            .filter(|raised| counts.contains(raised.finding.detection.as_str()))
        {
            let number = findings.list.len();
            findings.list.push(raised.finding.clone());
            findings
                .by_user
                .entry(raised.finding.user.clone())
                .or_default()
                .push(number);
            let number = u32::try_from(number).unwrap_or(u32::MAX);
            let records = raised.records.iter();
            findings
                .by_record
                .extend(records.map(|record| (digest(record), number)));
        }
        findings.by_record.sort_unstable();
        findings.by_record.dedup();
        findings
    }

    /// Those that this event is among.
    pub(crate) fn of(&self, event: &Event) -> impl Iterator<Item = &Finding> {
        self.numbers(event)
            .filter_map(|number| self.list.get(number))
    }

    fn numbers(&self, event: &Event) -> impl Iterator<Item = usize> {
        let wanted = digest(&event.record_id);
        let first = self
            .by_record
            .partition_point(|(record, _)| *record < wanted);
        self.by_record
            .get(first..)
            .unwrap_or_default()
            .iter()
            .take_while(move |(record, _)| *record == wanted)
            .filter_map(|(_, number)| usize::try_from(*number).ok())
    }

    /// By event, for these events.
    pub(super) fn raised(&self, events: &[&Event]) -> Raised {
        let mut raised = Raised::new();
        for event in events {
            let found: Vec<_> = self
                .of(event)
                .map(|finding| {
                    (
                        finding.detection.clone(),
                        finding.severity,
                        finding.technique.clone(),
                    )
                })
                .collect();
            if !found.is_empty() {
                raised.insert(std::ptr::from_ref(*event), found);
            }
        }
        raised
    }

    /// Those of the account, and those of what was done to it.
    pub(super) fn about(&self, scope: &Scope<'_>) -> Vec<Finding> {
        let mut about: BTreeSet<usize> = self
            .by_user
            .get(scope.upn())
            .into_iter()
            .flatten()
            .copied()
            .collect();
        for event in scope.concerning.iter().filter(|event| scope.suffers(event)) {
            about.extend(self.numbers(event));
        }
        about
            .into_iter()
            .filter_map(|number| self.list.get(number).cloned())
            .collect()
    }
}

/// The same in every run.
fn digest(record: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    record.hash(&mut hasher);
    hasher.finish()
}
