//! What the objects of a mailbox are and do.

use retake_playbook::event::Facts;

/// Adds what an object of the mailbox is and does.
pub(super) fn facts(facts: &Facts, parts: &mut Vec<String>) {
    if let Facts::SweepRule {
        enabled,
        sender,
        source,
        destination,
        keep_days,
        keep_latest,
        ..
    } = facts
    {
        parts.push("sweep rule".to_owned());
        if !enabled {
            parts.push("switched off".to_owned());
        }
        parts.push(format!("takes mail of {sender}"));
        if let Some(source) = source {
            parts.push(format!("from {source}"));
        }
        parts.push(match destination {
            Some(destination) => format!("to {destination}"),
            None => "to Deleted Items".to_owned(),
        });
        match (keep_latest, keep_days) {
            (Some(number), _) => parts.push(format!("all but the newest {number}")),
            (None, Some(days)) => parts.push(format!("after {days} days")),
            (None, None) => {}
        }
    }
}
