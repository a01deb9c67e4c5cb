//! The playbook as a pure machine: where a case stands, and what comes next.
//!
//! [`TRANSITIONS`] is the whole machine. [`next`] performs nothing: it returns
//! the commands that it wants carried out, and learns what came of them from the
//! events that the responder writes into the journal.

mod table;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::duties::{self, Before};
use crate::errands::{self, Errand};
use crate::event::{Account, ActionId, Event, Looked, Plan};
use crate::gate::Gate;
use crate::plan;
use crate::state::State;

pub use table::{ANYWHERE, On, TRANSITIONS, Transition, When};

/// Where a case stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The account is to be read.
    #[default]
    Opening,
    /// Rights, sources and clean hands are to be checked.
    Preflight,
    /// The responder is the affected user, or the account is not to be touched.
    UncleanHands,
    /// The containment waits for an order.
    Ordering,
    /// Block and revoke are under way.
    Containing,
    /// The access clock is to be set.
    Clocking,
    /// The first snapshot is to be taken.
    Preserving,
    /// The quick sources are to be read.
    Looking,
    /// All sources are to be read, while people are asked and warned.
    Digging,
    /// A plan is to be made.
    Planning,
    /// The logs show no takeover: taking the containment back waits for an answer.
    Acquitting,
    /// The plan waits for approval.
    Approving,
    /// The plan is under way.
    Evicting,
    /// A snapshot is to show that nothing is left.
    Checking,
    /// The access clock runs out.
    Draining,
    /// The eviction is to be declared effective.
    Declaring,
    /// Sign-in waits to be given back.
    Returning,
    /// Sign-in is being given back.
    Restoring,
    /// The user signs in for the first time.
    Welcoming,
    /// The watch waits for its next look.
    Watching,
    /// The watch takes a snapshot.
    WatchLooking,
    /// The watch reads the logs.
    WatchDigging,
    /// The watch compares.
    WatchJudging,
    /// The case waits to be closed.
    Concluding,
    /// Report and attestation are to be written.
    Reporting,
    /// The containment is being taken back.
    Releasing,
    /// Something stands in the way; a person has to look.
    Halted,
    /// The case is over.
    Closed,
}

/// What the playbook wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Read the account; write `AccountRead` or, after two seconds, `AccountUnread`.
    ReadAccount,
    /// Check rights, sources and clean hands; write `PreflightDone`.
    Preflight,
    /// Write this plan.
    MakePlan(Plan),
    /// Ask at this gate.
    Ask(Gate),
    /// Carry out these actions, in this order.
    Act(Vec<ActionId>),
    /// Write `AccessClockSet`, counted from this block.
    SetAccessClock(Timestamp),
    /// Take a snapshot.
    Snapshot,
    /// Read and analyse the logs; only the quick sources where so.
    Analyse {
        /// Whether only the quick sources.
        quick: bool,
    },
    /// Ask about money, make warnings due and have them given; in the background.
    Warn,
    /// Hand these duties to people; write `TaskOpened`, `TaskDone` and
    /// `TaskVerified`. In the background where something else goes on.
    HandOut(Vec<Errand>),
    /// Wait until then; write `Waited`.
    WaitUntil(Timestamp),
    /// Write `EvictionEffective` for this snapshot.
    DeclareEffective(u32),
    /// Write `Reopened` with this reason.
    Reopen(String),
    /// Write `WatchEnded` for this snapshot.
    EndWatch(u32),
    /// Write `ActionStopped` for these: the second person refused them.
    Decline(Vec<ActionId>),
    /// Write report and `Closed`.
    Close,
    /// Nothing more happens without a person; the reason.
    Stop(String),
}

