//! What a case comes to: first access, persistence, impact, and what is not known.

use std::collections::BTreeSet;

use retake_playbook::State;
use retake_playbook::event::{Closing, Looked};

/// How the case would be closed as it stands.
pub fn closing(state: &State) -> Closing {
    Closing {
        first_access: first_access(state),
        persistence: persistence(state),
        impact: impact(state),
        confidence: state
            .analysis
            .as_ref()
            .map_or(0.0, |(_, analysis)| analysis.confidence),
        unknown: unknown(state),
    }
}

fn first_access(state: &State) -> String {
    match &state.analysis {
        None => "first access: not looked at".to_owned(),
        Some((_, analysis)) if analysis.path == "none" => format!(
            "first access: none; the logs show nobody but the account's owner (confidence {:.0} %)",
            analysis.confidence * 100.0
        ),
        Some((_, analysis)) if analysis.path == "unknown" => {
            let unread: Vec<&str> = analysis
                .sources
                .iter()
                .filter(|source| source.looked == Looked::CouldNot)
                .map(|source| source.name.as_str())
                .collect();
            if unread.is_empty() {
                "first access: not known; the logs, which could be read, do not show it".to_owned()
            } else {
                format!(
                    "first access: not known; what could tell it could not be read: {}",
                    unread.join(", ")
                )
            }
        }
        Some((_, analysis)) => {
            let when = analysis
                .first_known_bad
                .map_or_else(|| "at an unknown time".to_owned(), |at| format!("at {at}"));
            format!(
                "first access: {} {when} (confidence {:.0} %)",
                analysis.path.replace('_', " "),
                analysis.confidence * 100.0
            )
        }
    }
}

fn persistence(state: &State) -> String {
    let removed: Vec<String> = state
        .actions
        .values()
        .filter(|action| action.verified.is_some() && action.planned.observed.is_some())
        .filter(|action| action.planned.undoes.is_none())
        .filter(|action| retake_playbook::undo::undone(state, action.planned.action).is_none())
        .map(|action| {
            let object = &action.planned.object;
            format!(
                "{} \"{}\"",
                object.kind.words(),
                object.name.as_deref().unwrap_or(&object.id)
            )
        })
        .collect();
    let by_hand: Vec<String> = state
        .tasks
        .values()
        .filter(|task| task.verified.is_some())
        .filter_map(|task| {
            let object = task.object.as_ref()?;
            Some(format!(
                "{} \"{}\"",
                object.kind.words(),
                object.name.as_deref().unwrap_or(&object.id)
            ))
        })
        .collect();
    let mut parts = Vec::new();
    if !removed.is_empty() {
        parts.push(format!(
            "{} removed and verified: {}",
            removed.len(),
            removed.join(", ")
        ));
    }
    if !by_hand.is_empty() {
        parts.push(format!(
            "{} removed by people in our place, and read to be gone: {}",
            by_hand.len(),
            by_hand.join(", ")
        ));
    }
    let unread = state
        .snapshot()
        .iter()
        .flat_map(|last| &last.sources)
        .filter(|source| source.looked == Looked::CouldNot)
        .map(|source| source.name.as_str())
        .collect::<Vec<_>>();
    if !unread.is_empty() {
        parts.push(format!(
            "what could not be read is known from people's word alone: {}",
            unread.join(", ")
        ));
    }
    if parts.is_empty() {
        "persistence: none found".to_owned()
    } else {
        format!("persistence: {}", parts.join("; "))
    }
}

fn impact(state: &State) -> String {
    match &state.analysis {
        None => "impact: not looked at".to_owned(),
        Some((_, analysis)) => {
            let forged = match analysis.impersonated.len() {
                0 => String::new(),
                count => format!(
                    "; {count} messages came from outside under the account's name and were never sent from it"
                ),
            };
            let named = match retake_playbook::errands::not_written(state).len() {
                0 => String::new(),
                count => format!(
                    "; the owner names {count} messages in their name that they did not write, and no log says more"
                ),
            };
            format!(
                "impact: {} messages sent by the attacker, {} known to be read, {} other accounts touched{forged}{named}",
                analysis.sent.len(),
                analysis.read.len(),
                analysis.accounts.len()
            )
        }
    }
}

fn unknown(state: &State) -> Vec<String> {
    let mut unknown = BTreeSet::new();
    if let Some((_, analysis)) = &state.analysis {
        for source in &analysis.sources {
            let why = source.why.as_deref().unwrap_or("no reason given");
            match source.looked {
                Looked::Whole => {}
                Looked::InPart => {
                    unknown.insert(format!("{} is not whole: {why}", source.name));
                }
                Looked::CouldNot => {
                    unknown.insert(format!("{} could not be read: {why}", source.name));
                }
                Looked::TooEarly => {
                    unknown.insert(format!("{}: too early to tell: {why}", source.name));
                }
                Looked::Not => {
                    unknown.insert(format!("{} was not looked at: {why}", source.name));
                }
            }
        }
    }
    // What a snapshot did not see is not clean because a list of findings is empty.
    for source in state.snapshot().iter().flat_map(|last| &last.sources) {
        let why = source.why.as_deref().unwrap_or("no reason given");
        let how = match source.looked {
            Looked::Whole => continue,
            Looked::InPart => "was not seen whole at the end",
            Looked::CouldNot => "could not be read at the end",
            Looked::TooEarly => "could not be told yet at the end",
            Looked::Not => "was not looked at at the end",
        };
        unknown.insert(format!("{} {how}: {why}", source.name));
    }
    for (number, task) in &state.tasks {
        if let (true, Some((at, by)), None) = (
            retake_playbook::errands::is_number_of_errand(*number),
            &task.done,
            &task.verified,
        ) {
            let said = task.said.as_deref().unwrap_or("done");
            unknown.insert(format!(
                "said by {by} on {}, not verified ({}): \"{said}\" to: {}",
                at.strftime("%Y-%m-%d %H:%M:%S UTC"),
                task.step,
                task.what
            ));
        }
    }
    for left in state.left() {
        unknown.insert(format!(
            "{} \"{}\" was left: {}",
            left.object.kind.words(),
            left.object.name.as_deref().unwrap_or(&left.object.id),
            left.why.join("; ")
        ));
    }
    for task in state.tasks.values().filter(|task| task.done.is_none()) {
        unknown.insert(format!(
            "nobody said that this was done ({}, {}): {}",
            task.step, task.who, task.what
        ));
    }
    unknown.insert(
        "rules hidden below Exchange's own listing can be found by their effect only".to_owned(),
    );
    // A11: what no list of Exchange shows can be told by its effect alone.
    for change in retake_playbook::duties::unlisted_rules(state) {
        unknown.insert(format!(
            "a rule that the attacker made in desktop Outlook on {} stands in no list that can be read (record {}): it runs in Outlook, or is hidden below Exchange's own list; a person looked for it, and mail that goes missing would be its sign",
            change.at.strftime("%Y-%m-%d"),
            change.record
        ));
    }
    unknown.into_iter().collect()
}
