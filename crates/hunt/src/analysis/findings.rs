//! What the detections found, by record.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::intruder::Raised;
use super::scope::Scope;
use crate::answer::{Finding, Severity};
use crate::detections::{Detections, RaisedRows};
use crate::event::Event;

/// Findings of the detections that count in a verdict.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    list: Vec<Finding>,
    by_record: HashMap<Arc<str>, Vec<usize>>,
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
            for record in &raised.records {
                findings
                    .by_record
                    .entry(Arc::clone(record))
                    .or_default()
                    .push(number);
            }
        }
        findings
    }

    /// Those that this event is among.
    pub(crate) fn of(&self, event: &Event) -> impl Iterator<Item = &Finding> {
        self.by_record
            .get(event.record_id.as_str())
            .into_iter()
            .flatten()
            .filter_map(|number| self.list.get(*number))
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
            about.extend(
                self.by_record
                    .get(event.record_id.as_str())
                    .into_iter()
                    .flatten(),
            );
        }
        about
            .into_iter()
            .filter_map(|number| self.list.get(number).cloned())
            .collect()
    }
}
