//! The judgement over a store, in bounded memory.
//!
//! First everything is read once, and what all have in common is learned in
//! compact form. Then everybody is judged on what their own account did.
//! Whoever needs a closer look is judged again with what else concerns them:
//! what others did to them, what came from the attacker's addresses, sessions,
//! tokens and apps, who tried passwords there, what the message trace has of
//! the mail. Where one account was taken from, others may have been, so those
//! who came from there are looked at too, until nobody new is found.
//!
//! Held in memory: what is learned and said of each account, and some events at a time. Those
//! that wait to be judged lie packed on disk ([`Bounds::held`]) and are taken up by groups of
//! accounts ([`Bounds::at_once`]). Of a user with more than [`Bounds::most`] events one of a kind
//! is kept for each hour, place, session and program, more coarsely the more there are, but for what
//! comes from an attacker's place, which is all kept; what others did is held as far as
//! [`Bounds::of_others`]. How often the store is read depends on what is found, not on how many
//! accounts there are.

mod gather;
mod gathered;
mod parallel;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::net::IpAddr;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use crate::analysis::{Findings, Ground, Shared, each_name, is_serious_change};
use crate::answer::{Analysis, By, Finding, Severity, Subject, Verdict};
use crate::detections::{RaisedRows, add_own_domains};
use crate::event::{Event, Source};
use crate::import::ImportReport;
use crate::readers::Imported;
use crate::report::{HuntReport, Options, UserAnswer, coverage};
use crate::sigma::SigmaAnswer;
use crate::store::{Store, StoreError, by_time};
use gather::{LeftOut, Marks, Target, Thinner, gather};
use gathered::Loaded;

/// How much is held in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Events of one account that are judged one by one; of more, one of a kind.
    pub most: usize,
    /// Events of others that concern one account, such as what a program that everybody
    /// uses did: of more, those are left out that change nothing.
    pub of_others: usize,
    /// Own events of the accounts that are looked at more closely at a time. (One account is
    /// looked at whatever it has.)
    pub at_once: usize,
    /// Bytes of events that wait to be judged in memory, where there is a directory for more.
    pub held: usize,
    /// Directory for the others; none: all are held.
    pub scratch: Option<PathBuf>,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            most: 12_000,
            of_others: 5_000,
            at_once: 12_000,
            held: 32 << 20,
            scratch: None,
        }
    }
}

/// Events of accounts that are judged side by side.
const TOGETHER: usize = 8_000;

/// So many people who work from an address make it common: the company's, a provider's, a
/// carrier's.
const AT_WORK: usize = 3;

/// How often the addresses of accounts that were taken are looked for in the others.
const ROUNDS: usize = 4;

/// An account that more events concern than so many is judged by itself.
const ALONE: usize = 4_000;

/// How often the store is read for accounts: what is found may tie more to them.
const READINGS: usize = 3;

/// Answers for every user in the store.
///
/// `raised` is what the detections found in its events
/// ([`Matcher::finish`](crate::detections::Matcher::finish)), `sigma` what the
/// Sigma rules found. The answer depends on the set of events alone.
///
/// # Errors
///
/// When the events cannot be read back.
pub fn judge(
    store: &dyn Store,
    account: ImportReport,
    raised: Vec<RaisedRows>,
    sigma: SigmaAnswer,
    options: &Options,
) -> Result<HuntReport, StoreError> {
    judge_within(store, account, raised, sigma, options, Bounds::default())
}

/// The same with other bounds.
///
/// # Errors
///
/// See [`judge`].
pub fn judge_within(
    store: &dyn Store,
    account: ImportReport,
    raised: Vec<RaisedRows>,
    sigma: SigmaAnswer,
    options: &Options,
    bounds: Bounds,
) -> Result<HuntReport, StoreError> {
    let findings = Findings::new(&raised, &options.detections);
    // The ids of all records that were matched are not needed any more.
    let raised: Vec<Finding> = raised.into_iter().map(|raised| raised.finding).collect();
    let learned = Learned::from(store, &findings, options)?;
    let mut court = Court {
        store,
        options,
        findings: &findings,
        learned: &learned,
        vouched: HashMap::new(),
        exits: HashSet::new(),
        asked: options
            .users
            .iter()
            .map(|user| user.to_lowercase())
            .collect(),
        answers: BTreeMap::new(),
        marks: BTreeMap::new(),
        bounds,
    };
    let closer = court.everybody(&raised)?;
    court.closer(&closer, &BTreeSet::new())?;
    court.neighbours()?;
    let mut users: Vec<UserAnswer> = court
        .answers
        .into_iter()
        .map(|(user, analysis)| UserAnswer { user, analysis })
        .collect();
    users.sort_by(|a, b| {
        let rank = |answer: &UserAnswer| {
            (
                answer.analysis.verdict,
                std::cmp::Reverse(answer.analysis.score),
            )
        };
        rank(a).cmp(&rank(b)).then_with(|| a.user.cmp(&b.user))
    });
    let coverage = coverage(&account, &learned.shared, options.now);
    Ok(HuntReport {
        imported: Imported {
            events: Vec::new(),
            inputs: account.inputs,
            damaged: account.damaged,
            counts: account.counts,
        },
        findings: raised,
        users,
        coverage,
        sigma,
    })
}

