//! One sentence for each thing that happened.

use retake_casefile::Record;
use retake_playbook::catalogue::{ARTEFACTS, ArtefactSpec};
use retake_playbook::event::{Applied, CheckResult, Facts, Looked, Planned, Source, Stopped};
use retake_playbook::words::{ArtefactId, ObjectRef};
use retake_playbook::{ActionId, ActionKind, Event, Gate, State};
use serde::Serialize;

use crate::text::{Text, When, count};

/// Whose doing a line of the timeline is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Whose {
    /// The attacker's, as the logs tell it.
    Attacker,
    /// A person's on our side: an order, an answer, a task.
    Person,
    /// A change to the tenant.
    Change,
    /// The playbook's own: reading, planning, waiting.
    Playbook,
}

impl Whose {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Attacker => "attacker",
            Self::Person => "person",
            Self::Change => "change",
            Self::Playbook => "playbook",
        }
    }
}

/// One line of timeline and narrative.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Line {
    pub(crate) at: When,
    /// Which of the seven steps.
    pub(crate) step: u8,
    pub(crate) whose: Whose,
    pub(crate) text: Text,
    /// The journal's record; nothing for what only the logs tell.
    pub(crate) record: Option<u64>,
}

/// What a record says, if it is worth a line. `state` is the case at its end,
/// `before` the step of the line before.
pub(crate) fn tell(record: &Record, state: &State, before: u8) -> Option<Line> {
    let gate_step = |gate: Gate| gate.spec().step.step();
    let action_step = |action: &ActionId| {
        state
            .actions
            .get(action)
            .map_or(before, |action| action.planned.step.step())
    };
    let task_step = |task: &u32| state.tasks.get(task).map_or(6, |task| task.step.step());
    let (step, whose, text) = match &record.event {
        Event::EvidenceKept(_) | Event::WarningsSettled | Event::ActionIntended { .. } => {
            return None;
        }
        Event::CaseOpened(opened) => (
            1,
            Whose::Person,
            format!("{} opened the case: {}", opened.responder, opened.alert),
        ),
        Event::AccountRead { account, .. } => (
            1,
            Whose::Playbook,
            format!(
                "The account was read: {} ({}), sign-in {}.",
                account.display_name,
                account.upn,
                if account.enabled {
                    "allowed"
                } else {
                    "blocked"
                }
            ),
        ),
        Event::AccountUnread { why } => (
            1,
            Whose::Playbook,
            format!(
                "The account could not be read in time ({why}); its state before is not known."
            ),
        ),
        Event::PreflightDone { checks } => {
            let of = |result| checks.iter().filter(|check| check.result == result).count();
            (
                1,
                Whose::Playbook,
                format!(
                    "Preflight: {} good, {} to note, {} in the way, {} that could not be looked at.",
                    count(of(CheckResult::Good), "check", "checks"),
                    of(CheckResult::Warning),
                    of(CheckResult::Bad),
                    of(CheckResult::Unknown)
                ),
            )
        }
        Event::GateWaiting { gate, why } => (
            gate_step(*gate),
            Whose::Playbook,
            format!("Gate \"{}\" waits: {why}", gate.spec().name),
        ),
        Event::GatePassed { gate, by, answer } => (
            gate_step(*gate),
            if by == "playbook" {
                Whose::Playbook
            } else {
                Whose::Person
            },
            match answer {
                Some(answer) => {
                    format!("Gate \"{}\": {by} answered \"{answer}\".", gate.spec().name)
                }
                None => format!("Gate \"{}\" passed by {by}.", gate.spec().name),
            },
        ),
        Event::GateOverridden { gate, by, reason } => (
            gate_step(*gate),
            Whose::Person,
            format!("Gate \"{}\" overridden by {by}: {reason}", gate.spec().name),
        ),
        Event::GateRefused { gate, by } => (
            gate_step(*gate),
            Whose::Person,
            format!(
                "Gate \"{}\" refused by {by}. {}",
                gate.spec().name,
                gate.spec().refused
            ),
        ),
        Event::PlanMade(plan) => (
            if plan.snapshot.is_none() { 2 } else { 3 },
            Whose::Playbook,
            format!(
                "Plan {}{}: {}, {} left for a person.",
                plan.plan,
                plan.snapshot
                    .map(|snapshot| format!(", made from snapshot {snapshot}"))
                    .unwrap_or_default(),
                count(plan.actions.len(), "change", "changes"),
                count(plan.left.len(), "object", "objects")
            ),
        ),
        Event::ActionApplied { action, how, .. } => (
            action_step(action),
            Whose::Change,
            format!("{}: {}.", named(state, *action), applied(*how)),
        ),
        Event::ActionVerified { action, .. } => (
            action_step(action),
            Whose::Change,
            format!("{}: verified by reading it back.", named(state, *action)),
        ),
        Event::ActionStopped {
            action,
            why,
            message,
            code,
        } => (
            action_step(action),
            Whose::Change,
            format!(
                "{}: stopped, {}. {message} ({code})",
                named(state, *action),
                stopped(*why)
            ),
        ),
        Event::SnapshotTaken(snapshot) => (
            if snapshot.snapshot == 1 {
                1
            } else {
                before.max(5)
            },
            Whose::Playbook,
            format!(
                "Snapshot {}: {} seen{}.",
                snapshot.snapshot,
                count(snapshot.objects.len(), "object", "objects"),
                not_whole(&snapshot.sources)
            ),
        ),
        Event::Analysed(analysis) => (
            if analysis.quick { 1 } else { 6 },
            Whose::Playbook,
            format!(
                "{} read: {}, path {} (confidence {}){}.",
                if analysis.quick {
                    "The quick sources were"
                } else {
                    "The logs were"
                },
                analysis.verdict,
                spaced(&analysis.path),
                percent(analysis.confidence),
                not_whole(&analysis.sources)
            ),
        ),
        Event::WarningDue { who, why, .. } => {
            (6, Whose::Playbook, format!("Due: warn {who}. {why}"))
        }
        Event::WarningDone { warning, by } => (
            6,
            Whose::Person,
            format!(
                "{} warned, says {by}.",
                state
                    .warnings
                    .get(warning)
                    .map_or("Somebody", |warning| warning.who.as_str())
            ),
        ),
        Event::TaskOpened {
            task,
            step,
            who,
            what,
        } => (
            step.step(),
            Whose::Playbook,
            format!("Task {task} for {who}: {what}"),
        ),
        Event::TaskDone { task, by } => (
            task_step(task),
            Whose::Person,
            format!("Task {task} done, says {by}."),
        ),
        Event::TaskVerified { task, .. } => (
            task_step(task),
            Whose::Playbook,
            format!("Task {task} verified."),
        ),
        Event::AccessClockSet { ends, .. } => (
            3,
            Whose::Playbook,
            match ends.iter().map(|end| end.ends_at).max() {
                Some(last) => format!(
                    "Access clock: {}, the last ends at {} at the latest.",
                    count(
                        ends.len(),
                        "known piece of access",
                        "known pieces of access"
                    ),
                    When(last)
                ),
                None => "Access clock: no known piece of access lives on.".to_owned(),
            },
        ),
        // For the access clock, or between two looks of the watch.
        Event::Waited { until } => (
            if before == 7 { 7 } else { 3 },
            Whose::Playbook,
            format!("Waited until {}.", When(*until)),
        ),
        Event::EvictionEffective { snapshot } => (
            5,
            Whose::Playbook,
            format!(
                "The eviction is effective: the access clock has run out and snapshot {snapshot} is clean."
            ),
        ),
        Event::Retried { by } => (
            before,
            Whose::Person,
            format!("{by} took the case up again."),
        ),
        Event::ReleaseOrdered { by, reason } => (
            7,
            Whose::Person,
            format!("{by} took the containment back: {reason}"),
        ),
        Event::Reopened { why } => (7, Whose::Playbook, format!("The case was reopened: {why}")),
        Event::WatchEnded { snapshot } => (
            7,
            Whose::Playbook,
            format!("The watch ended without re-entry; snapshot {snapshot} is clean."),
        ),
        Event::Closed(_) => (7, Whose::Person, "The case was closed.".to_owned()),
    };
    Some(Line {
        at: When(record.at),
        step,
        whose,
        text: text.into(),
        record: Some(record.seq),
    })
}

