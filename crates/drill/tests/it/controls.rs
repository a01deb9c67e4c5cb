//! The controls, without which no score is believed.

use std::collections::BTreeSet;

use retake_drill::score::{Outcome, RunScore};
use retake_drill::sequence::Sequence;
use retake_drill::{Run, run_sequence};
use retake_lab::Scenario;
use retake_playbook::ObjectKind;
use serde_json::Value;

const SEEDS: std::ops::RangeInclusive<u64> = 1..=5;

fn played(name: &str, seed: u64) -> Run {
    let scenario = Scenario::find("invoice-fraud").unwrap();
    let sequence = Sequence::find(name).unwrap();
    run_sequence(&scenario, seed, &sequence)
        .unwrap_or_else(|error| panic!("{name} {seed}: {error}"))
}

fn truth(run: &Run) -> Value {
    let first: Value = serde_json::from_str(run.trace.lines().next().unwrap()).unwrap();
    first["effect"]["truth"].clone()
}

/// The ids of the objects of a list in the truth.
fn objects(artefacts: &Value) -> BTreeSet<String> {
    artefacts
        .as_array()
        .unwrap()
        .iter()
        .map(|held| held["object"]["id"].as_str().unwrap().to_owned())
        .collect()
}

/// The default method cannot go while one that was planted meanwhile is there.
fn at_most_the_default_method_was_refused(run: &Run) {
    for refused in &run.refused {
        let method = refused.what.starts_with("remove the method");
        assert!(method && refused.status == Some(400), "{refused:?}");
    }
    assert!(run.refused.len() <= 1, "{:?}", run.refused);
}

fn survivors(score: &RunScore) -> BTreeSet<String> {
    score
        .artefacts
        .iter()
        .filter(|held| held.outcome == Outcome::Survived)
        .map(|held| held.id.to_string())
        .collect()
}

fn usable_a_day_later(score: &RunScore) -> BTreeSet<String> {
    score
        .artefacts
        .iter()
        .filter(|held| held.usable.after_24h)
        .map(|held| held.id.to_string())
        .collect()
}

#[test]
fn doing_nothing_leaves_every_artefact_usable_at_all_three_instants() {
    for seed in SEEDS {
        let score = played("none", seed).score;
        assert!(score.artefacts.len() >= 9, "seed {seed}");
        for held in &score.artefacts {
            let all = held.usable.at_end && held.usable.after_restore && held.usable.after_24h;
            assert!(all, "seed {seed}: {held:?}");
            assert_eq!(held.outcome, Outcome::Survived, "seed {seed}: {held:?}");
        }
        assert_eq!(
            (score.calls.total, score.collateral.len()),
            (0, 0),
            "seed {seed}"
        );
        assert_eq!(score.clock.first_block, None, "seed {seed}");
    }
}

#[test]
fn a_password_reset_alone_leaves_survivors_and_the_score_names_them() {
    for seed in SEEDS {
        let run = played("password-reset-only", seed);
        assert_eq!(run.refused, [], "seed {seed}");
        let survivors = survivors(&run.score);
        for left in ["A04", "A07", "A08", "A09", "A13", "A20"] {
            assert!(
                survivors.contains(left),
                "seed {seed}: {left} in {survivors:?}"
            );
        }
        let usable = usable_a_day_later(&run.score);
        for left in ["A07", "A08", "A09", "A13", "A20"] {
            assert!(usable.contains(left), "seed {seed}: {left} in {usable:?}");
        }
        let rules: BTreeSet<_> = run
            .score
            .order_violations
            .iter()
            .map(|breach| breach.rule)
            .collect();
        assert!(
            rules.contains("block_before_reset"),
            "seed {seed}: {rules:?}"
        );
    }
}

#[test]
fn reset_before_block_leaves_what_was_planted_in_between() {
    for seed in SEEDS {
        let run = played("reset-before-block", seed);
        at_most_the_default_method_was_refused(&run);
        let listed = objects(&truth(&run)["artefacts"]);
        let planted: Vec<_> = run
            .score
            .artefacts
            .iter()
            .filter(|held| !listed.contains(&held.object))
            .collect();
        assert!(
            planted
                .iter()
                .any(|held| held.outcome == Outcome::Survived && held.usable.after_24h),
            "seed {seed}: {planted:?}"
        );
        let rules: BTreeSet<_> = run
            .score
            .order_violations
            .iter()
            .map(|breach| breach.rule)
            .collect();
        assert!(
            rules.contains("block_before_reset"),
            "seed {seed}: {rules:?}"
        );
        assert!(rules.contains("second_revoke"), "seed {seed}: {rules:?}");
    }
}

#[test]
fn removing_everything_shows_every_bait_as_collateral() {
    for seed in SEEDS {
        let run = played("remove-everything", seed);
        at_most_the_default_method_was_refused(&run);
        let harmed: BTreeSet<(ObjectKind, &str)> = run
            .score
            .collateral
            .iter()
            .map(|harmed| (harmed.kind, harmed.object.as_str()))
            .collect();
        let truth = truth(&run);
        let mut expected = 0;
        for bait in truth["baits"].as_array().unwrap() {
            let kind: ObjectKind = serde_json::from_value(bait["kind"].clone()).unwrap();
            // Methods are registered again; nothing else of the list may be missing.
            if kind == ObjectKind::Method {
                continue;
            }
            expected += 1;
            let id = bait["id"].as_str().unwrap();
            assert!(
                harmed.contains(&(kind, id)),
                "seed {seed}: {bait} in {harmed:?}"
            );
        }
        assert!(expected >= 3, "seed {seed}");
        // Everything that was there is gone; what survives was planted meanwhile,
        // with a token that outlives the block.
        let listed = objects(&truth["artefacts"]);
        for held in &run.score.artefacts {
            if held.outcome == Outcome::Survived {
                assert!(!listed.contains(&held.object), "seed {seed}: {held:?}");
            }
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_trace_and_score_and_another_does_not() {
    for name in ["none", "reset-before-block"] {
        let (one, two) = (played(name, 3), played(name, 3));
        assert!(one.trace == two.trace, "{name}");
        assert_eq!(
            serde_json::to_string(&one.score).unwrap(),
            serde_json::to_string(&two.score).unwrap()
        );
        assert_eq!(one.final_state, two.final_state);
        assert!(one.trace != played(name, 4).trace, "{name}");
    }
}

#[test]
fn a_sequence_claims_nothing_and_keeps_no_evidence() {
    let score = played("remove-everything", 1).score;
    assert_eq!(score.claims_not_verified, []);
    assert!(!score.changes_without_evidence.is_empty());
    assert_eq!(score.path.said, "unknown");
    assert_eq!((score.warned.due.len(), score.warned.done.len()), (1, 0));
    // A control pays its way in virtual time like everybody else.
    let block = score.clock.first_block.unwrap();
    assert_eq!(block.round_trips, 2, "a token, and the block");
    assert!((block.virtual_s - 0.3).abs() < 1e-9, "{block:?}");
}