/// What all have in common.
struct Learned {
    shared: Shared,
    /// The organisation's own mail domains.
    own: BTreeSet<String>,
    people: BTreeMap<Arc<str>, Person>,
    /// Names of accounts that a serious change was made to by somebody else.
    changed: BTreeSet<String>,
}

#[derive(Default)]
struct Person {
    id: Option<String>,
    /// Their own events, without the message trace.
    events: usize,
}

impl Learned {
    fn from(store: &dyn Store, findings: &Findings, options: &Options) -> Result<Self, StoreError> {
        let mut learned = Self {
            shared: Shared::default(),
            own: options
                .own_domains
                .iter()
                .map(|domain| domain.to_lowercase())
                .collect(),
            people: BTreeMap::new(),
            changed: BTreeSet::new(),
        };
        let told = !learned.own.is_empty();
        store.scan(&mut |event| {
            if !told {
                add_own_domains(&mut learned.own, &event);
            }
            learned.add(&event, findings);
            Ok(())
        })?;
        Ok(learned)
    }

    fn add(&mut self, event: &Event, findings: &Findings) {
        self.shared.add(event);
        if is_serious_change(event, findings) {
            each_name(event, &mut |name| {
                self.changed.insert(name.to_lowercase());
            });
        }
        let Some(user) = event.user.as_deref().filter(|user| is_person(user)) else {
            return;
        };
        if !self.people.contains_key(user) {
            self.people.insert(user.into(), Person::default());
        }
        if let Some(person) = self.people.get_mut(user) {
            if person.id.is_none() {
                person.id = event
                    .user_id
                    .clone()
                    .filter(|id| crate::token::token_id(id).is_some());
            }
            person.events += usize::from(event.source != Source::MessageTrace);
        }
    }

    fn subject(&self, user: &str, hostile: &BTreeSet<IpAddr>) -> Subject {
        Subject {
            upn: user.to_owned(),
            own_domains: self.own.iter().cloned().collect(),
            id: self.people.get(user).and_then(|person| person.id.clone()),
            hostile: hostile.iter().copied().collect(),
            ..Subject::default()
        }
    }

    /// Somebody else changed something of the account's.
    fn was_changed(&self, user: &str) -> bool {
        let id = self.people.get(user).and_then(|person| person.id.as_ref());
        [Some(user), user.split('@').next()]
            .into_iter()
            .flatten()
            .any(|name| self.changed.contains(name))
            || id.is_some_and(|id| self.changed.contains(&id.to_lowercase()))
    }
}

struct Court<'a> {
    store: &'a dyn Store,
    options: &'a Options,
    findings: &'a Findings,
    learned: &'a Learned,
    /// Changes that their own users stand for.
    vouched: HashMap<String, String>,
    /// Addresses that several people work from.
    exits: HashSet<IpAddr>,
    /// Accounts that somebody asked for.
    asked: BTreeSet<String>,
    answers: BTreeMap<String, Analysis>,
    /// What ties other events to an account that was judged.
    marks: BTreeMap<String, Marks>,
    bounds: Bounds,
}

