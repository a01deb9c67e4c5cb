//! Files in, answers for every user out.

use std::collections::BTreeSet;
use std::path::PathBuf;

use jiff::Timestamp;

use crate::analysis::{Shared, absent, common};
use crate::answer::{Analysis, Coverage, Finding, Gap};
use crate::detections::{DetectionError, Detections};
use crate::event::Source;
use crate::import::ImportReport;
use crate::judge::judge;
use crate::readers::{Import, Imported, ReadError};
use crate::sigma::{Sigma, SigmaAnswer};
use crate::store::{Memory, by_time};

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
    /// What is said about the account: everything of one that needs a look or that was
    /// asked for ([`Options::users`]), of any other what [`Analysis::brief`] leaves.
    pub analysis: Analysis,
}

/// The answers of one hunt.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HuntReport {
    /// What was read. The events themselves only where they lay in memory ([`report`]);
    /// after [`judge`] they are in their store, and nowhere else.
    pub imported: Imported,
    /// What the detections found, worst first.
    pub findings: Vec<Finding>,
    /// The users, worst first.
    pub users: Vec<UserAnswer>,
    /// What the sources covered, all users together, and which are not there.
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

/// Answers for every user in what was imported: [`judge`] over the events in memory, which
/// can always be read back.
pub fn report(imported: Imported, options: &Options) -> HuntReport {
    let own: BTreeSet<String> = options
        .own_domains
        .iter()
        .map(|domain| domain.to_lowercase())
        .collect();
    let mut matcher = options.detections.matcher();
    for (event, number) in imported.events.iter().zip(0..) {
        matcher.feed(number, event);
    }
    let raised = matcher.finish((!own.is_empty()).then_some(&own));
    let sigma = options.sigma.find(&imported.events);
    let account = ImportReport {
        inputs: imported.inputs,
        damaged: imported.damaged,
        counts: imported.counts,
    };
    let store = Memory::new(imported.events);
    let judged = judge(&store, account, raised, sigma, options);
    let mut events = store.into_events();
    events.sort_by(by_time);
    let mut report = judged.unwrap_or_default();
    report.imported.events = events;
    report
}

/// The ledger of all users together.
pub(crate) fn coverage(account: &ImportReport, shared: &Shared, now: Timestamp) -> Vec<Coverage> {
    Source::ALL
        .iter()
        .filter_map(|source| {
            let Some(facts) = shared.facts(*source) else {
                let ual = shared.facts(Source::Ual);
                let signs_in = ual.is_some_and(|facts| facts.signs_in);
                return source.is_expected().then(|| absent(*source, signs_in));
            };
            let mut gaps: Vec<Gap> = account
                .inputs
                .iter()
                .filter(|input| !input.notes.is_empty())
                .map(|input| Gap {
                    from: None,
                    to: None,
                    why: format!("{}: {}", input.path, input.notes.join("; ")),
                })
                .collect();
            if account.counts.damaged > 0 {
                gaps.push(Gap {
                    from: None,
                    to: None,
                    why: match account.counts.damaged {
                        1 => "1 record could not be read; it may be of this source".to_owned(),
                        many => {
                            format!("{many} records could not be read; they may be of this source")
                        }
                    },
                });
            }
            gaps.extend(common(*source, facts, shared, now));
            Some(Coverage {
                source: *source,
                from: facts.from,
                to: facts.to,
                events: facts.events,
                gaps,
            })
        })
        .collect()
}

impl HuntReport {
    /// Users whose verdict asks for something to be done.
    pub fn alarming(&self) -> impl Iterator<Item = &UserAnswer> {
        self.users
            .iter()
            .filter(|answer| answer.analysis.verdict.is_alarming())
    }
}
