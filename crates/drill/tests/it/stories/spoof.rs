//! `spoof`: the fraud is real, and no account was taken.

use super::{CONTAINED_AND_GIVEN_BACK, control, did, lines, perfect, play, seeds};

#[test]
fn nothing_is_removed_and_finance_is_warned_of_what_came_from_outside() {
    for seed in seeds() {
        let run = play("spoof", seed);
        let state = perfect(&run);
        assert_eq!(did(&state), CONTAINED_AND_GIVEN_BACK, "seed {seed}");
        assert!(state.money_moved(), "seed {seed}");
        assert!(
            run.score
                .warned
                .done
                .iter()
                .any(|warned| warned.who == "finance"),
            "seed {seed}"
        );
        // What was forged is known message by message, and nothing else is taken for it.
        let forged: Vec<String> = lines(&run)
            .filter(|line| line["method"] == "spoof_mail")
            .flat_map(|line| line["effect"]["messages"].as_array().unwrap().clone())
            .map(|id| id.as_str().unwrap().to_owned())
            .collect();
        let (_, analysis) = state.analysis.as_ref().unwrap();
        let mut said: Vec<String> = analysis
            .impersonated
            .iter()
            .map(|mail| mail.message.clone())
            .collect();
        said.sort();
        let mut truth = forged;
        truth.sort();
        assert_eq!(said, truth, "seed {seed}");
        assert!(analysis.sent.is_empty(), "seed {seed}");
    }
}

#[test]
fn an_account_that_was_taken_is_not_explained_away_as_forged_mail() {
    let run = play("invoice-fraud", 1);
    let state = perfect(&run);
    let (_, analysis) = state.analysis.as_ref().unwrap();
    assert_eq!(analysis.impersonated, []);
}

#[test]
fn the_controls_show_that_the_score_can_tell() {
    let run = control("spoof", "none", 1);
    assert!(run.score.warned.done.is_empty());
    assert!(!run.score.faults().is_empty());
    let run = control("spoof", "remove-everything", 1);
    assert!(!run.score.collateral.is_empty());
}
