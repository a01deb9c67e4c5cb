//! What a case knows from people alone: an owner's yes or no, what somebody removed for
//! us, which mail the owner did not write.

use retake_playbook::{Event, ObjectRef, StepId};

use super::case::Case;

/// One answer of a person, as the case keeps it.
#[derive(Debug)]
pub(super) enum Said<'a> {
    /// This object is not the owner's.
    NotTheirs(&'a ObjectRef),
    /// This was removed: a line of what was said.
    Removed(&'a str),
    /// The owner did not write this message: a line of what was said.
    NotWritten(&'a str),
}

/// The step at which it is asked what was sent.
const SENT: StepId = StepId::new(6, 2);

/// Every answer of the case.
pub(super) fn answers(case: &Case) -> Vec<Said<'_>> {
    case.events
        .iter()
        .filter_map(|(_, event)| match event {
            Event::TaskDone {
                task,
                said: Some(said),
                ..
            } => Some((task, said)),
            _ => None,
        })
        .flat_map(|(task, said)| {
            let opened = case.events.iter().find_map(|(_, event)| match event {
                Event::TaskOpened {
                    task: other,
                    step,
                    object,
                    ..
                } if other == task => Some((*step, object.as_ref())),
                _ => None,
            });
            let lines = || said.lines().map(str::trim).filter(|line| !line.is_empty());
            match opened {
                Some((_, Some(object))) if is_no(said) => vec![Said::NotTheirs(object)],
                Some((SENT, None)) => lines()
                    .filter(|line| line.contains('@'))
                    .map(Said::NotWritten)
                    .collect(),
                Some((_, None)) => lines()
                    .filter(|line| line.to_lowercase().starts_with("removed"))
                    .map(Said::Removed)
                    .collect(),
                _ => Vec::new(),
            }
        })
        .collect()
}

fn is_no(said: &str) -> bool {
    retake_playbook::errands::yes_or_no(said) == Some(false)
}
