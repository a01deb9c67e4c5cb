//! Whose an event is, by what the analysis found.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use jiff::Timestamp;
use serde::Serialize;

use crate::answer::{By, Verdict};
use crate::event::{Event, Outcome};
use crate::report::UserAnswer;

/// Whose doing an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Whose {
    /// Of an account that is not shown, or of nobody.
    Unknown,
    /// The account's own user's.
    User,
    /// What makes an account suspicious that is not known to be taken.
    InQuestion,
    /// The attacker's.
    Attacker,
}

impl Whose {
    /// The word in documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::User => "user",
            Self::InQuestion => "in_question",
            Self::Attacker => "attacker",
        }
    }

    /// The attacker's, or in question.
    pub const fn is_theirs(self) -> bool {
        matches!(self, Self::InQuestion | Self::Attacker)
    }
}

/// What tells the attacker's events of some accounts.
#[derive(Clone, Debug)]
pub(super) struct Attribution<'a> {
    /// Record ids that the answers lay to the attacker, with the account's place.
    records: HashMap<&'a str, usize>,
    marks: Vec<Marks>,
}

#[derive(Clone, Debug, Default)]
struct Marks {
    addresses: HashSet<IpAddr>,
    since: Option<Timestamp>,
    taken: bool,
}

impl<'a> Attribution<'a> {
    pub(super) fn new(shown: &[&'a UserAnswer]) -> Self {
        let mut records = HashMap::new();
        let mut marks = Vec::new();
        for (place, answer) in shown.iter().enumerate() {
            for id in laid_to_the_attacker(answer) {
                // Whoever comes first is worse off.
                records.entry(id).or_insert(place);
            }
            let analysis = &answer.analysis;
            marks.push(Marks {
                addresses: analysis
                    .fingerprint
                    .addresses
                    .iter()
                    .filter_map(|address| address.parse().ok())
                    .collect(),
                since: analysis.first_known_bad,
                taken: analysis.verdict == Verdict::Compromised,
            });
        }
        Self { records, marks }
    }

    /// The account that a record is laid to the attacker of.
    pub(super) fn by_record(&self, record_id: &str) -> Option<usize> {
        self.records.get(record_id).copied()
    }

    /// Whose an event of the account is. From an address of the attacker it is
    /// the attacker's, unless it succeeded before the first known bad time:
    /// then the user worked there, too.
    pub(super) fn whose(&self, place: usize, event: &Event) -> Whose {
        let by_record = self.by_record(&event.record_id) == Some(place);
        let Some(marks) = self.marks.get(place) else {
            return Whose::Unknown;
        };
        let by_address = event
            .address
            .is_some_and(|address| marks.addresses.contains(&address))
            && marks
                .since
                .is_some_and(|since| event.time >= since || event.outcome == Outcome::Failure);
        match (by_record || by_address, marks.taken) {
            (false, _) => Whose::User,
            (true, false) => Whose::InQuestion,
            (true, true) => Whose::Attacker,
        }
    }
}

fn laid_to_the_attacker(answer: &UserAnswer) -> impl Iterator<Item = &str> {
    let analysis = &answer.analysis;
    let blast = &analysis.blast;
    // Of a suspicious account nothing is the attacker's yet: what makes the
    // suspicion is in question.
    let in_question = analysis
        .reasons
        .iter()
        .filter(|reason| analysis.verdict == Verdict::Suspicious && reason.points > 0)
        .flat_map(|reason| &reason.events);
    let changes = analysis
        .changes
        .iter()
        .filter(|change| change.by == By::Attacker)
        .flat_map(|change| std::iter::once(&change.record_id).chain(&change.also));
    in_question
        .chain(changes)
        .chain(blast.sent.iter().flat_map(|mail| &mail.events))
        .chain(blast.read.iter().map(|mail| &mail.record_id))
        .chain(blast.changed.iter().map(|item| &item.record_id))
        .map(String::as_str)
}
