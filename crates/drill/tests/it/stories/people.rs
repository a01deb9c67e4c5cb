//! People who refuse, never answer, take their time, or say done and did nothing: each is
//! met rightly, and nothing is taken for what it is not.

use retake_playbook::{ActionKind, Gate, Phase, State};

use super::{did, play_of, state_of, table, whereabouts, with_task};

/// The default drill with what this person does with one task or at one gate.
fn with(role: &str, task: &str, outcome: &str) -> (retake_drill::Run, State) {
    let script = format!("task = \"{task}\"\noutcome = \"{outcome}\"\nafter = \"3m\"");
    let run = play_of(&with_task(table("invoice-fraud"), role, &script), 2);
    let state = state_of(&run);
    (run, state)
}

fn removed(state: &State) -> bool {
    did(state).iter().any(|kind| {
        matches!(
            kind,
            ActionKind::RemoveInboxRule | ActionKind::RemoveMethod | ActionKind::ResetPassword
        )
    })
}

#[test]
fn without_the_order_nothing_is_changed() {
    for (outcome, phase) in [("refused", Phase::Halted), ("no_answer", Phase::Ordering)] {
        let (_, state) = with("approver", "contain", outcome);
        assert_eq!(state.phase, phase, "{outcome}: {}", whereabouts(&state));
        assert_eq!(did(&state), [], "{outcome}");
    }
}

#[test]
fn without_the_approval_of_the_plan_it_stays_blocked_and_nothing_is_removed() {
    for (outcome, phase) in [("refused", Phase::Halted), ("no_answer", Phase::Approving)] {
        let (_, state) = with("approver", "plan", outcome);
        assert_eq!(state.phase, phase, "{outcome}: {}", whereabouts(&state));
        assert!(!removed(&state), "{outcome}: {:?}", did(&state));
        assert!(state.is_contained(), "{outcome}");
        assert!(!state.account.unwrap().enabled, "{outcome}");
    }
}

#[test]
fn without_the_word_to_give_it_back_sign_in_stays_blocked() {
    for (outcome, phase) in [("refused", Phase::Halted), ("no_answer", Phase::Returning)] {
        let (_, state) = with("approver", "return", outcome);
        assert_eq!(state.phase, phase, "{outcome}: {}", whereabouts(&state));
        assert!(state.effective.is_some() && state.restored_at.is_none());
    }
}

#[test]
fn a_case_that_nobody_closes_stays_open() {
    let (_, state) = with("approver", "close", "no_answer");
    assert_eq!(state.phase, Phase::Concluding, "{}", whereabouts(&state));
    assert!(state.closed.is_none());
}

#[test]
fn a_user_who_only_says_that_they_signed_in_is_caught() {
    let (_, state) = with("user", "first_sign_in", "says_done");
    assert_eq!(state.phase, Phase::Welcoming, "{}", whereabouts(&state));
    assert!(!state.gate_open(Gate::FirstSignIn));
    let task = state.tasks.values().last().unwrap();
    assert!(task.done.is_some() && task.verified.is_none(), "{task:?}");
}

#[test]
fn finance_that_cannot_be_reached_holds_up_nothing_and_is_not_taken_for_warned() {
    let (run, state) = with("finance", "warn", "no_answer");
    assert!(state.effective.is_some(), "{}", whereabouts(&state));
    assert!(
        state
            .warnings
            .values()
            .all(|warning| warning.done.is_none())
    );
    assert!(
        run.score
            .faults()
            .iter()
            .any(|fault| fault.contains("finance was not warned")),
        "{:?}",
        run.score.faults()
    );
}

#[test]
fn a_warning_that_was_only_claimed_is_seen_by_the_score() {
    let (run, state) = with("finance", "warn", "says_done");
    // Nothing in the tenant shows a telephone call: the case has the name of who said so.
    assert!(
        state
            .warnings
            .values()
            .all(|warning| warning.done.is_some())
    );
    assert!(run.score.warned.done.is_empty());
}

#[test]
fn nobody_who_takes_hours_holds_up_the_eviction() {
    let script = "task = \"money\"\noutcome = \"done\"\nafter = \"9h\"";
    let slow = with_task(table("invoice-fraud"), "finance", script);
    let (slow, quick) = (
        state_of(&play_of(&slow, 2)),
        state_of(&play_of(
            &retake_lab::Scenario::find("invoice-fraud").unwrap(),
            2,
        )),
    );
    let evicted = |state: &State| {
        let (opened, _) = state.opened.as_ref().unwrap();
        state.effective.unwrap().0.duration_since(*opened)
    };
    assert_eq!(slow.phase, Phase::Closed, "{}", whereabouts(&slow));
    assert!(evicted(&slow) <= evicted(&quick) + jiff::SignedDuration::from_mins(10));
}
