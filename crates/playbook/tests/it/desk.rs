//! The people's side of a case: a second person, taking back, closing.

use retake_playbook::catalogue::Reverse;
use retake_playbook::event::{Applied, Looked, Origin, Stopped};
use retake_playbook::judge::{Verdict, judge};
use retake_playbook::machine::{Phase, not_by, re_entry};
use retake_playbook::undo::{self, CannotUndo};
use retake_playbook::{ActionId, ActionKind, Command, Event, Gate, ObjectKind, closing};

use crate::story::{Story, change, rule};

/// At the plan's execution, with one removal that takes a second person.
fn with_two() -> (Story, ActionId) {
    let mut story = Story::begin();
    story.objects = vec![rule("r1", "x", &["drop@elsewhere.test"])];
    story.changes = vec![change(
        ObjectKind::InboxRule,
        &["x"],
        "drop@elsewhere.test",
        Origin::Attacker,
    )];
    story.go_to(Phase::Evicting);
    let held = story
        .state
        .plan_actions()
        .find(|action| action.planned.kind == ActionKind::RemoveInboxRule)
        .unwrap()
        .planned
        .action;
    story.state.takes_two.insert(held);
    (story, held)
}

#[test]
fn what_takes_a_second_person_waits_alone_and_the_rest_goes_ahead() {
    let (mut story, held) = with_two();
    let Command::Act(free) = &story.commands()[0] else {
        panic!("{:?}", story.commands())
    };
    assert!(!free.contains(&held) && free.len() == 2, "{free:?}");
    story.go_on();
    assert_eq!(story.state.phase, Phase::Evicting);
    assert_eq!(story.commands(), [Command::Ask(Gate::SecondPerson)]);
    // Nobody answers: it is asked again, and nothing was sent.
    story.tell(Event::GateWaiting {
        gate: Gate::SecondPerson,
        why: "nobody answered".into(),
    });
    assert_eq!(story.commands(), [Command::Ask(Gate::SecondPerson)]);
    assert!(story.state.actions[&held].intended.is_empty());
    story.pass(Gate::SecondPerson);
    assert_eq!(story.commands(), [Command::Act(vec![held])]);
    story.go_to(Phase::Closed);
    assert!(story.state.actions[&held].verified.is_some());
}

#[test]
fn a_second_person_who_refuses_stops_those_actions_and_no_other() {
    let (mut story, held) = with_two();
    story.go_on();
    story.refuse(Gate::SecondPerson);
    assert_eq!(story.commands(), [Command::Decline(vec![held])]);
    story.go_to(Phase::Halted);
    let stopped: Vec<ActionId> = story
        .state
        .actions
        .values()
        .filter(|action| action.stopped.is_some())
        .map(|action| action.planned.action)
        .collect();
    assert_eq!(stopped, [held]);
}

#[test]
fn nobody_is_their_own_second_person() {
    let (mut story, _) = with_two();
    story.tell(Event::GatePassed {
        gate: Gate::Plan,
        by: "Mara Keller".into(),
        answer: None,
    });
    for same in ["Mara Keller", "mara  keller", " MARA KELLER "] {
        assert!(
            not_by(Gate::SecondPerson, same, &story.state).is_some(),
            "{same}"
        );
    }
    assert_eq!(not_by(Gate::SecondPerson, "Ina Roth", &story.state), None);
    assert_eq!(not_by(Gate::Plan, "Mara Keller", &story.state), None);
}

/// A closed case with one removed rule; and the number of that removal.
fn closed() -> (Story, ActionId) {
    let mut story = Story::begin();
    story.objects = vec![rule("r1", "x", &["drop@elsewhere.test"])];
    story.changes = vec![change(
        ObjectKind::InboxRule,
        &["x"],
        "drop@elsewhere.test",
        Origin::Attacker,
    )];
    story.go_to(Phase::Closed);
    let removal = number(&story, ActionKind::RemoveInboxRule);
    (story, removal)
}

fn number(story: &Story, kind: ActionKind) -> ActionId {
    let mut of = story.state.actions.values();
    of.find(|action| action.planned.kind == kind)
        .unwrap()
        .planned
        .action
}

fn order(story: &mut Story, actions: &[ActionId]) -> Vec<ActionId> {
    story.tell(Event::UndoOrdered {
        by: "Rosa".into(),
        reason: "it was the owner's".into(),
        actions: actions.to_vec(),
    });
    let plan = undo::plan(&story.state).unwrap();
    story.tell(Event::PlanMade(plan));
    undo::open(&story.state)
}

