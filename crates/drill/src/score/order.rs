//! The rules of order, as a table, and how each is judged from the trace.

use std::collections::BTreeSet;

use jiff::Timestamp;
use retake_playbook::{Event, Gate, ObjectKind};

use super::case::{Case, is_empty};
use super::form::{OrderViolation, UnprovenChange};
use super::moments::is_removal;
use super::trace::{Did, Effect, Line, Trace};

/// A rule of order.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Its id in the score.
    pub id: &'static str,
    /// What it demands.
    pub demands: &'static str,
    /// Where the product's specification says so.
    pub source: &'static str,
}

/// The password is not set while sign-in is open.
pub const BLOCK_BEFORE_RESET: Rule = Rule {
    id: "block_before_reset",
    demands: "The password is reset only while sign-in is blocked.",
    source: "product S4.1",
};
/// Sessions are not revoked while sign-in is open.
pub const REVOKE_AFTER_BLOCK: Rule = Rule {
    id: "revoke_after_block",
    demands: "Sessions are revoked only while sign-in is blocked: whoever is thrown out could sign in again at once.",
    source: "product S2.1, S3.1",
};
/// Nothing is changed before the containment.
pub const CONTAIN_BEFORE_CHANGE: Rule = Rule {
    id: "contain_before_change",
    demands: "Password, methods, rules, forwarding and consents are changed only after both block and revoke were accepted: an attacker with a live session plants again.",
    source: "product tenet 2, S3.5",
};
/// The default method goes last.
pub const DEFAULT_METHOD_LAST: Rule = Rule {
    id: "default_method_last",
    demands: "The default method is deleted after all others that go.",
    source: "product S4.2; reference §2.3",
};
/// Forwarding is cleared in one change.
pub const FORWARDING_IN_ONE_CHANGE: Rule = Rule {
    id: "forwarding_in_one_change",
    demands: "Both forwarding fields of a mailbox are cleared in one change: clearing the one that counts switches the other on.",
    source: "product S5.1; reference §6.2",
};
/// A second revoke after the last removal.
pub const SECOND_REVOKE: Rule = Rule {
    id: "second_revoke",
    demands: "Sessions are revoked once more after the last removal and before sign-in is given back.",
    source: "product S3.1",
};
/// Sign-in comes back last.
pub const RESTORE_LAST: Rule = Rule {
    id: "restore_last",
    demands: "Sign-in is given back only after the access clock has run out and a snapshot taken after the second revoke was clean; or a named person overrode the gate.",
    source: "product S7.1; architecture, the way of one case",
};
/// Risk is marked after the reset.
pub const RISK_AFTER_RESET: Rule = Rule {
    id: "risk_after_reset",
    demands: "The user is marked as compromised only after the reset.",
    source: "product S4.1",
};
/// The service's block from sending goes last.
pub const SENDING_BLOCK_LAST: Rule = Rule {
    id: "sending_block_last",
    demands: "The service's block of the account from sending is lifted only after sign-in was given back: it is a containment that is there already.",
    source: "product S7.1; reference §15.5",
};
/// Evidence comes before the change.
pub const EVIDENCE_FIRST: Rule = Rule {
    id: "evidence_first",
    demands: "An object's state is in the case before the object is changed; every change without evidence breaks this rule too.",
    source: "product tenet 3",
};

/// Accounts of one attacker are contained together.
pub const CONTAIN_TOGETHER: Rule = Rule {
    id: "contain_together",
    demands: "From the first block on nothing else is changed, and no more than a minute passes where the alert named it, before every other account of the attacker's that could undo the block is blocked too.",
    source: "product S2.6",
};

/// Every rule.
pub const RULES: [Rule; 11] = [
    BLOCK_BEFORE_RESET,
    REVOKE_AFTER_BLOCK,
    CONTAIN_BEFORE_CHANGE,
    DEFAULT_METHOD_LAST,
    FORWARDING_IN_ONE_CHANGE,
    SECOND_REVOKE,
    RESTORE_LAST,
    RISK_AFTER_RESET,
    SENDING_BLOCK_LAST,
    EVIDENCE_FIRST,
    CONTAIN_TOGETHER,
];

