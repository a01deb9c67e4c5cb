//! Every row of the machine's table is taken by some case here.

use std::collections::BTreeSet;

use retake_playbook::event::{CheckResult, Event, MailboxKind, Stopped};
use retake_playbook::machine::{ANYWHERE, Phase, TRANSITIONS};
use retake_playbook::steps::StepId;
use retake_playbook::{ActionKind, Command, Gate, ObjectKind};

use crate::story::{Story, change, method, rule};
use retake_playbook::event::Origin;

/// From the alert to the closed case, with one foothold.
fn straight() -> Story {
    let mut story = Story::begin();
    story.objects = vec![rule("r1", "x", &["drop@elsewhere.test"])];
    story.changes = vec![change(
        ObjectKind::InboxRule,
        &["x"],
        "drop@elsewhere.test",
        Origin::Attacker,
    )];
    story.go_to(Phase::Closed);
    story
}

#[test]
fn a_case_goes_straight_from_alert_to_closed() {
    let story = straight();
    let kinds: Vec<ActionKind> = story
        .state
        .actions
        .values()
        .map(|action| action.planned.kind)
        .collect();
    assert_eq!(
        kinds,
        [
            ActionKind::BlockSignIn,
            ActionKind::RevokeSessions,
            ActionKind::RemoveInboxRule,
            ActionKind::ResetPassword,
            ActionKind::RevokeSessions,
            ActionKind::RestoreSignIn,
        ]
    );
    // The last snapshot before the declaration was taken after the access clock.
    let (_, snapshot) = story.state.effective.unwrap();
    let snapshot = &story.state.snapshots[usize::try_from(snapshot).unwrap() - 1];
    assert!(snapshot.at >= story.state.access_ends_at().unwrap());
}

#[test]
fn what_is_planted_while_a_token_lives_is_found_and_removed_before_the_declaration() {
    let mut story = Story::begin();
    story.go_to(Phase::Draining);
    story
        .objects
        .push(rule("r2", "again", &["drop@elsewhere.test"]));
    story.go_to(Phase::Returning);
    assert!(story.objects.is_empty());
    assert!(
        story
            .state
            .actions
            .values()
            .any(|action| { action.planned.object.id == "r2" && action.verified.is_some() })
    );
}

#[test]
fn re_entry_during_the_watch_reopens_the_case_at_containment() {
    let mut story = Story::begin();
    story.go_to(Phase::Watching);
    story
        .objects
        .push(rule("r3", "back", &["drop@elsewhere.test"]));
    story.changes = vec![change(
        ObjectKind::InboxRule,
        &["back"],
        "drop@elsewhere.test",
        Origin::Attacker,
    )];
    story.go_to(Phase::Ordering);
    assert_eq!(story.state.reopened, 1);
    story.go_to(Phase::Closed);
    assert!(story.objects.is_empty());
}

#[test]
fn a_watch_that_cannot_look_does_not_end_as_if_it_had_looked() {
    let mut story = Story::begin();
    story.go_to(Phase::Watching);
    story.unread = Some(ObjectKind::OauthGrant);
    for _ in 0..200 {
        if matches!(&story.commands()[..], [Command::Stop(_)]) {
            break;
        }
        story.go_on();
    }
    assert_eq!(story.state.phase, Phase::WatchJudging);
    assert!(matches!(&story.commands()[..], [Command::Stop(why)] if why.contains("app consents")));
    // It can look again, and then it ends.
    story.unread = None;
    story.tell(Event::Waited { until: story.now });
    story.go_to(Phase::Closed);
}

#[test]
fn a_refused_block_halts_and_a_second_try_goes_on() {
    let mut story = Story::begin();
    story.go_to(Phase::Containing);
    let block = story.first_action();
    story.stop(block, Stopped::Refused);
    assert_eq!(story.state.phase, Phase::Halted);
    assert!(matches!(&story.commands()[..], [Command::Stop(why)] if why.contains("said no")));
    story.tell(Event::Retried { by: "Rosa".into() });
    story.go_to(Phase::Closed);
}

