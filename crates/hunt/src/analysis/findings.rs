//! What the detections found, by record.

use std::collections::{BTreeSet, HashMap};

use crate::answer::Severity;
use crate::detections::{Detections, RaisedRows, digest};
use crate::event::Event;

/// A detection that was raised.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) detection: String,
    pub(crate) severity: Severity,
    pub(crate) technique: Vec<String>,
}

/// Findings of the detections that count in a verdict.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    told: Vec<Told>,
    /// Digest of a record's id, and the number of what it was told for; in order.
    by_record: Vec<(u64, u32)>,
    /// Detections that need a look.
    pub(super) serious: BTreeSet<String>,
}

impl Findings {
    /// Of what was raised, the part that counts.
    pub(crate) fn new(raised: &[RaisedRows], detections: &Detections) -> Self {
        let mut findings = Self::default();
        let mut numbers: HashMap<&str, u32> = HashMap::new();
        for (detection, number) in detections.iter().filter(|one| one.score).zip(0..) {
            numbers.insert(&detection.id, number);
            findings.told.push(Told {
                detection: detection.id.clone(),
                severity: detection.severity,
                technique: detection.technique.clone(),
            });
        }
        for raised in raised {
            if let Some(number) = numbers.get(raised.finding.detection.as_str()) {
                let records = raised.records.iter();
                findings
                    .by_record
                    .extend(records.map(|record| (*record, *number)));
            }
        }
        findings.by_record.sort_unstable();
        findings.by_record.dedup();
        findings.by_record.shrink_to_fit();
        findings.serious = detections
            .iter()
            .filter(|detection| detection.severity >= Severity::Medium)
            .map(|detection| detection.id.clone())
            .collect();
        findings
    }

    /// What this event was told for.
    pub(crate) fn of(&self, event: &Event) -> impl Iterator<Item = &Told> {
        let wanted = digest(&event.record_id);
        let first = self
            .by_record
            .partition_point(|(record, _)| *record < wanted);
        self.by_record
            .get(first..)
            .unwrap_or_default()
            .iter()
            .take_while(move |(record, _)| *record == wanted)
            .filter_map(|(_, number)| self.told.get(usize::try_from(*number).ok()?))
    }
}
