//! Matching while events stream by, correlating when they are through.
//!
//! A [`Matcher`] is fed one event at a time, in any order, by any number of
//! threads (each has a [`Matcher::fork`], they are merged). Of an event that
//! passes it keeps a row of what correlation needs, never the event. The
//! outcome depends on the set of events alone.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::column::Seen;
use super::correlate::{Common, Correlate};
use super::expression::{Expression, Gate, Truth, mail_domains};
use super::rows::{Row, Rows};
use super::{Detection, Detections, PUBLIC_PROVIDERS, fold};
use crate::answer::{Finding, MAX_NAMED, Severity};
use crate::event::Event;

/// Which expression of a detection an event passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Step {
    /// `match`.
    Match,
    /// `correlate.then`.
    Then,
    /// `correlate.unless`.
    Unless,
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
#[derive(Debug)]
pub struct Matcher<'a> {
    index: Arc<Index<'a>>,
    own_domains: BTreeSet<String>,
    rows: Rows,
    /// What was told while the stream ran, by detection and user.
    told: HashSet<(usize, Arc<str>)>,
    news: Vec<(Severity, String, String, String)>,
}

/// A finding, with all its records: the finding itself names the first of them.
#[derive(Clone, Debug, PartialEq)]
pub struct RaisedRows {
    /// The finding.
    pub finding: Finding,
    /// Digests of the ids of those records that speak against its user ([`digest`]).
    pub(crate) records: Vec<u64>,
}

/// A record id in eight bytes, the same in every run. As many as a tenth of all records may be
/// matched: ids themselves would take ten times the room.
pub(crate) fn digest(record: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    record.hash(&mut hasher);
    hasher.finish()
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
            rows: Rows::new(index.detections.len()),
            index: Arc::new(index),
            own_domains: BTreeSet::new(),
            told: HashSet::new(),
            news: Vec::new(),
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
    /// Tries the event. `ordinal` is the feeder's own number for it, by which
    /// [`finish_all`](Self::finish_all) asks what is wanted; it has no part in the judgement.
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
            own_domains: BTreeSet::new(),
            rows: Rows::new(self.index.detections.len()),
            told: HashSet::new(),
            news: Vec::new(),
        }
    }

    /// What is worth telling while the stream still runs, since it was last asked
    /// for: serious findings for which one event is enough, once for each user.
    /// Severity, id and title of the detection, user.
    pub fn news(&mut self) -> Vec<(Severity, String, String, String)> {
        std::mem::take(&mut self.news)
    }

    /// Puts rows on disk, into a nameless file in this directory, from `most` of them
    /// on.
    ///
    /// # Errors
    ///
    /// When there can be no such file.
    pub fn spill(&mut self, directory: &Path, most: usize) -> io::Result<()> {
        self.rows.spill(directory, most)
    }

    /// The mail domains of the accounts at work in the events so far.
    pub fn own_domains(&self) -> &BTreeSet<String> {
        &self.own_domains
    }

    /// Takes over what another matcher of the same detections has seen.
    pub fn merge(&mut self, other: Self) {
        self.own_domains.extend(other.own_domains);
        self.rows.merge(other.rows);
    }

    /// The findings, worst first, one per detection and user. Without
    /// `own_domains` the mail domains of the accounts at work in the events
    /// are the organisation's own.
    pub fn finish(self, own_domains: Option<&BTreeSet<String>>) -> Vec<RaisedRows> {
        let own_domains = own_domains
            .cloned()
            .unwrap_or_else(|| self.own_domains.clone());
        // Only a disk can fail.
        Self::finish_all(vec![self], &own_domains, &|_| true).unwrap_or_default()
    }

    /// The same of several threads' matchers together; `wanted` says of a number
    /// whether its event counts.
    ///
    /// # Errors
    ///
    /// When rows cannot be put on disk, or read back.
    pub fn finish_all(
        matchers: Vec<Self>,
        own_domains: &BTreeSet<String>,
        wanted: &dyn Fn(u64) -> bool,
    ) -> io::Result<Vec<RaisedRows>> {
        let Some(index) = matchers.first().map(|matcher| Arc::clone(&matcher.index)) else {
            return Ok(Vec::new());
        };
        let mut parts: Vec<Rows> = matchers.into_iter().map(|matcher| matcher.rows).collect();
        let detections = &index.detections;
        let common_of = |number: usize| {
            let correlate = detections.get(number)?.correlate.as_ref();
            correlate.filter(|correlate| correlate.asks_for_common())
        };
        let holds = |row: &&Row| {
            row.depends
                .as_ref()
                .is_none_or(|rest| rest.holds(own_domains))
        };
        let mut common: Vec<Common> = vec![Common::default(); detections.len()];
        let asks = |number| common_of(number).is_some();
        Rows::each(&mut parts, wanted, &asks, &mut |number, rows| {
            if let (Some(correlate), Some(common)) = (common_of(number), common.get_mut(number)) {
                let rows: Vec<&Row> = rows.iter().filter(holds).collect();
                correlate.gather(&rows, common);
            }
        })?;
        let mut raised = Vec::new();
        // A user's rows of one correlation may come from several groups; and thousands may be
        // named by one burst, which is held once.
        let mut together: BTreeMap<(usize, Arc<str>), Vec<Rc<Burst>>> = BTreeMap::new();
        Rows::each(&mut parts, wanted, &|_| true, &mut |number, rows| {
            let (Some(detection), Some(common)) = (detections.get(number), common.get(number))
            else {
                return;
            };
            let rows: Vec<&Row> = rows.iter().filter(holds).collect();
            let Some(correlate) = &detection.correlate else {
                for (user, rows) in by_user(&rows) {
                    let burst = Burst::of(rows.iter().copied());
                    raised.extend(finding(detection, user, &burst));
                }
                return;
            };
            for burst in correlate.find(&rows, common) {
                let blamed: BTreeSet<&Arc<str>> = burst
                    .iter()
                    .filter(|row| correlate.blames(row))
                    .map(|row| &row.user)
                    .collect();
                let held = Rc::new(Burst::of(burst.iter().copied()));
                for user in blamed {
                    let bursts = together.entry((number, Arc::clone(user))).or_default();
                    bursts.push(Rc::clone(&held));
                }
            }
        })?;
        for ((number, user), bursts) in together {
            let Some(detection) = detections.get(number) else {
                continue;
            };
            raised.extend(match bursts.as_slice() {
                [one] => finding(detection, &user, one),
                several => finding(detection, &user, &Burst::union(several)),
            });
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
        Ok(raised)
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
                        .map(|text| self.rows.text(&text)),
                    correlate.value(seen).map(|text| self.rows.text(&text)),
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
                id: Arc::clone(seen.id()),
                source: seen.event.source,
                user: self.rows.text(user_of(seen.event)),
                ordinal,
                step: unit.step,
                group,
                value,
                weight,
                place,
                depends,
            };
            self.tell(unit, &row);
            self.rows.push(unit.detection, row);
        }
    }

    fn tell(&mut self, unit: &Unit<'_>, row: &Row) {
        let Some(detection) = self.index.detections.get(unit.detection) else {
            return;
        };
        if unit.correlate.is_none()
            && row.depends.is_none()
            && detection.severity >= Severity::High
            && self.told.insert((unit.detection, Arc::clone(&row.user)))
        {
            self.news.push((
                detection.severity,
                detection.id.clone(),
                detection.title.clone(),
                row.user.to_string(),
            ));
        }
    }
}