#[test]
fn every_transition_is_taken_and_every_phase_is_reached() {
    let mut rows: BTreeSet<String> = straight().rows;

    // Refusals, and going on after each.
    for (phase, gate) in [
        (Phase::Ordering, Gate::Contain),
        (Phase::Approving, Gate::Plan),
        (Phase::Returning, Gate::Return),
        (Phase::Welcoming, Gate::FirstSignIn),
        (Phase::Concluding, Gate::Close),
    ] {
        let mut story = Story::begin();
        story.go_to(phase);
        story.go_on_if_planless();
        story.refuse(gate);
        if story.state.phase == Phase::Halted {
            story.tell(Event::Retried { by: "Rosa".into() });
        }
        story.go_to(Phase::Closed);
        rows.extend(story.rows);
    }

    // Unclean hands, overridden and refused.
    for refused in [false, true] {
        let mut story = Story::begin();
        story.go_to(Phase::Preflight);
        story.preflight(CheckResult::Bad);
        assert_eq!(story.state.phase, Phase::UncleanHands);
        if refused {
            story.refuse(Gate::CleanHands);
            assert_eq!(story.state.phase, Phase::Halted);
        } else {
            story.tell(on_purpose());
            assert_eq!(story.state.phase, Phase::Ordering);
        }
        rows.extend(story.rows);
    }

    // Somebody else takes the case up.
    let mut story = Story::begin();
    story.go_to(Phase::Preflight);
    story.preflight(CheckResult::Bad);
    story.preflight(CheckResult::Good);
    assert_eq!(story.state.phase, Phase::Ordering);
    rows.extend(story.rows);

    // Hands that turn out unclean beside the attacker's addresses, after containment.
    let mut story = Story::begin();
    story.go_to(Phase::Digging);
    story.preflight(CheckResult::Bad);
    assert_eq!(story.state.phase, Phase::UncleanHands);
    story.tell(on_purpose());
    assert_eq!(story.state.phase, Phase::Digging);
    rows.extend(story.rows);

    // Block cannot be carried out: nothing is changed before somebody grants it.
    let mut story = Story::begin();
    story.go_to(Phase::Preflight);
    story.checked("S2.1", CheckResult::Bad, Some(StepId::new(2, 1)));
    assert_eq!(story.state.phase, Phase::Halted);
    assert!(story.state.plans.is_empty());
    assert!(matches!(&story.commands()[..], [Command::Stop(why)] if why.contains("grant it")));
    story.tell(Event::Retried { by: "Rosa".into() });
    assert_eq!(story.state.phase, Phase::Opening);
    story.go_to(Phase::Closed);
    rows.extend(story.rows);

    // A log that could not be read for want of a permission is read again.
    let mut story = Story::begin();
    story.go_to(Phase::Returning);
    story.tell(Event::Retried { by: "Rosa".into() });
    assert_eq!(story.state.phase, Phase::Digging);
    story.go_to(Phase::Closed);
    rows.extend(story.rows);

    // Actions that the tenant refuses.
    for phase in [Phase::Containing, Phase::Evicting, Phase::Restoring] {
        let mut story = Story::begin();
        story.go_to(phase);
        while story
            .state
            .plan_actions()
            .all(retake_playbook::state::ActionState::settled)
        {
            story.go_on();
        }
        if phase == Phase::Restoring {
            story.make_plan();
        }
        let last = story.state.plan().unwrap().actions.last().unwrap().action;
        story.stop(last, Stopped::Refused);
        assert_eq!(story.state.phase, Phase::Halted, "{phase:?}");
        rows.extend(story.rows);
    }

    // A method that cannot be removed survives, and the case does not pretend.
    let mut story = Story::begin();
    story.objects = vec![method(
        "m1",
        "phoneAuthenticationMethod",
        true,
        "+1 555 0100",
    )];
    story.go_to(Phase::Evicting);
    let remove = story
        .state
        .plan_actions()
        .find(|action| action.planned.kind == ActionKind::RemoveMethod)
        .unwrap()
        .planned
        .action;
    story.stop(remove, Stopped::Refused);
    story.go_to(Phase::Halted);
    // A person with the right is asked to do it; and whatever came of that is read.
    assert!(
        matches!(&story.commands()[..], [Command::HandOut(errands)] if errands[0].what.contains("+1 555 0100"))
    );
    let until = story.now;
    story.tell(Event::Waited { until });
    assert_eq!(story.state.phase, Phase::Checking);
    rows.extend(story.rows);

    // Re-entry.
    let mut story = Story::begin();
    story.go_to(Phase::WatchJudging);
    story.tell(Event::Reopened { why: "back".into() });
    rows.extend(story.rows);

    // Re-entry that a later look finds, when the case is closed.
    let mut story = Story::begin();
    story.go_to(Phase::Closed);
    story.tell(Event::Reopened { why: "back".into() });
    rows.extend(story.rows);

    // Release, also one that is refused.
    for refused in [false, true] {
        let mut story = Story::begin();
        story.go_to(Phase::Preserving);
        story.tell(Event::ReleaseOrdered {
            by: "Rosa".into(),
            reason: "false alarm".into(),
        });
        assert_eq!(story.state.phase, ANYWHERE[0].1);
        if refused {
            story.make_plan();
            let restore = story.first_action();
            story.stop(restore, Stopped::Refused);
            assert_eq!(story.state.phase, Phase::Halted);
        } else {
            story.go_to(Phase::Closed);
        }
        rows.extend(story.rows);
    }

    // The logs show no takeover: the containment is taken back, or somebody holds
    // that it is one all the same.
    for refused in [false, true] {
        let mut story = Story::begin();
        story.no_takeover = true;
        story.go_to(Phase::Acquitting);
        if refused {
            story.refuse(Gate::Release);
            story.go_to(Phase::Approving);
        } else {
            story.go_to(Phase::Closed);
        }
        rows.extend(story.rows);
    }

    // Nobody signs in with a shared mailbox's account; a guest registers nothing here.
    for (mailbox, user_type) in [
        (MailboxKind::Shared, "Member"),
        (MailboxKind::Absent, "Guest"),
    ] {
        let mut story = Story::begin();
        story.account.standing.mailbox = Some(mailbox);
        story.account.user_type = user_type.into();
        story.go_to(Phase::Closed);
        let restored = story.state.restored_at.is_some();
        assert_eq!(restored, mailbox == MailboxKind::Absent);
        rows.extend(story.rows);
    }

    let missing: Vec<String> = TRANSITIONS
        .iter()
        .map(|row| format!("{row:?}"))
        .filter(|row| !rows.contains(row))
        .collect();
    assert!(missing.is_empty(), "never taken: {missing:#?}");
}

