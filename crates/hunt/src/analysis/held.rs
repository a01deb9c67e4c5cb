//! Sessions that stayed in the user's own hands.
//!
//! A place where the user has not long worked is no proof of a stranger:
//! people work at home on two days a month, and they travel. What proves the
//! user is continuity. A session that the very programs of the user carried
//! on, here and in a network or on a device that is established as theirs, is
//! the user's in both places; and where such sessions were, the user was.
//!
//! Continuity does not hold where the session shows a program that the user
//! never used at home (it was handed over), where its registered device is
//! missing, where one program was in two places at once, where Identity
//! Protection rated it, or where the kind of change was made that attackers
//! make. Then the cluster is scored by all that speaks for and against it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};

use super::changes::is_serious_change;
use super::findings::Findings;
use super::profile::{Network, Networks, Profile, within_a_day};
use super::scope::{Scope, sessions};
use super::signs::{is_device_code, is_risky, too_far};
use crate::agent;
use crate::event::{Event, Outcome, Source};
use crate::moment::day_of;

/// One program that is in another place and back within this time on either
/// side is in two places at once.
const ROUND_TRIP: SignedDuration = SignedDuration::from_hours(1);
/// One program that changes its place more often than this within a day is in
/// two places at once.
const CHANGES_A_DAY: usize = 4;

/// By how much a session's next token may be newer than what was done in it: renewals come
/// when a program needs one.
const RECORDED_LATE: SignedDuration = SignedDuration::from_mins(90);

/// What the user's own programs carried from place to place.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// Programs, by their whole user agents, that were at work in established
    /// networks or on established devices.
    agents: BTreeSet<String>,
    /// Sessions that the user carried, with the networks they were in.
    sessions: BTreeMap<String, BTreeSet<Network>>,
    /// Sessions in which nothing but the user's programs was seen.
    unmixed: BTreeSet<String>,
    /// Sessions that the user's programs carried from where the user works, whoever else
    /// was in them: a token that was copied leaves its owner at work.
    shared: BTreeSet<String>,
    /// Where carried sessions were, and when.
    places: HashMap<Network, BTreeSet<Timestamp>>,
}

impl Held {
    /// Learns from the sign-ins that succeeded.
    pub(super) fn learn(
        scope: &Scope<'_>,
        profile: &Profile,
        networks: &Networks,
        findings: &Findings,
    ) -> Self {
        let mut held = Self::default();
        if profile.thin {
            return held;
        }
        let entered: Vec<&Event> = scope
            .own
            .iter()
            .filter(|event| event.is_sign_in() && event.outcome != Outcome::Failure)
            .filter(|event| !scope.is_by_app(event))
            .copied()
            .collect();
        held.agents = entered
            .iter()
            .filter(|event| profile.at_home(event, networks))
            .filter_map(|event| event.user_agent.clone())
            .filter(|text| !matches!(agent::client_family(text), "script" | "powershell"))
            .collect();
        let mut by_session: BTreeMap<&str, Vec<&Event>> = BTreeMap::new();
        for event in &entered {
            if let Some(session) = event.session_id.as_deref() {
                by_session.entry(session).or_default().push(event);
            }
        }
        let accompanied = held.accompanied(&by_session, profile, networks);
        let mut serious = serious(scope, profile, networks, findings);
        serious.retain(|change| {
            networks
                .of(change)
                .is_none_or(|network| !accompanied.are_at(network, change.time))
        });
        let showing = showing(&entered, profile);
        held.learn_shared(&by_session, &serious, &showing, profile, networks);
        by_session.retain(|session, events| {
            held.only_own_programs(events, profile, networks)
                && !serious
                    .iter()
                    .any(|change| touched(change, session, events, networks))
        });
        held.unmixed = by_session
            .keys()
            .map(|session| (*session).to_owned())
            .collect();
        by_session.retain(|_, events| {
            events.iter().any(|event| profile.at_home(event, networks))
                && device_stays(events, &showing, profile, networks)
        });
        let doubled = in_two_places(&by_session, profile, networks);
        by_session.retain(|session, _| !doubled.contains(session));
        for (session, events) in by_session {
            for event in events {
                let Some(network) = networks.of(event) else {
                    continue;
                };
                held.sessions
                    .entry(session.to_owned())
                    .or_default()
                    .insert(network);
                if !profile.at_home(event, networks) {
                    held.places.entry(network).or_default().insert(event.time);
                }
            }
        }
        for session in doubled {
            held.unmixed.remove(session);
        }
        held
    }