/// Rows by user.
fn by_user<'a>(rows: &[&'a Row]) -> BTreeMap<&'a str, Vec<&'a Row>> {
    let mut users: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        users.entry(&row.user).or_default().push(row);
    }
    users
}

/// What a finding counts of a row. There may be a million of them at a time, so ids and names
/// stand here as digests.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Met {
    time: Timestamp,
    record: u64,
    ordinal: u64,
    user: u64,
}

/// Rows that came together, in order and each once, and the ids of the first of them.
struct Burst {
    met: Vec<Met>,
    named: Vec<(Timestamp, Arc<str>)>,
}

impl Burst {
    fn of<'r>(rows: impl Iterator<Item = &'r Row> + Clone) -> Self {
        let met = rows.clone().map(|row| Met {
            time: row.time,
            record: digest(&row.id),
            ordinal: row.ordinal,
            user: digest(&row.user),
        });
        let mut first: Vec<&Row> = rows.collect();
        first.sort_unstable_by(|a, b| (a.time, &a.id).cmp(&(b.time, &b.id)));
        first.dedup_by(|a, b| (a.time, &a.id) == (b.time, &b.id));
        let named = first.into_iter().take(MAX_NAMED);
        Self {
            met: each_once(met.collect()),
            named: named.map(|row| (row.time, Arc::clone(&row.id))).collect(),
        }
    }

    /// Several as one.
    fn union(several: &[Rc<Self>]) -> Self {
        let met = several.iter().flat_map(|burst| &burst.met).copied();
        let mut named: Vec<_> = several
            .iter()
            .flat_map(|burst| &burst.named)
            .cloned()
            .collect();
        named.sort_unstable();
        named.dedup();
        named.truncate(MAX_NAMED);
        Self {
            met: each_once(met.collect()),
            named,
        }
    }
}

/// Each once, in order: one event may stand in several bursts, or pass two expressions.
fn each_once(mut met: Vec<Met>) -> Vec<Met> {
    met.sort_unstable();
    met.dedup_by_key(|one| (one.time, one.record, one.ordinal));
    met
}

/// What a detection says of rows that came together, and of one user.
fn finding(detection: &Detection, user: &str, burst: &Burst) -> Option<RaisedRows> {
    let (first, last) = (burst.met.first()?, burst.met.last()?);
    let own = digest(user);
    Some(RaisedRows {
        finding: Finding {
            detection: detection.id.clone(),
            title: detection.title.clone(),
            severity: detection.severity,
            technique: detection.technique.clone(),
            confidence: detection.confidence,
            user: user.to_owned(),
            first: first.time,
            last: last.time,
            count: burst.met.len(),
            events: burst.named.iter().map(|(_, id)| id.to_string()).collect(),
            why: detection.why.clone(),
        },
        // What others did before stands in the finding and speaks against nobody: who reset a
        // password is not who goes on after it.
        records: burst
            .met
            .iter()
            .filter(|met| met.user == own)
            .map(|met| met.record)
            .collect(),
    })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Import;

    #[test]
    fn what_others_did_before_speaks_against_nobody() {
        let detections = Detections::builtin().unwrap();
        let reset = detections.iter().find(|one| one.id == "D0718").unwrap();
        let mut import = Import::new();
        import.add_bytes("reset", reset.must[0].records.as_bytes());
        let events = import.finish().events;
        let mut matcher = detections.matcher();
        for (event, number) in events.iter().zip(0..) {
            matcher.feed(number, event);
        }
        let raised = matcher.finish(None);
        let found = raised.iter().find(|one| one.finding.detection == "D0718");
        let found = found.unwrap();
        // The administrator who reset the password is no suspect; who went on after it is.
        assert_eq!(found.finding.user, "dana.reyes@fabrikam.example");
        assert_eq!(found.finding.events.len(), 2);
        let sign_in = events.iter().find(|event| event.is_sign_in()).unwrap();
        assert_eq!(found.records, [digest(&sign_in.record_id)]);
    }
}
