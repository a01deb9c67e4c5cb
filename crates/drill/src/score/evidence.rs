//! Whether each object was in the case before it was changed.

use std::collections::BTreeSet;

use retake_playbook::{Digest, Event, ObjectKind};

use super::case::Case;
use super::form::UnprovenChange;
use super::reads::Reads;
use super::trace::{Did, Effect, Line, Trace};

/// Every change of the responder's whose object was not in the case as it then
/// was. Without a case there is no evidence at all.
///
/// Evidence is an earlier read that shows the object, later than whatever changed
/// the object before, whose body is in the case. Where the case has the intent of
/// the change, it must be the read that the intent names as the state before.
///
/// What came into being through the change (a temporary access pass, an audit
/// query) has no state before. Block and revoke may go without when the case says
/// that the account could not be read in time (product, tenets 2 and 3).
pub(super) fn changes_without_evidence(trace: &Trace, case: Option<&Case>) -> Vec<UnprovenChange> {
    let reads = case.map(|case| Reads::new(trace, case));
    let mut found = BTreeSet::new();
    for (line, effect) in trace.responder_changes() {
        if !needs_evidence(effect) || is_excused(case, trace, effect, line.at) {
            continue;
        }
        let seen = reads
            .as_ref()
            .zip(case)
            .is_some_and(|(reads, case)| is_seen(trace, case, reads, line, effect));
        if !seen {
            found.insert(UnprovenChange {
                request: line.n,
                object: effect.object.id.clone(),
            });
        }
    }
    found.into_iter().collect()
}

fn is_seen(trace: &Trace, case: &Case, reads: &Reads<'_>, line: &Line, effect: &Effect) -> bool {
    let named = match intent(case, line) {
        Intent::Absent => None,
        Intent::After(digest) => Some(digest),
        Intent::Blind => return false,
    };
    let object = &effect.object;
    let changed_before = trace
        .lines
        .iter()
        .take(line.n as usize)
        .filter(|earlier| {
            earlier
                .effects
                .iter()
                .any(|e| trace.same(&e.object, object.kind, &object.id))
        })
        .map(|earlier| earlier.n)
        .next_back()
        .unwrap_or(0);
    reads.between(changed_before, line.n).any(|read| {
        named.is_none_or(|digest| read.response_sha256.as_ref() == Some(digest))
            && reads.shows(read, object)
    })
}

/// What the case says about a request before it was sent.
enum Intent<'a> {
    /// Nothing.
    Absent,
    /// It was meant, after this state was read.
    After(&'a Digest),
    /// It was meant, and nothing was read for it.
    Blind,
}

fn intent<'a>(case: &'a Case, line: &Line) -> Intent<'a> {
    case.last(|at, event| match event {
        Event::ActionIntended {
            request, before, ..
        } if at <= line.at && Some(&request.sha256) == line.request_sha256.as_ref() => {
            Some(before.as_ref().map_or(Intent::Blind, Intent::After))
        }
        _ => None,
    })
    .unwrap_or(Intent::Absent)
}

fn needs_evidence(effect: &Effect) -> bool {
    // What a change of the account brings with it has the account's evidence.
    // No interface shows a client-side rule (reference §0.6): losing the owner's is
    // collateral, and there is nothing that could have been read of it.
    let follows = matches!(
        effect.object.kind,
        ObjectKind::Token | ObjectKind::ClientSideRule
    );
    !follows
        && match &effect.did {
            Did::Created | Did::Other(_) => false,
            Did::Deleted | Did::Changed(_) | Did::Revoked | Did::PasswordSet => true,
        }
}

/// Block and revoke go ahead when the account could not be read in time and the
/// case says so: the block after any such failure, the revoke after one of its own.
fn is_excused(case: Option<&Case>, trace: &Trace, effect: &Effect, at: jiff::Timestamp) -> bool {
    let Some(case) = case.filter(|_| trace.is_account(&effect.object)) else {
        return false;
    };
    let last = case.last(|unread, event| {
        (unread <= at && matches!(event, Event::AccountUnread { .. })).then_some(unread)
    });
    let patience = jiff::SignedDuration::from_mins(1);
    match &effect.did {
        did if did.sets("accountEnabled", false) => last.is_some(),
        Did::Revoked => last.is_some_and(|unread| at.duration_since(unread) <= patience),
        _ => false,
    }
}
