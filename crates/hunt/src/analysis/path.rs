//! By which path the account was taken, with evidence for and against.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::consent::Misuse;
use super::intruder::{Cluster, Intruder};
use super::profile::{Networks, Profile};
use super::scope::{Scope, WRONG_PASSWORD, sessions};
use super::signs::is_device_code;
use crate::agent;
use crate::answer::{ForOrAgainst, Path, PathEvidence};
use crate::event::{Event, Mfa, Outcome, Source};

/// What was concluded.
pub(super) struct Conclusion {
    pub(super) path: Path,
    pub(super) confidence: f64,
    pub(super) evidence: Vec<PathEvidence>,
}

/// Gathers evidence; what weighs most is the path.
struct Scales {
    evidence: Vec<PathEvidence>,
    weights: Vec<(Path, f64)>,
}

impl Scales {
    fn put(&mut self, path: Path, weight: f64, text: &str, events: &[&Event]) {
        let ids: BTreeSet<String> = events.iter().map(|event| event.record_id.clone()).collect();
        self.evidence.push(PathEvidence {
            path,
            for_or_against: if weight >= 0.0 {
                ForOrAgainst::For
            } else {
                ForOrAgainst::Against
            },
            text: text.to_owned(),
            events: ids.into_iter().take(20).collect(),
        });
        match self.weights.iter_mut().find(|(have, _)| *have == path) {
            Some((_, sum)) => *sum += weight,
            None => self.weights.push((path, weight)),
        }
    }
}

/// Concludes from the attacker's clusters and from consents that the user
/// gave in person to an app that then acted strangely.
pub(super) fn conclude(
    scope: &Scope<'_>,
    intruder: &Intruder<'_>,
    profile: &Profile,
    networks: &Networks,
    misuse: &Misuse<'_>,
    app_events: &[&Event],
) -> Conclusion {
    let consents = misuse.consents.as_slice();
    // What an app did with a consent is no use of a session or password.
    let apps: Vec<&Event> = app_events.iter().chain(&misuse.events).copied().collect();
    let clusters: Vec<&Cluster<'_>> = intruder
        .clusters
        .iter()
        .filter(|cluster| cluster.attacker)
        .collect();
    let mut scales = Scales {
        evidence: Vec::new(),
        weights: Vec::new(),
    };
    let events: Vec<&Event> = clusters
        .iter()
        .flat_map(|cluster| cluster.events.iter().copied())
        .filter(|event| !misuse.is_by_app(event))
        .collect();
    if !events.iter().any(|event| event.outcome != Outcome::Failure) {
        if !consents.is_empty() && !apps.is_empty() {
            scales.put(
                Path::ConsentPhishing,
                0.7,
                "the user consented to the app in a session of their own",
                consents,
            );
            scales.put(
                Path::ConsentPhishing,
                0.2,
                "the app then reached the mailbox from elsewhere",
                &apps,
            );
            scales.put(
                Path::CredentialPhishing,
                -0.5,
                "no sign-in is anybody else's",
                &[],
            );
            scales.put(
                Path::TokenTheft,
                -0.5,
                "no session of the user was used from elsewhere",
                &[],
            );
        }
        return weigh(scales);
    }
    let interactive: Vec<&Event> = clusters
        .iter()
        .flat_map(|cluster| cluster.interactive())
        .filter(|event| !misuse.is_by_app(event))
        .collect();
    let mut ordered = interactive.clone();
    ordered.sort_by_key(|event| event.time);
    let first = ordered.first().map(|event| event.time);

    let codes: Vec<&Event> = events
        .iter()
        .filter(|event| {
            event.is_sign_in() && event.outcome != Outcome::Failure && is_device_code(event)
        })
        .copied()
        .collect();
    let handed_over = handed_over(scope, intruder, &events);
    let code_at = codes
        .iter()
        .chain(&handed_over)
        .map(|event| event.time)
        .min();
    // A password that was posted without a page, and fitted.
    let posted_at = events
        .iter()
        .filter(|event| {
            event.is_sign_in()
                && event.outcome == Outcome::Success
                && event.protocol.as_deref() == Some("ropc")
        })
        .map(|event| event.time)
        .min();
    let let_in = LetIn { code_at, posted_at };
    let at_page: Vec<&Event> = ordered
        .iter()
        .filter(|event| was_at_page(scope, profile, event))
        .copied()
        .collect();
    if at_page.is_empty() && !ordered.is_empty() {
        scales.put(
            Path::CredentialPhishing,
            0.1,
            "somebody else came to the sign-in page, or brought a session to it: without a sign-in log nobody can tell which",
            &ordered,
        );
    } else {
        by_sign_in(&mut scales, &events, &at_page, networks, let_in);
    }
    by_password(&mut scales, scope, &events, first, networks);
    by_token(&mut scales, scope, intruder, &events, &ordered, &at_page);

    by_code(&mut scales, &codes, &handed_over, first);
    let early: Vec<&Event> = consents
        .iter()
        .filter(|event| events.first().is_some_and(|bad| event.time <= bad.time))
        .copied()
        .collect();
    if early.is_empty() || apps.is_empty() {
        scales.put(
            Path::ConsentPhishing,
            -0.5,
            "no consent of the user's own came before the foreign sign-ins and was then misused",
            &[],
        );
    } else {
        scales.put(
            Path::ConsentPhishing,
            0.4,
            "the user consented to an app before the foreign sign-ins, and it was misused",
            &early,
        );
    }
    if profile.thin {
        for (_, weight) in &mut scales.weights {
            *weight *= 0.7;
        }
    }
    weigh(scales)
}

