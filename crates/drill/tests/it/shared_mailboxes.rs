//! `shared-mailboxes`: rights that the attacker gave on the mailbox go, whoever holds
//! them, and what it left in mailboxes that the account opens; those of the people who
//! work with them stay.

use std::collections::BTreeSet;

use retake_drill::score::{Outcome, RunScore};
use retake_drill::sequence::Sequence;
use retake_drill::{Run, run_responder, run_sequence};
use retake_lab::Scenario;
use retake_playbook::{ArtefactId, ObjectKind};
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
        ArtefactId::SHARED_MAILBOX,
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

fn control(name: &str, seed: u64) -> Run {
    let scenario = Scenario::find("shared-mailboxes").unwrap();
    run_sequence(&scenario, seed, &Sequence::find(name).unwrap())
        .unwrap_or_else(|error| panic!("{name} {seed}: {error}"))
}

#[test]
fn where_nothing_is_done_every_right_stays_usable() {
    for seed in 1..=2 {
        for held in &control("none", seed).score.artefacts {
            // Without a method of its own the attacker's password alone opens nothing.
            if held.id == ArtefactId::STOLEN_PASSWORD {
                continue;
            }
            let all = held.usable.at_end && held.usable.after_restore && held.usable.after_24h;
            assert!(all, "seed {seed}: {held:?}");
            assert_eq!(held.outcome, Outcome::Survived, "seed {seed}: {held:?}");
        }
    }
}

#[test]
fn removing_everything_takes_the_rights_of_the_house_too() {
    for seed in 1..=2 {
        let run = control("remove-everything", seed);
        let harmed: BTreeSet<(ObjectKind, &str)> = run
            .score
            .collateral
            .iter()
            .map(|harmed| (harmed.kind, harmed.object.as_str()))
            .collect();
        let first = run.trace.lines().next().unwrap();
        let truth: serde_json::Value = serde_json::from_str(first).unwrap();
        let mut rights = 0;
        for bait in truth["effect"]["truth"]["baits"].as_array().unwrap() {
            let kind: ObjectKind = serde_json::from_value(bait["kind"].clone()).unwrap();
            if kind == ObjectKind::Method {
                continue;
            }
            rights += u32::from(kind == ObjectKind::MailboxRight);
            let id = bait["id"].as_str().unwrap();
            assert!(
                harmed.contains(&(kind, id)),
                "seed {seed}: {bait} in {harmed:?}"
            );
        }
        assert!(rights >= 2, "seed {seed}");
        for held in &run.score.artefacts {
            let by_right = held.object.contains('|');
            assert!(
                !by_right || held.outcome == Outcome::Evicted,
                "seed {seed}: {held:?}"
            );
        }
    }
}
