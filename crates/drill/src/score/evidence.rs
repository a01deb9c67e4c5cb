//! Whether each object was in the case before it was changed.

use std::collections::BTreeSet;

use retake_playbook::{Event, ObjectKind};

use super::case::Case;
use super::form::UnprovenChange;
use super::reads::Reads;
use super::trace::{Did, Effect, Trace};

/// Every change of the responder's without an earlier read that shows its object
/// and whose body is in the case. Without a case there is no evidence at all.
///
/// What came into being through the change (a temporary access pass, an audit
/// query) has no state before. The block may go without when the case says that
/// the account could not be read in time (product, tenet 3).
pub(super) fn changes_without_evidence(trace: &Trace, case: Option<&Case>) -> Vec<UnprovenChange> {
    let reads = case.map(|case| Reads::new(trace, case));
    let mut found = BTreeSet::new();
    for (line, effect) in trace.responder_changes() {
        if !needs_evidence(effect) || is_excused(case, trace, effect, line.at) {
            continue;
        }
        let seen = reads.as_ref().is_some_and(|reads| {
            trace
                .lines
                .iter()
                .take(line.n as usize)
                .any(|before| before.is_read() && reads.shows(before, &effect.object))
        });
        if !seen {
            found.insert(UnprovenChange {
                request: line.n,
                object: effect.object.id.clone(),
            });
        }
    }
    found.into_iter().collect()
}

fn needs_evidence(effect: &Effect) -> bool {
    // What a change of the account brings with it has the account's evidence.
    let follows = effect.object.kind == ObjectKind::Token;
    !follows
        && match &effect.did {
            Did::Created | Did::Other(_) => false,
            Did::Deleted | Did::Changed(_) | Did::Revoked | Did::PasswordSet => true,
        }
}

fn is_excused(case: Option<&Case>, trace: &Trace, effect: &Effect, at: jiff::Timestamp) -> bool {
    trace.is_account(&effect.object)
        && effect.did.sets("accountEnabled", false)
        && case.is_some_and(|case| {
            case.events.iter().any(|(unread, event)| {
                *unread <= at && matches!(event, Event::AccountUnread { .. })
            })
        })
}
