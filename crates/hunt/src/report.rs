//! Files in, answers for every user out.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::PathBuf;

use jiff::Timestamp;

use crate::analysis::{Ground, STAND_IN, Shared, holes};
use crate::answer::{Analysis, Coverage, Finding, Gap, Subject, Verdict};
use crate::detections::{DetectionError, Detections, own_domains};
use crate::event::{Event, Outcome, Source};
use crate::readers::{Import, Imported, ReadError};
use crate::sigma::{Sigma, SigmaAnswer};

/// What the one who asks can set.
#[derive(Clone, Debug)]
pub struct Options {
    /// The time of asking.
    pub now: Timestamp,
    /// The organisation's own mail domains; empty: taken from the accounts
    /// seen at work in the events.
    pub own_domains: Vec<String>,
    /// Users to answer for even where nothing was found; empty: everybody
    /// that something can be said of.
    pub users: Vec<String>,
    /// Detections.
    pub detections: Detections,
    /// Sigma rules to run beside them.
    pub sigma: Sigma,
}

impl Options {
    /// The detections that are compiled in, and nothing else set.
    pub fn new(now: Timestamp) -> Result<Self, HuntError> {
        Ok(Self {
            now,
            own_domains: Vec::new(),
            users: Vec::new(),
            detections: Detections::builtin()?,
            sigma: Sigma::default(),
        })
    }
}

