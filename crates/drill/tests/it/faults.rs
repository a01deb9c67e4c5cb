//! The fault table: a part of it in every check, and its judge judged.

use retake_drill::campaign::{
    self, Aim, Census, End, Results, Row, SCENARIO, SEED, Trial, Until, Way, When, WrongKind,
};
use retake_lab::fault::TABLE;
use retake_lab::{FaultKind, Scenario};
use retake_responder::Conduct;

/// What `cargo xtask soak faults` wrote.
const RESULTS: &str = include_str!("../../../../docs/soak/faults.json");

fn stage() -> (Scenario, Census) {
    let scenario = Scenario::find(SCENARIO).unwrap();
    let census = Census::take(&scenario, SEED).unwrap();
    (scenario, census)
}

/// Each call meets another fault, in turn, and each fault meets some call.
fn in_turn(census: &Census) -> Vec<Trial> {
    let all = campaign::trials(census);
    let mut chosen: Vec<Trial> = Vec::new();
    for (turn, seen) in census.calls.iter().enumerate() {
        let own: Vec<&Trial> = all
            .iter()
            .filter(|trial| trial.called == seen.called && trial.when != When::Last)
            .collect();
        chosen.extend(own.get(turn * 7 % own.len()).copied().cloned());
    }
    for (fault, _) in TABLE {
        if !chosen.iter().any(|trial| trial.fault == fault) {
            chosen.extend(all.iter().find(|trial| trial.fault == fault).cloned());
        }
    }
    chosen
}

/// Plays these trials: none goes wrong, and each goes as the committed table says.
fn go_as_written(scenario: &Scenario, trials: &[Trial]) {
    let written = Results::from_json(RESULTS).unwrap();
    for row in campaign::run_all(scenario, SEED, trials, 1, &|_| ()) {
        assert_ne!(row.end, End::Wrong, "{row:?}");
        let known = written
            .row(&row.call, &row.fault, row.when)
            .unwrap_or_else(|| {
                panic!("not in docs/soak/faults.json; `cargo xtask soak faults` writes it: {row:?}")
            });
        assert_eq!(shape(&row), shape(known), "{row:?}");
    }
}

/// How a row ended and where it stopped; the words may be put better meanwhile.
fn shape(row: &Row) -> (End, Vec<(&str, Option<&str>)>, bool) {
    let stops = row
        .stops
        .iter()
        .map(|stop| (stop.at.as_str(), stop.code.as_deref()))
        .collect();
    (row.end, stops, row.unread.is_empty())
}

fn all_faults_on(calls: &[&str]) {
    let (scenario, census) = stage();
    let trials: Vec<Trial> = campaign::trials(&census)
        .into_iter()
        .filter(|trial| trial.when == When::First)
        .filter(|trial| calls.contains(&trial.called.name().as_str()))
        .collect();
    assert!(trials.len() > 20 * calls.len(), "{}", trials.len());
    go_as_written(&scenario, &trials);
}

#[test]
fn every_call_meets_a_fault_and_every_fault_a_call() {
    let (scenario, census) = stage();
    let trials = in_turn(&census);
    for seen in &census.calls {
        assert!(trials.iter().any(|trial| trial.called == seen.called));
    }
    for (fault, _) in TABLE {
        assert!(trials.iter().any(|trial| trial.fault == fault), "{fault}");
    }
    go_as_written(&scenario, &trials);
}

#[test]
fn every_fault_on_block_and_revoke_ends_right_or_says_why() {
    all_faults_on(&["graph.user.block", "graph.user.revoke"]);
}

#[test]
fn every_fault_on_password_and_consent_ends_right_or_says_why() {
    all_faults_on(&["graph.user.reset_password", "graph.grants.delete"]);
}

#[test]
fn every_fault_on_rules_and_forwarding_ends_right_or_says_why() {
    all_faults_on(&[
        "graph.rules.delete",
        "exchange.rules.remove",
        "exchange.mailbox.set_forwarding",
    ]);
}

#[test]
fn the_committed_table_is_of_every_call_and_nothing_in_it_is_wrong() {
    let (_, census) = stage();
    let written = Results::from_json(RESULTS).unwrap();
    for trial in campaign::trials(&census) {
        let row = written
            .row(&trial.called.name(), trial.fault, trial.when)
            .unwrap_or_else(|| panic!("`cargo xtask soak faults` has not played {trial:?}"));
        assert!(!matches!(row.end, End::Wrong), "{row:?}");
    }
}