#[test]
fn where_the_logs_show_no_takeover_nothing_but_the_block_is_touched_and_it_is_taken_back() {
    use ActionKind::{BlockSignIn, RestoreSignIn, RevokeSessions};
    let mut story = Story::begin();
    story.no_takeover = true;
    // A phone of which no record tells who registered it.
    story.objects = vec![method(
        "m",
        "phoneAuthenticationMethod",
        true,
        "+1 555 0100",
    )];
    story.go_to(Phase::Closed);
    let did: Vec<ActionKind> = story
        .state
        .actions
        .values()
        .map(|action| action.planned.kind)
        .collect();
    assert_eq!(did, [BlockSignIn, RevokeSessions, RestoreSignIn]);
    let (asked, contained) = (
        story.state.gates.get(&Gate::Release),
        story.state.access_ends_at().unwrap(),
    );
    // Asked only when no record could be late any more.
    assert!(
        matches!(asked, Some(retake_playbook::state::GateState::Passed { at, .. }) if *at >= contained)
    );
}

#[test]
fn what_appears_while_the_account_is_blocked_is_nobodys_false_alarm() {
    let mut story = Story::begin();
    story.no_takeover = true;
    story.go_to(Phase::Draining);
    story.objects = vec![rule("r", "..", &["drop@evil.example"])];
    story.go_to(Phase::Evicting);
    assert!(
        story
            .state
            .plan_actions()
            .any(|action| action.planned.kind == ActionKind::ResetPassword)
    );
}

