//! The live view of a case: one line for each event that a person wants to see.

use jiff::Timestamp;
use retake_playbook::event::{Applied, Event};
use retake_playbook::{ActionId, State};
use retake_responder::Watcher;

use crate::terminal::{OURS, QUIET, Terminal, WARN, safe};

/// Prints what happens in the case.
pub(crate) struct LiveView<'a>(pub &'a Terminal);

impl Watcher for LiveView<'_> {
    fn event(&self, at: Timestamp, event: &Event, state: &State) {
        if let Some(line) = line(event, state) {
            self.0.say(&format!(
                "{QUIET}{}{QUIET:#} {OURS}retake  {OURS:#} {}",
                at.strftime("%a %H:%M:%S"),
                safe(&line)
            ));
        }
    }

    fn note(&self, at: Timestamp, text: &str) {
        self.0.say(&format!(
            "{QUIET}{}{QUIET:#} {WARN}retake  {WARN:#} {}",
            at.strftime("%a %H:%M:%S"),
            safe(text)
        ));
    }
}

/// One line for an event, or nothing for what only the journal needs.
pub(crate) fn line(event: &Event, state: &State) -> Option<String> {
    let action = |id: &ActionId| {
        state.actions.get(id).map_or_else(String::new, |action| {
            let object = &action.planned.object;
            format!(
                "{} {}: \"{}\"",
                action.planned.step,
                action.planned.title(),
                object.name.as_deref().unwrap_or(&object.id)
            )
        })
    };
    Some(match event {
        Event::CaseOpened(opened) => format!("case {} opened for {}", opened.case, opened.account),
        Event::AccountUnread { why } => format!("the account could not be read: {why}"),
        Event::GatePassed { gate, by, answer } => match answer {
            Some(answer) => format!("gate `{}`: {by} says {answer}", gate.spec().name),
            None => format!("gate `{}` passed by {by}", gate.spec().name),
        },
        Event::GateOverridden { gate, by, reason } => {
            format!("gate `{}` overridden by {by}: {reason}", gate.spec().name)
        }
        Event::GateRefused { gate, by } => format!("gate `{}` refused by {by}", gate.spec().name),
        Event::GateWaiting { gate, why } => format!("gate `{}` waits: {why}", gate.spec().name),
        Event::PlanMade(plan) if !plan.actions.is_empty() => match plan.actions.len() {
            1 => format!("plan {}: 1 action", plan.plan),
            count => format!("plan {}: {count} actions", plan.plan),
        },
        Event::ActionApplied {
            action: id, how, ..
        } => match how {
            Applied::Accepted => format!("{}, accepted", action(id)),
            Applied::FoundByReading => format!("{}, found done", action(id)),
            Applied::AlreadySo => format!("{}, already so", action(id)),
        },
        Event::ActionVerified { action: id, .. } => format!("{}, verified", action(id)),
        Event::ActionStopped {
            action: id,
            message,
            code,
            ..
        } => {
            format!("{} stopped ({code}): {message}", action(id))
        }
        Event::SnapshotTaken(snapshot) => format!(
            "snapshot {}: {} objects",
            snapshot.snapshot,
            snapshot.objects.len()
        ),
        Event::Analysed(analysis) if !analysis.quick => format!(
            "logs say {}, by {} ({:.0} %); {} sent, {} read by the attacker",
            analysis.verdict,
            analysis.path.replace('_', " "),
            analysis.confidence * 100.0,
            analysis.sent.len(),
            analysis.read.len()
        ),
        Event::WarningDue { who, .. } => format!("warning due: {who}"),
        Event::WarningDone { by, .. } => format!("warning given by {by}"),
        Event::TaskDone { by, .. } => format!("task said to be done by {by}"),
        Event::TaskVerified { .. } => "task verified in the tenant".to_owned(),
        Event::AccessClockSet { ends, .. } => ends.iter().map(|end| end.ends_at).max().map_or_else(
            || "access clock set".to_owned(),
            |end| {
                format!(
                    "access clock: the attacker's last token ends by {}",
                    end.strftime("%Y-%m-%d %H:%M:%S UTC")
                )
            },
        ),
        Event::UndoOrdered {
            by,
            reason,
            actions,
        } => {
            let which: Vec<String> = actions.iter().map(ToString::to_string).collect();
            format!("{by} takes back {}: {reason}", which.join(", "))
        }
        Event::ObjectRestored {
            object, differs, ..
        } => {
            let name = object.object.name.as_deref().unwrap_or(&object.object.id);
            match differs.as_slice() {
                [] => format!("{} \"{name}\" is as it was", object.object.kind.words()),
                differs => format!(
                    "{} \"{name}\" is there again: {}",
                    object.object.kind.words(),
                    differs.join("; ")
                ),
            }
        }
        Event::EvictionEffective { snapshot } => {
            format!("eviction effective: snapshot {snapshot}, after the last token's end, is clean")
        }
        Event::Reopened { why } => format!("re-entry, case reopened: {why}"),
        Event::AccountLinked(linked) => format!(
            "in the same hands: {} (case {}): {}",
            linked.account,
            linked.case,
            linked.why.join("; ")
        ),
        Event::WatchEnded { .. } => "watch ended without re-entry".to_owned(),
        Event::Closed(_) => "case closed".to_owned(),
        _ => return None,
    })
}
