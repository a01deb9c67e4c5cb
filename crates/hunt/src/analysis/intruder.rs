//! Finds the attacker among the events of the account.
//!
//! Events that are not clearly the user's are joined over session, token and
//! address into clusters; each cluster is scored by what it is and does. A
//! place where the user has not been before makes a cluster foreign; what is
//! done from there makes it an attacker's.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::findings::Findings;
use super::profile::{Networks, Profile, Whose};
use super::scope::{Scope, sessions};
use super::signs::{ids, score};
use crate::answer::Reason;
use crate::event::{Event, Outcome, Source};

/// From so many points on a cluster is the attacker's.
pub(super) const ATTACKER: i32 = 50;
/// From so many points on it needs an explanation.
pub(super) const SUSPICIOUS: i32 = 30;

/// An event's identity: events are borrowed from one list.
pub(super) type Key = *const Event;

/// Events that belong together and are not clearly the user's.
#[derive(Debug)]
pub(super) struct Cluster<'a> {
    pub(super) events: Vec<&'a Event>,
    pub(super) score: i32,
    pub(super) reasons: Vec<Reason>,
    pub(super) attacker: bool,
}

impl<'a> Cluster<'a> {
    /// Successful sign-ins with a person there.
    pub(super) fn interactive(&self) -> impl Iterator<Item = &'a Event> + '_ {
        // The audit log tells of the same sign-in too, and knows less of it.
        let silent: BTreeSet<&str> = self
            .events
            .iter()
            .filter(|event| event.source == Source::SignIns && event.interactive == Some(false))
            .filter_map(|event| event.token_id.as_deref())
            .collect();
        self.events
            .iter()
            .filter(move |event| {
                event.is_sign_in()
                    && event.outcome == Outcome::Success
                    && event.interactive != Some(false)
                    && !(event.source == Source::Ual
                        && event
                            .token_id
                            .as_deref()
                            .is_some_and(|token| silent.contains(token)))
            })
            .copied()
    }
}

/// Sessions with sign-ins of the user's own, and the kinds of client that made
/// those sign-ins ([`crate::agent::signature`]; nothing where the record names none).
pub(super) type OwnSessions<'a> = HashMap<&'a str, BTreeSet<Option<String>>>;

/// Everything told apart.
pub(super) struct Intruder<'a> {
    pub(super) whose: HashMap<Key, Whose>,
    pub(super) clusters: Vec<Cluster<'a>>,
    pub(super) own_sessions: OwnSessions<'a>,
    /// Events of attacker clusters.
    pub(super) bad: HashSet<Key>,
}

impl<'a> Intruder<'a> {
    pub(super) fn find(
        scope: &Scope<'a>,
        profile: &Profile,
        networks: &Networks,
        findings: &Findings,
    ) -> Self {
        let mut whose: HashMap<Key, Whose> = HashMap::new();
        for event in scope.own.iter().filter(|event| event.is_sign_in()) {
            whose.insert(std::ptr::from_ref(*event), profile.judge(event, networks));
        }
        let by_sign_in = whose.clone();
        for event in scope.own.iter().filter(|event| !event.is_sign_in()) {
            let judged = judge_audit(event, scope, profile, networks, &by_sign_in);
            whose.insert(std::ptr::from_ref(*event), judged);
        }
        let mut clusters = cluster(scope, &whose);
        let own_sessions = own_sessions(scope, &whose);
        for cluster in &mut clusters {
            score(
                cluster,
                scope,
                profile,
                networks,
                &whose,
                &own_sessions,
                findings,
            );
            cluster.attacker = cluster.score >= ATTACKER;
        }
        join_relatives(&mut clusters, profile, networks, &whose);
        clusters.sort_by_key(|cluster| {
            (
                std::cmp::Reverse(cluster.score),
                cluster.events.first().map(|event| event.time),
            )
        });
        let bad = clusters
            .iter()
            .filter(|cluster| cluster.attacker)
            .flat_map(|cluster| {
                cluster
                    .events
                    .iter()
                    .map(|event| std::ptr::from_ref(*event))
            })
            .collect();
        Self {
            whose,
            clusters,
            own_sessions,
            bad,
        }
    }

    pub(super) fn is_bad(&self, event: &Event) -> bool {
        self.bad.contains(&std::ptr::from_ref(event))
    }

    pub(super) fn whose(&self, event: &Event) -> Option<&Whose> {
        self.whose.get(&std::ptr::from_ref(event))
    }
}

/// Every session with a sign-in of the user's own. Once for all: a cluster asks
/// this of each of its events, and a session may have hundreds of sign-ins.
fn own_sessions<'a>(scope: &Scope<'a>, whose: &HashMap<Key, Whose>) -> OwnSessions<'a> {
    let mut sessions = OwnSessions::new();
    for (session, events) in &scope.by_session {
        for event in events {
            if whose
                .get(&std::ptr::from_ref(*event))
                .is_some_and(Whose::is_own)
            {
                sessions
                    .entry(session)
                    .or_default()
                    .insert(scope.program(event).map(str::to_owned));
            }
        }
    }
    sessions
}

