//! The first screen: eight questions that somebody who was not there asks, and what
//! the case answers.

use jiff::Timestamp;
use retake_playbook::event::Origin;
use retake_playbook::state::GateState;
use retake_playbook::{ActionKind, Gate, State};
use serde::Serialize;

use super::parts::{Foothold, distinct};
use crate::tell::{self, percent, spaced};
use crate::text::{Text, When, between, count};

/// How many points stand below an answer before the rest is counted.
const POINTS: usize = 5;

/// One question and its answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Glance {
    pub(crate) question: &'static str,
    pub(crate) answer: Text,
    /// What belongs to it, one line each; at most [`POINTS`], and one that counts the rest.
    pub(crate) points: Vec<Text>,
    /// Whether somebody has to do something about it.
    pub(crate) open: bool,
}

/// The first screen.
pub(super) fn glance(
    state: &State,
    opened_at: Timestamp,
    footholds: &[Foothold],
    unknown: &[Text],
) -> Vec<Glance> {
    let todo = still_to_do(state);
    let answers = [
        ("What happened?", what_happened(state), Vec::new(), false),
        ("How did they come in?", how(state), Vec::new(), false),
        ("Since when?", since(state, opened_at), Vec::new(), false),
        (
            "What was read, sent and changed?",
            impact(state),
            Vec::new(),
            false,
        ),
        (
            "What was done?",
            done(state, opened_at, footholds),
            stopped(state),
            false,
        ),
        (
            "Is it over?",
            over(state, opened_at),
            Vec::new(),
            state.effective.is_none() && state.closed.is_none(),
        ),
        (
            "What is not known?",
            match unknown.len() {
                0 => "Nothing is known to be missing.".to_owned(),
                number => format!("{}:", count(number, "thing", "things")),
            },
            unknown.iter().map(|text| text.raw().to_owned()).collect(),
            false,
        ),
        (
            "What must a person still do?",
            match todo.len() {
                0 => "Nothing is open.".to_owned(),
                number => format!("{}:", count(number, "thing is open", "things are open")),
            },
            todo.clone(),
            !todo.is_empty(),
        ),
    ];
    answers
        .into_iter()
        .map(|(question, answer, points, open)| Glance {
            question,
            answer: answer.into(),
            points: few(points),
            open,
        })
        .collect()
}

fn few(mut points: Vec<String>) -> Vec<Text> {
    let all = points.len();
    if all > POINTS {
        points.truncate(POINTS - 1);
        points.push(format!("and {} more, below", all - (POINTS - 1)));
    }
    points.into_iter().map(Text::from).collect()
}

fn what_happened(state: &State) -> String {
    let Some((_, analysis)) = &state.analysis else {
        return "Not known: the logs were not analysed.".to_owned();
    };
    let verdict = match analysis.verdict.as_str() {
        "compromised" => "Somebody else used this account.".to_owned(),
        "suspicious" => {
            "Something in this account needs an explanation; it may have been somebody else."
                .to_owned()
        }
        "clean" => "No sign of anybody else was found, in sources that would show it.".to_owned(),
        "unknown" => {
            "Not known: nothing was found, and the sources that would show it were not there."
                .to_owned()
        }
        other => format!("The logs say: {other}."),
    };
    if let Some(GateState::Passed {
        by,
        answer: Some(answer),
        ..
    }) = state.gates.get(&Gate::Money)
    {
        return format!("{verdict} Has money or a bank detail moved? {by} answered \"{answer}\".");
    }
    verdict
}

fn how(state: &State) -> String {
    match &state.analysis {
        None => "Not known: the logs were not analysed.".to_owned(),
        Some((_, analysis)) if matches!(analysis.path.as_str(), "unknown" | "none") => {
            if analysis.path == "none" {
                "Nobody came in, as far as the logs show.".to_owned()
            } else {
                "The logs do not show it.".to_owned()
            }
        }
        Some((_, analysis)) => format!(
            "By {}, with a confidence of {}. The evidence for and against stands below.",
            spaced(&analysis.path),
            percent(analysis.confidence)
        ),
    }
}

fn since(state: &State, opened_at: Timestamp) -> String {
    let Some((_, analysis)) = &state.analysis else {
        return "Not known.".to_owned();
    };
    match analysis.first_known_bad {
        None => "No event of the attacker's is known.".to_owned(),
        Some(at) if at <= opened_at => format!(
            "Since {} at the latest, {} before the alert.",
            When(at),
            between(at, opened_at)
        ),
        Some(at) => format!("Since {} at the latest, after the alert.", When(at)),
    }
}

fn impact(state: &State) -> String {
    let Some((_, analysis)) = &state.analysis else {
        return "Not known: the logs were not analysed.".to_owned();
    };
    let mut people: Vec<&String> = analysis.sent.iter().flat_map(|m| &m.recipients).collect();
    people.sort();
    people.dedup();
    let changed = analysis
        .changes
        .iter()
        .filter(|change| change.by == Origin::Attacker)
        .count();
    format!(
        "{} known to be read, {} sent to {}, {} made, {} touched.",
        count(distinct(&analysis.read), "message", "messages"),
        count(distinct(&analysis.sent), "message", "messages"),
        count(people.len(), "person", "people"),
        count(changed, "change", "changes"),
        count(analysis.accounts.len(), "other account", "other accounts"),
    )
}

