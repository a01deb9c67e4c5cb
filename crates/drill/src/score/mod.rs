//! The score: how a response went.
//!
//! It is a function of two things only, the lab's trace and the exported case
//! ([`score`]); nothing of the responder's memory enters it, and no clock, no
//! randomness and no file. `docs/score.md` defines every word for readers; the
//! definitions here are the same ones.
//!
//! # Instants
//!
//! | instant | when |
//! | --- | --- |
//! | `at_end` | the case's last `EvictionEffective`; without one the last change of the response; without any change two hours after the alert ([`moments::NOTHING_DONE`]) |
//! | `after_restore` | an hour after sign-in was last given back at or after `at_end`, by the response or by the harness; an hour after `at_end` where it was not blocked then |
//! | `after_24h` | a day after that |
//!
//! An artefact is *usable* at an instant if the attacker's first tick at or after it
//! brought a token or data for that very object. No try within
//! [`moments::WINDOW`] is [`ScoreError::NotTried`]: silence is never taken for safety.
//!
//! # What counts as seen
//!
//! A read is an answer in the trace whose body the case holds under its digest.
//! *Evidence* for a change is an earlier read that shows the object; *verified* is a
//! later read that shows the effect. An object is shown to be gone by a 404 that
//! names it, or by the very question that showed it before.

mod case;
mod claims;
mod collateral;
mod evidence;
mod figures;
mod form;
mod group;
mod knowable;
mod measure;
pub mod moments;
pub mod order;
mod reads;
mod said;
mod trace;
mod twice;

use jiff::Timestamp;
use retake_casefile::Bundle;
use retake_playbook::ArtefactId;

pub use case::Case;
pub use figures::{Cell, Figures, Table, tables};
pub use form::{
    Afterwards, ArtefactScore, BlastRadius, Calls, Clocks, Collateral, Knowable, Leak,
    OrderViolation, Outcome, Overlap, PathScore, Reading, RunScore, SCHEMA, Scores, UnprovenChange,
    UnprovenClaim, Unscored, Usable, Warned, Warning,
};

use moments::Moments;
use trace::Trace;

/// Scores one run from its trace (JSON lines) and its case, if there is one.
///
/// `sequence` is only copied into the score.
pub fn score(trace: &str, case: Option<&Case>, sequence: &str) -> Result<RunScore, ScoreError> {
    score_one(&Trace::read(trace)?, case, sequence)
}

/// The same with the cases of further accounts in the same hands, in any order; the case
/// that the alert named among them.
pub fn score_all(trace: &str, cases: &[Case], sequence: &str) -> Result<RunScore, ScoreError> {
    let trace = Trace::read(trace)?;
    if trace.further.is_empty() && cases.len() < 2 {
        return score_one(&trace, cases.first(), sequence);
    }
    group::score(&trace, cases, sequence)
}

fn score_one(trace: &Trace, case: Option<&Case>, sequence: &str) -> Result<RunScore, ScoreError> {
    let moments = Moments::of(trace, case)?;
    let changes_without_evidence = evidence::changes_without_evidence(trace, case);
    Ok(RunScore {
        scenario: trace.scenario.clone(),
        sequence: sequence.to_owned(),
        seed: trace.seed,
        artefacts: moments::artefacts(trace, &moments)?,
        collateral: collateral::collateral(trace, case),
        order_violations: order::violations(trace, case, &changes_without_evidence),
        changes_without_evidence,
        claims_not_verified: claims::claims_not_verified(trace, case, moments.contained),
        clock: measure::clocks(trace, case, &moments),
        leaked_after_block: measure::leaked(trace, &moments),
        calls: measure::calls(trace),
        attacker_after_containment: measure::afterwards(trace, &moments),
        knowable: knowable::knowable(trace),
        path: measure::path(trace, case),
        blast_radius: measure::blast_radius(trace, case.map_or(&[], std::slice::from_ref)),
        warned: measure::warned(trace, case),
    })
}

