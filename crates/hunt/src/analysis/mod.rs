//! The answer for one account.
//!
//! In order: what is usual for the user; which events are clearly theirs and
//! which are not; those that are not, joined and scored; then path, changes,
//! fingerprint, blast radius and coverage from what was told apart. Nothing
//! depends on particular names, ids or addresses.

mod blast;
mod changes;
mod consent;
mod coverage;
mod findings;
mod held;
mod impersonated;
mod intruder;
mod past;
mod path;
mod profile;
mod rights;
mod scope;
mod shared;
mod signs;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use retake_playbook::ObjectKind;

use crate::answer::{Analysis, By, Path, Reason, Subject, Verdict};
use crate::detections::{Detections, own_domains};
use crate::event::{Event, Outcome, Source};
use crate::store::by_time;
pub(crate) use changes::{changes_something, each_name, is_serious_change};
pub(crate) use coverage::{absent, common};
pub(crate) use findings::Findings;
use held::Held;
use intruder::{Intruder, SUSPICIOUS};
use past::Past;
pub(crate) use profile::Network;
use profile::{Networks, Profile, Whose};
use scope::Scope;
pub(crate) use shared::{Shared, is_wrong_password};
use signs::ids;

/// Answers for one account from these events, with the detections that are
/// compiled in.
///
/// `now` is the time of asking: what comes late may still be missing.
pub fn analyse(events: &[Event], subject: &Subject, now: Timestamp) -> Analysis {
    analyse_with(events, subject, now, &Detections::builtin_or_none())
}

/// The same with other detections.
pub fn analyse_with(
    events: &[Event],
    subject: &Subject,
    now: Timestamp,
    detections: &Detections,
) -> Analysis {
    let shared = Shared::of(events);
    let own: BTreeSet<String> = if subject.own_domains.is_empty() {
        own_domains(events)
    } else {
        subject
            .own_domains
            .iter()
            .map(|domain| domain.to_lowercase())
            .collect()
    };
    let mut all: Vec<&Event> = events.iter().collect();
    all.sort_by(|a, b| by_time(a, b));
    // What the responder's own tools did is evidence of nothing.
    let judged: Vec<&Event> = all
        .iter()
        .filter(|event| {
            ![&event.app_id, &event.user_id, &event.user]
                .into_iter()
                .flatten()
                .any(|id| {
                    subject
                        .own_app_ids
                        .iter()
                        .any(|own| own.eq_ignore_ascii_case(id))
                })
        })
        .copied()
        .collect();
    let findings = Findings::new(&detections.raise(&judged, &own), detections);
    Ground {
        shared: &shared,
        own: &own,
        findings: &findings,
        vouched: None,
        exits: &HashSet::new(),
    }
    .analyse(all, subject, now)
}

/// What the answers for all accounts have in common.
#[derive(Clone, Copy)]
pub(crate) struct Ground<'a> {
    /// What everybody's events say together.
    pub(crate) shared: &'a Shared,
    /// The organisation's own mail domains.
    pub(crate) own: &'a BTreeSet<String>,
    /// What the detections found.
    pub(crate) findings: &'a Findings,
    /// Changes to other people's things that their own users stand for, where everybody
    /// was judged: by record, the account that made them.
    pub(crate) vouched: Option<&'a HashMap<String, String>>,
    /// Addresses that several people work from, where everybody was judged.
    pub(crate) exits: &'a HashSet<IpAddr>,
}

impl Ground<'_> {
    /// Answers for one account from these events, which are in order of time.
    pub(crate) fn analyse(self, all: Vec<&Event>, subject: &Subject, now: Timestamp) -> Analysis {
        let scope = Scope::new(all, subject, self.shared, self.exits);
        conclude(self, &scope, subject, now)
    }
}