/// Every breach, in the order of the trace.
pub(super) fn violations(
    trace: &Trace,
    case: Option<&Case>,
    without_evidence: &[UnprovenChange],
) -> Vec<OrderViolation> {
    let mut found = BTreeSet::new();
    containment(trace, case, &mut found);
    default_method(trace, &mut found);
    forwarding(trace, &mut found);
    for change in without_evidence {
        found.insert(breach(EVIDENCE_FIRST, change.request, &change.object));
    }
    let mut found: Vec<_> = found.into_iter().collect();
    found.sort_by(|a, b| (a.request, a.rule, &a.object).cmp(&(b.request, b.rule, &b.object)));
    found
}

pub(super) fn breach(rule: Rule, request: u64, object: &str) -> OrderViolation {
    OrderViolation {
        rule: rule.id,
        request,
        object: object.to_owned(),
    }
}

/// Where the affected account stands while the trace is walked.
#[derive(Default)]
struct Standing {
    blocked: bool,
    revoked: bool,
    reset: bool,
    /// The last removal that no revoke has followed yet.
    unrevoked: Option<(u64, String)>,
    last_revoke: Option<Timestamp>,
    /// Sign-in was given back after a containment.
    restored: bool,
}

/// The rules about block, revoke, reset, removals, risk and return.
fn containment(trace: &Trace, case: Option<&Case>, found: &mut BTreeSet<OrderViolation>) {
    let mut standing = Standing::default();
    for line in trace.lines.iter().filter(|line| line.by_responder()) {
        if is_risk_marking(line) && !standing.reset {
            found.insert(breach(RISK_AFTER_RESET, line.n, &trace.account.id));
        }
        for effect in &line.effects {
            one_change(trace, case, line, effect, &mut standing, found);
        }
    }
    if let Some((request, object)) = standing.unrevoked {
        found.insert(breach(SECOND_REVOKE, request, &object));
    }
}

fn one_change(
    trace: &Trace,
    case: Option<&Case>,
    line: &Line,
    effect: &Effect,
    standing: &mut Standing,
    found: &mut BTreeSet<OrderViolation>,
) {
    let object = &effect.object.id;
    let about_account = trace.is_account(&effect.object);
    if about_account && effect.did.sets("accountEnabled", false) {
        standing.blocked = true;
        standing.revoked = false;
        standing.restored = false;
    } else if effect.object.kind == ObjectKind::SendingBlock && effect.did == Did::Deleted {
        if !standing.restored {
            found.insert(breach(SENDING_BLOCK_LAST, line.n, object));
        }
    } else if about_account && effect.did == Did::Revoked {
        if !standing.blocked {
            found.insert(breach(REVOKE_AFTER_BLOCK, line.n, object));
        }
        standing.revoked = standing.blocked;
        standing.unrevoked = None;
        standing.last_revoke = Some(line.at);
    } else if about_account && effect.did.sets("accountEnabled", true) {
        if let Some((_, removed)) = standing.unrevoked.take() {
            found.insert(breach(SECOND_REVOKE, line.n, &removed));
        }
        if !is_return_earned(trace, case, line, standing.last_revoke) {
            found.insert(breach(RESTORE_LAST, line.n, object));
        }
        standing.blocked = false;
        standing.revoked = false;
        standing.restored = true;
    } else if is_removal(effect) {
        if about_account && effect.did == Did::PasswordSet {
            if !standing.blocked {
                found.insert(breach(BLOCK_BEFORE_RESET, line.n, object));
            }
            standing.reset = true;
        }
        if !(standing.blocked && standing.revoked) {
            found.insert(breach(CONTAIN_BEFORE_CHANGE, line.n, object));
        }
        standing.unrevoked = Some((line.n, object.clone()));
    }
}

fn is_risk_marking(line: &Line) -> bool {
    line.succeeded() && line.path.ends_with("/confirmCompromised")
}

