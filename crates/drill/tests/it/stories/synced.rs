//! `synced-account`: the on-premises directory is the master, and only people reach it.

use retake_playbook::{ActionKind, Phase};

use super::{control, did, perfect, play, play_of, seeds, state_of, table, whereabouts, with_task};

#[test]
fn the_account_is_taken_back_in_both_directories() {
    for seed in seeds() {
        let state = perfect(&play("synced-account", seed));
        // The cloud is not the master of the password.
        assert!(
            !did(&state).contains(&ActionKind::ResetPassword),
            "seed {seed}"
        );
        let shown = state
            .tasks
            .values()
            .filter(|task| task.who == "identity_admin" && task.verified.is_some())
            .count();
        assert_eq!(shown, 2, "seed {seed}: {:?}", state.tasks);
    }
}

#[test]
fn a_block_in_the_cloud_alone_comes_undone_and_a_reset_there_does_nothing() {
    let run = control("synced-account", "reset-before-block", 1);
    assert!(
        run.score
            .artefacts
            .iter()
            .any(|held| held.id.to_string() == "A01" && held.usable.ever()),
        "{:?}",
        run.score.artefacts
    );
}

/// For each task on-premises: what the tenant can show of it, it has to show.
#[test]
fn whoever_says_done_without_doing_is_caught() {
    for task in ["disable_on_premises", "reset_on_premises"] {
        let script = format!("task = \"{task}\"\noutcome = \"says_done\"\nafter = \"5m\"");
        let scenario = with_task(table("synced-account"), "identity_admin", &script);
        let run = play_of(&scenario, 2);
        let state = state_of(&run);
        assert!(state.effective.is_none(), "{task}: {}", whereabouts(&state));
        assert_ne!(state.phase, Phase::Closed, "{task}");
        assert!(
            !did(&state).contains(&ActionKind::RestoreSignIn),
            "{task}: {}",
            whereabouts(&state)
        );
        let word = task.split('_').next().unwrap();
        let held = state
            .tasks
            .values()
            .find(|held| held.what.to_lowercase().starts_with(word))
            .unwrap();
        assert!(held.done.is_some() && held.verified.is_none(), "{held:?}");
    }
}