fn done(state: &State, opened_at: Timestamp, footholds: &[Foothold]) -> String {
    let block = state
        .actions
        .values()
        .find(|action| action.planned.makes(ActionKind::BlockSignIn) && action.applied.is_some());
    let blocked = match block.and_then(|action| Some((action, action.applied?.0))) {
        None => "Sign-in was not blocked.".to_owned(),
        Some((action, accepted)) => format!(
            "Sign-in was blocked {} after the alert, {}.",
            between(opened_at, accepted),
            if action.verified.is_some() {
                "verified"
            } else {
                "not verified"
            }
        ),
    };
    let changes = state.actions.values().filter(|a| !a.intended.is_empty());
    let verified = state
        .actions
        .values()
        .filter(|a| a.verified.is_some())
        .count();
    let removed = footholds.iter().filter(|foothold| foothold.removed).count();
    let found = if footholds.is_empty() {
        "No foothold was found.".to_owned()
    } else {
        format!(
            "{} found, {removed} dealt with and verified.",
            count(footholds.len(), "foothold was", "footholds were")
        )
    };
    let undone = state
        .actions
        .values()
        .filter(|action| action.planned.undoes.is_some() && action.verified.is_some())
        .count();
    let undone = match undone {
        0 => String::new(),
        number => format!(
            " {} taken back by order.",
            count(number, "change was", "changes were")
        ),
    };
    format!(
        "{blocked} {found} {} to the tenant, {verified} verified by reading back.{undone}",
        count(changes.count(), "change", "changes")
    )
}

fn stopped(state: &State) -> Vec<String> {
    state
        .actions
        .values()
        .filter_map(|action| {
            let (_, why, _) = action.stopped.as_ref()?;
            // What was done after all, by a later action, is no longer open.
            (!dealt_with(state, action)).then(|| {
                format!(
                    "{} was stopped: {}.",
                    tell::title(&action.planned, state),
                    tell::stopped(*why)
                )
            })
        })
        .collect()
}

/// Whether another action on the same object was verified.
fn dealt_with(state: &State, stopped: &retake_playbook::state::ActionState) -> bool {
    state.actions.values().any(|other| {
        other.verified.is_some()
            && other.planned.object.kind == stopped.planned.object.kind
            && other.planned.object.id == stopped.planned.object.id
            && other.plan >= stopped.plan
    })
}

fn over(state: &State, opened_at: Timestamp) -> String {
    let reopened = match state.reopened {
        0 => String::new(),
        times => format!(
            " The case was reopened {}.",
            count(times as usize, "time", "times")
        ),
    };
    let stands = if let Some((at, closing)) = &state.closed {
        format!(
            "Closed at {}, {} after the alert, with a confidence of {}.",
            When(*at),
            between(opened_at, *at),
            percent(closing.confidence)
        )
    } else if let Some(at) = state.restored_at {
        format!(
            "Not yet closed: the access has ended and sign-in was given back at {}; the account is watched.",
            When(at)
        )
    } else if let Some((at, _)) = state.effective {
        format!(
            "The attacker's access has ended since {}; sign-in is still blocked.",
            When(at)
        )
    } else if state.contained_since().is_some() {
        match state.access_ends_at() {
            Some(end) => format!(
                "No. Sign-in is blocked; access that is already out can live until {}, and what was planted may still be there.",
                When(end)
            ),
            None => "No. Sign-in is blocked; what was planted may still be there.".to_owned(),
        }
    } else {
        "No. The account is not contained.".to_owned()
    };
    format!("{stands}{reopened}")
}

/// What is open for a person: refused changes, tasks, warnings, what was left alone.
fn still_to_do(state: &State) -> Vec<String> {
    let mut open = Vec::new();
    for (gate, gate_state) in &state.gates {
        if let GateState::Waiting { why, .. } = gate_state {
            open.push(format!("Answer the gate \"{}\": {why}", gate.spec().name));
        }
    }
    for action in state.actions.values() {
        let Some((_, why, message)) = &action.stopped else {
            continue;
        };
        if !dealt_with(state, action) {
            open.push(format!(
                "{}, which was stopped because {}: {message}",
                tell::title(&action.planned, state),
                tell::stopped(*why)
            ));
        }
    }
    for task in state.tasks.values().filter(|task| task.done.is_none()) {
        open.push(format!("{}: {}", spaced(&task.who), task.what));
    }
    for warning in state.warnings.values().filter(|w| w.done.is_none()) {
        open.push(format!("Warn {}: {}", spaced(&warning.who), warning.why));
    }
    for left in state.left() {
        open.push(format!(
            "Decide about the {}, which was left alone.",
            tell::object(&left.object, state)
        ));
    }
    let has = |what: &str| state.evidence.values().any(|kept| kept.what == what);
    if has("user briefing") && has("related secrets") {
        open.push(
            "Give the user the briefing, and go through the checklist of related secrets with them: nobody has said that it was done."
                .to_owned(),
        );
    }
    open
}
