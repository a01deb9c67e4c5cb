//! What an attacker can leave in a mailbox besides rules and forwarding: the responder
//! and the controls in `mailbox-persistence`.

use std::collections::BTreeSet;

use retake_drill::score::Outcome;
use retake_drill::sequence::Sequence;
use retake_drill::{Run, run_responder, run_sequence};
use retake_lab::Scenario;
use retake_playbook::ObjectKind;
use retake_responder::Conduct;
use serde_json::Value;

use crate::response::Nobody;

const SEEDS: std::ops::RangeInclusive<u64> = 1..=3;

fn scenario() -> Scenario {
    Scenario::find("mailbox-persistence").unwrap()
}

fn responded(seed: u64) -> Run {
    run_responder(&scenario(), seed, Conduct::default(), &|_| Box::new(Nobody))
        .unwrap_or_else(|error| panic!("seed {seed}: {error}"))
}

fn replayed(name: &str, seed: u64) -> Run {
    let sequence = Sequence::find(name).unwrap();
    run_sequence(&scenario(), seed, &sequence)
        .unwrap_or_else(|error| panic!("{name} {seed}: {error}"))
}

fn truth(run: &Run) -> Value {
    let first: Value = serde_json::from_str(run.trace.lines().next().unwrap()).unwrap();
    first["effect"]["truth"].clone()
}

/// Ten seeds by hand: `SEEDS=10 cargo nextest run -p retake-drill -E 'test(mailbox::)'`.
fn seeds() -> std::ops::RangeInclusive<u64> {
    let most = std::env::var("SEEDS")
        .ok()
        .and_then(|text| text.parse().ok());
    1..=most.unwrap_or(*SEEDS.end())
}

#[test]
fn the_responder_leaves_nothing_in_the_mailbox_and_breaks_nothing_of_the_users() {
    for seed in seeds() {
        let score = responded(seed).score;
        assert_eq!(score.faults(), Vec::<String>::new(), "seed {seed}");
        for held in &score.artefacts {
            assert!(!held.usable.ever(), "seed {seed}: {held:?}");
            assert_ne!(held.outcome, Outcome::Survived, "seed {seed}: {held:?}");
        }
        assert_eq!(score.collateral, [], "seed {seed}");
        assert_eq!(score.path.said, "credential_phishing", "seed {seed}");
        for (what, known) in [
            ("sent", score.blast_radius.sent),
            ("read", score.blast_radius.read),
        ] {
            assert!(known.recall >= 1.0, "seed {seed}: {what} {known:?}");
            assert!(known.precision >= 0.95, "seed {seed}: {what} {known:?}");
        }
    }
}

#[test]
fn a_record_that_does_not_say_what_was_there_before_costs_the_user_nothing() {
    let text = include_str!("../../../../scenarios/mailbox-persistence/scenario.toml");
    let text = format!("{text}\n[unconfirmed]\nmodified_properties = \"absent\"\n");
    let scenario = Scenario::parse("variant.toml".as_ref(), &text).unwrap();
    for seed in SEEDS {
        let run = run_responder(&scenario, seed, Conduct::default(), &|_| Box::new(Nobody))
            .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        assert_eq!(run.score.collateral, [], "seed {seed}");
        // What nobody can tell from the user's own may stay, and a person is told; a
        // protocol that was switched on goes off all the same.
        for held in &run.score.artefacts {
            assert!(
                held.outcome != Outcome::Survived || held.id.to_string() == "A43",
                "seed {seed}: {held:?}"
            );
        }
    }
}

#[test]
fn each_setting_serves_the_attacker_for_as_long_as_nobody_touches_it() {
    let mut seen = BTreeSet::new();
    for seed in seeds() {
        let score = replayed("none", seed).score;
        for held in &score.artefacts {
            let all = held.usable.at_end && held.usable.after_restore && held.usable.after_24h;
            assert!(all, "seed {seed}: {held:?}");
            seen.insert(held.id.to_string());
        }
    }
    // Which of them are there is the seed's choice; between them these seeds have all.
    for id in ["A10", "A12", "A14", "A25", "A30", "A35", "A43", "A50"] {
        assert!(seen.contains(id), "{id} in {seen:?}");
    }
}

#[test]
fn removing_everything_takes_the_users_own_settings_and_the_score_sees_it() {
    for seed in seeds() {
        let run = replayed("remove-everything", seed);
        let harmed: BTreeSet<(ObjectKind, &str)> = run
            .score
            .collateral
            .iter()
            .map(|harmed| (harmed.kind, harmed.object.as_str()))
            .collect();
        for bait in truth(&run)["baits"].as_array().unwrap() {
            let kind: ObjectKind = serde_json::from_value(bait["kind"].clone()).unwrap();
            if kind == ObjectKind::Method {
                continue;
            }
            let id = bait["id"].as_str().unwrap();
            assert!(
                harmed.contains(&(kind, id)),
                "seed {seed}: {bait} in {harmed:?}"
            );
        }
    }
}