/// Why a hunt could not be run. Damaged records are no such reason.
#[derive(Debug, thiserror::Error)]
pub enum HuntError {
    /// An input could not be opened.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A detection is no detection.
    #[error(transparent)]
    Detection(#[from] DetectionError),
    /// There was nothing to read.
    #[error("there is no file to read")]
    NoInput,
}

/// The answer for one user.
#[derive(Clone, Debug, PartialEq)]
pub struct UserAnswer {
    /// User principal name, lower case.
    pub user: String,
    /// Everything that is said about the account.
    pub analysis: Analysis,
}

/// The answers of one hunt.
#[derive(Clone, Debug, PartialEq)]
pub struct HuntReport {
    /// What was read, and the events.
    pub imported: Imported,
    /// What the detections found, worst first.
    pub findings: Vec<Finding>,
    /// The users, worst first.
    pub users: Vec<UserAnswer>,
    /// What the sources covered, all users together.
    pub coverage: Vec<Coverage>,
    /// What the Sigma rules found.
    pub sigma: SigmaAnswer,
}

/// Reads files and directories and answers for every user in them.
pub fn run(paths: &[PathBuf], options: &Options) -> Result<HuntReport, HuntError> {
    let mut import = Import::new();
    for path in paths {
        import.add_path(path)?;
    }
    let imported = import.finish();
    if imported.inputs.is_empty() {
        return Err(HuntError::NoInput);
    }
    Ok(report(imported, options))
}

/// Answers for every user in what was imported.
pub fn report(imported: Imported, options: &Options) -> HuntReport {
    let domains: BTreeSet<String> = if options.own_domains.is_empty() {
        own_domains(&imported.events)
    } else {
        options
            .own_domains
            .iter()
            .map(|domain| domain.to_lowercase())
            .collect()
    };
    let findings = options.detections.find(&imported.events, &domains);
    let shared = Shared::of(&imported.events);
    let mut users = users(&imported.events, &shared, &findings, &domains, options);
    users.sort_by(|a, b| {
        let rank = |answer: &UserAnswer| {
            (
                answer.analysis.verdict,
                std::cmp::Reverse(answer.analysis.score),
            )
        };
        rank(a).cmp(&rank(b)).then_with(|| a.user.cmp(&b.user))
    });
    let coverage = coverage(&imported, &shared);
    let sigma = options.sigma.find(&imported.events);
    HuntReport {
        imported,
        findings,
        users,
        coverage,
        sigma,
    }
}

/// Somebody with a finding is judged against all events. For the others
/// their own are enough, which keeps the time linear.
fn users(
    events: &[Event],
    shared: &Shared,
    findings: &[Finding],
    domains: &BTreeSet<String>,
    options: &Options,
) -> Vec<UserAnswer> {
    let asked: BTreeSet<String> = options
        .users
        .iter()
        .map(|user| user.to_lowercase())
        .collect();
    let found: BTreeSet<&str> = findings
        .iter()
        .map(|finding| finding.user.as_str())
        .collect();
    let mut ids: BTreeMap<&str, String> = BTreeMap::new();
    let mut own: BTreeMap<String, Vec<Event>> = BTreeMap::new();
    for event in events {
        let Some(user) = event.user.as_ref().filter(|user| is_person(user)) else {
            continue;
        };
        if let Some(id) = event
            .user_id
            .as_ref()
            .filter(|id| crate::token::token_id(id).is_some())
            && !ids.contains_key(user.as_str())
        {
            ids.insert(user, id.clone());
        }
        if event.source == Source::MessageTrace {
            continue;
        }
        if asked.contains(user) || found.contains(user.as_str()) {
            own.entry(user.clone()).or_default();
        } else if asked.is_empty() {
            own.entry(user.clone()).or_default().push(event.clone());
        }
    }
    let ground = Ground::new(events, shared, domains.clone(), &options.detections, &[]);
    let answer = |user: &str, scope: &[Event], hostile: &BTreeSet<IpAddr>| {
        let subject = Subject {
            upn: user.to_owned(),
            own_domains: domains.iter().cloned().collect(),
            id: ids.get(user).cloned(),
            hostile: hostile.iter().copied().collect(),
            ..Subject::default()
        };
        if scope.is_empty() {
            ground.analyse(&subject, options.now)
        } else {
            Ground::unsuspected(scope, shared, domains.clone()).analyse(&subject, options.now)
        }
    };
    let none = BTreeSet::new();
    let mut users: Vec<UserAnswer> = own
        .iter()
        .map(|(user, own)| UserAnswer {
            user: user.clone(),
            analysis: answer(user, own, &none),
        })
        .collect();
    // Where one account was taken from, others may have been; and from there others again.
    let mut known = BTreeSet::new();
    for _ in 0..ROUNDS {
        let hostile: BTreeSet<IpAddr> = users
            .iter()
            .filter(|user| user.analysis.verdict == Verdict::Compromised)
            .flat_map(|user| &user.analysis.fingerprint.addresses)
            .filter_map(|address| crate::address::parse(address))
            .collect();
        if hostile == known {
            break;
        }
        let entered: BTreeSet<&str> = events
            .iter()
            .filter(|event| event.is_sign_in() && event.outcome == Outcome::Success)
            .filter(|event| {
                event
                    .address
                    .is_some_and(|address| hostile.contains(&address))
            })
            .filter_map(|event| event.user.as_deref())
            .collect();
        for user in users.iter_mut().filter(|user| {
            user.analysis.verdict != Verdict::Compromised && entered.contains(user.user.as_str())
        }) {
            user.analysis = answer(&user.user, &[], &hostile);
        }
        known = hostile;
    }
    users
}

/// How often the addresses of accounts that were taken are looked for in the others.
const ROUNDS: usize = 4;

/// Names of services stand where users do.
fn is_person(user: &str) -> bool {
    user.contains('@') && !user.contains('\\') && !user.starts_with("app@")
}

fn coverage(imported: &Imported, shared: &Shared) -> Vec<Coverage> {
    Source::ALL
        .iter()
        .filter_map(|source| {
            let times: Vec<Timestamp> = imported
                .events
                .iter()
                .filter(|event| event.source == *source && event.time != crate::event::NO_TIME)
                .map(|event| event.time)
                .collect();
            let Some(from) = times.first().copied() else {
                return stand_in(*source, &imported.events);
            };
            let to = times.last().copied();
            let mut gaps: Vec<Gap> = imported
                .inputs
                .iter()
                .filter(|input| !input.notes.is_empty())
                .map(|input| Gap {
                    from: None,
                    to: None,
                    why: format!("{}: {}", input.path, input.notes.join("; ")),
                })
                .collect();
            if imported.counts.damaged > 0 {
                gaps.push(Gap {
                    from: None,
                    to: None,
                    why: format!(
                        "{} records could not be read; they may be of this source",
                        imported.counts.damaged
                    ),
                });
            }
            gaps.extend(holes(*source, shared));
            Some(Coverage {
                source: *source,
                from: Some(from),
                to,
                events: times.len(),
                gaps,
            })
        })
        .collect()
}

/// The line of a sign-in log that is absent while the audit log's own sign-in
/// records stand in for it.
fn stand_in(source: Source, events: &[Event]) -> Option<Coverage> {
    let told = source == Source::SignIns && events.iter().any(Event::is_sign_in);
    told.then(|| Coverage {
        source,
        from: None,
        to: None,
        events: 0,
        gaps: vec![Gap {
            from: None,
            to: None,
            why: STAND_IN.to_owned(),
        }],
    })
}

impl HuntReport {
    /// Users whose verdict asks for something to be done.
    pub fn alarming(&self) -> impl Iterator<Item = &UserAnswer> {
        self.users.iter().filter(|answer| {
            matches!(
                answer.analysis.verdict,
                Verdict::Compromised | Verdict::Suspicious
            )
        })
    }
}
