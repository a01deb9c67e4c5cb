//! The responder under the same score, and one whose conduct is wrong.

use jiff::Timestamp;
use retake_drill::{Run, run_responder};
use retake_lab::Scenario;
use retake_playbook::{Event, State};
use retake_responder::{Conduct, Watcher};

struct Nobody;

impl Watcher for Nobody {
    fn event(&self, _: Timestamp, _: &Event, _: &State) {}
    fn note(&self, _: Timestamp, _: &str) {}
}

fn played(seed: u64, conduct: Conduct) -> Run {
    let scenario = Scenario::find("invoice-fraud").unwrap();
    run_responder(&scenario, seed, conduct, &|_| Box::new(Nobody))
        .unwrap_or_else(|error| panic!("seed {seed}: {error}"))
}

#[test]
fn the_responder_leaves_nothing_and_breaks_nothing() {
    for seed in 1..=3 {
        let score = played(seed, Conduct::default()).score;
        assert_eq!(score.faults(), Vec::<String>::new(), "seed {seed}");
        let block = score.clock.first_block.unwrap();
        assert!(
            block.round_trips <= 2 && block.virtual_s <= 2.0,
            "seed {seed}: {block:?}"
        );
    }
}

#[test]
fn the_same_seed_gives_the_same_trace_score_and_case() {
    let (one, two) = (played(7, Conduct::default()), played(7, Conduct::default()));
    assert!(one.trace == two.trace);
    assert!(one.case == two.case);
    assert_eq!(
        serde_json::to_string(&one.score).unwrap(),
        serde_json::to_string(&two.score).unwrap()
    );
}

#[test]
fn a_responder_that_claims_without_reading_back_is_caught() {
    let score = played(1, Conduct::default().without_read_back()).score;
    assert!(!score.claims_not_verified.is_empty());
    assert_eq!(score.changes_without_evidence, []);
}

#[test]
fn a_responder_that_changes_without_evidence_is_caught() {
    let score = played(1, Conduct::default().without_evidence()).score;
    assert!(!score.changes_without_evidence.is_empty());
    assert!(
        score
            .order_violations
            .iter()
            .any(|breach| breach.rule == "evidence_first")
    );
}

#[test]
fn a_responder_that_works_backwards_is_caught() {
    let score = played(1, Conduct::default().without_order()).score;
    let rules: Vec<_> = score
        .order_violations
        .iter()
        .map(|breach| breach.rule)
        .collect();
    assert!(rules.contains(&"revoke_after_block"), "{rules:?}");
}