    /// Learns which sessions were in the user's own hands, whatever was done in them by
    /// other programs. It counts what the user's own programs did there, and only where
    /// none of them was in two places at once: then somebody shows the user's program too.
    fn learn_shared(
        &mut self,
        by_session: &BTreeMap<&str, Vec<&Event>>,
        serious: &[&Event],
        showing: &BTreeSet<(&str, bool)>,
        profile: &Profile,
        networks: &Networks,
    ) {
        let mut own: BTreeMap<&str, Vec<&Event>> = BTreeMap::new();
        for (session, events) in by_session {
            let events: Vec<&Event> = events
                .iter()
                .filter(|event| self.is_own_program(event))
                .copied()
                .collect();
            // A serious change made in it, from where the user's program seems to be.
            let changed = serious.iter().any(|change| {
                touched(change, session, &events, networks)
                    && networks.of(change).is_some_and(|network| {
                        events
                            .iter()
                            .any(|event| networks.of(event) == Some(network))
                    })
            });
            if events.iter().any(|event| profile.at_home(event, networks))
                && !changed
                && device_stays(&events, showing, profile, networks)
            {
                own.insert(session, events);
            }
        }
        let doubled = in_two_places(&own, profile, networks);
        own.retain(|session, _| !doubled.contains(session));
        for (session, events) in own {
            self.shared.insert(session.to_owned());
            for event in events {
                if let Some(network) = networks.of(event)
                    && !profile.at_home(event, networks)
                {
                    self.places.entry(network).or_default().insert(event.time);
                }
            }
        }
    }

    /// Where the user's own computer and phone came together, each in a session that it
    /// carried from where the user works: whoever takes one session has not both.
    fn accompanied(
        &self,
        by_session: &BTreeMap<&str, Vec<&Event>>,
        profile: &Profile,
        networks: &Networks,
    ) -> Together {
        let mut together = Together::default();
        for events in by_session.values() {
            if !events.iter().any(|event| profile.at_home(event, networks)) {
                continue;
            }
            for event in events.iter().filter(|event| self.is_own_program(event)) {
                let system = event.user_agent.as_deref().and_then(agent::os_family);
                if let (Some(system), Some(network)) = (system, networks.of(event))
                    && !profile.at_home(event, networks)
                {
                    let seen = together.seen.entry(network).or_default();
                    let seen = if agent::is_phone(system) {
                        &mut seen.phones
                    } else {
                        &mut seen.computers
                    };
                    seen.insert(event.time);
                }
            }
        }
        together
    }

    /// The user's own program, at a page or with a token as users have them.
    fn is_own_program(&self, event: &Event) -> bool {
        event
            .user_agent
            .as_ref()
            .is_some_and(|text| self.agents.contains(text))
            && !is_risky(event)
            && !is_device_code(event)
            && event.protocol.as_deref() != Some("ropc")
    }

    /// Whether the event is the user's by continuity, and why.
    pub(super) fn claims(&self, event: &Event, network: Network) -> Option<&'static str> {
        let carried = sessions(event)
            .filter_map(|session| self.sessions.get(session))
            .any(|networks| event.is_sign_in() || networks.contains(&network));
        if carried {
            return Some(
                "in a session that the user's own client carried here from where the user works",
            );
        }
        let shared = sessions(event).any(|session| self.shared.contains(session));
        if shared
            && self.was_there(network, event.time)
            && (!event.is_sign_in() || self.is_own_program(event))
        {
            return Some(
                "with the user's own program, in a session that it carried from where the user works",
            );
        }
        // A sign-in must show the user's program and no other in its session;
        // other records name no program, so their session answers for them.
        let unmixed = sessions(event).any(|session| self.unmixed.contains(session));
        let program = event
            .user_agent
            .as_ref()
            .is_some_and(|text| self.agents.contains(text));
        let fits = if event.is_sign_in() {
            unmixed && program
        } else {
            unmixed || sessions(event).next().is_none()
        };
        (fits && self.was_there(network, event.time))
            .then_some("with the user's own client, where the user carried other sessions to")
    }

    /// The user's sessions were there on several days, or that day.
    fn was_there(&self, network: Network, time: Timestamp) -> bool {
        let Some(times) = self.places.get(&network) else {
            return false;
        };
        within_a_day(times, time)
            || times
                .iter()
                .map(|seen| day_of(*seen))
                .collect::<BTreeSet<_>>()
                .len()
                > 1
    }

    fn only_own_programs(&self, events: &[&Event], profile: &Profile, networks: &Networks) -> bool {
        events
            .iter()
            .all(|event| profile.at_home(event, networks) || self.is_own_program(event))
    }
}

/// Where which of the user's own programs were seen away from home.
#[derive(Default)]
struct Together {
    seen: HashMap<Network, Seen>,
}

#[derive(Default)]
struct Seen {
    phones: BTreeSet<Timestamp>,
    computers: BTreeSet<Timestamp>,
}

impl Together {
    /// Both were there within a day.
    fn are_at(&self, network: Network, time: Timestamp) -> bool {
        self.seen.get(&network).is_some_and(|seen| {
            within_a_day(&seen.phones, time) && within_a_day(&seen.computers, time)
        })
    }
}