/// Whether the case had shown, before this line, that sign-in may come back.
fn is_return_earned(
    trace: &Trace,
    case: Option<&Case>,
    line: &Line,
    last_revoke: Option<Timestamp>,
) -> bool {
    let Some(case) = case else {
        return false;
    };
    let before = |at: Timestamp| at <= line.at;
    let overridden = case.events.iter().any(|(at, event)| {
        before(*at)
            && match event {
                Event::GateOverridden { gate, .. } => matches!(gate, Gate::Return | Gate::Release),
                // `retake release` takes a containment back on a named person's order.
                Event::ReleaseOrdered { .. } => true,
                // The logs show no takeover, and somebody agreed.
                Event::GatePassed { gate, .. } => *gate == Gate::Release,
                _ => false,
            }
    });
    if overridden {
        return true;
    }
    let clock_ran_out = case
        .last(|at, event| match event {
            Event::AccessClockSet { ends, .. } if before(at) => {
                Some(ends.iter().all(|end| end.ends_at <= line.at))
            }
            _ => None,
        })
        .unwrap_or(false);
    let clean = case
        .last(|at, event| match event {
            Event::EvictionEffective { snapshot } if before(at) => case.snapshot(*snapshot),
            _ => None,
        })
        .is_some_and(|snapshot| {
            last_revoke.is_some_and(|revoked| snapshot.at >= revoked)
                && !snapshot
                    .objects
                    .iter()
                    .any(|seen| holds_foothold(trace, seen))
        });
    clock_ran_out && clean
}

/// Whether an object of a snapshot is one of the attacker's. Forwarding is an
/// object even when it is empty.
fn holds_foothold(trace: &Trace, seen: &retake_playbook::event::Observed) -> bool {
    use retake_playbook::event::Facts;
    let empty = matches!(
        &seen.facts,
        Facts::Forwarding {
            smtp: None,
            address: None,
            ..
        }
    );
    let off = match &seen.facts {
        Facts::InboxRule { enabled, .. }
        | Facts::Device { enabled, .. }
        | Facts::App { enabled, .. } => !enabled,
        Facts::AutoReply { state, .. } => state == "disabled",
        _ => false,
    };
    // It stays, with other values.
    if let Facts::ResetAttribute { values, .. } = &seen.facts {
        return trace
            .footholds
            .iter()
            .filter(|held| trace.same(&held.object, seen.object.kind, &seen.object.id))
            .any(|held| {
                let theirs = trace.names(&held.object);
                values.iter().any(|value| theirs.contains(value))
            });
    }
    !empty
        && !off
        && trace
            .footholds
            .iter()
            .any(|held| trace.same(&held.object, seen.object.kind, &seen.object.id))
}

/// The service refuses to delete the default method while others remain, with 400
/// (reference §2.3). Whoever was refused and then deleted another had tried the
/// default one too early.
fn default_method(trace: &Trace, found: &mut BTreeSet<OrderViolation>) {
    let deletions: Vec<&Line> = trace
        .lines
        .iter()
        .filter(|line| {
            line.by_responder() && line.method == "DELETE" && line.path.contains("/authentication/")
        })
        .collect();
    for (index, refused) in deletions.iter().enumerate() {
        let another_goes = deletions.iter().skip(index + 1).any(|later| {
            later.path != refused.path
                && later
                    .effects
                    .iter()
                    .any(|e| e.did == Did::Deleted && e.object.kind == ObjectKind::Method)
        });
        if refused.status == Some(400) && another_goes {
            let object = refused.target.as_ref().map_or(
                refused.path.rsplit('/').next().unwrap_or_default(),
                |target| target.id.as_str(),
            );
            found.insert(breach(DEFAULT_METHOD_LAST, refused.n, object));
        }
    }
}

/// A second clearing of the same mailbox's forwarding, with nobody setting
/// anything in between, means that the first was half of one.
fn forwarding(trace: &Trace, found: &mut BTreeSet<OrderViolation>) {
    let mut half: BTreeSet<&str> = BTreeSet::new();
    for line in &trace.lines {
        for effect in &line.effects {
            if effect.object.kind != ObjectKind::MailboxForwarding {
                continue;
            }
            let clears = line.by_responder() && is_removal(effect);
            let sets = ["ForwardingSmtpAddress", "ForwardingAddress"]
                .iter()
                .any(|field| effect.did.field(field).is_some_and(|(_, to)| !is_empty(to)));
            if clears && !half.insert(&effect.object.id) {
                found.insert(breach(FORWARDING_IN_ONE_CHANGE, line.n, &effect.object.id));
            }
            if sets || effect.did == Did::Created {
                half.remove(effect.object.id.as_str());
            }
        }
    }
}
