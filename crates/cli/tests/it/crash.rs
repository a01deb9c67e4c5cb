//! Killed at any moment, the same command goes on: nothing is lost, nothing is done
//! twice.
//!
//! A reference run counts the changes of the response. Then, for every change and
//! each of three points around it, a fresh responder is killed there by SIGKILL
//! while the lab's clock stands still, and started again.

use std::sync::{Arc, Mutex};

use retake_casefile::Record;
use retake_lab::serve::{Decision, OnRequest};
use retake_playbook::event::Applied;
use retake_playbook::state::ActionState;
use retake_playbook::{ActionId, ActionKind, Event, State};
use serde_json::{Value, json};

use crate::practice::{Effect, Practice, Running, is_change, state};

const SEED: u64 = 1;

/// Where the responder dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Point {
    /// When its last reading before the change arrives: no intent is written.
    BeforeTheIntent,
    /// When the change arrives, which the tenant never sees: the intent is.
    AfterTheIntent,
    /// When the change was carried out and the answer is on its way.
    AfterTheEffect,
}

#[test]
fn killed_before_the_intent_of_every_even_change() {
    kill_at_every(Point::BeforeTheIntent, 0);
}

#[test]
fn killed_before_the_intent_of_every_odd_change() {
    kill_at_every(Point::BeforeTheIntent, 1);
}

#[test]
fn killed_after_the_intent_of_every_even_change() {
    kill_at_every(Point::AfterTheIntent, 0);
}

#[test]
fn killed_after_the_intent_of_every_odd_change() {
    kill_at_every(Point::AfterTheIntent, 1);
}

#[test]
fn killed_after_the_effect_of_every_even_change() {
    kill_at_every(Point::AfterTheEffect, 0);
}

#[test]
fn killed_after_the_effect_of_every_odd_change() {
    kill_at_every(Point::AfterTheEffect, 1);
}

/// Between the changes too: while it signs in, before there is a case, while it
/// reads the logs, while people are asked, while it waits.
#[test]
fn killed_at_requests_near_and_far() {
    let reference = Reference::run();
    for ordinal in [0, 3, 13, 34, 60, 120, 210, 340, 550] {
        let here = format!("request {ordinal}");
        let practice = Practice::new(SEED, |responder| {
            Some(Box::new(move |_, seen| {
                if seen == ordinal {
                    responder.kill();
                    return Decision::DropBefore;
                }
                Decision::Handle
            }))
        });
        practice.start(practice.respond());
        assert_eq!(practice.finish(), None, "{here}\n{}", practice.said());
        practice.respond_to_the_end();
        assert_eq!(practice.tenant(), reference.tenant, "{here}: the tenant");
        let (_, records) = practice.journal();
        once_each(&state(&records), &practice.effects(), &here);
    }
}

/// Every second change from `first` on; the other half is another test, so that
/// both can run at the same time.
fn kill_at_every(point: Point, first: usize) {
    let reference = Reference::run();
    // Block, revoke, rules, forwarding, password, methods, consent, sign-in back.
    assert!(reference.readings.len() >= 12, "{:?}", reference.readings);
    for change in (first..reference.readings.len()).step_by(2) {
        killed_at(point, change, &reference);
    }
}

/// What a response does that nobody kills.
struct Reference {
    /// For each change, the requests between the one before it and itself.
    readings: Vec<usize>,
    /// The tenant at the end.
    tenant: Value,
}

impl Reference {
    fn run() -> Self {
        let seen = Arc::new(Mutex::new((Vec::new(), 0)));
        let practice = Practice::new(SEED, |_| {
            let seen = Arc::clone(&seen);
            Some(Box::new(move |request, _| {
                let (readings, since) = &mut *seen.lock().unwrap();
                if is_change(request) {
                    readings.push(std::mem::take(since));
                } else {
                    *since += 1;
                }
                Decision::Handle
            }))
        });
        practice.respond_to_the_end();
        let readings = seen.lock().unwrap().0.clone();
        assert_eq!(practice.effects().len(), readings.len());
        Self {
            readings,
            tenant: practice.tenant(),
        }
    }
}