/// How long the watch lasts, in hours (S7.3: at least 48 to 72).
pub const WATCH_HOURS: i64 = 72;
/// For how long after that it is looked at daily, in days from the watch's begin
/// (S7.3); a closed case is looked at too, and nothing waits for it.
pub const WATCH_DAYS: i64 = 30;
/// How far apart the watch looks, in hours.
pub const WATCH_EVERY_HOURS: i64 = 6;
/// How far apart snapshots are taken while the access clock runs, in minutes:
/// whoever still holds a token can plant something new.
pub const DRAIN_EVERY_MIN: i64 = 5;

/// The phase after this event, which the state has already recorded.
pub(crate) fn step(state: &State, event: &Event) -> Phase {
    let Some(on) = on(event) else {
        return state.phase;
    };
    if state.phase != Phase::Closed
        && let Some((_, to)) = ANYWHERE.iter().find(|(anywhere, _)| *anywhere == on)
    {
        return *to;
    }
    row_taken(state.phase, event, state).map_or(state.phase, |row| row.to)
}

/// The row that this event takes from this phase, if any, in a state that has
/// already recorded it.
pub fn row_taken(from: Phase, event: &Event, state: &State) -> Option<&'static Transition> {
    let on = on(event).filter(|_| !is_undo(event, state))?;
    TRANSITIONS
        .iter()
        .find(|row| row.from == from && row.on == on && holds(row.when, state))
}

/// An undo moves nothing: it may be ordered wherever the case stands.
fn is_undo(event: &Event, state: &State) -> bool {
    match event {
        Event::PlanMade(plan) => plan.is_undo(),
        Event::ActionVerified { action, .. } | Event::ActionStopped { action, .. } => state
            .actions
            .get(action)
            .is_some_and(|action| action.planned.undoes.is_some()),
        _ => false,
    }
}

fn on(event: &Event) -> Option<On> {
    Some(match event {
        Event::AccountRead { .. } | Event::AccountUnread { .. } => On::Account,
        Event::PreflightDone { .. } => On::Preflight,
        Event::GatePassed { gate, .. } | Event::GateOverridden { gate, .. } => On::Open(*gate),
        Event::GateRefused { gate, .. } => On::Refused(*gate),
        Event::PlanMade(_) => On::Plan,
        Event::ActionVerified { .. } | Event::ActionStopped { .. } => On::Settled,
        Event::AccessClockSet { .. } => On::Clock,
        Event::SnapshotTaken(_) => On::Snapshot,
        Event::Analysed(_) => On::Analysed,
        Event::Waited { .. } => On::Waited,
        Event::EvictionEffective { .. } => On::Effective,
        Event::Reopened { .. } => On::Reopened,
        Event::WatchEnded { .. } => On::WatchEnded,
        Event::Closed(_) => On::Closed,
        Event::Retried { .. } => On::Retried,
        Event::ReleaseOrdered { .. } => On::Release,
        Event::CaseOpened(_)
        | Event::UndoOrdered { .. }
        | Event::ObjectRestored { .. }
        | Event::EvidenceKept(_)
        | Event::AccountLinked(_)
        | Event::GateWaiting { .. }
        | Event::ActionIntended { .. }
        | Event::ActionApplied { .. }
        | Event::WarningDue { .. }
        | Event::WarningDone { .. }
        | Event::WarningsSettled
        | Event::TaskOpened { .. }
        | Event::TaskDone { .. }
        | Event::TaskVerified { .. } => return None,
    })
}