/// Codes that the user entered, in sessions that somebody else then used.
fn handed_over<'a>(
    scope: &Scope<'a>,
    intruder: &Intruder<'_>,
    events: &[&Event],
) -> Vec<&'a Event> {
    let used: BTreeSet<&str> = events.iter().flat_map(|event| sessions(event)).collect();
    scope
        .own
        .iter()
        .filter(|event| {
            event.is_sign_in()
                && event.outcome != Outcome::Failure
                && event.interactive != Some(false)
                && is_device_code(event)
                && !intruder.is_bad(event)
                && sessions(event).any(|session| used.contains(session))
        })
        .copied()
        .collect()
}

/// Sign-ins by a device code: somebody else's, and the user's own whose session went to
/// somebody else. Logs differ in which of them they show.
fn by_code(
    scales: &mut Scales,
    codes: &[&Event],
    handed_over: &[&Event],
    first: Option<Timestamp>,
) {
    let path = Path::DeviceCodePhishing;
    let begins =
        |codes: &[&Event]| first.is_none_or(|first| codes.iter().any(|event| event.time <= first));
    let weight = |codes: &[&Event]| if begins(codes) { 0.9 } else { 0.2 };
    if !codes.is_empty() {
        scales.put(
            path,
            weight(codes),
            "signed in by a device code that somebody else asked for",
            codes,
        );
    }
    if !handed_over.is_empty() {
        scales.put(
            path,
            if codes.is_empty() {
                weight(handed_over)
            } else {
                0.05
            },
            "the user entered the code themselves, from where they work",
            handed_over,
        );
    }
    if codes.is_empty() && handed_over.is_empty() {
        scales.put(path, -0.5, "no sign-in was by device code", &[]);
    }
}

/// What let somebody else in without a page, and when.
#[derive(Clone, Copy)]
struct LetIn {
    code_at: Option<Timestamp>,
    posted_at: Option<Timestamp>,
}

/// Somebody was at the page: the log says so, or the sign-in began a session.
///
/// The audit log alone does not tell a person at the page from a browser that is let
/// through because it brings a session.
fn was_at_page(scope: &Scope<'_>, profile: &Profile, event: &Event) -> bool {
    event.source == Source::SignIns
        || event.interactive == Some(true)
        || (!profile.thin && scope.begins_session(event))
}