#[test]
fn an_undo_moves_no_phase_and_what_it_brings_back_is_kept() {
    let (mut story, removal) = closed();
    let undos = order(&mut story, &[removal]);
    assert_eq!(undos.len(), 1);
    assert_eq!(undo::plan(&story.state), None, "one plan for one order");
    let back = rule("r9", "x", &["drop@elsewhere.test"]);
    story.tell(Event::ObjectRestored {
        action: undos[0],
        object: back.clone(),
        differs: vec!["it has a new id: r9".into()],
    });
    story.carry_out(undos[0]);
    assert_eq!(story.state.phase, Phase::Closed);
    assert_eq!(undo::undone(&story.state, removal).unwrap().0, undos[0]);
    assert!(matches!(
        undo::undoable(&story.state, removal),
        Err(CannotUndo::AlreadyUndone { .. })
    ));
    assert!(matches!(
        undo::undoable(&story.state, undos[0]),
        Err(CannotUndo::IsAnUndo { .. })
    ));
    // The log still says that the attacker made it; a person said otherwise.
    story.objects = vec![back];
    story.snapshot();
    let judged = judge(&story.state);
    assert_eq!(judged[0].verdict, Verdict::Legitimate);
    assert_eq!(
        judged[0].reasons,
        ["kept by order of Rosa: it was the owner's"]
    );
    assert_eq!(re_entry(&story.state), None);
    // What else the attacker plants is not kept by that.
    story
        .objects
        .push(rule("r10", "x", &["other@elsewhere.test"]));
    story.changes.push(change(
        ObjectKind::InboxRule,
        &["r10"],
        "other@elsewhere.test",
        Origin::Attacker,
    ));
    story.analyse(false);
    story.snapshot();
    assert!(
        re_entry(&story.state)
            .is_some_and(|why| why.contains("other@elsewhere.test") || why.contains('x'))
    );
}

#[test]
fn a_closed_case_that_is_looked_at_and_not_clean_stands_at_containment_again() {
    let (mut story, _) = closed();
    story.tell(Event::Reopened { why: "back".into() });
    assert_eq!(story.state.phase, Phase::Ordering);
    assert!(story.state.closed.is_none());
    story.go_to(Phase::Closed);
}

#[test]
fn what_has_no_way_back_and_what_was_not_done_is_refused_with_its_reason() {
    let (mut story, _) = closed();
    let revoke = number(&story, ActionKind::RevokeSessions);
    let Err(CannotUndo::Irreversible { why, .. }) = undo::undoable(&story.state, revoke) else {
        panic!("a revoked session does not come back")
    };
    assert_eq!(
        Reverse::None(why),
        ActionKind::RevokeSessions.spec().reverse
    );
    assert!(matches!(
        undo::undoable(&story.state, ActionId(999)),
        Err(CannotUndo::NoSuchAction(_))
    ));
    // An order that is refused for one action leaves the others be; a stopped undo may
    // be ordered again.
    let block = number(&story, ActionKind::BlockSignIn);
    let undos = order(&mut story, &[block]);
    story.stop(undos[0], Stopped::Changed);
    assert!(undo::undoable(&story.state, block).is_ok());
    // While the case rests on it, the block is not undone.
    let mut story = Story::begin();
    story.go_to(Phase::Evicting);
    let block = number(&story, ActionKind::BlockSignIn);
    assert!(matches!(
        undo::undoable(&story.state, block),
        Err(CannotUndo::HoldsTheCase(_))
    ));
}

#[test]
fn a_block_and_its_end_that_are_both_taken_back_block_nothing() {
    let (mut story, _) = closed();
    let block = number(&story, ActionKind::BlockSignIn);
    let restore = number(&story, ActionKind::RestoreSignIn);
    assert_eq!(undo::sign_in_without(&story.state, block), Some(true));
    assert_eq!(undo::sign_in_without(&story.state, restore), Some(false));
    let undos = order(&mut story, &[restore, block]);
    assert_eq!(undo::sign_in_without(&story.state, restore), Some(true));
    assert_eq!(undo::sign_in_without(&story.state, block), Some(true));
    for undo in undos {
        story.tell(Event::ActionApplied {
            action: undo,
            status: None,
            how: Applied::AlreadySo,
        });
        story.tell(Event::ActionVerified {
            action: undo,
            evidence: crate::story::digest("account"),
        });
    }
    assert!(story.state.restored_at.is_some());
    assert_eq!(story.state.contained_since(), None);
}

#[test]
fn a_case_is_explained_or_says_what_is_missing() {
    let mut story = Story::begin();
    story.go_to(Phase::Concluding);
    assert_eq!(closing::unexplained(&story.state), Vec::<String>::new());
    let (at, analysis) = story.state.analysis.clone().unwrap();
    let with = |change: &dyn Fn(&mut retake_playbook::event::Analysis)| {
        let mut state = story.state.clone();
        let mut analysis = analysis.clone();
        change(&mut analysis);
        state.analysis = Some((at, analysis));
        closing::unexplained(&state)
    };
    let path = with(&|analysis| {
        analysis.verdict = "compromised".into();
        analysis.path = "unknown".into();
    });
    assert!(
        path.iter()
            .any(|missing| missing.starts_with("first access")),
        "{path:?}"
    );
    let impact = with(&|analysis| {
        analysis.sources.push(retake_playbook::event::Source {
            name: "message trace".into(),
            looked: Looked::CouldNot,
            why: Some("no permission".into()),
            code: None,
        });
    });
    assert!(
        impact.iter().any(|missing| missing.starts_with("impact")),
        "{impact:?}"
    );
    let restored = story.state.restored_at.unwrap();
    let signed_in = with(&|analysis| {
        analysis.last_known_bad = restored
            .checked_add(jiff::SignedDuration::from_hours(5))
            .ok();
    });
    assert!(
        signed_in
            .iter()
            .any(|missing| missing.contains("attacker in the account")),
        "{signed_in:?}"
    );
}