/// Changes that a detection takes seriously, made from a place that is not
/// established and where no device of the user's was that day.
fn serious<'a>(
    scope: &Scope<'a>,
    profile: &Profile,
    networks: &Networks,
    findings: &Findings,
) -> Vec<&'a Event> {
    scope
        .own
        .iter()
        .filter(|event| {
            is_serious_change(event, findings)
                && !profile.at_home(event, networks)
                && !networks
                    .of(event)
                    .is_some_and(|network| profile.was_there(network, event.time))
        })
        .copied()
        .collect()
}

/// The change was made in this session; or, where its record names none, from
/// a network in which this session was that day, and not only afterwards.
fn touched(change: &Event, session: &str, events: &[&Event], networks: &Networks) -> bool {
    if sessions(change).next().is_some() {
        return sessions(change).any(|other| other == session);
    }
    networks.of(change).is_some_and(|network| {
        events.iter().any(|event| {
            let since = change.time.duration_since(event.time);
            networks.of(event) == Some(network)
                && since <= SignedDuration::from_hours(24)
                && since >= -RECORDED_LATE
        })
    })
}

/// The programs that show a registered device, each with whether it is at the page or
/// when they renew a token: a browser shows it at the page alone.
fn showing<'a>(entered: &[&'a Event], profile: &Profile) -> BTreeSet<(&'a str, bool)> {
    entered
        .iter()
        .filter(|event| {
            event
                .device
                .id
                .as_deref()
                .is_some_and(|id| profile.knows_device(id))
        })
        .filter_map(|event| {
            let program = event.user_agent.as_deref()?;
            Some((program, event.interactive == Some(false)))
        })
        .collect()
}

/// A program that showed a registered device in this session shows it
/// wherever the session goes, as far as it shows it at all.
fn device_stays(
    events: &[&Event],
    showing: &BTreeSet<(&str, bool)>,
    profile: &Profile,
    networks: &Networks,
) -> bool {
    let mut devices: BTreeMap<&str, BTreeMap<Network, bool>> = BTreeMap::new();
    for event in events {
        if let (Some(program), Some(network)) = (event.user_agent.as_deref(), networks.of(event)) {
            if !showing.contains(&(program, event.interactive == Some(false))) {
                continue;
            }
            *devices
                .entry(program)
                .or_default()
                .entry(network)
                .or_default() |= event
                .device
                .id
                .as_deref()
                .is_some_and(|id| profile.knows_device(id));
        }
    }
    devices.values().all(|places| {
        let shown = places.values().filter(|shown| **shown).count();
        shown == 0 || shown == places.len()
    })
}

/// Sessions of which a program was in two places at once: there and back
/// faster than anybody travels, or to and fro all day. A single leg that is
/// too fast proves nothing, for addresses are located roughly and a new exit
/// of a carrier looks like a journey.
fn in_two_places<'a>(
    by_session: &BTreeMap<&'a str, Vec<&'a Event>>,
    profile: &Profile,
    networks: &Networks,
) -> BTreeSet<&'a str> {
    // The audit log's own sign-in records name no place; where there are
    // better ones they only repeat them.
    let better = by_session
        .values()
        .flatten()
        .any(|event| event.source == Source::SignIns);
    let mut by_program: BTreeMap<&str, Vec<(&'a str, Network, &'a Event)>> = BTreeMap::new();
    for (session, events) in by_session {
        for event in events
            .iter()
            .filter(|event| !better || event.source == Source::SignIns)
        {
            if let (Some(program), Some(network)) =
                (event.user_agent.as_deref(), networks.of(event))
            {
                by_program
                    .entry(program)
                    .or_default()
                    .push((session, network, event));
            }
        }
    }
    let mut found = BTreeSet::new();
    for line in by_program.values_mut() {
        line.sort_by_key(|(_, _, event)| event.time);
        for (position, (session, network, event)) in line.iter().enumerate() {
            if profile.at_home(event, networks) {
                continue;
            }
            let (past, future) = line.split_at(position);
            let before = past.iter().rev().find(|(_, other, _)| other != network);
            let after = future.iter().find(|(_, other, _)| other != network);
            let (Some((_, from, left)), Some((_, to, back))) = (before, after) else {
                continue;
            };
            let leg = |other: &Event| {
                too_far(other, event) || other.time.duration_since(event.time).abs() < ROUND_TRIP
            };
            let returned = from == to && leg(left) && leg(back);
            if returned || changes_of_place(line, event) > CHANGES_A_DAY {
                found.insert(*session);
            }
        }
    }
    found
}

/// How often the program changed its place within twelve hours of the event.
fn changes_of_place(line: &[(&str, Network, &Event)], event: &Event) -> usize {
    let near: Vec<Network> = line
        .iter()
        .filter(|(_, _, other)| {
            other.time.duration_since(event.time).abs() <= SignedDuration::from_hours(12)
        })
        .map(|(_, network, _)| *network)
        .collect();
    near.windows(2)
        .filter(|pair| pair.first() != pair.last())
        .count()
}
