//! Finds the attacker among the events of the account.
//!
//! Events that are not clearly the user's are joined over session, token and
//! address into clusters; each cluster is scored by what it is and does. A
//! place where the user has not been before makes a cluster foreign; what is
//! done from there makes it an attacker's.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::SignedDuration;

use super::profile::{Network, Networks, Profile, Whose};
use super::scope::{Scope, sessions};
use crate::agent;
use crate::answer::{Reason, Severity};
use crate::event::{Event, Mfa, Outcome, Source};

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
        self.events
            .iter()
            .filter(|event| {
                event.is_sign_in()
                    && event.outcome == Outcome::Success
                    && event.interactive != Some(false)
            })
            .copied()
    }
}

/// What the detections raised, by event.
pub(super) type Raised = HashMap<Key, Vec<(String, Severity, Vec<String>)>>;

/// Everything told apart.
pub(super) struct Intruder<'a> {
    pub(super) whose: HashMap<Key, Whose>,
    pub(super) clusters: Vec<Cluster<'a>>,
    /// Events of attacker clusters.
    pub(super) bad: HashSet<Key>,
}

impl<'a> Intruder<'a> {
    pub(super) fn find(
        scope: &Scope<'a>,
        profile: &Profile,
        networks: &Networks,
        raised: &Raised,
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
        for cluster in &mut clusters {
            score(cluster, scope, profile, networks, &whose, raised);
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
        let keys = sessions(event)
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

fn ids(events: &[&Event]) -> Vec<String> {
    let ids: BTreeSet<String> = events.iter().map(|event| event.record_id.clone()).collect();
    ids.into_iter().take(20).collect()
}

fn score(
    cluster: &mut Cluster<'_>,
    scope: &Scope<'_>,
    profile: &Profile,
    networks: &Networks,
    whose: &HashMap<Key, Whose>,
    raised: &Raised,
) {
    let events = cluster.events.clone();
    let mut reasons = Vec::new();
    let mut add = |points: i32, text: String, events: &[&Event]| {
        if !events.is_empty() {
            reasons.push(Reason {
                points,
                text,
                events: ids(events),
            });
        }
    };
    let pick = |test: &dyn Fn(&Event) -> bool| -> Vec<&Event> {
        events.iter().filter(|event| test(event)).copied().collect()
    };
    let foreign = |event: &Event| {
        whose
            .get(&std::ptr::from_ref(event))
            .is_some_and(Whose::is_foreign)
    };
    let entered = |event: &Event| event.is_sign_in() && event.outcome == Outcome::Success;

    // Knocking is not entering: without a success and without an act there is
    // nothing to score.
    let acted = pick(&|event| {
        entered(event)
            || (!event.is_sign_in()
                && event.outcome != Outcome::Failure
                && event.source != Source::RiskDetections)
    });
    if acted.is_empty() {
        return;
    }
    let strangers = pick(&|event| entered(event) && foreign(event));
    add(
        30,
        "signed in from a network and device that the user never used".to_owned(),
        &strangers,
    );
    let places = pick(&|event| {
        entered(event)
            && !profile.thin
            && event
                .place
                .country
                .as_deref()
                .is_some_and(|country| !profile.knows_country(country))
    });
    add(
        10,
        "signed in from a country that the user does not work from".to_owned(),
        &places,
    );
    let travel = impossible_travel(&strangers, scope, whose);
    add(
        15,
        "signed in while the user was at work somewhere else".to_owned(),
        &travel,
    );

    let copied = moved_sessions(&events, networks);
    add(
        20,
        "one session was used from several networks or clients".to_owned(),
        &copied,
    );
    // The user's own browser, carried to another place, keeps its session and
    // its client; a copied session keeps only the first.
    let taken = |other_client: bool| {
        pick(&|event| {
            let client = event.user_agent.as_deref().map(agent::signature);
            foreign(event)
                && sessions(event).any(|session| {
                    let mut own = scope
                        .by_session
                        .get(session)
                        .into_iter()
                        .flatten()
                        .filter(|other| {
                            whose
                                .get(&std::ptr::from_ref(**other))
                                .is_some_and(Whose::is_own)
                        })
                        .peekable();
                    own.peek().is_some()
                        && own.any(|other| {
                            (other.user_agent.as_deref().map(agent::signature) == client)
                                != other_client
                        })
                })
        })
    };
    let stolen = taken(true);
    if stolen.is_empty() {
        let carried = taken(false);
        add(
            10,
            "a session of the user's own was used from elsewhere, with the same kind of client"
                .to_owned(),
            &carried,
        );
    } else {
        add(
            30,
            "a session of the user's own was used from elsewhere, with another client".to_owned(),
            &stolen,
        );
    }

    let risky = pick(&|event| {
        event
            .risk
            .as_deref()
            .is_some_and(|risk| risk == "high" || risk == "medium")
    });
    add(
        20,
        "Identity Protection rated it as risky".to_owned(),
        &risky,
    );
    let scripted = pick(&|event| {
        entered(event)
            && event.user_agent.as_deref().is_some_and(|text| {
                matches!(agent::client_family(text), "script" | "powershell")
                    && !profile.knows_client(text)
            })
    });
    add(10, "signed in with a script or tool".to_owned(), &scripted);
    let flow = pick(&|event| {
        entered(event) && (is_device_code(event) || event.protocol.as_deref() == Some("ropc"))
    });
    add(
        10,
        "signed in by a flow that attackers favour".to_owned(),
        &flow,
    );
    let usual = pick(&|event| {
        entered(event)
            && event
                .user_agent
                .as_deref()
                .is_some_and(|text| profile.knows_agent(text))
    });
    if !strangers.is_empty() && usual.len() == strangers.len() && copied.is_empty() {
        add(
            -15,
            "the client is one that the user uses".to_owned(),
            &usual,
        );
    }
    let claimed = pick(&|event| {
        entered(event)
            && foreign(event)
            && event.mfa == Mfa::Given
            && event.device.managed == Some(true)
    });
    add(
        -20,
        "a managed device and a second factor were there".to_owned(),
        &claimed,
    );

    let mut tried = false;
    let mut from_detections = 0;
    for (severity, points) in [(Severity::High, 25), (Severity::Medium, 10)] {
        let mut by_detection: BTreeMap<&str, Vec<&Event>> = BTreeMap::new();
        for event in &acted {
            for (id, level, techniques) in raised
                .get(&std::ptr::from_ref(*event))
                .into_iter()
                .flatten()
            {
                if *level == severity {
                    by_detection.entry(id).or_default().push(event);
                    tried |= severity == Severity::High
                        && techniques
                            .iter()
                            .any(|t| t.starts_with("T1110") || t.starts_with("T1592"));
                }
            }
        }
        for (id, events) in by_detection {
            let points = points.min(60 - from_detections);
            from_detections += points;
            if points > 0 {
                add(
                    points,
                    format!("detection {id} was raised by what was done there"),
                    &events,
                );
            }
        }
    }
    if tried {
        add(
            35,
            "passwords were tried before, or platforms after".to_owned(),
            &acted,
        );
    }
    let sum: i32 = reasons.iter().map(|reason| reason.points).sum();
    // Without a stranger's sign-in, a taken session, a rating or a tool there
    // is only what was done, and that may be the user's own doing.
    let alien = tried
        || events.iter().any(|event| foreign(event))
        || !copied.is_empty() && !profile.thin
        || (!risky.is_empty() && !flow.is_empty());
    cluster.score = if alien { sum } else { sum.min(ATTACKER - 5) }.clamp(0, 100);
    cluster.reasons = reasons;
}

pub(super) fn is_device_code(event: &Event) -> bool {
    let is = |text: &Option<String>, word: &str| {
        text.as_deref()
            .is_some_and(|text| text.eq_ignore_ascii_case(word))
    };
    is(&event.protocol, "deviceCode")
        || is(&event.transfer, "deviceCodeFlow")
        || is(&event.protocol, "authenticationTransfer")
}

/// Events of sessions that were used from several networks or with several
/// kinds of client.
fn moved_sessions<'a>(events: &[&'a Event], networks: &Networks) -> Vec<&'a Event> {
    let mut by_session: BTreeMap<&str, Vec<&'a Event>> = BTreeMap::new();
    for event in events
        .iter()
        .filter(|event| event.is_sign_in() && event.outcome == Outcome::Success)
    {
        if let Some(session) = &event.session_id {
            by_session.entry(session).or_default().push(event);
        }
    }
    by_session
        .into_values()
        .filter(|events| {
            let places: BTreeSet<Network> = events
                .iter()
                .filter_map(|event| networks.of(event))
                .collect();
            let clients: BTreeSet<String> = events
                .iter()
                .filter_map(|event| event.user_agent.as_deref().map(agent::signature))
                .collect();
            places.len() > 1 || clients.len() > 1
        })
        .flatten()
        .collect()
}

