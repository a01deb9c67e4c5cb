//! `token-theft`: nobody ever signs in.

use super::{control, lines, perfect, play, seeds};

#[test]
fn a_stolen_token_is_evicted_and_named_for_what_it_was() {
    for seed in seeds() {
        let run = play("token-theft", seed);
        let state = perfect(&run);
        assert_eq!(run.score.path.said, "token_theft", "seed {seed}");
        assert!(run.score.path.confidence >= 0.6, "{:?}", run.score.path);
        assert!(state.reopened == 0, "seed {seed}");
        // It is a scenario without a stranger's interactive sign-in.
        assert!(
            lines(&run).all(|line| line["attempt"] != "A01"),
            "seed {seed}"
        );
    }
}

#[test]
fn without_a_response_the_token_works_at_all_three_instants() {
    let run = control("token-theft", "none", 1);
    for held in &run.score.artefacts {
        let usable = held.usable;
        assert!(
            usable.at_end && usable.after_restore && usable.after_24h,
            "{held:?}"
        );
    }
}

#[test]
fn removing_everything_is_collateral_here_too() {
    let run = control("token-theft", "remove-everything", 1);
    assert!(!run.score.collateral.is_empty());
}
