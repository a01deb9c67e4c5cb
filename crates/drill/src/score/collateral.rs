//! What was legitimate and is gone or broken at the end.

use std::collections::BTreeSet;

use retake_playbook::ObjectKind;

use super::case::Case;
use super::form::Collateral;
use super::moments::switches_off;
use super::trace::{Did, Effect, Line, Object, Trace};

/// Every object that the responder deleted, changed or switched off, that the
/// attacker did not plant, and that was not given back by the end.
///
/// Passwords, sessions, tokens and methods are no collateral: their owner simply
/// sets them up again (product, tenet 8). The affected account's block is none
/// either, unless sign-in is never given back: by the responder itself, where
/// there is a case; by the harness, where a control is replayed that ends blocked.
pub(super) fn collateral(trace: &Trace, case: Option<&Case>) -> Vec<Collateral> {
    let mut found = BTreeSet::new();
    for (line, effect) in trace.responder_changes() {
        let object = &effect.object;
        if let Some(what) = harm(trace, effect)
            && !is_given_back(trace, case, line, effect)
        {
            let purpose = trace
                .baits
                .iter()
                .find(|bait| trace.same(&bait.object, object.kind, &object.id))
                .map(|bait| bait.why.as_str())
                .filter(|why| !why.is_empty());
            found.insert(Collateral {
                kind: object.kind,
                object: object.id.clone(),
                why: match purpose {
                    Some(purpose) => format!("{what}: {purpose}"),
                    None => what.to_owned(),
                },
            });
        }
    }
    // Only a responder can be asked to have it lifted; a control cannot know of it.
    let lifted = || {
        trace.responder_changes().any(|(_, effect)| {
            effect.object.kind == ObjectKind::SendingBlock && effect.did == Did::Deleted
        })
    };
    if case.is_some() && trace.account.sending_stopped && !lifted() {
        found.insert(Collateral {
            kind: ObjectKind::SendingBlock,
            object: trace.account.id.clone(),
            why: "still stopped from sending by the service".to_owned(),
        });
    }
    found.into_iter().collect()
}

/// What the effect does to something legitimate.
fn harm(trace: &Trace, effect: &Effect) -> Option<&'static str> {
    use ObjectKind as Kind;
    match effect.object.kind {
        Kind::Password
        | Kind::Session
        | Kind::Token
        | Kind::Method
        | Kind::Person
        | Kind::SignIn
        | Kind::SendingBlock
        | Kind::AuditRecord => return None,
        Kind::Account if trace.account.stays_blocked && trace.is_account(&effect.object) => {
            return (effect.did == Did::Deleted).then_some("deleted");
        }
        Kind::Account => {
            return effect
                .did
                .sets("accountEnabled", false)
                .then_some("blocked and not given back")
                .or_else(|| (effect.did == Did::Deleted).then_some("deleted"));
        }
        _ => {}
    }
    if trace.is_attackers(&effect.object) || keeps_more(effect) {
        return None;
    }
    match &effect.did {
        Did::Deleted => Some("deleted"),
        Did::Changed(_) if switches_off(&effect.did) => Some("switched off"),
        Did::Changed(fields) if !fields.is_empty() => Some("changed"),
        _ => None,
    }
}

/// A mailbox that keeps what is deleted for longer than before, or is held, loses
/// nothing (product, S1.8). Keeping less is another matter.
fn keeps_more(effect: &Effect) -> bool {
    let Did::Changed(fields) = &effect.did else {
        return false;
    };
    let days = |value: Option<&serde_json::Value>| -> Option<u32> {
        value?.as_str()?.split('.').next()?.parse().ok()
    };
    effect.object.kind == ObjectKind::Mailbox
        && !fields.is_empty()
        && fields.iter().all(|(name, pair)| match name.as_str() {
            "RetainDeletedItemsFor" => days(pair.get(0)) < days(pair.get(1)),
            "LitigationHoldEnabled" | "SingleItemRecoveryEnabled" => {
                pair.get(1).and_then(serde_json::Value::as_bool) == Some(true)
            }
            _ => false,
        })
}

/// Whether later lines take the change back.
fn is_given_back(trace: &Trace, case: Option<&Case>, line: &Line, effect: &Effect) -> bool {
    let later = trace.lines.iter().filter(|other| {
        other.n > line.n && !other.by_attacker() && (case.is_none() || !other.by_harness())
    });
    match &effect.did {
        Did::Changed(fields) => fields.iter().all(|(name, pair)| {
            let before = pair.get(0);
            let mut now = pair.get(1);
            for other in later.clone() {
                for theirs in other.effects.iter().filter(|e| e.object == effect.object) {
                    if let Some((_, to)) = theirs.did.field(name) {
                        now = Some(to);
                    }
                }
            }
            now == before
        }),
        Did::Deleted => later.clone().any(|other| {
            other.effects.iter().any(|theirs| {
                theirs.did == Did::Created
                    && theirs.object.kind == effect.object.kind
                    && (theirs.object == effect.object || is_replacement(other, &effect.object))
            })
        }),
        _ => false,
    }
}

/// Whether the line says that its object stands in for one that was deleted: a
/// rule or grant that is made again gets a new id (catalogue, `RemoveInboxRule`).
fn is_replacement(line: &Line, object: &Object) -> bool {
    line.effect_member("replaces").and_then(|id| id.as_str()) == Some(object.id.as_str())
}