/// Foreign sign-ins within an hour of the user's own from so far away that
/// nobody travels it: faster than 900 km/h, and over 500 km to allow for how
/// roughly addresses are located.
fn impossible_travel<'a>(
    strangers: &[&'a Event],
    scope: &Scope<'_>,
    whose: &HashMap<Key, Whose>,
) -> Vec<&'a Event> {
    let own: Vec<&Event> = scope
        .own
        .iter()
        .filter(|event| {
            event.is_sign_in()
                && whose
                    .get(&std::ptr::from_ref(**event))
                    .is_some_and(Whose::is_own)
        })
        .copied()
        .collect();
    strangers
        .iter()
        .filter(|stranger| {
            own.iter().any(|event| {
                let apart = event.time.duration_since(stranger.time).abs();
                if apart > SignedDuration::from_hours(12) {
                    return false;
                }
                match (event.place.coordinates, stranger.place.coordinates) {
                    (Some(a), Some(b)) => {
                        let distance = kilometres(a, b);
                        distance > 500.0 && distance > 900.0 * apart.as_secs_f64() / 3600.0
                    }
                    _ => {
                        apart < SignedDuration::from_hours(1)
                            && matches!((&event.place.country, &stranger.place.country), (Some(a), Some(b)) if a != b)
                    }
                }
            })
        })
        .copied()
        .collect()
}

/// Great-circle distance.
fn kilometres(a: (f64, f64), b: (f64, f64)) -> f64 {
    let (lat_a, lat_b) = (a.0.to_radians(), b.0.to_radians());
    let (d_lat, d_lon) = (lat_b - lat_a, (b.1 - a.1).to_radians());
    let h = (d_lat / 2.0).sin().powi(2) + lat_a.cos() * lat_b.cos() * (d_lon / 2.0).sin().powi(2);
    12_742.0 * h.sqrt().min(1.0).asin()
}

/// Once an attacker is known, foreign clusters with the same network or the
/// same client, neither of them the user's, are theirs too.
fn join_relatives(
    clusters: &mut [Cluster<'_>],
    profile: &Profile,
    networks: &Networks,
    whose: &HashMap<Key, Whose>,
) {
    loop {
        let mut known_networks = BTreeSet::new();
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
