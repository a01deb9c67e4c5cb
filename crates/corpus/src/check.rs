//! A hunt's answers beside the truth.
//!
//! Here, and nowhere else in this crate, the readers' own types are used: what is written
//! never depends on them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use retake_hunt::{HowRead, HuntReport, Verdict};
use serde::{Deserialize, Serialize};

use crate::{Kind, Told, Truth};

/// What a hunt made of the stories of one corpus.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// Accounts that were taken.
    pub taken: usize,
    /// Of those: called compromised.
    pub found: usize,
    /// Of those: with the attacker's first event.
    pub first_event: usize,
    /// Of those: with the path by which they were taken.
    pub path: usize,
    /// Messages, synchronised folders, mails and changes of the attackers, and how many the
    /// answers name.
    pub blast: (usize, usize),
    /// Accounts without a story, called compromised.
    pub wronged: usize,
    /// Accounts without a story that need a look, and accounts without a story.
    pub suspicious: (usize, usize),
    /// Everything that is not as it should be, in words.
    pub wrong: Vec<String>,
}

impl Checked {
    /// Adds what was found in another corpus.
    pub fn add(&mut self, other: Self) {
        self.taken += other.taken;
        self.found += other.found;
        self.first_event += other.first_event;
        self.path += other.path;
        self.blast.0 += other.blast.0;
        self.blast.1 += other.blast.1;
        self.wronged += other.wronged;
        self.suspicious.0 += other.suspicious.0;
        self.suspicious.1 += other.suspicious.1;
        self.wrong.extend(other.wrong);
    }
}

/// Compares.
pub fn check(told: &Told, report: &HuntReport) -> Checked {
    let mut checked = Checked::default();
    for truth in &told.truths {
        checked.taken += 1;
        one(truth, told, report, &mut checked);
    }
    for answer in &report.users {
        let it = &answer.analysis;
        if told.truths.iter().any(|truth| truth.user == answer.user) {
            continue;
        }
        checked.suspicious.1 += 1;
        match it.verdict {
            Verdict::Compromised => {
                checked.wronged += 1;
                checked.wrong.push(format!(
                    "{} has no story, yet is called compromised: {} since {:?}; {:#?}",
                    answer.user,
                    it.path.name(),
                    it.first_known_bad,
                    it.reasons
                ));
            }
            Verdict::Suspicious => checked.suspicious.0 += 1,
            _ => {}
        }
    }
    checked
}

fn one(truth: &Truth, told: &Told, report: &HuntReport, checked: &mut Checked) {
    let name = format!("{} of {:?}", truth.user, truth.kind.unwrap_or(Kind::Reader));
    let answer = report.users.iter().find(|answer| answer.user == truth.user);
    let Some(answer) = answer else {
        checked.wrong.push(format!("nothing is said of {name}"));
        return;
    };
    let it = &answer.analysis;
    if it.verdict != Verdict::Compromised {
        let reasons: Vec<(i32, &str)> = it
            .reasons
            .iter()
            .map(|reason| (reason.points, reason.text.as_str()))
            .collect();
        checked.wrong.push(format!(
            "{name} is called {} ({}): {reasons:?}",
            it.verdict.name(),
            it.score,
        ));
        return;
    }
    checked.found += 1;
    let first = Timestamp::from_second(truth.first_at).ok();
    let events = &it.first_known_bad_events;
    if it.first_known_bad == first && events.iter().any(|id| truth.first.contains(id)) {
        checked.first_event += 1;
    } else {
        checked.wrong.push(format!(
            "{name} began {first:?} {:?}, said {:?} {events:?}",
            truth.first, it.first_known_bad
        ));
    }
    if it.path.name() == truth.path {
        checked.path += 1;
    } else {
        let evidence: Vec<_> = it
            .path_evidence
            .iter()
            .map(|one| (one.path.name(), one.for_or_against, &one.text))
            .collect();
        checked.wrong.push(format!(
            "{name} by {}, said {}: {evidence:#?}",
            truth.path,
            it.path.name(),
        ));
    }
    let blast = &it.blast;
    let said = [
        (
            "read",
            truth.read.iter().collect::<BTreeSet<_>>(),
            blast
                .read
                .iter()
                .filter_map(|mail| mail.message_id.as_ref())
                .collect(),
            all(told, |truth| &truth.read),
        ),
        (
            "synchronised",
            truth.synced.iter().collect(),
            blast
                .read
                .iter()
                .filter(|mail| mail.how == HowRead::Sync)
                .map(|mail| &mail.record_id)
                .collect(),
            all(told, |truth| &truth.synced),
        ),
        (
            "sent",
            truth.sent.iter().collect(),
            blast
                .sent
                .iter()
                .filter_map(|mail| mail.message_id.as_ref())
                .collect(),
            all(told, |truth| &truth.sent),
        ),
        (
            "deleted",
            truth.deleted.iter().collect(),
            blast
                .changed
                .iter()
                .filter(|item| item.operation == "MoveToDeletedItems")
                .map(|item| &item.record_id)
                .collect(),
            all(told, |truth| &truth.deleted),
        ),
    ];
    for (what, truth, said, anybodys) in said {
        compare(&name, what, &truth, &said, &anybodys, checked);
    }
    // Two logs tell of one change: it is there by the record of either.
    let changed: BTreeSet<&String> = it
        .changes
        .iter()
        .filter(|change| change.by == retake_hunt::By::Attacker)
        .flat_map(|change| change.also.iter().chain([&change.record_id]))
        .collect();
    for ids in &truth.changed {
        checked.blast.0 += 1;
        if ids.iter().any(|id| changed.contains(id)) {
            checked.blast.1 += 1;
        } else {
            checked
                .wrong
                .push(format!("{name}: the change {ids:?} is not told"));
        }
    }
    let anybodys: BTreeSet<&String> = told
        .truths
        .iter()
        .flat_map(|truth| truth.changed.iter().flatten())
        .collect();
    for id in changed.difference(&anybodys) {
        checked
            .wrong
            .push(format!("{name}: the change {id} is nobody's crime"));
    }
}

fn all(told: &Told, of: fn(&Truth) -> &Vec<String>) -> BTreeSet<&String> {
    told.truths.iter().flat_map(of).collect()
}

/// Everything that the attacker did must be said. More than that may be said where it is
/// another account's part of the same attack.
fn compare(
    name: &str,
    what: &str,
    truth: &BTreeSet<&String>,
    said: &BTreeSet<&String>,
    anybodys: &BTreeSet<&String>,
    checked: &mut Checked,
) {
    checked.blast.0 += truth.len();
    let missing = truth.difference(said).count();
    checked.blast.1 += truth.len() - missing;
    if missing > 0 {
        checked.wrong.push(format!(
            "{name}: of {} {what}, {missing} are not said",
            truth.len()
        ));
    }
    let more: Vec<_> = said.difference(anybodys).collect();
    if let Some(first) = more.first() {
        checked.wrong.push(format!(
            "{name}: {} {what} that are nobody's crime, {first} first",
            more.len()
        ));
    }
}

/// Kinds of story in a set of truths, with how many accounts of each.
pub fn kinds(told: &Told) -> BTreeMap<Kind, usize> {
    let mut kinds = BTreeMap::new();
    for kind in told.truths.iter().filter_map(|truth| truth.kind) {
        *kinds.entry(kind).or_default() += 1;
    }
    kinds
}
