//! What the events of everybody say together.
//!
//! Compact, so that it can be kept for inputs of any size: it grows with the
//! addresses, apps, wrong passwords and hours that were seen, not with the
//! events. It depends on the set of events alone, not on their order.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use jiff::{SignedDuration, Timestamp};
use retake_playbook::ObjectKind;

use super::changes::{grant_ids, object_kind};
use super::profile::{Network, Networks};
use super::scope::WRONG_PASSWORD;
use crate::event::{Event, NO_TIME, Outcome, Source};

/// Learned from every event once.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(super) networks: Networks,
    /// Ids in records of consents, the resource's among them, in lower case.
    granted: BTreeSet<String>,
    /// Ids of what is signed in to, in lower case.
    resources: BTreeSet<String>,
    /// Wrong passwords by the address that tried them: when, and on whose account.
    tries: HashMap<IpAddr, BTreeSet<(Timestamp, Arc<str>)>>,
    /// Who signed in from which address, and on which days: a bit for each, of 64 in turn.
    days_at: HashMap<IpAddr, HashMap<Arc<str>, u64>>,
    /// The same from anywhere.
    days: HashMap<Arc<str>, u64>,
    names: HashSet<Arc<str>>,
    facts: BTreeMap<Source, Facts>,
    /// The silences of the two dense logs, once somebody asked.
    holes: [OnceLock<Vec<Hole>>; 2],
}

/// What is known of one source.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    pub(crate) from: Option<Timestamp>,
    pub(crate) to: Option<Timestamp>,
    pub(crate) events: usize,
    /// Some of them are sign-ins.
    pub(crate) signs_in: bool,
    /// Some of them tell of mail that was read.
    pub(super) mail_read: bool,
    /// Some of them are sign-ins without a person.
    pub(super) silent: bool,
    /// Events of people from somewhere, by the hour.
    hours: BTreeMap<i64, u32>,
    /// The audit log's own records of sign-ins, by the hour.
    twins: BTreeMap<i64, u32>,
}

/// A stretch in which a source says nothing though it would have had something to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hole {
    /// Its last event before; none: its begin is missing.
    pub(super) from: Option<Timestamp>,
    /// Its first event after; none: its end is missing.
    pub(super) to: Option<Timestamp>,
    /// Which source went on meanwhile.
    pub(super) other: Source,
}

/// So many people make an address a common exit, …
const REGULARS: usize = 3;
/// … each on so many days, …
const REGULAR_DAYS: u32 = 3;
/// … which are at least this part of the days on which they signed in at all.
const REGULAR_PART: u32 = 4;

/// A source that is silent for less time is not missed.
const SILENCE: i64 = 24;
/// So many events of it would have been there by what another source has.
const EXPECTED: f64 = 30.0;

