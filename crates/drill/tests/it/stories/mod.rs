//! Whole scenarios under the score, each with its own point.

mod earlier;
mod false_alarm;
mod hostile;
mod people;
mod poor;
mod spoof;
mod synced;
mod token_theft;

use std::ops::RangeInclusive;

use retake_casefile::Bundle;
use retake_drill::score::Overlap;
use retake_drill::{Run, Sequence, run_responder, run_sequence};
use retake_lab::Scenario;
use retake_playbook::{ActionKind, Phase, State};
use retake_responder::Conduct;
use serde_json::Value;
use toml::{Table, Value as Toml};

use crate::response::Nobody;

/// All that happens where nobody took the account over.
pub(crate) const CONTAINED_AND_GIVEN_BACK: [ActionKind; 3] = [
    ActionKind::BlockSignIn,
    ActionKind::RevokeSessions,
    ActionKind::RestoreSignIn,
];

/// The seeds of an ordinary test run: all ten with `RETAKE_SEEDS=10`.
pub(crate) fn seeds() -> RangeInclusive<u64> {
    let seeds = std::env::var("RETAKE_SEEDS").ok();
    1..=seeds.and_then(|text| text.parse().ok()).unwrap_or(3)
}

/// Plays an embedded scenario against the responder.
pub(crate) fn play(scenario: &str, seed: u64) -> Run {
    play_of(&Scenario::find(scenario).unwrap(), seed)
}

/// Plays a scenario against the responder.
pub(crate) fn play_of(scenario: &Scenario, seed: u64) -> Run {
    run_responder(scenario, seed, Conduct::default(), &|_| Box::new(Nobody))
        .unwrap_or_else(|error| panic!("{} seed {seed}: {error}", scenario.id()))
}

/// Plays a scenario against a sequence.
pub(crate) fn control(scenario: &str, sequence: &str, seed: u64) -> Run {
    let scenario = Scenario::find(scenario).unwrap();
    let sequence = Sequence::find(sequence).unwrap();
    run_sequence(&scenario, seed, &sequence)
        .unwrap_or_else(|error| panic!("{} seed {seed}: {error}", scenario.id()))
}

/// An embedded scenario as a table, to be altered.
pub(crate) fn table(scenario: &str) -> Table {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios");
    std::fs::read_to_string(format!("{folder}/{scenario}/scenario.toml"))
        .unwrap()
        .parse()
        .unwrap()
}

/// The same with what this person does with one task.
pub(crate) fn with_task(mut scenario: Table, role: &str, script: &str) -> Scenario {
    let script: Table = script.parse().unwrap();
    let person = scenario["person"]
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .find(|person| person["role"].as_str() == Some(role))
        .unwrap()
        .as_table_mut()
        .unwrap();
    let tasks = person
        .entry("task")
        .or_insert_with(|| Toml::Array(Vec::new()))
        .as_array_mut()
        .unwrap();
    tasks.retain(|task| task["task"] != script["task"]);
    tasks.push(Toml::Table(script));
    Scenario::parse("variant.toml".as_ref(), &scenario.to_string()).unwrap()
}

/// The case of a run, as it stands at its end.
pub(crate) fn state_of(run: &Run) -> State {
    let bundle = bundle_of(run);
    State::fold(
        bundle
            .records()
            .iter()
            .map(|record| (record.at, &record.event)),
    )
}

pub(crate) fn bundle_of(run: &Run) -> Bundle {
    Bundle::from_bytes(run.case.clone().unwrap(), None).unwrap()
}

/// What the response did to objects in the tenant, in its order.
pub(crate) fn did(state: &State) -> Vec<ActionKind> {
    state
        .actions
        .values()
        .filter(|action| action.applied.is_some())
        .map(|action| action.planned.kind)
        .collect()
}

/// Where a case stands and what it would do next: for whoever reads a failure.
pub(crate) fn whereabouts(state: &State) -> String {
    let next = retake_playbook::next(state, state.last_at.unwrap());
    let said = state
        .analysis
        .as_ref()
        .map(|(_, analysis)| (&analysis.verdict, &analysis.path, &analysis.reasons));
    format!("{:?}, next {next:?}, logs {said:?}", state.phase)
}

/// What issue 4 demands of every scenario.
pub(crate) fn perfect(run: &Run) -> State {
    let score = &run.score;
    let state = state_of(run);
    let at = || {
        format!(
            "{} seed {}: {}",
            score.scenario,
            score.seed,
            whereabouts(&state)
        )
    };
    assert_eq!(score.faults(), Vec::<String>::new(), "{}", at());
    for held in &score.artefacts {
        assert!(!held.usable.ever(), "{held:?} {}", at());
    }
    assert_eq!(score.collateral, [], "{}", at());
    assert_eq!(score.path.said, score.path.truth, "{}", at());
    assert_eq!(state.phase, Phase::Closed, "{}", at());
    let block = score.clock.first_block.unwrap();
    assert!(
        block.round_trips <= 2 && block.virtual_s <= 2.0,
        "{block:?} {}",
        at()
    );
    let radius = &score.blast_radius;
    for (what, known) in [
        ("sent", &radius.sent),
        ("read", &radius.read),
        ("changed", &radius.changed),
        ("accounts", &radius.accounts),
    ] {
        known_well(what, known, &at());
    }
    state
}

fn known_well(what: &str, known: &Overlap, at: &str) {
    assert!(known.recall >= 1.0, "{what} {known:?} {at}");
    assert!(known.precision >= 0.95, "{what} {known:?} {at}");
}

/// The lines of the trace, as JSON.
pub(crate) fn lines(run: &Run) -> impl Iterator<Item = Value> + '_ {
    run.trace
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
}
