//! What speaks for and against a cluster being an attacker's, in points.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};
use retake_playbook::ObjectKind;

use super::changes::object_kind;
use super::findings::Findings;
use super::intruder::{ATTACKER, Cluster, Key, OwnSessions};
use super::profile::{Networks, Profile, Whose};
use super::scope::{Scope, sessions};
use crate::agent;
use crate::answer::{Reason, Severity};
use crate::event::{Event, Mfa, Outcome, Source};

/// Scores the cluster and says why.
pub(super) fn score(
    cluster: &mut Cluster<'_>,
    scope: &Scope<'_>,
    profile: &Profile,
    networks: &Networks,
    whose: &HashMap<Key, Whose>,
    own_sessions: &OwnSessions<'_>,
    findings: &Findings,
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
            && event
                .place
                .country
                .as_deref()
                .is_some_and(|country| profile.is_strange_country(country))
    });
    add(
        10,
        "signed in from a country that the user does not work from".to_owned(),
        &places,
    );
    // Not the user's own by network, device or session.
    let strange = |event: &Event| {
        whose
            .get(&std::ptr::from_ref(event))
            .is_some_and(|whose| !whose.is_own())
    };
    let hostile = pick(&|event| {
        entered(event)
            && strange(event)
            && (scope.tried_passwords(event)
                || event
                    .address
                    .is_some_and(|address| scope.hostile.contains(&address)))
    });
    let flow = pick(&|event| {
        entered(event)
            && (is_device_code(event)
                // The code was entered by the user, so the record of it is theirs.
                || (strange(event) && scope.is_by_device_code(event))
                || event.protocol.as_deref() == Some("ropc"))
    });
    let moved = if hostile.is_empty() && flow.is_empty() {
        moved_together(&events, scope, profile, networks, whose, own_sessions)
    } else {
        Vec::new()
    };
    // A phone that roams shows its home carrier's exit: it does not put its owner's
    // laptop in two places.
    let travel = if moved.is_empty() {
        impossible_travel(&strangers, scope, whose)
    } else {
        Vec::new()
    };
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
            let client = scope.program(event).map(str::to_owned);
            foreign(event)
                && !scope.is_by_app(event)
                && client.is_some()
                && sessions(event)
                    .filter_map(|session| own_sessions.get(session))
                    .any(|clients| clients.contains(&client) != other_client)
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

    let risky = pick(&is_risky);
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
    if !strangers.is_empty()
        && usual.len() == strangers.len()
        && copied.is_empty()
        && hostile.is_empty()
    {
        add(
            -15,
            "the client is one that the user uses".to_owned(),
            &usual,
        );
    }
    add(-25, "the user's usual clients, and no others, were there, and nothing was used at the usual places meanwhile".to_owned(), &moved);
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

    let guessed = pick(&|event| entered(event) && strange(event) && scope.tried_passwords(event));
    add(
        25,
        "the same place had tried passwords on several accounts".to_owned(),
        &guessed,
    );
    let elsewhere = pick(&|event| {
        entered(event)
            && strange(event)
            && event
                .address
                .is_some_and(|address| scope.hostile.contains(&address))
    });
    add(
        25,
        "another account was taken from the same address".to_owned(),
        &elsewhere,
    );
    let twice = if profile.thin {
        Doubled::default()
    } else {
        doubled(&events, scope, profile, networks, own_sessions)
    };
    if twice.at_once.is_empty() {
        // Hours lie between, so a second computer at home would do the same.
        add(
            BESIDE,
            "signed in anew while a session of the user's own went on where it always is, with that kind of program"
                .to_owned(),
            &twice.meanwhile,
        );
    } else {
        add(
            30,
            "signed in anew while the user's own program of that kind was at work where it always is"
                .to_owned(),
            &twice.at_once,
        );
    }

    let ways_back = pick(&|event| {
        foreign(event)
            && event.outcome != Outcome::Failure
            && matches!(
                object_kind(event),
                Some(ObjectKind::Method | ObjectKind::AppPassword)
            )
    });
    add(
        20,
        "a way to sign in was registered from where the user never was".to_owned(),
        &ways_back,
    );

    let mut tried = false;
    let mut from_detections = 0;
    // What a detection says of single acts counts up to a bound: many acts of
    // one kind are not many kinds.
    for (severity, points) in [(Severity::High, 25), (Severity::Medium, 10)] {
        let mut by_detection: BTreeMap<&str, Vec<&Event>> = BTreeMap::new();
        for event in &acted {
            for told in findings.of(event).filter(|told| told.severity == severity) {
                by_detection.entry(&told.detection).or_default().push(event);
                tried |= severity == Severity::High
                    && told
                        .technique
                        .iter()
                        .any(|t| t.starts_with("T1110") || t.starts_with("T1592"));
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
        || !twice.is_empty()
        || !hostile.is_empty()
        || (!risky.is_empty() && !flow.is_empty());
    cluster.score = if alien { sum } else { sum.min(ATTACKER - 5) }.clamp(0, 100);
    cluster.reasons = reasons;
}

/// Identity Protection rated it.
pub(super) fn is_risky(event: &Event) -> bool {
    event
        .risk
        .as_deref()
        .is_some_and(|risk| risk == "high" || risk == "medium")
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
            let clients: BTreeSet<String> = events
                .iter()
                .filter_map(|event| event.user_agent.as_deref().map(agent::signature))
                .collect();
            clients.len() > 1 || in_haste(events, networks)
        })
        .flatten()
        .collect()
}