impl Shared {
    /// What these events say.
    pub(crate) fn of<'e>(events: impl IntoIterator<Item = &'e Event>) -> Self {
        let mut shared = Self::default();
        for event in events {
            shared.add(event);
        }
        shared
    }

    /// Learns from one more.
    pub(crate) fn add(&mut self, event: &Event) {
        self.holes = Default::default();
        self.networks.add(event);
        self.add_fact(event);
        if event.source == Source::Listing {
            return;
        }
        if let Some(resource) = &event.resource_id
            && !self.resources.contains(resource.as_str())
        {
            self.resources.insert(resource.to_lowercase());
        }
        if object_kind(event) == Some(ObjectKind::OauthGrant) {
            self.granted.extend(
                grant_ids(event)
                    .into_iter()
                    .filter(|id| crate::token::token_id(id).is_some())
                    .map(|id| id.to_lowercase()),
            );
        }
        self.add_day(event);
        if is_wrong_password(event)
            && let (Some(address), Some(user)) = (event.address, event.user.as_deref())
        {
            let user = self.name(user);
            self.tries
                .entry(address)
                .or_default()
                .insert((event.time, user));
        }
    }

    fn add_day(&mut self, event: &Event) {
        if !event.is_sign_in() || event.outcome != Outcome::Success {
            return;
        }
        if let (Some(address), Some(user)) = (event.address, event.user.as_deref()) {
            let user = self.name(user);
            let day = 1 << event.day().rem_euclid(64);
            *self.days.entry(Arc::clone(&user)).or_default() |= day;
            *self
                .days_at
                .entry(address)
                .or_default()
                .entry(user)
                .or_default() |= day;
        }
    }

    /// Everybody who signed in from this address.
    pub(crate) fn entered(&self, address: IpAddr) -> impl Iterator<Item = &Arc<str>> {
        self.days_at
            .get(&address)
            .into_iter()
            .flat_map(HashMap::keys)
    }

    /// Several people are at this address on many of their days: an office, a provider's or a
    /// carrier's exit. What one of them does there tells nothing of the others. Known before
    /// anybody is judged; the judgement then finds more of them by whose the sign-ins are.
    pub(crate) fn is_common_exit(&self, address: IpAddr) -> bool {
        let at_home = self
            .days_at
            .get(&address)
            .into_iter()
            .flatten()
            .filter(|(user, here)| {
                let all = self.days.get(*user).map_or(0, |days| days.count_ones());
                let here = here.count_ones();
                here >= REGULAR_DAYS && here * REGULAR_PART >= all
            });
        at_home.take(REGULARS).count() == REGULARS
    }

    fn name(&mut self, name: &str) -> Arc<str> {
        if let Some(have) = self.names.get(name) {
            return Arc::clone(have);
        }
        let new: Arc<str> = name.into();
        self.names.insert(Arc::clone(&new));
        new
    }

    fn add_fact(&mut self, event: &Event) {
        if event.time == NO_TIME {
            return;
        }
        let facts = self.facts.entry(event.source).or_default();
        facts.from = Some(facts.from.map_or(event.time, |from| from.min(event.time)));
        facts.to = Some(facts.to.map_or(event.time, |to| to.max(event.time)));
        facts.events += 1;
        facts.signs_in |= event.is_sign_in();
        facts.mail_read |= event.is("MailItemsAccessed");
        facts.silent |= event.interactive == Some(false);
        let person = event.user.as_deref().is_some_and(|user| user.contains('@'));
        if person && event.address.is_some() {
            let hour = event.time.as_second().div_euclid(3600);
            *facts.hours.entry(hour).or_default() += 1;
            if event.source == Source::Ual && event.is_sign_in() {
                *facts.twins.entry(hour).or_default() += 1;
            }
        }
    }

    /// What is known of a source.
    pub(crate) fn facts(&self, source: Source) -> Option<&Facts> {
        self.facts.get(&source)
    }

    /// Somebody consented to this app. What it does with a refresh token carries the
    /// session of the consent, whoever runs the app: by its session alone it is neither
    /// the user nor a thief. (What is signed in *to* stands in such records too.)
    pub(super) fn is_consented(&self, app: &str) -> bool {
        if self.granted.is_empty() {
            return false;
        }
        let app = app.to_lowercase();
        self.granted.contains(&app) && !self.resources.contains(&app)
    }

    /// It is what apps are let into, not an app.
    pub(crate) fn is_resource(&self, id: &str) -> bool {
        self.resources.contains(&id.to_lowercase())
    }

    /// The network of an address.
    pub(crate) fn network(&self, address: IpAddr) -> Network {
        self.networks.of_address(address)
    }

    /// The address tried passwords on several accounts in the day before. Where many people work,
    /// several of them mistype theirs on any day.
    pub(super) fn tried_passwords(&self, address: IpAddr, time: Timestamp) -> bool {
        let since = time
            .checked_sub(SignedDuration::from_hours(24))
            .unwrap_or(Timestamp::MIN);
        let users: BTreeSet<&str> = self
            .tries
            .get(&address)
            .into_iter()
            .flatten()
            .skip_while(|(at, _)| *at < since)
            .take_while(|(at, _)| *at <= time)
            .map(|(_, user)| &**user)
            .collect();
        users.len() >= 3 && !self.is_common_exit(address)
    }

    /// Where one of the two dense logs is silent for a day or more while the other goes on,
    /// as no chance explains it.
    pub(super) fn holes(&self, source: Source) -> &[Hole] {
        let (Some(ual), Some(sign_ins)) = (self.facts(Source::Ual), self.facts(Source::SignIns))
        else {
            return &[];
        };
        let [in_ual, in_sign_ins] = &self.holes;
        match source {
            Source::SignIns => in_sign_ins.get_or_init(|| {
                // The audit log's own records of sign-ins are the best measure of the others.
                let beside = if ual.twins.values().sum::<u32>() >= 50 {
                    &ual.twins
                } else {
                    &ual.hours
                };
                holes(sign_ins, beside, Source::Ual)
            }),
            Source::Ual => in_ual.get_or_init(|| holes(ual, &sign_ins.hours, Source::SignIns)),
            _ => &[],
        }
    }
}

/// A password that was wrong, or one too many.
pub(crate) fn is_wrong_password(event: &Event) -> bool {
    event.is_sign_in()
        && event.outcome == Outcome::Failure
        && event
            .error_code
            .as_deref()
            .is_some_and(|code| WRONG_PASSWORD.contains(&code))
}

fn holes(of: &Facts, beside: &BTreeMap<i64, u32>, other: Source) -> Vec<Hole> {
    let (Some(first), Some(last)) = (
        of.hours.keys().chain(beside.keys()).min(),
        of.hours.keys().chain(beside.keys()).max(),
    ) else {
        return Vec::new();
    };
    // How many there are to one of the other, where there are some at all.
    let day = |hour: &i64| hour.div_euclid(SILENCE);
    let days: BTreeSet<i64> = of.hours.keys().map(day).collect();
    let total: u32 = of.hours.values().sum();
    let compared: u32 = beside
        .iter()
        .filter(|(hour, _)| days.contains(&day(hour)))
        .map(|(_, count)| count)
        .sum();
    if compared == 0 {
        return Vec::new();
    }
    let ratio = f64::from(total) / f64::from(compared);
    let mut marks: Vec<i64> = of.hours.keys().copied().collect();
    marks.insert(0, first - 1);
    marks.push(last + 1);
    let at = |hour: i64| {
        of.hours
            .contains_key(&hour)
            .then(|| Timestamp::from_second(hour * 3600).ok())
            .flatten()
    };
    marks
        .windows(2)
        .filter_map(|pair| {
            let [before, after] = pair else { return None };
            if after - before <= SILENCE {
                return None;
            }
            let missed: u32 = beside
                .range(before + 1..*after)
                .map(|(_, count)| count)
                .sum();
            (f64::from(missed) * ratio >= EXPECTED).then(|| Hole {
                from: at(*before),
                to: at(*after),
                other,
            })
        })
        .collect()
}
