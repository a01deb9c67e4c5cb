//! What `cargo xtask soak drills` last wrote holds what is claimed of it.

use retake_drill::RETAKE;
use retake_drill::rehearsals::{Rehearsals, sequences};
use retake_lab::Scenario;

fn results() -> Rehearsals {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/soak/score.json");
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

#[test]
fn ten_seeds_of_every_scenario_are_clean_by_the_committed_campaign() {
    let results = results();
    assert!(results.failed.is_empty(), "{:?}", results.failed);
    let mut unclean = Vec::new();
    for name in Scenario::names() {
        for seed in 1..=10 {
            let run = results
                .runs
                .iter()
                .find(|run| run.scenario == name && run.seed == seed && run.sequence == RETAKE)
                .unwrap_or_else(|| panic!("{name} seed {seed} was not played"));
            if !run.is_clean() {
                unclean.push(format!("{run:?}"));
            }
        }
    }
    assert!(unclean.is_empty(), "{unclean:#?}");
}

/// Without this the campaign could be one that cannot fail. One artefact of a run may be of
/// no use to anybody: a password where a second factor is asked for that the attacker never
/// got, a sweep rule behind a rule that takes the same mail.
#[test]
fn where_nothing_is_done_everything_of_use_stays_usable_by_the_committed_campaign() {
    let results = results();
    assert!(sequences().any(|name| name == "none"));
    let idle: Vec<_> = results
        .runs
        .iter()
        .filter(|run| run.sequence == "none")
        .collect();
    assert!(idle.len() >= 10 * Scenario::names().count());
    for run in idle {
        assert!(run.at_end + 1 >= run.artefacts, "{run:?}");
        assert_eq!(
            (run.at_end, run.at_end),
            (run.after_restore, run.after_24h),
            "{run:?}"
        );
    }
}