/// From one network to another within the hour, or faster than anybody travels: on a
/// journey a session sees several networks too.
fn in_haste(events: &[&Event], networks: &Networks) -> bool {
    events.windows(2).any(|pair| match pair {
        [one, other] => {
            let (from, to) = (networks.of(one), networks.of(other));
            from.is_some()
                && to.is_some()
                && from != to
                && (too_far(one, other)
                    || other.time.duration_since(one.time).abs() < SignedDuration::from_hours(1))
        }
        _ => false,
    })
}

/// Sign-ins of a journey: only clients that the user had before, while none
/// of their events came from where they usually are. Somebody who copies a
/// session while its owner works on does not look like this.
fn moved_together<'a>(
    events: &[&'a Event],
    scope: &Scope<'_>,
    profile: &Profile,
    networks: &Networks,
    whose: &HashMap<Key, Whose>,
    own_sessions: &OwnSessions<'_>,
) -> Vec<&'a Event> {
    let margin = SignedDuration::from_hours(2);
    let stay = SignedDuration::from_hours(12);
    let entered: Vec<&Event> = events
        .iter()
        .filter(|event| event.is_sign_in() && event.outcome == Outcome::Success)
        .copied()
        .collect();
    // Several journeys to one place are one cluster: what was between them is at home.
    let meanwhile = |event: &Event| {
        let next = events.partition_point(|other| other.time < event.time);
        let before = next.checked_sub(1).and_then(|at| events.get(at));
        let before = before.map(|other| event.time.duration_since(other.time));
        let after = events
            .get(next)
            .map(|other| other.time.duration_since(event.time));
        before.is_some_and(|it| it <= margin)
            || after.is_some_and(|it| it <= margin)
            || matches!((before, after), (Some(before), Some(after)) if before + after <= stay)
    };
    let usual = entered.iter().all(|event| {
        event
            .user_agent
            .as_deref()
            .is_some_and(|text| profile.knows_agent(text) || profile.knows_client(text))
    });
    let programs: BTreeSet<&str> = entered
        .iter()
        .filter_map(|event| scope.program(event))
        .collect();
    // Only a phone shows its carrier's exit at home from wherever it is; and who had a
    // registered device at home has it on the journey.
    let roams = entered.iter().all(|event| {
        event
            .user_agent
            .as_deref()
            .and_then(agent::os_family)
            .is_some_and(|os| !agent::is_phone(os))
            && !profile.shows_device(event)
    });
    let here: BTreeSet<_> = entered
        .iter()
        .filter_map(|event| networks.of(event))
        .collect();
    let at_home = near_in_time(scope, events, margin, stay).any(|event| {
        event.outcome != Outcome::Failure
            && !networks
                .of(event)
                .is_some_and(|network| here.contains(&network))
            && meanwhile(event)
            && whose
                .get(&std::ptr::from_ref(*event))
                .is_some_and(Whose::is_own)
            && (!roams || may_be_by(event, &programs, scope, own_sessions))
    });
    if usual && !at_home {
        entered
    } else {
        Vec::new()
    }
}

/// The user's own events within `margin` of one of these, or between two of them that are no
/// further than `stay` apart. Both lists are in order of time.
fn near_in_time<'s, 'a>(
    scope: &'s Scope<'a>,
    events: &[&Event],
    margin: SignedDuration,
    stay: SignedDuration,
) -> impl Iterator<Item = &'s &'a Event> {
    let mut spans: Vec<(Timestamp, Timestamp)> = Vec::new();
    for event in events {
        let from = event.time.checked_sub(margin).unwrap_or(Timestamp::MIN);
        let to = event.time.checked_add(margin).unwrap_or(Timestamp::MAX);
        match spans.last_mut() {
            Some((_, end)) if from <= *end || event.time.duration_since(*end) <= stay - margin => {
                *end = to;
            }
            _ => spans.push((from, to)),
        }
    }
    spans.into_iter().flat_map(|(from, to)| {
        let begin = scope.own.partition_point(|event| event.time < from);
        let end = scope.own.partition_point(|event| event.time <= to);
        scope.own.get(begin..end).unwrap_or_default()
    })
}

/// One of these programs did it, or nothing says that another one did. A record that names
/// neither program nor session is of the programs that were at its address that day.
fn may_be_by(
    event: &Event,
    programs: &BTreeSet<&str>,
    scope: &Scope<'_>,
    own_sessions: &OwnSessions<'_>,
) -> bool {
    if event.user_agent.is_some() {
        return scope
            .program(event)
            .is_some_and(|program| programs.contains(program));
    }
    let mut known = sessions(event)
        .filter_map(|session| own_sessions.get(session))
        .flatten()
        .flatten()
        .peekable();
    if known.peek().is_some() {
        return known.any(|program| programs.contains(program.as_str()));
    }
    let day = SignedDuration::from_hours(24);
    let mut there = scope
        .entered_around(event, day)
        .iter()
        .filter_map(|other| scope.program(other))
        .peekable();
    there.peek().is_none() || there.any(|program| programs.contains(program))
}