fn trial(census: &Census, call: &str, fault: &str, when: When) -> Trial {
    campaign::trials(census)
        .into_iter()
        .find(|trial| trial.called.name() == call && trial.fault == fault && trial.when == when)
        .unwrap()
}

#[test]
fn a_responder_that_swallows_errors_says_done_falsely_and_is_caught() {
    let (scenario, census) = stage();
    let careless = Conduct::default().without_errors().without_read_back();
    for (call, fault, when) in [
        ("graph.rules.delete", "403", When::First),
        (
            "exchange.mailbox.set_forwarding",
            "time-out before the effect",
            When::First,
        ),
        (
            "graph.grants.delete",
            "success that did nothing",
            When::First,
        ),
        ("exchange.rules.list", "403", When::Always),
    ] {
        let trial = trial(&census, call, fault, when);
        let careful = campaign::run(&scenario, SEED, &trial, Conduct::default());
        assert_ne!(careful.end, End::Wrong, "{careful:?}");
        let row = campaign::run(&scenario, SEED, &trial, careless);
        assert!(
            row.wrong
                .iter()
                .any(|wrong| wrong.kind == WrongKind::FalseDone),
            "{call} {fault}: {row:?}"
        );
    }
}

#[test]
fn block_and_revoke_wait_for_no_fault_of_a_call_that_they_do_not_need() {
    let (scenario, census) = stage();
    let calm = census.score.clock.clone();
    let (block, revoke) = (calm.first_block.unwrap(), calm.revoked.unwrap());
    for seen in &census.calls {
        let name = seen.called.name();
        if campaign::NEEDED.contains(&name.as_str()) {
            continue;
        }
        for kind in [
            FaultKind::Hang,
            FaultKind::Throttle { retry_after: None },
            FaultKind::Status(500),
        ] {
            let way = Way {
                aim: Some(Aim {
                    called: seen.called.clone(),
                    kind,
                    from: 1,
                    times: None,
                }),
                until: Until::Contained,
                conduct: Conduct::default(),
                again: false,
                unconfirmed: Vec::new(),
            };
            let clock = campaign::play(&scenario, SEED, &way)
                .unwrap()
                .run
                .score
                .clock;
            let (blocked, revoked) = (clock.first_block.unwrap(), clock.revoked.unwrap());
            assert!(
                blocked.virtual_s <= block.virtual_s,
                "{name} {kind:?}: {blocked:?}"
            );
            assert!(
                revoked.virtual_s <= revoke.virtual_s,
                "{name} {kind:?}: {revoked:?}"
            );
        }
    }
}

/// The account itself is what both read before and after: without it they go ahead,
/// each after its two seconds, and the case says that it did not see.
#[test]
fn block_and_revoke_go_ahead_when_the_account_cannot_be_read() {
    let (scenario, census) = stage();
    let called = census
        .calls
        .iter()
        .find(|seen| seen.called.name() == "graph.user.read")
        .unwrap()
        .called
        .clone();
    for kind in [
        FaultKind::Hang,
        FaultKind::Throttle { retry_after: None },
        FaultKind::Status(500),
        FaultKind::Reset,
    ] {
        let way = Way {
            aim: Some(Aim {
                called: called.clone(),
                kind,
                from: 1,
                times: None,
            }),
            until: Until::Contained,
            conduct: Conduct::default(),
            again: false,
            unconfirmed: Vec::new(),
        };
        let played = campaign::play(&scenario, SEED, &way).unwrap();
        let clock = &played.run.score.clock;
        let (block, revoke) = (clock.first_block.unwrap(), clock.revoked.unwrap());
        assert!(block.virtual_s <= 2.5, "{kind:?}: {block:?}");
        assert!(revoke.virtual_s <= 7.0, "{kind:?}: {revoke:?}");
        assert_eq!(played.run.score.changes_without_evidence, [], "{kind:?}");
        assert!(
            !played.stops.is_empty(),
            "{kind:?}: nothing showed block and revoke"
        );
    }
}

#[test]
fn whatever_the_documentation_leaves_open_the_drill_ends_clean_or_says_why() {
    let (scenario, _) = stage();
    for switch in retake_lab::SWITCHES {
        for (variant, _) in switch.variants {
            let way = Way {
                aim: None,
                until: Until::FirstLook,
                conduct: Conduct::default(),
                again: false,
                unconfirmed: vec![(switch.name, variant)],
            };
            let row = campaign::unconfirmed(&scenario, SEED, &way);
            assert!(row.wrong.is_empty(), "{} = {variant}: {row:?}", switch.name);
        }
    }
}