/// An audit record is judged by the sign-in that its token came from; else by
/// its own address; else by its session.
fn judge_audit(
    event: &Event,
    scope: &Scope<'_>,
    profile: &Profile,
    networks: &Networks,
    sign_ins: &HashMap<Key, Whose>,
) -> Whose {
    let of = |list: Option<&Vec<&Event>>| -> Vec<Whose> {
        list.into_iter()
            .flatten()
            .filter_map(|sign_in| sign_ins.get(&std::ptr::from_ref(*sign_in)).cloned())
            .collect()
    };
    let by_address = profile.judge(event, networks);
    if let Some(token) = &event.token_id {
        let judged = of(scope.by_token.get(token.as_str()));
        if let Some(first) = judged
            .first()
            .filter(|whose| !matches!(whose, Whose::Unclear(_)))
        {
            // A token that was issued to the user and is used elsewhere was
            // taken.
            if first.is_own() && by_address.is_foreign() {
                return by_address;
            }
            return match first {
                Whose::Own(_) => Whose::Own("with a token of the user's own sign-in".to_owned()),
                _ => Whose::Foreign("with a token of a sign-in that is not the user's".to_owned()),
            };
        }
    }
    if !matches!(by_address, Whose::Unclear(_)) {
        return by_address;
    }
    let judged: Vec<Whose> = sessions(event)
        .flat_map(|session| of(scope.by_session.get(session)))
        .collect();
    if !judged.is_empty() && judged.iter().all(Whose::is_own) {
        return Whose::Own("in a session of the user's own".to_owned());
    }
    if !judged.is_empty() && judged.iter().all(Whose::is_foreign) {
        return Whose::Foreign("in a session that is not the user's".to_owned());
    }
    by_address
}

/// Joins what is not the user's over session, token and address.
fn cluster<'a>(scope: &Scope<'a>, whose: &HashMap<Key, Whose>) -> Vec<Cluster<'a>> {
    let events: Vec<&'a Event> = scope
        .own
        .iter()
        .filter(|event| {
            whose
                .get(&std::ptr::from_ref(**event))
                .is_some_and(|whose| !whose.is_own())
        })
        .copied()
        .collect();
    let mut parent: Vec<usize> = (0..events.len()).collect();
    let mut seen: HashMap<String, usize> = HashMap::new();
    for (position, event) in events.iter().enumerate() {
        // An app's session is that of the consent, which may be the user's own.
        let carried = (!scope.is_by_app(event)).then(|| sessions(event));
        let keys = carried
            .into_iter()
            .flatten()
            .map(|session| format!("session {session}"))
            .chain(event.token_id.iter().map(|token| format!("token {token}")))
            .chain(
                event
                    .address
                    .iter()
                    .map(|address| format!("address {address}")),
            );
        for key in keys {
            if let Some(other) = seen.get(&key).copied() {
                let (a, b) = (root(&parent, position), root(&parent, other));
                if let Some(slot) = parent.get_mut(a.max(b)) {
                    *slot = a.min(b);
                }
            } else {
                seen.insert(key, position);
            }
        }
    }
    let mut clusters: BTreeMap<usize, Vec<&'a Event>> = BTreeMap::new();
    for (position, event) in events.iter().enumerate() {
        clusters
            .entry(root(&parent, position))
            .or_default()
            .push(event);
    }
    clusters
        .into_values()
        .map(|events| Cluster {
            events,
            score: 0,
            reasons: Vec::new(),
            attacker: false,
        })
        .collect()
}

fn root(parent: &[usize], mut position: usize) -> usize {
    while let Some(next) = parent
        .get(position)
        .copied()
        .filter(|next| *next != position)
    {
        position = next;
    }
    position
}

/// Once an attacker is known, foreign clusters with the same network or the
/// same client, neither of them the user's, are theirs too. Where networks have no
/// numbers, what is near counts.
fn join_relatives(
    clusters: &mut [Cluster<'_>],
    profile: &Profile,
    networks: &Networks,
    whose: &HashMap<Key, Whose>,
) {
    loop {
        let mut known_networks = BTreeSet::new();
        let mut known_surroundings = BTreeSet::new();
        let mut known_agents = BTreeSet::new();
        for event in clusters
            .iter()
            .filter(|cluster| cluster.attacker)
            .flat_map(|cluster| &cluster.events)
        {
            known_networks.extend(
                networks
                    .of(event)
                    .filter(|network| !profile.knows_network(*network)),
            );
            if !profile.may_have_moved(event, networks) {
                known_surroundings.extend(networks.surroundings(event));
            }
            known_agents.extend(
                event
                    .user_agent
                    .clone()
                    .filter(|text| !profile.knows_agent(text) && !profile.knows_client(text)),
            );
        }
        let mut changed = false;
        for cluster in clusters.iter_mut().filter(|cluster| !cluster.attacker) {
            let related = cluster.events.iter().any(|event| {
                whose
                    .get(&std::ptr::from_ref(*event))
                    .is_some_and(Whose::is_foreign)
                    && (networks
                        .of(event)
                        .is_some_and(|network| known_networks.contains(&network))
                        || networks
                            .surroundings(event)
                            .is_some_and(|wide| known_surroundings.contains(&wide))
                        || event
                            .user_agent
                            .as_ref()
                            .is_some_and(|text| known_agents.contains(text)))
            });
            if related {
                cluster.attacker = true;
                changed = true;
                let points = (ATTACKER - cluster.score).max(0);
                cluster.score += points;
                cluster.reasons.push(Reason {
                    points,
                    text: "it shares a network or client with the attacker".to_owned(),
                    events: ids(&cluster.events),
                });
            }
        }
        if !changed {
            return;
        }
    }
}