fn holds(when: When, state: &State) -> bool {
    let plan_empty = || state.plan().is_none_or(|plan| plan.actions.is_empty());
    let survivors = || !plan::survivors(state).is_empty();
    match when {
        When::Always => true,
        When::HandsClean => !hands_unclean(state),
        When::HandsUnclean => hands_unclean(state),
        When::CannotContain => state
            .checks
            .iter()
            .any(crate::event::Check::forbids_containment),
        When::PlanFull => !plan_empty(),
        When::PlanEmptySurvivors => {
            plan_empty() && (survivors() || (access_ended(state) && unseen(state).is_some()))
        }
        When::NoTakeover => {
            plan_empty() && access_ended(state) && crate::acquit::shows_no_takeover(state)
        }
        When::PlanEmptyAccessEnded => plan_empty() && access_ended(state),
        When::PlanEmptyAccessRuns => plan_empty() && !access_ended(state),
        When::PlanHalted => state
            .plan_actions()
            .any(|action| action.stopped.is_some() && is_essential(action.planned.kind)),
        When::PlanSettled => state.plan_actions().all(crate::state::ActionState::settled),
        When::PlanSettledGuest => {
            state.account.as_ref().is_some_and(Account::is_guest)
                && state.plan_actions().all(crate::state::ActionState::settled)
        }
        When::StaysBlocked => state.account.as_ref().is_some_and(Account::stays_blocked),
        When::AccessEnded => access_ended(state),
        When::AccessRuns => !access_ended(state),
        When::Contained => state.is_contained(),
        When::NotContained => !state.is_contained(),
    }
}

/// What stands in the way of saying that nothing is left: a source that the latest
/// snapshot did not see whole, a log that it cannot be judged without, or an object
/// whose log could not be read whole.
pub fn unseen(state: &State) -> Option<String> {
    let unread = state
        .snapshot()?
        .sources
        .iter()
        // Whether the service stopped the account from sending says nothing about what
        // the attacker still holds.
        .filter(|source| source.name != crate::judge::source_of(crate::ObjectKind::SendingBlock))
        .filter(|source| source.looked != Looked::Whole)
        .chain(state.unjudged())
        // What nobody lets us read, a person looked at: it is their word, and told as that.
        .find(|source| !errands::is_answered_for(state, source))
        .map(|source| {
            let why = source.why.as_deref().unwrap_or("no reason is known");
            match &source.code {
                Some(code) => format!("{} could not be looked at ({code}): {why}", source.name),
                None => format!("{} could not be looked at: {why}", source.name),
            }
        });
    unread.or_else(|| {
        let open = crate::judge::undecided(state)
            .into_iter()
            .find(|open| !errands::is_looked_through(state, &open.object))?;
        Some(format!(
            "nobody can say whose the {} \"{}\" is: {}",
            open.object.kind.words(),
            open.object.name.as_deref().unwrap_or(&open.object.id),
            open.why
        ))
    })
}

fn hands_unclean(state: &State) -> bool {
    !state.gate_open(Gate::CleanHands) && state.checks.iter().any(crate::event::Check::is_unclean)
}

/// What a case cannot go on without.
fn is_essential(kind: crate::ActionKind) -> bool {
    use crate::ActionKind::{BlockSignIn, RestoreSignIn, RevokeSessions};
    matches!(kind, BlockSignIn | RevokeSessions | RestoreSignIn)
}

fn access_ended(state: &State) -> bool {
    match (state.access_ends_at(), state.snapshot()) {
        (Some(end), Some(snapshot)) => snapshot.at >= end && !clock_outdated(state),
        _ => false,
    }
}

/// Whether sign-in was blocked again since the access clock was set: whoever came
/// in between holds tokens that it did not count.
fn clock_outdated(state: &State) -> bool {
    match (state.access_set_at, state.contained_since()) {
        (Some(set), Some(blocked)) => blocked > set,
        _ => false,
    }
}

