//! The whole machine as one table: from which phase, on which event, under which
//! condition, to which phase.

use serde::Serialize;

use super::Phase;
use crate::gate::Gate;

/// What kind of event moves the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum On {
    /// `AccountRead` or `AccountUnread`.
    Account,
    /// `PreflightDone`.
    Preflight,
    /// `GatePassed` or `GateOverridden` of this gate.
    Open(Gate),
    /// `GateRefused` of this gate.
    Refused(Gate),
    /// `PlanMade`.
    Plan,
    /// `ActionVerified` or `ActionStopped`.
    Settled,
    /// `AccessClockSet`.
    Clock,
    /// `SnapshotTaken`.
    Snapshot,
    /// `Analysed`.
    Analysed,
    /// `Waited`.
    Waited,
    /// `EvictionEffective`.
    Effective,
    /// `Reopened`.
    Reopened,
    /// `WatchEnded`.
    WatchEnded,
    /// `Closed`.
    Closed,
    /// `Retried`.
    Retried,
    /// `ReleaseOrdered`.
    Release,
}

/// A condition on the state, after the event was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Always.
    Always,
    /// No check of the preflight stands in the way.
    HandsClean,
    /// Somebody else should respond, and nobody has taken it on themselves.
    HandsUnclean,
    /// Block or revoke cannot be carried out with these rights.
    CannotContain,
    /// The latest plan holds actions.
    PlanFull,
    /// The latest plan is empty, nothing survived, and the logs, read whole after the
    /// access clock had run out, show no takeover.
    NoTakeover,
    /// The latest plan is empty, nothing survived and the access clock had run
    /// out when the latest snapshot was taken.
    PlanEmptyAccessEnded,
    /// The latest plan is empty, nothing survived and the access clock runs.
    PlanEmptyAccessRuns,
    /// The latest plan is empty, and something could not be removed, or, once the
    /// access clock has run out, could not be looked at or could not be told whose it
    /// is, because its log could not be read: what was not read is not clean.
    PlanEmptySurvivors,
    /// Every action of the latest plan is verified, or stopped without being essential.
    PlanSettled,
    /// An essential action of the latest plan is stopped.
    PlanHalted,
    /// Every action of the latest plan is verified, and the account signs in
    /// elsewhere: it has nothing to register here.
    PlanSettledGuest,
    /// Nobody signs in with the account: it is a shared mailbox's.
    StaysBlocked,
    /// The access clock has run out when the latest snapshot was taken.
    AccessEnded,
    /// The access clock still ran.
    AccessRuns,
    /// Sign-in is blocked and sessions are revoked by us, and the tenant showed it.
    Contained,
    /// It is not.
    NotContained,
}

/// A row of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Transition {
    /// From this phase,
    pub from: Phase,
    /// on this event,
    pub on: On,
    /// if this is so,
    pub when: When,
    /// to this phase.
    pub to: Phase,
}

const fn row(from: Phase, on: On, when: When, to: Phase) -> Transition {
    Transition { from, on, when, to }
}