#[test]
fn what_is_blocked_again_by_a_sync_is_blocked_again_and_its_clock_starts_anew() {
    let mut story = Story::begin();
    story.account.synced = true;
    story.go_to(Phase::Draining);
    let (first, set) = (
        story.state.access_ends_at().unwrap(),
        story.state.access_set_at,
    );
    assert!(first > story.state.contained_since().unwrap());
    story.reopened_by_somebody = true;
    for _ in 0..40 {
        story.go_on();
        if story.state.access_set_at != set {
            break;
        }
    }
    let blocks = |story: &Story| {
        story
            .state
            .actions
            .values()
            .filter(|action| action.planned.kind == ActionKind::BlockSignIn)
            .count()
    };
    assert_eq!(blocks(&story), 2);
    assert!(story.state.access_set_at > set);
    story.go_to(Phase::Closed);
    // On-premises: disabled, reset and enabled again, each said by a person.
    let what: Vec<&str> = story
        .state
        .tasks
        .values()
        .map(|task| task.who.as_str())
        .collect();
    assert_eq!(what, ["identity_admin"; 3]);
    assert!(
        !story
            .state
            .actions
            .values()
            .any(|action| action.planned.kind == ActionKind::ResetPassword),
        "the cloud is not the master of the password"
    );
}

#[test]
fn an_eviction_is_not_declared_while_a_duty_elsewhere_is_open() {
    let mut story = Story::begin();
    story.account.standing.federated = Some(true);
    story.go_to(Phase::Digging);
    // Nobody does anything: the duty is handed out, and said to be open.
    for _ in 0..60 {
        for command in story.commands() {
            match command {
                Command::HandOut(duties) => {
                    assert_eq!(duties[0].name, "federation_provider");
                    story.tell(Event::TaskOpened {
                        task: duties[0].task,
                        step: duties[0].step,
                        who: duties[0].who.into(),
                        what: duties[0].what.clone(),
                        object: None,
                    });
                }
                _ if story.state.phase == Phase::Declaring => panic!("declared"),
                _ => {}
            }
        }
        if story.state.phase == Phase::Declaring {
            break;
        }
        story.go_on_without_duties();
    }
    assert_eq!(story.state.phase, Phase::Declaring);
    assert!(matches!(&story.commands()[..], [Command::HandOut(_)]));
    assert!(story.state.effective.is_none());
    story.go_to(Phase::Closed);
}

#[test]
fn a_reason_given_once_does_not_answer_what_is_found_out_later() {
    let mut story = Story::begin();
    story.go_to(Phase::Preflight);
    story.preflight(CheckResult::Bad);
    story.tell(on_purpose());
    story.go_to(Phase::Digging);
    // The same again: it was answered.
    story.preflight(CheckResult::Bad);
    assert_eq!(story.state.phase, Phase::Digging);
    // Something else: nobody has answered that.
    story.checked("responder's address", CheckResult::Bad, None);
    assert_eq!(story.state.phase, Phase::UncleanHands);
}

fn on_purpose() -> Event {
    Event::GateOverridden {
        gate: Gate::CleanHands,
        by: "Rosa".into(),
        reason: "nobody else is awake".into(),
    }
}

#[test]
fn nobody_opens_a_closed_case_by_an_order_to_release_it() {
    let mut story = straight();
    story.tell(Event::ReleaseOrdered {
        by: "Mallory".into(),
        reason: "please".into(),
    });
    assert_eq!(story.state.phase, Phase::Closed);
}