/// What comes next, now.
pub fn next(state: &State, now: Timestamp) -> Vec<Command> {
    match state.phase {
        Phase::Opening => vec![Command::ReadAccount],
        Phase::Preflight => vec![Command::Preflight],
        Phase::UncleanHands => vec![Command::Ask(Gate::CleanHands)],
        Phase::Ordering => ordering(state),
        Phase::Containing | Phase::Evicting | Phase::Restoring | Phase::Releasing => acting(state),
        Phase::Clocking => {
            let from = state.contained_since().unwrap_or(now);
            vec![Command::SetAccessClock(from)]
        }
        Phase::Checking if clock_outdated(state) => {
            let from = state.contained_since().unwrap_or(now);
            vec![Command::SetAccessClock(from), Command::Snapshot]
        }
        Phase::Preserving | Phase::Checking | Phase::WatchLooking => vec![Command::Snapshot],
        Phase::Looking => vec![Command::Analyse { quick: true }],
        Phase::Digging => digging(state),
        Phase::WatchDigging => vec![Command::Analyse { quick: false }],
        Phase::Planning => {
            let plan = Command::MakePlan(plan::eviction(state));
            if state.warning_owed() {
                vec![Command::Warn, plan]
            } else {
                vec![plan]
            }
        }
        Phase::Acquitting => acquitting(state),
        Phase::Approving => vec![Command::Ask(Gate::Plan)],
        Phase::Draining => {
            let end = state.access_ends_at().unwrap_or(now);
            let wait =
                Command::WaitUntil(end.min(later(now, SignedDuration::from_mins(DRAIN_EVERY_MIN))));
            first_asked(state).into_iter().chain([wait]).collect()
        }
        Phase::Declaring if !duties::open(state, Before::Effective).is_empty() => {
            vec![Command::HandOut(handed(state, Before::Effective))]
        }
        Phase::Declaring => {
            let snapshot = state.snapshot().map_or(0, |snapshot| snapshot.snapshot);
            vec![Command::DeclareEffective(snapshot)]
        }
        Phase::Returning => vec![Command::Ask(Gate::Return)],
        Phase::Welcoming => vec![Command::Ask(Gate::FirstSignIn)],
        Phase::Watching => first_asked(state)
            .into_iter()
            .chain([watch_on(state, now)])
            .collect(),
        Phase::WatchJudging => watch_judged(state, now),
        Phase::Concluding => concluding(state),
        Phase::Reporting => vec![Command::Close],
        Phase::Halted => vec![by_hand(state)],
        Phase::Closed => Vec::new(),
    }
}

/// People are asked and warned beside the reading of the logs, and nobody's slow
/// answer holds up the eviction.
fn digging(state: &State) -> Vec<Command> {
    let mut commands = vec![Command::Analyse { quick: false }];
    if !state.warnings_made {
        commands.insert(0, Command::Warn);
    }
    let mut new: Vec<Errand> = handed(state, Before::Effective)
        .into_iter()
        .filter(|duty| !state.tasks.contains_key(&duty.task))
        .collect();
    new.extend(not_asked(state));
    new.extend(errands::beside(state));
    if !new.is_empty() {
        commands.insert(0, Command::HandOut(new));
    }
    commands
}

fn handed(state: &State, before: Before) -> Vec<Errand> {
    duties::open(state, before)
        .into_iter()
        .map(Errand::from)
        .collect()
}

/// Errands that nobody was asked about yet.
fn not_asked(state: &State) -> impl Iterator<Item = Errand> {
    errands::open(state)
        .into_iter()
        .filter(|errand| !state.tasks.contains_key(&errand.task))
}

/// The same as a command, if there are any: asked beside the waiting.
fn first_asked(state: &State) -> Option<Command> {
    let new: Vec<Errand> = not_asked(state).collect();
    (!new.is_empty()).then_some(Command::HandOut(new))
}

/// Something stands in the way. Where a person can do what we cannot, they are asked;
/// where nobody does, or did not do it, it says what is missing.
fn by_hand(state: &State) -> Command {
    use crate::state::GateState;
    let refused = state
        .gates
        .iter()
        .any(|(gate, held)| *gate != Gate::Release && matches!(held, GateState::Refused { .. }));
    let essential = state
        .plan_actions()
        .any(|action| action.stopped.is_some() && is_essential(action.planned.kind));
    let errands = if refused || essential || !state.is_contained() {
        Vec::new()
    } else {
        errands::to_ask(state)
    };
    if errands.is_empty() {
        Command::Stop(standing_in_the_way(state))
    } else {
        Command::HandOut(errands)
    }
}

