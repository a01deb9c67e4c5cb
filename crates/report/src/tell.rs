//! One sentence for each thing that happened.

use retake_casefile::Record;
use retake_playbook::catalogue::{ARTEFACTS, ArtefactSpec};
use retake_playbook::event::{Applied, CheckResult, Facts, Looked, Planned, Source, Stopped};
use retake_playbook::words::{ArtefactId, ObjectKind, ObjectRef};
use retake_playbook::{ActionId, Event, Gate, State};
use serde::Serialize;
use serde_json::Value;

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
            ..
        } => (
            step.step(),
            Whose::Playbook,
            format!("Task {task} for {who}: {what}"),
        ),
        Event::TaskDone { task, by, said } => (
            task_step(task),
            Whose::Person,
            match said {
                Some(said) => format!("Task {task} done, says {by}: {said}"),
                None => format!("Task {task} done, says {by}."),
            },
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
        Event::UndoOrdered {
            by,
            reason,
            actions,
        } => {
            let named: Vec<String> = actions.iter().map(|action| named(state, *action)).collect();
            (
                before,
                Whose::Person,
                format!("{by} ordered to take back {}: {reason}", named.join(", ")),
            )
        }
        Event::ObjectRestored {
            action,
            object,
            differs,
        } => (
            action_step(action),
            Whose::Playbook,
            format!(
                "The {} \"{}\" is there again{}.",
                object.object.kind.words(),
                name(&object.object),
                if differs.is_empty() {
                    ", as it was".to_owned()
                } else {
                    format!("; {}", differs.join("; "))
                }
            ),
        ),
        Event::Reopened { why } => (7, Whose::Playbook, format!("The case was reopened: {why}")),
        Event::AccountLinked(linked) => (
            2,
            Whose::Playbook,
            format!(
                "{} is in the same hands, and has the case {}: {}.",
                linked.account,
                linked.case,
                linked.why.join("; ")
            ),
        ),
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
        |found| format!("{action} {}", title(&found.planned, state)),
    )
}

/// An action with its object.
pub(crate) fn title(planned: &Planned, state: &State) -> String {
    let title = planned.title();
    let object = &planned.object;
    let mut text = if says_nothing(object, state) {
        title
    } else {
        format!("{title} \"{}\"", name(object))
    };
    if let Some(mailbox) = &object.mailbox {
        text += " in the mailbox of ";
        text += mailbox;
    }
    text
}

/// `inbox rule "RSS Feeds"`.
pub(crate) fn object(object: &ObjectRef, state: &State) -> String {
    let kind = object.kind.words();
    let mut text = if says_nothing(object, state) {
        kind.to_owned()
    } else {
        format!("{kind} \"{}\"", name(object))
    };
    if let Some(mailbox) = &object.mailbox {
        text += " in the mailbox of ";
        text += mailbox;
    }
    text
}

/// Whether the name of an object says no more than its kind and whose case it is: what is
/// of the account as a whole has the account's id and name.
fn says_nothing(object: &ObjectRef, state: &State) -> bool {
    let shown = name(object);
    shown == object.kind.words()
        || object.mailbox.is_none()
            && (matches!(
                object.kind,
                ObjectKind::Account | ObjectKind::Password | ObjectKind::Session
            ) && state.account.is_none()
                || state
                    .account
                    .as_ref()
                    .is_some_and(|account| shown == account.id || shown == account.upn))
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

/// What an object is and does, whatever kind it is: each fact with its name, as the
/// journal has it. A kind that nobody here has heard of is shown as well as any other.
pub(crate) fn facts(facts: &Facts) -> String {
    let mut parts = Vec::new();
    if let Ok(Value::Object(map)) = serde_json::to_value(facts) {
        for (key, value) in &map {
            if !SILENT.contains(&key.as_str()) {
                fact(&spaced(key), value, &mut parts);
            }
        }
    }
    parts.join("; ")
}

/// What is for programs, or stands beside the facts already.
const SILENT: [&str; 5] = ["kind", "name", "aliases", "graph_id", "id"];

fn fact(name: &str, value: &Value, parts: &mut Vec<String>) {
    match value {
        // What is not so is worth no word, but for what one takes for granted.
        Value::Bool(true) if name != "enabled" => parts.push(name.to_owned()),
        Value::Bool(false) if matches!(name, "enabled" | "verified publisher" | "keeps copy") => {
            parts.push(format!("not {name}"));
        }
        Value::String(text) if !text.is_empty() => {
            let text = text
                .parse::<jiff::Timestamp>()
                .map_or_else(|_| text.clone(), |at| When(at).to_string());
            parts.push(format!("{name} {text}"));
        }
        Value::Number(number) => parts.push(format!("{name} {number}")),
        Value::Array(items) if !items.is_empty() => {
            let all: Vec<String> = items
                .iter()
                .map(|item| {
                    item.as_str()
                        .map_or_else(|| item.to_string(), str::to_owned)
                })
                .collect();
            parts.push(format!("{name} {}", all.join(", ")));
        }
        Value::Object(map) => {
            for (key, value) in map {
                fact(&format!("{name} {}", spaced(key)), value, parts);
            }
        }
        _ => {}
    }
}

/// How it is known that a message was read. A word that is not one of these stands as
/// it is.
pub(crate) fn how_known(how: &str) -> String {
    match how {
        "bind" => "the audit names the message".to_owned(),
        "sync" => "its whole folder was synchronised".to_owned(),
        "throttled" => {
            "the audit was throttled: everything may have been read in those 24 hours".to_owned()
        }
        "sent" => "it was sent from the mailbox".to_owned(),
        other => other.to_owned(),
    }
}

/// With a capital letter.
pub(crate) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
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