/// `#4 Remove inbox rule "name"`.
fn named(state: &State, action: ActionId) -> String {
    state.actions.get(&action).map_or_else(
        || action.to_string(),
        |state| format!("{action} {}", title(&state.planned)),
    )
}

pub(crate) fn title(planned: &Planned) -> String {
    match planned.kind {
        // These concern the account of the case; its id says nothing to a reader.
        ActionKind::BlockSignIn
        | ActionKind::RevokeSessions
        | ActionKind::ResetPassword
        | ActionKind::ClearForwarding
        | ActionKind::RestoreSignIn => planned.kind.title().to_owned(),
        _ => format!("{} \"{}\"", planned.kind.title(), name(&planned.object)),
    }
}

pub(crate) fn name(object: &ObjectRef) -> &str {
    object
        .name
        .as_deref()
        .filter(|name| !name.trim().is_empty())
        .unwrap_or(&object.id)
}

pub(crate) fn artefact(id: ArtefactId) -> Option<&'static ArtefactSpec> {
    ARTEFACTS.iter().find(|spec| spec.id == id)
}

pub(crate) fn applied(how: Applied) -> &'static str {
    match how {
        Applied::Accepted => "accepted by the tenant",
        Applied::FoundByReading => "its answer was lost, and the tenant shows the change",
        Applied::AlreadySo => "it was already so, nothing was sent",
    }
}