/// Every transition. The first row that fits is taken; an event that no row
/// names leaves the phase as it is. [`ANYWHERE`] is looked at first.
pub const TRANSITIONS: &[Transition] = &[
    row(Phase::Opening, On::Account, When::Always, Phase::Preflight),
    row(
        Phase::Preflight,
        On::Preflight,
        When::CannotContain,
        Phase::Halted,
    ),
    row(
        Phase::Preflight,
        On::Preflight,
        When::HandsClean,
        Phase::Ordering,
    ),
    row(
        Phase::Preflight,
        On::Preflight,
        When::HandsUnclean,
        Phase::UncleanHands,
    ),
    row(
        Phase::UncleanHands,
        On::Open(Gate::CleanHands),
        When::NotContained,
        Phase::Ordering,
    ),
    row(
        Phase::UncleanHands,
        On::Open(Gate::CleanHands),
        When::Contained,
        Phase::Digging,
    ),
    // Somebody else has taken the case up.
    row(
        Phase::UncleanHands,
        On::Preflight,
        When::HandsClean,
        Phase::Ordering,
    ),
    row(
        Phase::UncleanHands,
        On::Refused(Gate::CleanHands),
        When::Always,
        Phase::Halted,
    ),
    row(
        Phase::Ordering,
        On::Open(Gate::Contain),
        When::Always,
        Phase::Containing,
    ),
    row(
        Phase::Ordering,
        On::Refused(Gate::Contain),
        When::Always,
        Phase::Halted,
    ),
    row(
        Phase::Containing,
        On::Settled,
        When::PlanHalted,
        Phase::Halted,
    ),
    row(
        Phase::Containing,
        On::Settled,
        When::PlanSettled,
        Phase::Clocking,
    ),
    row(Phase::Clocking, On::Clock, When::Always, Phase::Preserving),
    row(
        Phase::Preserving,
        On::Snapshot,
        When::Always,
        Phase::Looking,
    ),
    row(Phase::Looking, On::Analysed, When::Always, Phase::Digging),
    row(
        Phase::Digging,
        On::Preflight,
        When::HandsUnclean,
        Phase::UncleanHands,
    ),
    row(Phase::Digging, On::Analysed, When::Always, Phase::Planning),
    row(Phase::Planning, On::Plan, When::PlanFull, Phase::Approving),
    row(
        Phase::Planning,
        On::Plan,
        When::PlanEmptySurvivors,
        Phase::Halted,
    ),
    row(
        Phase::Planning,
        On::Plan,
        When::NoTakeover,
        Phase::Acquitting,
    ),
    row(
        Phase::Planning,
        On::Plan,
        When::PlanEmptyAccessEnded,
        Phase::Declaring,
    ),
    row(
        Phase::Planning,
        On::Plan,
        When::PlanEmptyAccessRuns,
        Phase::Draining,
    ),
    row(
        Phase::Acquitting,
        On::Open(Gate::Release),
        When::Always,
        Phase::Releasing,
    ),
    row(
        Phase::Acquitting,
        On::Refused(Gate::Release),
        When::Always,
        Phase::Planning,
    ),
    row(
        Phase::Approving,
        On::Open(Gate::Plan),
        When::Always,
        Phase::Evicting,
    ),
    row(
        Phase::Approving,
        On::Refused(Gate::Plan),
        When::Always,
        Phase::Halted,
    ),
    row(
        Phase::Evicting,
        On::Settled,
        When::PlanHalted,
        Phase::Halted,
    ),
    row(
        Phase::Evicting,
        On::Settled,
        When::PlanSettled,
        Phase::Checking,
    ),
    row(
        Phase::Checking,
        On::Snapshot,
        When::AccessEnded,
        Phase::Digging,
    ),
    row(
        Phase::Checking,
        On::Snapshot,
        When::AccessRuns,
        Phase::Planning,
    ),
    row(Phase::Draining, On::Waited, When::Always, Phase::Checking),
    row(
        Phase::Declaring,
        On::Effective,
        When::StaysBlocked,
        Phase::Watching,
    ),
    row(
        Phase::Declaring,
        On::Effective,
        When::Always,
        Phase::Returning,
    ),
    row(
        Phase::Returning,
        On::Open(Gate::Return),
        When::Always,
        Phase::Restoring,
    ),
    row(
        Phase::Returning,
        On::Refused(Gate::Return),
        When::Always,
        Phase::Halted,
    ),
    row(Phase::Returning, On::Retried, When::Always, Phase::Digging),
    row(
        Phase::Restoring,
        On::Settled,
        When::PlanHalted,
        Phase::Halted,
    ),
    row(
        Phase::Restoring,
        On::Settled,
        When::PlanSettledGuest,
        Phase::Watching,
    ),
    row(
        Phase::Restoring,
        On::Settled,
        When::PlanSettled,
        Phase::Welcoming,
    ),
    row(
        Phase::Welcoming,
        On::Open(Gate::FirstSignIn),
        When::Always,
        Phase::Watching,
    ),
    row(
        Phase::Welcoming,
        On::Refused(Gate::FirstSignIn),
        When::Always,
        Phase::Halted,
    ),
    row(
        Phase::Watching,
        On::Waited,
        When::Always,
        Phase::WatchLooking,
    ),
    row(
        Phase::WatchLooking,
        On::Snapshot,
        When::Always,
        Phase::WatchDigging,
    ),
    row(
        Phase::WatchDigging,
        On::Analysed,
        When::Always,
        Phase::WatchJudging,
    ),
    row(
        Phase::WatchJudging,
        On::Reopened,
        When::Always,
        Phase::Ordering,
    ),
    row(
        Phase::WatchJudging,
        On::WatchEnded,
        When::Always,
        Phase::Concluding,
    ),
    row(
        Phase::WatchJudging,
        On::Waited,
        When::Always,
        Phase::WatchLooking,
    ),
    row(
        Phase::Concluding,
        On::Open(Gate::Close),
        When::Always,
        Phase::Reporting,
    ),
    row(
        Phase::Concluding,
        On::Refused(Gate::Close),
        When::Always,
        Phase::Watching,
    ),
    row(Phase::Reporting, On::Closed, When::Always, Phase::Closed),
    row(
        Phase::Releasing,
        On::Settled,
        When::PlanHalted,
        Phase::Halted,
    ),
    row(
        Phase::Releasing,
        On::Settled,
        When::PlanSettled,
        Phase::Reporting,
    ),
    // A look at a closed case found something (S7.3).
    row(Phase::Closed, On::Reopened, When::Always, Phase::Ordering),
    // People did or saw what we could not: it is read, and judged anew.
    row(Phase::Halted, On::Waited, When::Contained, Phase::Checking),
    row(Phase::Halted, On::Retried, When::Contained, Phase::Clocking),
    row(
        Phase::Halted,
        On::Retried,
        When::NotContained,
        Phase::Opening,
    ),
];

/// What a named person can order wherever the case stands, except when it is over.
pub const ANYWHERE: &[(On, Phase)] = &[(On::Release, Phase::Releasing)];