/// Interactive sign-ins of somebody else: password and second factor were
/// given away.
fn by_sign_in(
    scales: &mut Scales,
    events: &[&Event],
    interactive: &[&Event],
    networks: &Networks,
    let_in: LetIn,
) {
    let path = Path::CredentialPhishing;
    // A code entered by the user, or a password posted without a page, is
    // another story.
    let pages: Vec<&Event> = interactive
        .iter()
        .filter(|event| !is_device_code(event) && event.protocol.as_deref() != Some("ropc"))
        .copied()
        .collect();
    if pages.is_empty() {
        scales.put(
            path,
            -0.4,
            "nobody else signed in interactively at the sign-in page",
            &[],
        );
        return;
    }
    // Whoever was in already had no need of the page to get in.
    let begins = pages.iter().map(|event| event.time).min();
    let before = |at: Option<Timestamp>| at.zip(begins).is_some_and(|(at, page)| at < page);
    for (at, text) in [
        (
            let_in.code_at,
            "somebody else signed in at the page only after a device code had let them in",
        ),
        (
            let_in.posted_at,
            "somebody else signed in at the page only after a password posted without one had let them in",
        ),
    ] {
        if before(at) {
            scales.put(path, -0.2, text, &pages);
            return;
        }
    }
    scales.put(
        path,
        0.5,
        "somebody else signed in interactively from a network and device that the user never used",
        &pages,
    );
    let given: Vec<&Event> = pages
        .iter()
        .filter(|event| event.mfa == Mfa::Given)
        .copied()
        .collect();
    if given.is_empty() {
        let none: Vec<&Event> = pages
            .iter()
            .filter(|event| event.mfa == Mfa::NotRequired)
            .copied()
            .collect();
        if !none.is_empty() {
            scales.put(
                path,
                -0.1,
                "no second factor was asked for, so a known password was enough",
                &none,
            );
        }
    } else {
        scales.put(
            path,
            0.2,
            "a second factor was given, as the user does when somebody stands in the middle",
            &given,
        );
    }
    let session_ids: BTreeSet<&str> = pages
        .iter()
        .filter_map(|event| event.session_id.as_deref())
        .collect();
    let used: Vec<&Event> = events
        .iter()
        .filter(|event| {
            event.is_sign_in()
                && event
                    .session_id
                    .as_deref()
                    .is_some_and(|session| session_ids.contains(session))
        })
        .copied()
        .collect();
    let places: BTreeSet<_> = used.iter().filter_map(|event| networks.of(event)).collect();
    let clients: BTreeSet<_> = used
        .iter()
        .filter_map(|event| event.user_agent.as_deref().map(agent::signature))
        .collect();
    if places.len() > 1 || clients.len() > 1 {
        scales.put(path, 0.2, "the session of that sign-in went on from another network or client: it was handed over", &used);
    }
}

/// A series of tries that change their address has its success no farther from them.
const SERIES: SignedDuration = SignedDuration::from_hours(1);

/// Wrong passwords before the first success, or a password posted without a
/// page.
fn by_password(
    scales: &mut Scales,
    scope: &Scope<'_>,
    events: &[&Event],
    first: Option<Timestamp>,
    networks: &Networks,
) {
    let path = Path::PasswordAttack;
    let success = events
        .iter()
        .filter(|event| event.is_sign_in() && event.outcome == Outcome::Success)
        .map(|event| event.time)
        .min();
    let until = success.or(first);
    // Where the attacker was in, not where somebody only knocked.
    let events: Vec<&Event> = events
        .iter()
        .filter(|event| event.outcome != Outcome::Failure)
        .copied()
        .collect();
    let places: BTreeSet<_> = events
        .iter()
        .filter_map(|event| networks.of(event))
        .collect();
    // A provider's network holds many strangers: whoever tried shows the attacker's own
    // neighbourhood as well; or, as every try may come from another address of the provider,
    // the attacker's program, and then the success stands among the tries.
    let near: BTreeSet<_> = events
        .iter()
        .filter_map(|event| event.address.map(crate::address::neighbourhood))
        .collect();
    let programs: BTreeSet<&str> = events
        .iter()
        .filter_map(|event| event.user_agent.as_deref())
        .collect();
    let failures: Vec<&Event> = scope
        .all
        .iter()
        .filter(|event| {
            event.is_sign_in()
                && event.outcome == Outcome::Failure
                && event.error_code.as_deref().is_some_and(|code| WRONG_PASSWORD.contains(&code))
                && networks.of(event).is_some_and(|network| places.contains(&network))
                && (event.address.is_some_and(|it| near.contains(&crate::address::neighbourhood(it)))
                    || (event.user_agent.as_deref().is_some_and(|it| programs.contains(it))
                        && until.is_some_and(|until| event.time.duration_since(until).abs() <= SERIES)))
                && until.is_some_and(|until| {
                    event.time <= until && until.duration_since(event.time) < SignedDuration::from_hours(24)
                        // A spray goes on after its success.
                        || (event.time > until && event.time.duration_since(until) < SignedDuration::from_hours(1) && !scope.acts(event))
                })
        })
        .copied()
        .collect();
    let mine = failures.iter().filter(|event| scope.acts(event)).count();
    let users: BTreeSet<&str> = failures
        .iter()
        .filter_map(|event| event.user.as_deref())
        .collect();
    if users.len() >= 3 {
        scales.put(
            path,
            0.9,
            "the same place tried passwords on several accounts",
            &failures,
        );
        // Whoever guessed it had no need of a page in the middle.
        scales.put(
            Path::CredentialPhishing,
            -0.5,
            "the same place had tried passwords on several accounts before one fitted",
            &failures,
        );
    } else if mine >= 3 {
        scales.put(
            path,
            0.7,
            "wrong passwords came from the same place before",
            &failures,
        );
    } else {
        scales.put(
            path,
            -0.5,
            "no series of wrong passwords came before",
            &failures,
        );
    }
    let posted: Vec<&Event> = events
        .iter()
        .filter(|event| {
            event.outcome == Outcome::Success
                && event.protocol.as_deref() == Some("ropc")
                && until.is_some_and(|until| event.time <= until)
        })
        .copied()
        .collect();
    if !posted.is_empty() {
        scales.put(
            path,
            0.5,
            "the first success was a password posted without a page",
            &posted,
        );
    }
}