pub(crate) fn stopped(why: Stopped) -> &'static str {
    match why {
        Stopped::Changed => "the object is no longer as it was when the plan was made",
        Stopped::Refused => "the tenant refuses",
        Stopped::NoEvidence => "its state before could not be read",
        Stopped::NoEffect => "it was accepted, and reading shows that it did not happen",
        Stopped::Unreachable => "the tenant could not be reached",
    }
}

/// The different answers, which are never mixed up.
pub(crate) fn looked(looked: Looked) -> &'static str {
    match looked {
        Looked::Whole => "looked at, whole",
        Looked::InPart => "looked at, part is missing",
        Looked::CouldNot => "could not look",
        Looked::TooEarly => "too early to tell",
        Looked::Not => "not looked at",
    }
}

/// What an object is and does.
pub(crate) fn facts(facts: &Facts) -> String {
    let mut parts: Vec<String> = Vec::new();
    match facts {
        Facts::Method {
            method,
            default,
            created,
            detail,
        } => {
            parts.push(method.clone());
            parts.extend(detail.clone());
            parts.push(created.map_or_else(
                || "registered at an unknown time".to_owned(),
                |at| format!("registered {}", When(at)),
            ));
            if *default {
                parts.push("the default second factor".to_owned());
            }
        }
        Facts::InboxRule {
            enabled,
            hidden,
            forwards_to,
            moves_to,
            deletes,
            marks_read,
            conditions,
            ..
        } => {
            parts.push(if *hidden { "hidden rule" } else { "rule" }.to_owned());
            if !enabled {
                parts.push("switched off".to_owned());
            }
            if !forwards_to.is_empty() {
                parts.push(format!("forwards to {}", forwards_to.join(", ")));
            }
            if let Some(folder) = moves_to {
                parts.push(format!("moves to {folder}"));
            }
            if *deletes {
                parts.push("deletes".to_owned());
            }
            if *marks_read {
                parts.push("marks as read".to_owned());
            }
            parts.push(format!("when {conditions}"));
        }
        Facts::Forwarding {
            smtp,
            address,
            keeps_copy,
        } => {
            let to: Vec<_> = smtp.iter().chain(address).map(String::as_str).collect();
            parts.push(if to.is_empty() {
                "forwards nowhere".to_owned()
            } else {
                format!("forwards to {}", to.join(" and "))
            });
            if !to.is_empty() {
                parts.push(
                    if *keeps_copy {
                        "keeps a copy"
                    } else {
                        "keeps no copy"
                    }
                    .to_owned(),
                );
            }
        }
        Facts::Grant {
            app_name,
            app_id,
            client,
            verified_publisher,
            first_party,
            scopes,
        } => {
            parts.push(format!(
                "app {}",
                app_name.as_ref().or(app_id.as_ref()).unwrap_or(client)
            ));
            parts.push(
                if *first_party {
                    "Microsoft's own"
                } else if *verified_publisher {
                    "publisher verified"
                } else {
                    "publisher not verified"
                }
                .to_owned(),
            );
            parts.push(format!("may {}", scopes.join(" ")));
        }
        Facts::Device {
            enabled,
            trust,
            system,
            registered,
            managed,
            ..
        } => {
            parts.push(system.clone().unwrap_or_else(|| "device".to_owned()));
            parts.extend(trust.clone());
            parts.push(registered.map_or_else(
                || "registered at an unknown time".to_owned(),
                |at| format!("registered {}", When(at)),
            ));
            if *managed {
                parts.push("managed".to_owned());
            }
            if !enabled {
                parts.push("switched off".to_owned());
            }
        }
    }
    parts.join("; ")
}

pub(crate) fn spaced(word: &str) -> String {
    word.replace('_', " ")
}

pub(crate) fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

fn not_whole(sources: &[Source]) -> String {
    let missing = sources
        .iter()
        .filter(|source| source.looked != Looked::Whole)
        .count();
    if missing == 0 {
        String::new()
    } else {
        format!(", {} not whole", count(missing, "source", "sources"))
    }
}