fn killed_at(point: Point, change: usize, reference: &Reference) {
    let here = format!("{point:?} of change {change}");
    let practice = Practice::new(SEED, |responder| {
        let reading = reference.readings[change];
        Some(assassin(responder, point, change, reading))
    });
    practice.start(practice.respond());
    assert_eq!(
        practice.finish(),
        None,
        "{here}: it was to be killed\n{}",
        practice.said()
    );

    let (_, records) = practice.journal();
    let intents = intents(&records);
    let intended = change + usize::from(point != Point::BeforeTheIntent);
    assert_eq!(intents.len(), intended, "{here}: intents that are durable");
    let carried_out = change + usize::from(point == Point::AfterTheEffect);
    assert_eq!(practice.effects().len(), carried_out, "{here}: effects");

    practice.respond_to_the_end();

    assert_eq!(practice.tenant(), reference.tenant, "{here}: the tenant");
    let (case, records) = practice.journal();
    let state = state(&records);
    once_each(&state, &practice.effects(), &here);
    if point == Point::AfterTheEffect {
        let action = &state.actions[intents.last().unwrap()];
        told_as_found(action, &here);
    }
    practice.export_and_verify(&case);
}

/// Kills the responder at its place, and is a lab as any other before and after.
fn assassin(responder: Running, point: Point, change: usize, reading: usize) -> OnRequest {
    let (mut changes, mut readings, mut done) = (0, 0, false);
    Box::new(move |request, _| {
        if done {
            return Decision::Handle;
        }
        let now = if is_change(request) {
            changes += 1;
            readings = 0;
            point != Point::BeforeTheIntent && changes == change + 1
        } else {
            readings += 1;
            point == Point::BeforeTheIntent && changes == change && readings == reading
        };
        if !now {
            return Decision::Handle;
        }
        done = true;
        responder.kill();
        if point == Point::AfterTheEffect {
            Decision::DropAfter
        } else {
            Decision::DropBefore
        }
    })
}

fn intents(records: &[Record]) -> Vec<ActionId> {
    records
        .iter()
        .filter_map(|record| match &record.event {
            Event::ActionIntended { action, .. } => Some(*action),
            _ => None,
        })
        .collect()
}

/// Every change of the journal that must not be repeated took effect once, and
/// nothing took effect that is not in the journal.
fn once_each(state: &State, effects: &[Effect], here: &str) {
    let mut explained = 0;
    for action in state.actions.values() {
        let kind = action.planned.kind;
        if may_be_repeated(kind) || action.stopped.is_some() {
            continue;
        }
        let object = &action.planned.object;
        let times = effects
            .iter()
            .filter(|effect| effect.ids.contains(&object.id) && is_effect_of(kind, &effect.what))
            .count();
        assert_eq!(times, 1, "{here}: {kind:?} of {object:?} in {effects:#?}");
        assert!(action.verified.is_some(), "{here}: {action:?}");
        explained += 1;
    }
    let repeated = |effect: &&Effect| {
        ["revoked", "password_set"].contains(&effect.what["kind"].as_str().unwrap())
    };
    let unrepeated = effects.len() - effects.iter().filter(repeated).count();
    assert_eq!(unrepeated, explained, "{here}: {effects:#?}");
}

/// The responder did it, and says that it found it done: not that it was so before.
fn told_as_found(action: &ActionState, here: &str) {
    if !may_be_repeated(action.planned.kind) {
        let how = action.applied.as_ref().map(|(_, how)| how);
        assert_eq!(how, Some(&Applied::FoundByReading), "{here}: {action:?}");
    }
}

fn may_be_repeated(kind: ActionKind) -> bool {
    matches!(kind, ActionKind::RevokeSessions | ActionKind::ResetPassword)
}

fn is_effect_of(kind: ActionKind, effect: &Value) -> bool {
    let fields = &effect["fields"];
    match kind {
        ActionKind::BlockSignIn => fields["accountEnabled"] == json!([true, false]),
        ActionKind::RestoreSignIn => fields["accountEnabled"] == json!([false, true]),
        ActionKind::ClearForwarding => fields.get("ForwardingSmtpAddress").is_some(),
        ActionKind::RaiseRetention => fields.get("RetainDeletedItemsFor").is_some(),
        ActionKind::HoldMailbox => fields.get("LitigationHoldEnabled").is_some(),
        _ => effect["kind"] == "deleted",
    }
}