/// The actions of a case that took effect more than once, each with the lines of
/// the trace that did it.
pub fn changed_twice(
    trace: &str,
    case: &Case,
) -> Result<Vec<(retake_playbook::ActionId, Vec<u64>)>, ScoreError> {
    Ok(twice::changed_twice(&Trace::read(trace)?, case))
}

/// Whether the affected account is blocked at the end of this trace.
pub(crate) fn ends_blocked(trace: &str) -> Result<bool, ScoreError> {
    Ok(moments::ends_blocked(&Trace::read(trace)?))
}

/// Whether the response may have changed nothing: at all, or at one of several accounts,
/// whose moments follow from the alert then.
pub(crate) fn may_be_untouched(trace: &str) -> Result<bool, ScoreError> {
    let trace = Trace::read(trace)?;
    Ok(!trace.further.is_empty() || trace.responder_changes().next().is_none())
}

impl RunScore {
    /// Whether the case names the path rightly. A wrong one is wrong everywhere; that it is
    /// unknown is right where nothing that could be read carries it.
    pub fn path_is_right(&self) -> bool {
        self.path.said == self.path.truth || (self.path.said == "unknown" && !self.knowable.path)
    }

    /// What is wrong with this run, in words; empty for a perfect one.
    ///
    /// Nothing usable at any instant, no collateral, no broken rule, no change
    /// without evidence, no claim that is not borne out, the path named rightly,
    /// and everybody warned.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for artefact in &self.artefacts {
            let u = artefact.usable;
            for (usable, when) in [
                (u.at_end, "at the end"),
                (u.after_restore, "after sign-in was given back"),
                (u.after_24h, "a day later"),
            ] {
                if usable {
                    faults.push(format!(
                        "{} {} was usable {when}",
                        artefact.id, artefact.object
                    ));
                }
            }
            if artefact.outcome == Outcome::Survived {
                faults.push(format!("{} {} survived", artefact.id, artefact.object));
            }
        }
        for harmed in &self.collateral {
            faults.push(format!(
                "collateral: {} {}: {}",
                harmed.kind.words(),
                harmed.object,
                harmed.why
            ));
        }
        for breach in &self.order_violations {
            faults.push(format!(
                "order: {} at request {}: {}",
                breach.rule, breach.request, breach.object
            ));
        }
        for change in &self.changes_without_evidence {
            faults.push(format!(
                "no evidence before request {}: {}",
                change.request, change.object
            ));
        }
        for claim in &self.claims_not_verified {
            faults.push(format!("not verified: {}: {}", claim.action, claim.object));
        }
        if !self.path_is_right() {
            faults.push(format!(
                "the path was {}, the case says {}",
                self.path.truth, self.path.said
            ));
        }
        for due in &self.warned.due {
            if !self.warned.done.contains(due) {
                faults.push(format!("{} was not warned: {}", due.who, due.why));
            }
        }
        faults
    }
}

impl From<&Bundle> for Case {
    fn from(bundle: &Bundle) -> Self {
        Self {
            events: bundle
                .records()
                .iter()
                .map(|record| (record.at, record.event.clone()))
                .collect(),
            evidence: bundle
                .evidence_digests()
                .filter_map(|digest| Some((digest.clone(), bundle.evidence(digest)?.to_vec())))
                .collect(),
        }
    }
}

/// Why a run cannot be scored.
#[derive(Debug, thiserror::Error)]
pub enum ScoreError {
    /// The trace is not one.
    #[error("line {line} of the trace: {reason}")]
    BadTrace {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// The attacker did not try, so that nobody knows.
    #[error(
        "whether {artefact} ({object}) was usable {instant} is not known: the attacker did not try it within half an hour after {at}"
    )]
    NotTried {
        /// The artefact.
        artefact: ArtefactId,
        /// The object.
        object: String,
        /// Which of the three.
        instant: &'static str,
        /// When that was.
        at: Timestamp,
    },
    /// Two of the three instants never came.
    #[error(
        "sign-in was blocked and never given back, so that nothing can be said about afterwards"
    )]
    NeverGivenBack,
}