/// What a session of somebody's own beside the user's counts for: no reason to look by itself,
/// and reason enough not to learn from it.
pub(super) const BESIDE: i32 = 25;

/// Sign-ins beside the user's own work.
#[derive(Default)]
struct Doubled<'a> {
    /// The user's program was at work shortly before and shortly after.
    at_once: Vec<&'a Event>,
    /// A session of it went on, hours before and after.
    meanwhile: Vec<&'a Event>,
}

impl Doubled<'_> {
    fn is_empty(&self) -> bool {
        self.at_once.is_empty() && self.meanwhile.is_empty()
    }
}

/// Successful sign-ins in sessions that are none of the user's own, while the user's own
/// program of the same kind was at work where it always is: shortly before and shortly
/// after, or in one session that went on. One program is not in two places, and a browser
/// that has a session needs no other one, over a long weekend neither.
fn doubled<'a>(
    events: &[&'a Event],
    scope: &Scope<'_>,
    profile: &Profile,
    networks: &Networks,
    own_sessions: &OwnSessions<'_>,
) -> Doubled<'a> {
    let mut found = Doubled::default();
    let (near, days) = (
        SignedDuration::from_hours(2),
        SignedDuration::from_hours(24 * 4),
    );
    for event in events
        .iter()
        .filter(|event| event.is_sign_in() && event.outcome == Outcome::Success)
        .filter(|event| !sessions(event).any(|session| own_sessions.contains_key(session)))
    {
        let Some(program) = scope.program(event) else {
            continue;
        };
        let at_home = |other: &&&Event| {
            other.outcome != Outcome::Failure
                && profile.at_home(other, networks)
                && sessions(other).any(|session| {
                    own_sessions
                        .get(session)
                        .is_some_and(|known| known.iter().flatten().any(|it| it == program))
                })
        };
        let near = |other: &&&Event| other.time.duration_since(event.time).abs() <= near;
        let (mut before, mut after) = (false, false);
        let (mut went_on, mut begun) = (false, BTreeSet::new());
        for other in scope.around(event, days).iter().filter(at_home) {
            if other.time < event.time {
                before |= near(&other);
                begun.extend(other.session_id.as_deref());
            } else {
                after |= near(&other);
                went_on |= other
                    .session_id
                    .as_deref()
                    .is_some_and(|session| begun.contains(session));
            }
        }
        if before && after {
            found.at_once.push(*event);
        } else if went_on {
            found.meanwhile.push(*event);
        }
    }
    found
}

/// Foreign sign-ins so far away from the user's own, for the time between,
/// that nobody travels it.
fn impossible_travel<'a>(
    strangers: &[&'a Event],
    scope: &Scope<'_>,
    whose: &HashMap<Key, Whose>,
) -> Vec<&'a Event> {
    let own = |event: &&&Event| {
        event.is_sign_in()
            && whose
                .get(&std::ptr::from_ref(**event))
                .is_some_and(Whose::is_own)
    };
    strangers
        .iter()
        .filter(|stranger| {
            scope
                .around(stranger, FAR)
                .iter()
                .filter(own)
                .any(|event| too_far(event, stranger))
        })
        .copied()
        .collect()
}

/// After so long anybody may be anywhere.
const FAR: SignedDuration = SignedDuration::from_hours(12);

/// Nobody travels from one to the other in the time between: faster than
/// 900 km/h, and over 500 km to allow for how roughly addresses are located;
/// where only countries are known, into another one within an hour.
pub(super) fn too_far(one: &Event, other: &Event) -> bool {
    let apart = one.time.duration_since(other.time).abs();
    if apart > FAR {
        return false;
    }
    if let (Some(a), Some(b)) = (one.place.coordinates, other.place.coordinates) {
        let distance = kilometres(a, b);
        return distance > 500.0 && distance > 900.0 * apart.as_secs_f64() / 3600.0;
    }
    apart < SignedDuration::from_hours(1)
        && matches!((&one.place.country, &other.place.country), (Some(a), Some(b)) if a != b)
}

/// Great-circle distance.
fn kilometres(a: (f64, f64), b: (f64, f64)) -> f64 {
    let (lat_a, lat_b) = (a.0.to_radians(), b.0.to_radians());
    let (d_lat, d_lon) = (lat_b - lat_a, (b.1 - a.1).to_radians());
    let h = (d_lat / 2.0).sin().powi(2) + lat_a.cos() * lat_b.cos() * (d_lon / 2.0).sin().powi(2);
    12_742.0 * h.sqrt().min(1.0).asin()
}

/// At most twenty record ids.
pub(super) fn ids(events: &[&Event]) -> Vec<String> {
    let ids: BTreeSet<String> = events.iter().map(|event| event.record_id.clone()).collect();
    ids.into_iter().take(20).collect()
}