impl Court<'_> {
    fn ground(&self) -> Ground<'_> {
        Ground {
            shared: &self.learned.shared,
            own: &self.learned.own,
            findings: self.findings,
            vouched: Some(&self.vouched),
            exits: &self.exits,
        }
    }

    /// Somebody asked for the account, or it stands out.
    fn is_in_question(&self, user: &str, analysis: &Analysis) -> bool {
        self.asked.contains(user) || analysis.verdict.is_alarming()
    }

    /// What is kept of an answer: everything of those in question.
    fn kept(&self, user: &str, analysis: Analysis) -> Analysis {
        if self.is_in_question(user, &analysis) {
            analysis
        } else {
            analysis.brief()
        }
    }

    /// Judges everybody on their own events. Gives those who need a closer look.
    fn everybody(&mut self, raised: &[Finding]) -> Result<BTreeSet<String>, StoreError> {
        let asked = &self.asked;
        let found: BTreeSet<&str> = raised.iter().map(|finding| finding.user.as_str()).collect();
        let serious: BTreeSet<&str> = raised
            .iter()
            .filter(|finding| finding.severity >= Severity::Medium)
            .map(|finding| finding.user.as_str())
            .collect();
        let ground = self.ground();
        let learned = self.learned;
        let now = self.options.now;
        let mut closer = BTreeSet::new();
        let (mut answers, mut marks, mut vouched) =
            (BTreeMap::new(), BTreeMap::new(), HashMap::new());
        let mut at_work: HashMap<IpAddr, usize> = HashMap::new();
        let mut judge = |waiting: &mut Vec<(String, Vec<Event>)>| {
            let judged = parallel::each(waiting, |(user, events)| {
                let subject = learned.subject(user, &BTreeSet::new());
                let mut analysis = ground.analyse(events.iter().collect(), &subject, now);
                let had = learned.people.get(user.as_str());
                let had = had.map_or(0, |person| person.events);
                let left_out = LeftOut {
                    own: had.saturating_sub(events.len()),
                    ..LeftOut::default()
                };
                left_out.confess(&mut analysis);
                analysis
            });
            for ((user, _), analysis) in waiting.drain(..).zip(judged) {
                for address in &analysis.own_addresses {
                    *at_work.entry(*address).or_default() += 1;
                }
                for change in analysis
                    .changes
                    .iter()
                    .filter(|change| change.by == By::User && !change.detections.is_empty())
                {
                    for record in change.also.iter().chain([&change.record_id]) {
                        vouched.insert(record.clone(), user.clone());
                    }
                }
                if self.is_in_question(&user, &analysis)
                    || serious.contains(user.as_str())
                    || learned.was_changed(&user)
                {
                    closer.insert(user.clone());
                    marks.insert(user.clone(), Marks::of(&analysis, &learned.shared));
                }
                // Everybody is judged, whoever is asked for: what they share depends on it.
                if self.is_in_question(&user, &analysis)
                    || asked.is_empty()
                    || found.contains(user.as_str())
                {
                    let answer = self.kept(&user, analysis);
                    answers.insert(user, answer);
                }
            }
        };
        let most = self.bounds.most;
        let mut thinner = Thinner::new(&learned.heavy(most), most, self.findings);
        let (mut waiting, mut events_waiting) = (Vec::new(), 0);
        self.store.each_user_of(
            &mut |event| {
                event.source != Source::MessageTrace
                    // A service may have done more than memory holds.
                    && event.user.as_deref().is_some_and(is_person)
                    && thinner.wants(event)
            },
            &mut |user, events| {
                events_waiting += events.len();
                waiting.push((user.to_owned(), events));
                if events_waiting >= TOGETHER {
                    judge(&mut waiting);
                    events_waiting = 0;
                }
                Ok(())
            },
        )?;
        judge(&mut waiting);
        at_work.retain(|_, people| *people >= AT_WORK);
        self.exits = at_work.into_keys().collect();
        self.answers = answers;
        self.marks = marks
            .into_iter()
            .map(|(user, marks)| (user, marks.without(&self.exits)))
            .collect();
        self.vouched = vouched;
        Ok(closer)
    }

    /// Judges these with all that concerns them.
    fn closer(
        &mut self,
        users: &BTreeSet<String>,
        hostile: &BTreeSet<IpAddr>,
    ) -> Result<(), StoreError> {
        let heavy = self.learned.heavy(self.bounds.most);
        let mut users: Vec<String> = users.iter().cloned().collect();
        for _ in 0..READINGS {
            let mut targets: Vec<Target> = users
                .iter()
                .map(|user| Target {
                    subject: self.learned.subject(user, hostile),
                    marks: self.marks.get(user).cloned().unwrap_or_default(),
                    ..Target::default()
                })
                .collect();
            let groups = self.groups(&users);
            let mut gathered = gather(
                self.store,
                &mut targets,
                &groups,
                &self.learned.shared,
                Thinner::new(&heavy, self.bounds.most, self.findings),
                &self.bounds,
            )?;
            let mut judged = Vec::new();
            for (number, group) in groups.into_iter().enumerate() {
                let loaded = gathered.take(number)?;
                judged.extend(self.judged(&targets, group, &loaded)?);
            }
            users.clear();
            for (target, analysis) in targets.into_iter().zip(judged) {
                let user = target.subject.upn;
                let marks = Marks::of(&analysis, &self.learned.shared).without(&self.exits);
                if !target.marks.covers(&marks) {
                    users.push(user.clone());
                }
                self.marks.insert(user.clone(), target.marks.and(marks));
                let answer = self.kept(&user, analysis);
                self.answers.insert(user, answer);
            }
            if users.is_empty() {
                break;
            }
        }
        Ok(())
    }

    /// Accounts one after the other, as many at a time as may be held.
    fn groups(&self, users: &[String]) -> Vec<Range<usize>> {
        let mut groups = Vec::new();
        let (mut begin, mut size) = (0, 0);
        for (number, user) in users.iter().enumerate() {
            let person = self.learned.people.get(user.as_str());
            size += person.map_or(0, |person| person.events.min(self.bounds.most));
            if size >= self.bounds.at_once || number + 1 == users.len() {
                groups.push(begin..number + 1);
                (begin, size) = (number + 1, 0);
            }
        }
        groups
    }

    /// The answers for a group of targets, in their order.
    fn judged(
        &self,
        targets: &[Target],
        group: Range<usize>,
        loaded: &Loaded,
    ) -> Result<Vec<Analysis>, StoreError> {
        let (ground, now) = (self.ground(), self.options.now);
        let judge = |number: &usize| -> Result<Option<Analysis>, StoreError> {
            let Some(target) = targets.get(*number) else {
                return Ok(None);
            };
            let mut all = loaded.of(*number)?;
            all.sort_by(by_time);
            let mut analysis = ground.analyse(all.iter().collect(), &target.subject, now);
            target.left_out.confess(&mut analysis);
            Ok(Some(analysis))
        };
        let (alone, together): (Vec<usize>, Vec<usize>) = group.partition(|number| {
            let target = targets.get(*number);
            target.is_some_and(|target| target.events > ALONE)
        });
        let mut judged: BTreeMap<usize, Analysis> = BTreeMap::new();
        let answers = parallel::each(&together, judge);
        let answers = together.iter().zip(answers);
        for (number, analysis) in answers.chain(alone.iter().map(|number| (number, judge(number))))
        {
            judged.extend(analysis?.map(|analysis| (*number, analysis)));
        }
        Ok(judged.into_values().collect())
    }

    /// Where one account was taken from, others may have been; and from there others again.
    fn neighbours(&mut self) -> Result<(), StoreError> {
        let mut known = BTreeSet::new();
        for _ in 0..ROUNDS {
            let hostile: BTreeSet<IpAddr> = self
                .answers
                .values()
                .filter(|analysis| analysis.verdict == Verdict::Compromised)
                .flat_map(|analysis| &analysis.fingerprint.addresses)
                .filter_map(|address| crate::address::parse(address))
                .filter(|address| {
                    !self.exits.contains(address) && !self.learned.shared.is_common_exit(*address)
                })
                .collect();
            if hostile == known {
                break;
            }
            // Only successful sign-ins from there count against anybody, so whoever had none from
            // the new addresses would be judged as before.
            let entered: BTreeSet<String> = hostile
                .difference(&known)
                .flat_map(|address| self.learned.shared.entered(*address))
                .filter(|user| {
                    self.answers
                        .get(&***user)
                        .is_some_and(|analysis| analysis.verdict != Verdict::Compromised)
                })
                .map(ToString::to_string)
                .collect();
            self.closer(&entered, &hostile)?;
            known = hostile;
        }
        Ok(())
    }
}

impl Learned {
    /// Accounts with more events than are judged one by one.
    fn heavy(&self, most: usize) -> BTreeSet<Arc<str>> {
        self.people
            .iter()
            .filter(|(_, person)| person.events > most)
            .map(|(name, _)| Arc::clone(name))
            .collect()
    }
}

/// Names of services stand where users do.
fn is_person(user: &str) -> bool {
    user.contains('@') && !user.contains('\\') && !user.starts_with("app@")
}