fn conclude(ground: Ground<'_>, scope: &Scope<'_>, subject: &Subject, now: Timestamp) -> Analysis {
    let Ground {
        shared, findings, ..
    } = ground;
    let networks = &shared.networks;
    let last = scope.own.last().map_or(now, |event| event.time);
    let anchor = subject.alert_at.unwrap_or(last).min(now);
    let past = Past::find(scope, subject, networks, findings, anchor);
    let mut profile = Profile::learn(scope, networks, anchor, &past);
    profile.held = Held::learn(scope, &profile, networks, findings);
    let intruder = Intruder::find(scope, &profile, networks, findings);
    let provisional = blast::fingerprint(&intruder, &profile, networks, &[]);
    let elsewhere = blast::elsewhere(scope, &provisional, &intruder);
    let elsewhere_keys: BTreeSet<*const Event> = elsewhere
        .iter()
        .map(|event| std::ptr::from_ref(*event))
        .collect();
    let mut changes = changes::find(scope, &intruder, &elsewhere_keys, findings);
    vouch(&mut changes, ground.vouched);

    // Consents that the user gave in person, to apps with risky rights, not
    // long before; and what those apps and the attacker's did.
    // Not long before the alarm; where nobody says when that was, at any time.
    let recent = subject.alert_at.map_or(Timestamp::MIN, |_| {
        anchor
            .checked_sub(SignedDuration::from_hours(24 * 7))
            .unwrap_or(anchor)
    });
    let consents: Vec<&Event> = scope
        .own
        .iter()
        .filter(|event| {
            changes::object_kind(event) == Some(ObjectKind::OauthGrant)
                && event.time >= recent
                && findings.of(event).next().is_some()
                && intruder.whose(event).is_some_and(Whose::is_own)
        })
        .copied()
        .collect();
    let misuse = consent::misused(scope, &profile, networks, &changes, &consents);
    let consents = misuse.consents.clone();
    consent::lay_to_the_attacker(&mut changes, &misuse);
    let fingerprint = blast::fingerprint(&intruder, &profile, networks, &changes);
    let app_events = app_events(
        scope,
        &profile,
        networks,
        &changes,
        &consents,
        &fingerprint.apps,
    );
    let conclusion = path::conclude(scope, &intruder, &profile, networks, &misuse, &app_events);
    let blast = blast::blast(
        scope,
        &intruder,
        &elsewhere,
        &app_events,
        &fingerprint,
        &changes,
    );

    let mut reasons: Vec<Reason> = intruder
        .clusters
        .iter()
        .filter(|cluster| cluster.score >= SUSPICIOUS)
        .flat_map(|cluster| cluster.reasons.iter().cloned())
        .collect();
    let mut score = intruder
        .clusters
        .iter()
        .map(|cluster| cluster.score)
        .max()
        .unwrap_or(0);
    let mut compromised = !intruder.bad.is_empty();
    if !consents.is_empty() && !app_events.is_empty() {
        compromised = true;
        score = score.max(70);
        reasons.push(Reason {
            points: 70,
            text: "an app that the user consented to reached the mailbox from elsewhere".to_owned(),
            events: ids(&app_events),
        });
    }
    let unexplained = unexplained(&changes, recent, &ground.findings.serious, ground.vouched);
    if !compromised && !unexplained.is_empty() {
        score = score.max(SUSPICIOUS + 5);
        reasons.push(Reason {
            points: SUSPICIOUS + 5,
            text: "changes of the kind that attackers make, by nobody who can be told".to_owned(),
            events: unexplained,
        });
    }
    reasons.sort_by(|a, b| b.points.cmp(&a.points).then_with(|| a.cmp(b)));
    reasons.dedup();
    let verdict = verdict(compromised, score, scope, &profile);
    let got_in: Vec<&Event> = intruder
        .clusters
        .iter()
        .filter(|cluster| cluster.attacker)
        .flat_map(|cluster| cluster.events.iter())
        .filter(|event| event.outcome != Outcome::Failure && event.source != Source::RiskDetections)
        .copied()
        .collect();
    let own_addresses: BTreeSet<IpAddr> = scope
        .own
        .iter()
        .filter(|event| event.is_sign_in() && event.outcome == Outcome::Success)
        .filter(|event| intruder.whose(event).is_some_and(Whose::is_own))
        .filter_map(|event| event.address)
        .collect();
    let last_known_bad = got_in.iter().map(|event| event.time).max();
    let first: Vec<&Event> = got_in
        .iter()
        .chain(consents.iter().filter(|_| compromised))
        .copied()
        .collect();
    let first_known_bad = first.iter().map(|event| event.time).min();
    let mut first_known_bad_events: Vec<String> = first
        .iter()
        .filter(|event| Some(event.time) == first_known_bad)
        .map(|event| event.record_id.clone())
        .collect();
    first_known_bad_events.sort();
    first_known_bad_events.dedup();
    Analysis {
        verdict,
        score: u32::try_from(score.clamp(0, 100)).unwrap_or(0),
        reasons,
        path: if compromised {
            conclusion.path
        } else if verdict == Verdict::Clean {
            Path::None
        } else {
            Path::Unknown
        },
        confidence: if compromised {
            conclusion.confidence
        } else if verdict == Verdict::Clean {
            0.8
        } else {
            0.0
        },
        path_evidence: conclusion.evidence,
        first_known_bad,
        first_known_bad_events,
        last_known_bad,
        own_addresses: own_addresses.into_iter().collect(),
        fingerprint,
        changes,
        blast,
        impersonated: impersonated::find(scope, networks, ground.own, now),
        coverage: coverage::ledger(scope, now),
    }
}

