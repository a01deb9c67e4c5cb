//! The responder under the same score, and one whose conduct is wrong.

use std::sync::Arc;

use jiff::Timestamp;
use retake_casefile::Bundle;
use retake_drill::{RehearsalError, Run, Stage, respond, run_responder, run_with, wire};
use retake_lab::{Fault, FaultKind, Scenario};
use retake_playbook::event::Looked;
use retake_playbook::{Event, ObjectKind, State};
use retake_responder::{Conduct, Watcher};

pub(crate) struct Nobody;

impl Watcher for Nobody {
    fn event(&self, _: Timestamp, _: &Event, _: &State) {}
    fn note(&self, _: Timestamp, _: &str) {}
}

fn played(seed: u64, conduct: Conduct) -> Run {
    let scenario = Scenario::find("invoice-fraud").unwrap();
    run_responder(&scenario, seed, conduct, &|_| Box::new(Nobody))
        .unwrap_or_else(|error| panic!("seed {seed}: {error}"))
}

/// What issue 2 demands of a response, on these seeds.
fn leaves_nothing_and_breaks_nothing(seeds: std::ops::RangeInclusive<u64>) {
    for seed in seeds {
        let run = played(seed, Conduct::default());
        let score = run.score;
        assert_eq!(score.faults(), Vec::<String>::new(), "seed {seed}");
        for held in &score.artefacts {
            assert!(!held.usable.ever(), "seed {seed}: {held:?}");
        }
        assert_eq!(score.collateral, [], "seed {seed}");
        assert_eq!(score.path.said, "credential_phishing", "seed {seed}");
        assert_eq!(score.path.truth, "credential_phishing", "seed {seed}");
        assert!(
            score
                .warned
                .done
                .iter()
                .any(|warned| warned.who == "finance"),
            "seed {seed}"
        );
        let block = score.clock.first_block.unwrap();
        assert!(
            block.round_trips <= 2 && block.virtual_s <= 2.0,
            "seed {seed}: {block:?}"
        );
        assert!(score.clock.closed.is_some(), "seed {seed}");
        // S6.2 and S6.3: what was sent and read is known, and the user's own is not in it.
        for (what, known) in [
            ("sent", score.blast_radius.sent),
            ("read", score.blast_radius.read),
        ] {
            assert!(known.truth > 0, "seed {seed}: nothing {what}");
            assert!(known.recall >= 1.0, "seed {seed}: {what} {known:?}");
            assert!(known.precision >= 0.95, "seed {seed}: {what} {known:?}");
        }
    }
}

// Twenty seeds, in four tests so that they run side by side.

#[test]
fn the_responder_leaves_nothing_and_breaks_nothing_seeds_1_to_5() {
    leaves_nothing_and_breaks_nothing(1..=5);
}

#[test]
fn the_responder_leaves_nothing_and_breaks_nothing_seeds_6_to_10() {
    leaves_nothing_and_breaks_nothing(6..=10);
}

#[test]
fn the_responder_leaves_nothing_and_breaks_nothing_seeds_11_to_15() {
    leaves_nothing_and_breaks_nothing(11..=15);
}

#[test]
fn the_responder_leaves_nothing_and_breaks_nothing_seeds_16_to_20() {
    leaves_nothing_and_breaks_nothing(16..=20);
}

/// Plays seed 3 with these faults in the lab.
fn played_with(faults: Vec<Fault>) -> Run {
    let scenario = Scenario::find("invoice-fraud").unwrap();
    run_with(&scenario, 3, "retake", async |stage: Stage| {
        for fault in &faults {
            wire::lock(&stage.lab).inject(fault.clone());
        }
        let way = Arc::new(stage.transport.clone());
        let case = Box::pin(respond(&stage, way, Conduct::default(), &Nobody)).await?;
        Ok::<_, RehearsalError>(Some(case))
    })
    .unwrap()
}

#[test]
fn with_every_log_source_hanging_the_block_is_as_fast_as_ever() {
    let run = played_with(Fault::hang_all_log_sources());
    let block = run.score.clock.first_block.unwrap();
    assert!(
        block.round_trips <= 2 && block.virtual_s <= 2.0,
        "{block:?}"
    );
    let revoked = run.score.clock.revoked.unwrap();
    assert!(revoked.virtual_s <= 5.0, "{revoked:?}");
    // Without logs nobody knows whose the rules are; the case says so instead of
    // guessing, and nothing of the user's is taken away.
    assert!(
        run.score
            .collateral
            .iter()
            .all(|harm| harm.kind == ObjectKind::Account),
        "{:?}",
        run.score.collateral
    );
    let bundle = Bundle::from_bytes(run.case.unwrap(), None).unwrap();
    let state = State::fold(
        bundle
            .records()
            .iter()
            .map(|record| (record.at, &record.event)),
    );
    let (_, analysis) = state.analysis.unwrap();
    assert!(
        analysis
            .sources
            .iter()
            .all(|source| source.looked == Looked::CouldNot),
        "{:?}",
        analysis.sources
    );
}

#[test]
fn an_account_that_cannot_be_read_is_blocked_all_the_same() {
    let reads = Fault::on_path("/v1.0/users/", FaultKind::Hang)
        .method("GET")
        .times(40);
    let run = played_with(vec![reads]);
    let block = run.score.clock.first_block.unwrap();
    assert!(block.virtual_s <= 2.5, "{block:?}");
    let bundle = Bundle::from_bytes(run.case.unwrap(), None).unwrap();
    assert!(bundle.records().iter().any(|record| matches!(
        &record.event,
        Event::AccountUnread { why } if why.starts_with("before-state unknown")
    )));
}

#[test]
fn the_exported_case_holds_and_its_report_is_written_from_it() {
    let run = played(2, Conduct::default());
    let case = run.case.unwrap();
    let bundle = Bundle::from_bytes(case, None).unwrap();
    let report = retake_report::render(bundle.records(), &|digest| {
        bundle.evidence(digest).map(<[u8]>::to_vec)
    })
    .unwrap();
    for text in [&report.markdown, &report.html] {
        assert!(text.contains("credential phishing") || text.contains("credential_phishing"));
        assert!(text.len() > 5_000);
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

/// Seeds on which a wrong conduct has to be caught each time.
const CONDUCTS: std::ops::RangeInclusive<u64> = 1..=4;

#[test]
fn a_responder_that_claims_without_reading_back_is_caught() {
    for seed in CONDUCTS {
        let score = played(seed, Conduct::default().without_read_back()).score;
        assert!(!score.claims_not_verified.is_empty(), "seed {seed}");
        assert_eq!(score.changes_without_evidence, [], "seed {seed}");
    }
}

#[test]
fn a_responder_that_changes_without_evidence_is_caught() {
    for seed in CONDUCTS {
        let score = played(seed, Conduct::default().without_evidence()).score;
        assert!(!score.changes_without_evidence.is_empty(), "seed {seed}");
        assert!(
            score
                .order_violations
                .iter()
                .any(|breach| breach.rule == "evidence_first"),
            "seed {seed}"
        );
    }
}

#[test]
fn a_responder_that_works_backwards_is_caught() {
    for seed in CONDUCTS {
        let score = played(seed, Conduct::default().without_order()).score;
        let rules: Vec<_> = score
            .order_violations
            .iter()
            .map(|breach| breach.rule)
            .collect();
        assert!(
            rules.contains(&"revoke_after_block"),
            "seed {seed}: {rules:?}"
        );
    }
}
