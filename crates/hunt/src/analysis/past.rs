//! Intrusions that lie further back than the alert.
//!
//! What was there long enough on enough days counts as the user's own. An attacker who
//! stays for weeks would earn that, and every record since would vouch for them. So each
//! old change of the kind that attackers make is first looked at as if it had been the
//! alert: with what was usual until then. Whoever was an attacker by that look teaches
//! nothing about the user, in those networks and sessions, then or later.

use std::collections::{BTreeSet, HashSet};

use jiff::{SignedDuration, Timestamp};

use super::changes::is_serious_change;
use super::findings::Findings;
use super::held::Held;
use super::intruder::{ATTACKER, Intruder};
use super::profile::{Network, Networks, Profile};
use super::scope::{Scope, sessions};
use super::signs::BESIDE;
use crate::answer::Subject;
use crate::event::{Event, Outcome};

/// Somebody is established by a week at most: what is younger needs no second look.
const NEEDS_A_LOOK: SignedDuration = SignedDuration::from_hours(24 * 7);
/// A shorter history tells nothing of what was usual by then.
const HISTORY: SignedDuration = SignedDuration::from_hours(24 * 7);
/// What happens so long after a change is looked at with it.
const WITH_IT: SignedDuration = SignedDuration::from_hours(24);
/// How many days with such changes are looked at, the oldest first.
const MOST_DAYS: usize = 12;

/// Who was in the account before, as far as it is known.
#[derive(Debug, Default)]
pub(super) struct Past {
    networks: BTreeSet<Network>,
    sessions: BTreeSet<String>,
}

impl Past {
    /// Looks for intrusions that began more than a week before `anchor`.
    pub(super) fn find(
        scope: &Scope<'_>,
        subject: &Subject,
        networks: &Networks,
        findings: &Findings,
        anchor: Timestamp,
    ) -> Self {
        let mut past = Self::default();
        let Some(first) = scope.own.iter().find(|event| event.is_sign_in()) else {
            return past;
        };
        let first = first.time;
        let mut days = BTreeSet::new();
        // Where nobody says when the alarm was, the end of the log is no better guess
        // than any other day: then whoever came from somewhere new is looked at too.
        let arrivals = if subject.alert_at.is_none() {
            arrivals(scope, networks)
        } else {
            HashSet::new()
        };
        let suspects = scope.own.iter().filter(|event| {
            anchor.duration_since(event.time) > NEEDS_A_LOOK
                && event.time.duration_since(first) >= HISTORY
                && (is_serious_change(event, findings)
                    || arrivals.contains(&std::ptr::from_ref(**event)))
        });
        for change in suspects {
            let day = change.day();
            if days.contains(&day) || past.holds(change, networks) {
                continue;
            }
            if days.len() >= MOST_DAYS {
                break;
            }
            days.insert(day);
            let until = change.time.checked_add(WITH_IT).unwrap_or(change.time);
            let mut then: Vec<&Event> = scope
                .own
                .iter()
                .chain(scope.concerning.iter().filter(|event| !scope.acts(event)))
                .filter(|event| event.time <= until)
                .copied()
                .collect();
            then.sort_by(|a, b| {
                (a.time, a.source, &a.record_id).cmp(&(b.time, b.source, &b.record_id))
            });
            let bound = if subject.alert_at.is_none() {
                BESIDE
            } else {
                ATTACKER
            };
            let then = Scope::new(then, subject, scope.shared, scope.exits);
            past.look(&then, networks, findings, change.time, bound);
        }
        past
    }

    /// The attackers by what was usual until `at`: whoever has so many points teaches
    /// nothing about the user.
    fn look(
        &mut self,
        scope: &Scope<'_>,
        networks: &Networks,
        findings: &Findings,
        at: Timestamp,
        bound: i32,
    ) {
        let mut profile = Profile::learn(scope, networks, at, self);
        if profile.thin {
            return;
        }
        profile.held = Held::learn(scope, &profile, networks, findings);
        let intruder = Intruder::find(scope, &profile, networks, findings);
        for event in intruder
            .clusters
            .iter()
            .filter(|cluster| cluster.attacker || cluster.score >= bound)
            .flat_map(|cluster| &cluster.events)
            .filter(|event| {
                intruder.whose(event).is_some_and(|whose| {
                    whose.is_foreign() || (bound < ATTACKER && !whose.is_own())
                })
            })
        {
            self.networks.extend(networks.of(event));
            // An app carries the session of whoever consented to it, who may be the user; and of a
            // session that was the user's before, only what was done elsewhere is an intruder's.
            if !scope.is_by_app(event) {
                let theirs =
                    sessions(event).filter(|session| !intruder.own_sessions.contains_key(session));
                self.sessions.extend(theirs.map(str::to_owned));
            }
        }
    }

    /// The event belongs to an intrusion, so it tells nothing of the user.
    pub(super) fn holds(&self, event: &Event, networks: &Networks) -> bool {
        networks
            .of(event)
            .is_some_and(|network| self.networks.contains(&network))
            || sessions(event).any(|session| self.sessions.contains(session))
    }
}

/// The first successful sign-in from each network.
fn arrivals(scope: &Scope<'_>, networks: &Networks) -> HashSet<*const Event> {
    let mut seen = BTreeSet::new();
    scope
        .own
        .iter()
        .filter(|event| event.is_sign_in() && event.outcome == Outcome::Success)
        .filter(|event| {
            networks
                .of(event)
                .is_some_and(|network| seen.insert(network))
        })
        .map(|event| std::ptr::from_ref(*event))
        .collect()
}