/// The fraud can be real where the account was never taken: whoever has to be warned
/// is warned before the containment is taken back, too.
fn acquitting(state: &State) -> Vec<Command> {
    warned_first(state, Gate::Release)
}

/// Warnings that were not given yet are given before the case is closed.
fn concluding(state: &State) -> Vec<Command> {
    let mut commands = warned_first(state, Gate::Close);
    // What holds nothing up is asked for before it is told as not done.
    let beside = errands::beside(state);
    if !beside.is_empty() {
        commands.insert(0, Command::HandOut(beside));
    }
    commands
}

fn warned_first(state: &State, gate: Gate) -> Vec<Command> {
    let mut commands = vec![Command::Ask(gate)];
    if state.warning_owed()
        || state
            .warnings
            .values()
            .any(|warning| warning.done.is_none())
    {
        commands.insert(0, Command::Warn);
    }
    commands
}

fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.checked_add(by).unwrap_or(now)
}

/// The plan of containment is made, shown and approved before it runs.
fn ordering(state: &State) -> Vec<Command> {
    let waits = state.plan_actions().any(|action| {
        action.planned.kind == crate::ActionKind::BlockSignIn
            && action.intended.is_empty()
            && !action.settled()
    });
    if waits {
        vec![Command::Ask(Gate::Contain)]
    } else {
        vec![Command::MakePlan(plan::containment(state))]
    }
}

fn acting(state: &State) -> Vec<Command> {
    let restoring = matches!(state.phase, Phase::Restoring | Phase::Releasing);
    if restoring {
        let open = handed(state, Before::Return);
        if !open.is_empty() {
            return vec![Command::HandOut(open)];
        }
    }
    let planned = state
        .plan_actions()
        .any(|action| action.planned.kind == crate::ActionKind::RestoreSignIn && !action.settled());
    if restoring && !planned {
        let why = if state.phase == Phase::Releasing {
            "the containment is taken back"
        } else {
            "every gate of return is open"
        };
        return vec![Command::MakePlan(plan::restore(state, why))];
    }
    let open = || state.plan_actions().filter(|action| !action.settled());
    // S2.4: what reaches beyond the account waits for a second person, and nothing
    // else waits for them.
    let held: Vec<ActionId> = open()
        .filter(|action| takes_two(state, action) && !state.gate_open(Gate::SecondPerson))
        .map(|action| action.planned.action)
        .collect();
    let free: Vec<ActionId> = open()
        .map(|action| action.planned.action)
        .filter(|action| !held.contains(action))
        .collect();
    let refused = matches!(
        state.gates.get(&Gate::SecondPerson),
        Some(crate::state::GateState::Refused { .. })
    );
    match (free.is_empty(), held.is_empty()) {
        (true, false) if refused => vec![Command::Decline(held)],
        (true, false) => vec![Command::Ask(Gate::SecondPerson)],
        _ => vec![Command::Act(free)],
    }
}

/// Whether an action waits for a second person. What was sent already does not.
fn takes_two(state: &State, action: &crate::state::ActionState) -> bool {
    state.takes_two.contains(&action.planned.action) && action.intended.is_empty()
}

/// Why this person's answer does not count at this gate, if so: nobody is their own
/// second person.
pub fn not_by(gate: Gate, by: &str, state: &State) -> Option<String> {
    use crate::state::GateState;
    if gate != Gate::SecondPerson {
        return None;
    }
    let approver = match state.gates.get(&Gate::Plan)? {
        GateState::Passed { by, .. } | GateState::Overridden { by, .. } => by,
        GateState::Waiting { .. } | GateState::Refused { .. } => return None,
    };
    let plain = |name: &str| {
        name.split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .to_lowercase()
    };
    (plain(approver) == plain(by))
        .then(|| format!("{by} approved the plan: the second person is somebody else"))
}

