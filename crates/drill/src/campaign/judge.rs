//! What was wrong with a drill, from its trace and its exported case alone.

use retake_casefile::Bundle;
use retake_playbook::event::{Analysis, Looked, Source};
use retake_playbook::{Event, ObjectKind};
use serde::{Deserialize, Serialize};

use crate::run::Run;
use crate::score::{Case, Outcome, changed_twice};

/// Something that must not happen, whatever the fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wrong {
    /// What kind of thing.
    pub kind: WrongKind,
    /// What exactly.
    pub what: String,
}

/// Kinds of what must not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WrongKind {
    /// The case says that something is done or so, and the trace shows otherwise.
    FalseDone,
    /// Something legitimate is gone or broken.
    Collateral,
    /// One change took effect twice.
    Twice,
    /// Something was changed whose state before is not in the case.
    NoEvidence,
    /// A rule of order is broken.
    Order,
    /// The case ended, and somebody who had to be warned was not.
    NotWarned,
    /// The case stopped without a reason, stopped for good, or the program broke.
    Broke,
}

impl WrongKind {
    /// What a reader of the table reads.
    pub const fn words(self) -> &'static str {
        match self {
            Self::FalseDone => "false done",
            Self::Collateral => "collateral",
            Self::Twice => "changed twice",
            Self::NoEvidence => "no evidence",
            Self::Order => "wrong order",
            Self::NotWarned => "not warned",
            Self::Broke => "broke",
        }
    }
}

/// What a drill came to.
pub(super) struct Judged {
    pub(super) wrong: Vec<Wrong>,
    /// Sources that the case says it could not look at, at its end.
    pub(super) unread: Vec<String>,
}

/// Judges a drill; `ended` says that the case got to its end.
pub(super) fn judge(run: &Run, ended: bool) -> Judged {
    let score = &run.score;
    let mut wrong = Vec::new();
    let mut add = |kind, what: String| wrong.push(Wrong { kind, what });
    let case = run
        .case
        .clone()
        .and_then(|bytes| Bundle::from_bytes(bytes, None).ok())
        .map(|bundle| Case::from(&bundle));

    for claim in &score.claims_not_verified {
        add(
            WrongKind::FalseDone,
            format!("{}: {}", claim.action, claim.object),
        );
    }
    let effective = case.as_ref().is_some_and(says_effective);
    for held in &score.artefacts {
        if effective && (held.outcome == Outcome::Survived || held.usable.ever()) {
            add(
                WrongKind::FalseDone,
                format!("effective, and {} is {:?}", held.id, held.outcome),
            );
        }
    }
    let path = &score.path;
    if path.said != path.truth && path.said != "unknown" {
        add(
            WrongKind::FalseDone,
            format!(
                "the path is said to be {}, and is {}",
                path.said, path.truth
            ),
        );
    }
    for harm in &score.collateral {
        // Whoever stopped has not given sign-in back yet.
        if ended || harm.kind != ObjectKind::Account {
            add(
                WrongKind::Collateral,
                format!("{} {}: {}", harm.kind.words(), harm.object, harm.why),
            );
        }
    }
    for change in &score.changes_without_evidence {
        add(
            WrongKind::NoEvidence,
            format!("request {}: {}", change.request, change.object),
        );
    }
    for breach in &score.order_violations {
        let counts = match breach.rule {
            // The first is counted above. The other: where nobody could say which method is
            // the default, the tenant's refusal does, and nothing was changed by it
            // (reference §2.3).
            "evidence_first" | "default_method_last" => false,
            // The second revoke comes with the end of the eviction; a case that stopped
            // before has not said that it is done.
            "second_revoke" => effective,
            _ => true,
        };
        if counts {
            add(
                WrongKind::Order,
                format!("{} at request {}", breach.rule, breach.request),
            );
        }
    }
    if ended {
        for due in &score.warned.due {
            if !score.warned.done.contains(due) {
                add(WrongKind::NotWarned, due.who.clone());
            }
        }
    }
    let mut unread = Vec::new();
    if let Some(case) = &case {
        match changed_twice(&run.trace, case) {
            Ok(twice) => {
                for (action, lines) in twice {
                    add(
                        WrongKind::Twice,
                        format!("action {action} at requests {lines:?}"),
                    );
                }
            }
            Err(error) => add(WrongKind::Broke, error.to_string()),
        }
        unread = sources(case)
            .filter(|source| source.looked != Looked::Whole)
            .map(|source| {
                let why = source.why.as_deref().unwrap_or("no reason given");
                format!("{}: {why}", source.name)
            })
            .collect();
    }
    Judged { wrong, unread }
}

/// Whether the case, as it stands at its end, says that the eviction is effective.
fn says_effective(case: &Case) -> bool {
    case.events
        .iter()
        .rev()
        .find_map(|(_, event)| match event {
            Event::EvictionEffective { .. } => Some(true),
            Event::Reopened { .. } => Some(false),
            _ => None,
        })
        .unwrap_or(false)
}

/// The sources of the last snapshot and of the last whole analysis.
fn sources(case: &Case) -> impl Iterator<Item = &Source> {
    let last = |wanted: &dyn Fn(&Event) -> Option<usize>| {
        case.events
            .iter()
            .enumerate()
            .rev()
            .find_map(|(place, (_, event))| wanted(event).map(|_| place))
    };
    let snapshot = last(&|event| matches!(event, Event::SnapshotTaken(_)).then_some(0));
    let analysis =
        last(&|event| matches!(event, Event::Analysed(Analysis { quick: false, .. })).then_some(0));
    [snapshot, analysis]
        .into_iter()
        .flatten()
        .filter_map(|place| case.events.get(place))
        .flat_map(|(_, event)| match event {
            Event::SnapshotTaken(snapshot) => snapshot.sources.iter(),
            Event::Analysed(analysis) => analysis.sources.iter(),
            _ => [].iter(),
        })
}