/// A session of the user's own in other hands, without a sign-in of theirs.
fn by_token(
    scales: &mut Scales,
    scope: &Scope<'_>,
    intruder: &Intruder<'_>,
    events: &[&Event],
    interactive: &[&Event],
    at_page: &[&Event],
) {
    let path = Path::TokenTheft;
    // A session that began with a code was handed over, not stolen.
    let coded = events.iter().any(|event| scope.is_by_device_code(event));
    let events: Vec<&Event> = events
        .iter()
        .filter(|event| !scope.is_by_device_code(event))
        .copied()
        .collect();
    let taken: Vec<&Event> = events
        .iter()
        .filter(|event| sessions(event).any(|session| intruder.own_sessions.contains_key(session)))
        .copied()
        .collect();
    let silent: Vec<&Event> = events
        .iter()
        .filter(|event| {
            event.is_sign_in()
                && event.outcome == Outcome::Success
                && event.interactive == Some(false)
        })
        .copied()
        .collect();
    if !taken.is_empty() {
        scales.put(
            path,
            0.6,
            "a session that the user began themselves was used from elsewhere",
            &taken,
        );
    }
    if interactive.is_empty() {
        if coded && taken.is_empty() {
            scales.put(
                path,
                -0.3,
                "the session that was used began with a device code: none had to be stolen",
                &[],
            );
        } else if silent.is_empty() && taken.is_empty() {
            scales.put(path, -0.2, "no use of a token was seen either", &[]);
        } else {
            scales.put(
                path,
                0.3,
                "somebody else only redeemed tokens and never signed in",
                &silent,
            );
        }
    } else if !at_page.is_empty() {
        scales.put(
            path,
            -0.4,
            "somebody else signed in for themselves, so no token had to be stolen first",
            at_page,
        );
    }
}

fn weigh(mut scales: Scales) -> Conclusion {
    scales.evidence.sort();
    scales
        .weights
        .sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let best = scales.weights.first().copied();
    let second = scales
        .weights
        .get(1)
        .map_or(0.0, |(_, weight)| weight.max(0.0));
    match best {
        Some((path, weight)) if weight >= 0.4 && weight - second >= 0.1 => Conclusion {
            path,
            confidence: round((weight - second / 2.0).clamp(0.0, 0.95)),
            evidence: scales.evidence,
        },
        _ => Conclusion {
            path: Path::Unknown,
            confidence: 0.0,
            evidence: scales.evidence,
        },
    }
}

/// To two places, so that documents do not show the arithmetic.
pub(super) fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
