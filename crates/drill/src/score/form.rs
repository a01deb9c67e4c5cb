//! The form of the score, `retake.score/1`. Every key is present in every run.

use std::collections::BTreeSet;

use retake_playbook::{ArtefactId, ObjectKind};
use serde::Serialize;

/// The version of the form.
pub const SCHEMA: &str = "retake.score/1";

/// The scores of several runs: what `retake drill --json` writes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scores {
    /// Always [`SCHEMA`].
    pub schema: &'static str,
    /// One after the other.
    pub runs: Vec<RunScore>,
    /// Runs that have no score, with the reason.
    pub failed: Vec<Unscored>,
}

/// A run that has no score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unscored {
    /// The scenario, as it was named.
    pub scenario: String,
    /// What responded.
    pub sequence: String,
    /// The seed.
    pub seed: u64,
    /// Why there is no score.
    pub why: String,
}

impl Scores {
    /// These runs.
    pub fn of(runs: Vec<RunScore>, failed: Vec<Unscored>) -> Self {
        Self {
            schema: SCHEMA,
            runs,
            failed,
        }
    }
}

/// How one run went.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunScore {
    /// The scenario's id, from the trace.
    pub scenario: String,
    /// What responded, as the caller calls it; it influences nothing.
    pub sequence: String,
    /// The seed, from the trace.
    pub seed: u64,
    /// Everything the attacker held or planted.
    pub artefacts: Vec<ArtefactScore>,
    /// What was legitimate and is gone or broken.
    pub collateral: Vec<Collateral>,
    /// Broken rules of order.
    pub order_violations: Vec<OrderViolation>,
    /// Changes whose object was not in the case before.
    pub changes_without_evidence: Vec<UnprovenChange>,
    /// What the case says and the trace does not show.
    pub claims_not_verified: Vec<UnprovenClaim>,
    /// How long it took.
    pub clock: Clocks,
    /// Mail that left or was read after the block was accepted.
    pub leaked_after_block: Leak,
    /// The responder's requests.
    pub calls: Calls,
    /// What the attacker still did once block and revoke were accepted.
    pub attacker_after_containment: Afterwards,
    /// What this tenant could have shown.
    pub knowable: Knowable,
    /// The path of takeover.
    pub path: PathScore,
    /// How well the case knows what the attacker did.
    pub blast_radius: BlastRadius,
    /// Who had to be warned, and who was.
    pub warned: Warned,
}

/// One object in the attacker's hands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ArtefactScore {
    /// Which artefact.
    pub id: ArtefactId,
    /// The object's id in the tenant.
    pub object: String,
    /// What became of it.
    pub outcome: Outcome,
    /// Whether the attacker could use it at the three instants.
    pub usable: Usable,
}

/// What became of an artefact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Removed by the response.
    Evicted,
    /// Switched off by the response, and still there.
    Disabled,
    /// Removed or switched off by a person whose task it was.
    Task,
    /// Neither, or usable all the same at the last instant.
    Survived,
}

/// Whether the attacker tried it then and got data or a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Usable {
    /// When the eviction was declared effective.
    pub at_end: bool,
    /// An hour after sign-in was given back.
    pub after_restore: bool,
    /// A day after that.
    pub after_24h: bool,
}

impl Usable {
    /// At any of the three.
    pub fn ever(self) -> bool {
        self.at_end || self.after_restore || self.after_24h
    }
}

/// A legitimate object that was removed or broken.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Collateral {
    /// Its kind.
    pub kind: ObjectKind,
    /// Its id.
    pub object: String,
    /// What happened, and what it was for.
    pub why: String,
}

/// A broken rule of order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct OrderViolation {
    /// The rule's id, one of [`RULES`](super::order::RULES).
    pub rule: &'static str,
    /// The line of the trace.
    pub request: u64,
    /// What the request changed.
    pub object: String,
}

/// A change of an object whose state before is not in the case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct UnprovenChange {
    /// The line of the trace.
    pub request: u64,
    /// What it changed.
    pub object: String,
}

/// Something that the case says and the trace does not show.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct UnprovenClaim {
    /// The action or the statement.
    pub action: String,
    /// What it is about.
    pub object: String,
}

/// Five moments; nothing when one never came.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Clocks {
    /// The block was accepted.
    pub first_block: Option<Reading>,
    /// The first revoke was accepted.
    pub revoked: Option<Reading>,
    /// The last removing change was accepted.
    pub evicted: Option<Reading>,
    /// Finance was warned.
    pub finance_warned: Option<Reading>,
    /// The case was closed.
    pub closed: Option<Reading>,
}

/// How long after the approval of the containment; after the alert, where no
/// case says when it was approved.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Reading {
    /// In seconds of the lab's time.
    pub virtual_s: f64,
    /// In sequential rounds of requests.
    pub round_trips: u32,
}

/// Mail that the attacker got after the block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Leak {
    /// How many messages.
    pub messages: u64,
    /// How many bytes.
    pub bytes: u64,
}

/// The responder's requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Calls {
    /// All, token requests included.
    pub total: u64,
    /// Answered 429.
    pub throttled: u64,
    /// Answered with another error, or not at all.
    pub failed: u64,
    /// Sent again, the same byte for byte, after an answer of those.
    pub retried: u64,
}

/// What the attacker still got once block and revoke were accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Afterwards {
    /// Tokens.
    pub tokens: u64,
    /// Tries that brought data.
    pub reads: u64,
    /// Messages sent.
    pub sends: u64,
    /// Objects planted or changed.
    pub changes: u64,
    /// Through which artefacts.
    pub through: BTreeSet<ArtefactId>,
}

/// What could be known from what the tenant let the responder read. What was never asked
/// for counts as knowable: not looking is no excuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Knowable {
    /// Whether a log that carries the path of takeover could be read.
    pub path: bool,
    /// Whether a log that carries what was read could be read.
    pub read: bool,
}

/// The path of takeover.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PathScore {
    /// As it was.
    pub truth: String,
    /// As the case says; `unknown` where it says nothing.
    pub said: String,
    /// How sure the case is, from 0 to 1.
    pub confidence: f64,
}

/// What the attacker did, as the case knows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BlastRadius {
    /// Messages read.
    pub read: Overlap,
    /// Messages sent.
    pub sent: Overlap,
    /// Objects changed.
    pub changed: Overlap,
    /// Other accounts used.
    pub accounts: Overlap,
}

/// How far what is said and what is true overlap. Saying nothing is precise;
/// where nothing is true, nothing is missed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Overlap {
    /// The part of what is said that is true.
    pub precision: f64,
    /// The part of what is true that is said.
    pub recall: f64,
    /// How many are true.
    pub truth: u64,
    /// How many are said.
    pub said: u64,
}

/// Warnings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warned {
    /// Who had to be warned.
    pub due: Vec<Warning>,
    /// Who was: the person did it, and the case says so.
    pub done: Vec<Warning>,
}

/// Somebody, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Warning {
    /// Who.
    pub who: String,
    /// Why.
    pub why: String,
}