/// What an app did that the attacker, or the user by mistake, let in: its
/// events that are not from where the user works.
fn app_events<'a>(
    scope: &Scope<'a>,
    profile: &Profile,
    networks: &Networks,
    changes: &[crate::answer::Change],
    consents: &[&Event],
    attackers_apps: &[String],
) -> Vec<&'a Event> {
    let mut apps: BTreeSet<&str> = attackers_apps.iter().map(String::as_str).collect();
    let consent_ids: BTreeSet<&str> = consents
        .iter()
        .map(|event| event.record_id.as_str())
        .collect();
    for change in changes {
        let told = consent_ids.contains(change.record_id.as_str())
            || change
                .also
                .iter()
                .any(|id| consent_ids.contains(id.as_str()));
        if told {
            apps.extend(
                change
                    .object_ids
                    .iter()
                    .map(String::as_str)
                    .filter(|id| crate::token::token_id(id).is_some()),
            );
        }
    }
    // The resource of a grant (Graph itself) stands among its ids too; every
    // client names it, so it says nothing.
    let common: BTreeSet<&str> = scope
        .own
        .iter()
        .filter(|event| event.is_sign_in() && event.time < event_floor(consents, changes))
        .flat_map(|event| {
            event
                .app_id
                .as_deref()
                .into_iter()
                .chain(event.resource_id.as_deref())
        })
        .collect();
    scope
        .all
        .iter()
        .filter(|event| {
            !event.is_sign_in()
                && !scope.is_responder(event)
                && changes::object_kind(event).is_none()
        })
        .filter(|event| {
            event
                .app_id
                .as_deref()
                .is_some_and(|id| apps.contains(id) && !common.contains(id))
        })
        .filter(|event| {
            networks
                .of(event)
                .is_some_and(|network| !profile.knows_network(network))
        })
        .copied()
        .collect()
}

/// Before any of the consents in question.
fn event_floor(consents: &[&Event], changes: &[crate::answer::Change]) -> Timestamp {
    consents
        .iter()
        .map(|event| event.time)
        .chain(
            changes
                .iter()
                .filter(|change| {
                    change.by == By::Attacker && change.object_kind == ObjectKind::OauthGrant
                })
                .map(|change| change.at),
        )
        .min()
        .unwrap_or(Timestamp::MAX)
}

/// Says of a change by another account that its own user stands for it.
fn vouch(changes: &mut [crate::answer::Change], vouched: Option<&HashMap<String, String>>) {
    for change in changes.iter_mut().filter(|change| change.by == By::Unknown) {
        if let Some(who) = voucher(change, vouched) {
            change
                .reasons
                .push(format!("{who} did it from where {who} works"));
        }
    }
}

fn voucher<'v>(
    change: &crate::answer::Change,
    vouched: Option<&'v HashMap<String, String>>,
) -> Option<&'v String> {
    change
        .also
        .iter()
        .chain([&change.record_id])
        .find_map(|record| vouched?.get(record))
}

/// Records of serious, recent changes whose author cannot be told.
fn unexplained(
    changes: &[crate::answer::Change],
    recent: Timestamp,
    serious: &BTreeSet<String>,
    vouched: Option<&HashMap<String, String>>,
) -> Vec<String> {
    changes
        .iter()
        .filter(|change| change.by == By::Unknown && change.at >= recent)
        .filter(|change| voucher(change, vouched).is_none())
        .filter(|change| change.detections.iter().any(|id| serious.contains(id)))
        .map(|change| change.record_id.clone())
        .collect()
}

fn verdict(compromised: bool, score: i32, scope: &Scope<'_>, profile: &Profile) -> Verdict {
    if compromised {
        return Verdict::Compromised;
    }
    if score >= SUSPICIOUS {
        return Verdict::Suspicious;
    }
    // Whoever was there while a log was silent left nothing in it.
    let whole = [Source::Ual, Source::SignIns]
        .into_iter()
        .all(|source| scope.shared.holes(source).is_empty());
    let signed_in = scope.own.iter().any(|event| event.is_sign_in());
    if signed_in
        && whole
        && scope.all.iter().any(|event| event.source == Source::Ual)
        && !profile.thin
        && profile.span >= SignedDuration::from_hours(24 * 3)
    {
        Verdict::Clean
    } else {
        Verdict::Unknown
    }
}
