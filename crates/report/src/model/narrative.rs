//! The case told in a few paragraphs, for somebody who reads and does not look up.

use jiff::Timestamp;
use retake_playbook::event::Origin;
use retake_playbook::state::GateState;
use retake_playbook::{ActionKind, Gate, State};

use super::parts::{Foothold, distinct};
use crate::tell::{self, percent, spaced};
use crate::text::{Text, When, between, count};

/// The paragraphs.
pub(super) fn narrative(state: &State, opened_at: Timestamp, footholds: &[Foothold]) -> Vec<Text> {
    let paragraphs = [
        before(state, opened_at),
        contained(state, opened_at),
        planted(state, footholds),
        evicted(state, opened_at),
        people(state),
        ended(state, opened_at),
    ];
    paragraphs
        .into_iter()
        .filter(|paragraph| !paragraph.is_empty())
        .map(|paragraph| Text::from(paragraph.join(" ")))
        .collect()
}

fn before(state: &State, opened_at: Timestamp) -> Vec<String> {
    let mut said = Vec::new();
    if let Some((_, analysis)) = &state.analysis {
        if let Some(at) = analysis.first_known_bad {
            said.push(format!(
                "The first event that is known to be the attacker's was at {}.",
                When(at)
            ));
        }
        if !matches!(analysis.path.as_str(), "unknown" | "none") {
            said.push(format!(
                "They came in by {} (confidence {}).",
                spaced(&analysis.path),
                percent(analysis.confidence)
            ));
        }
        let changes = analysis
            .changes
            .iter()
            .filter(|c| c.by == Origin::Attacker)
            .count();
        if changes + distinct(&analysis.read) + analysis.sent.len() > 0 {
            said.push(format!(
                "From then on they made {}, read {} that the audit names, and sent {}.",
                count(changes, "change", "changes"),
                count(distinct(&analysis.read), "message", "messages"),
                count(distinct(&analysis.sent), "message", "messages")
            ));
        }
    }
    if let Some((_, opened)) = &state.opened {
        said.push(format!(
            "The case was opened at {} by {}: {}.",
            When(opened_at),
            opened.responder,
            opened.alert.trim_end_matches('.')
        ));
    }
    said
}

fn contained(state: &State, opened_at: Timestamp) -> Vec<String> {
    let mut said = Vec::new();
    match state.gates.get(&Gate::Contain) {
        Some(GateState::Passed { by, at, .. }) => {
            said.push(format!("{by} ordered the containment at {}.", When(*at)));
        }
        Some(GateState::Overridden { by, reason, .. }) => said.push(format!(
            "{by} ordered the containment although its condition did not hold: {}.",
            reason.trim_end_matches('.')
        )),
        Some(GateState::Refused { by, .. }) => {
            said.push(format!("{by} refused the containment."));
        }
        _ => {}
    }
    for (kind, what) in [
        (ActionKind::BlockSignIn, "Sign-in was blocked"),
        (ActionKind::RevokeSessions, "Sessions were revoked"),
    ] {
        let first = state
            .actions
            .values()
            .filter(|action| action.planned.makes(kind))
            .find_map(|action| Some((action, action.applied?.0)));
        if let Some((action, at)) = first {
            said.push(format!(
                "{what} {} after the alert{}.",
                between(opened_at, at),
                match &action.verified {
                    Some((at, _)) => format!(" and verified at {}", When(*at)),
                    None => ", which the tenant has not shown yet".to_owned(),
                }
            ));
        }
    }
    said
}

fn planted(state: &State, footholds: &[Foothold]) -> Vec<String> {
    if footholds.is_empty() {
        return if state.snapshots.is_empty() {
            Vec::new()
        } else {
            vec!["Nothing was found that the attacker could use to come back.".to_owned()]
        };
    }
    let removed = footholds.iter().filter(|foothold| foothold.removed).count();
    let mut said = vec![format!(
        "{} found: {}.",
        count(footholds.len(), "foothold was", "footholds were"),
        footholds
            .iter()
            .map(|foothold| format!("{} {}", foothold.artefact, foothold.raw_object))
            .collect::<Vec<_>>()
            .join(", ")
    )];
    said.push(if removed == footholds.len() {
        "Each was removed after its state had been saved, and each removal was read back from the tenant.".to_owned()
    } else {
        format!(
            "Of these, {removed} {} removed, which was read back from the tenant; the others stand below with the reason.",
            if removed == 1 { "was" } else { "were" }
        )
    });
    let left = state.left().count();
    if left > 0 {
        said.push(format!(
            "{} looked odd and {} left alone, for a person to decide.",
            count(left, "object", "objects"),
            if left == 1 { "was" } else { "were" }
        ));
    }
    said
}

fn evicted(state: &State, opened_at: Timestamp) -> Vec<String> {
    let mut said = Vec::new();
    if let Some(end) = state.access_ends_at() {
        said.push(format!(
            "Tokens that were already out could live until {}.",
            When(end)
        ));
    }
    if let Some((at, snapshot)) = state.effective {
        said.push(format!(
            "The eviction is effective since {}, {} after the alert: the access clock had run out, and snapshot {snapshot}, taken after that, was clean.",
            When(at),
            between(opened_at, at)
        ));
    }
    said
}

fn people(state: &State) -> Vec<String> {
    let mut said: Vec<String> = state
        .warnings
        .values()
        .map(|warning| match &warning.done {
            Some((at, by)) => format!(
                "{} was warned by {by} at {}.",
                tell::capital(&spaced(&warning.who)),
                When(*at)
            ),
            None => format!(
                "{} had to be warned; nobody has said that it was done.",
                tell::capital(&spaced(&warning.who))
            ),
        })
        .collect();
    let done = state
        .tasks
        .values()
        .filter(|task| task.done.is_some())
        .count();
    let shown = state
        .tasks
        .values()
        .filter(|task| task.verified.is_some())
        .count();
    if !state.tasks.is_empty() {
        said.push(format!(
            "{} handed to people: {done} said to be done, {shown} shown by the tenant.",
            count(state.tasks.len(), "task was", "tasks were")
        ));
    }
    said
}

fn ended(state: &State, opened_at: Timestamp) -> Vec<String> {
    let mut said = Vec::new();
    if let Some(at) = state.restored_at {
        said.push(format!(
            "Sign-in was given back at {}, {} after the alert.",
            When(at),
            between(opened_at, at)
        ));
    }
    if state.reopened > 0 {
        said.push(format!(
            "The case was reopened {}.",
            count(state.reopened as usize, "time", "times")
        ));
    }
    if let Some((at, _)) = &state.closed {
        said.push(format!("The case was closed at {}.", When(*at)));
    }
    said
}
