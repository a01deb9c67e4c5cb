//! `shared-mailboxes`: rights that the attacker gave on the mailbox go, whoever holds
//! them, and those of the people who work with it stay.

use retake_drill::score::RunScore;
use retake_drill::{Run, run_responder};
use retake_lab::Scenario;
use retake_playbook::ArtefactId;
use retake_responder::Conduct;

use crate::response::Nobody;

fn played(seed: u64) -> Run {
    let scenario = Scenario::find("shared-mailboxes").unwrap();
    run_responder(&scenario, seed, Conduct::default(), &|_| Box::new(Nobody))
        .unwrap_or_else(|error| panic!("seed {seed}: {error}"))
}

fn artefacts(score: &RunScore) -> Vec<String> {
    score
        .artefacts
        .iter()
        .map(|held| held.id.to_string())
        .collect()
}

/// What issue 4 demands of a response to this scenario.
fn holds(seed: u64) {
    let run = played(seed);
    let score = run.score;
    for id in [
        ArtefactId::FULL_ACCESS,
        ArtefactId::SEND_AS,
        ArtefactId::SEND_ON_BEHALF,
    ] {
        assert!(
            artefacts(&score).contains(&id.to_string()),
            "seed {seed}: the attack leaves no {id}"
        );
    }
    for held in &score.artefacts {
        assert!(!held.usable.ever(), "seed {seed}: {held:?}");
    }
    assert_eq!(score.collateral, [], "seed {seed}");
    assert_eq!(score.faults(), Vec::<String>::new(), "seed {seed}");
    assert!(score.clock.closed.is_some(), "seed {seed}");
    let radius = score.blast_radius;
    for (what, known) in [
        ("sent", radius.sent),
        ("read", radius.read),
        ("changed", radius.changed),
        ("accounts", radius.accounts),
    ] {
        assert!(known.truth > 0, "seed {seed}: nothing {what}");
        assert!(known.recall >= 1.0, "seed {seed}: {what} {known:?}");
        assert!(known.precision >= 0.95, "seed {seed}: {what} {known:?}");
    }
}

#[test]
fn rights_of_the_attackers_go_and_those_of_the_house_stay_seed_1() {
    holds(1);
}

#[test]
fn rights_of_the_attackers_go_and_those_of_the_house_stay_seed_2() {
    holds(2);
}

#[test]
fn rights_of_the_attackers_go_and_those_of_the_house_stay_seed_3() {
    holds(3);
}