fn watch_on(state: &State, now: Timestamp) -> Command {
    let last = state.snapshot().map_or(now, |snapshot| snapshot.at);
    let from = state.watch_from.unwrap_or(now).max(last);
    Command::WaitUntil(later(from, SignedDuration::from_hours(WATCH_EVERY_HOURS)))
}

fn watch_judged(state: &State, now: Timestamp) -> Vec<Command> {
    if let Some(why) = re_entry(state) {
        return vec![Command::Reopen(why)];
    }
    let from = state.watch_from.unwrap_or(now);
    let over = |hours| later(from, SignedDuration::from_hours(hours));
    match (state.snapshot(), unseen(state)) {
        (Some(snapshot), None) if snapshot.at >= over(WATCH_HOURS) => {
            vec![Command::EndWatch(snapshot.snapshot)]
        }
        // What was not read is not clean: the watch goes on, but not for ever.
        (Some(snapshot), Some(why)) if snapshot.at >= over(2 * WATCH_HOURS) => {
            vec![Command::Stop(format!("the watch cannot end: {why}"))]
        }
        _ => vec![watch_on(state, now)],
    }
}

/// What came back since sign-in was given back, as the latest snapshot and the logs
/// tell: a foothold, or the attacker in the account without one.
pub fn re_entry(state: &State) -> Option<String> {
    use crate::judge::{Verdict, judge};
    let foothold = judge(state)
        .into_iter()
        .find(|judgement| judgement.verdict == Verdict::Foothold)
        .map(|foothold| {
            let name = foothold.object.name.unwrap_or(foothold.object.id);
            format!(
                "{} \"{name}\": {}",
                foothold.object.kind.words(),
                foothold.reasons.join("; ")
            )
        });
    foothold.or_else(|| {
        let at = state.seen_again()?;
        Some(format!(
            "the logs show the attacker in the account after sign-in was given back, last at {}",
            at.strftime("%Y-%m-%d %H:%M:%S UTC")
        ))
    })
}

/// Why a halted case does not go on, in words.
pub fn standing_in_the_way(state: &State) -> String {
    use crate::state::GateState;
    for (gate, gate_state) in &state.gates {
        // Refused, the gate `release` stops nothing: the case went on as a takeover.
        if let GateState::Refused { by, .. } = gate_state
            && *gate != Gate::Release
        {
            return format!("{by} refused at the gate `{}`", gate.spec().name);
        }
    }
    if state.contained_since().is_none()
        && let Some(check) = state
            .checks
            .iter()
            .find(|check| check.forbids_containment())
    {
        return format!("nothing was changed: {} {}", check.what, check.detail);
    }
    for action in state.plan_actions() {
        if let Some((_, _, message)) = &action.stopped
            && is_essential(action.planned.kind)
        {
            return format!("{}: {message}", action.planned.kind.title());
        }
    }
    // Who stands in for a right that we lack, and has not done it.
    let open: Vec<String> = errands::open(state)
        .into_iter()
        .map(|errand| errands::contradiction(state, &errand).unwrap_or(errand.what))
        .collect();
    if !open.is_empty() {
        return open.join("\n");
    }
    for action in state.plan_actions() {
        if let Some((_, _, message)) = &action.stopped {
            return format!("{}: {message}", action.planned.kind.title());
        }
    }
    match plan::survivors(state).first() {
        Some((object, why)) if object.kind == crate::ObjectKind::Account => {
            format!("{}: {why}", object.name.as_deref().unwrap_or(&object.id))
        }
        Some((object, why)) => format!(
            "{} \"{}\" could not be removed: {why}",
            object.kind.words(),
            object.name.as_deref().unwrap_or(&object.id)
        ),
        None => unseen(state).unwrap_or_else(|| "a person has to look".to_owned()),
    }
}
