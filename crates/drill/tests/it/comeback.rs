//! The attacker comes back during the watch: by a call to the help desk, and then with each kind of
//! foothold in turn. The case is opened again at containment, and ends clean a second time.

use retake_casefile::Bundle;
use retake_drill::{Run, run_responder};
use retake_lab::Scenario;
use retake_lab::scenario::Move;
use retake_playbook::{ActionKind, Event, Phase, State};
use retake_responder::Conduct;
use toml::{Table, Value as Toml};

use crate::response::Nobody;

const INVOICE_FRAUD: &str = include_str!("../../../../scenarios/invoice-fraud/scenario.toml");

/// The default scenario in which the attacker telephones the help desk on the second day, and does
/// this some hours later.
fn with(comebacks: &[(&str, &str)]) -> Scenario {
    let mut scenario: Table = INVOICE_FRAUD.parse().unwrap();
    let comebacks = comebacks.iter().map(|(action, after)| {
        let mut table = Table::new();
        table.insert("do".into(), Toml::from(*action));
        table.insert("after".into(), Toml::from(*after));
        Toml::Table(table)
    });
    scenario.insert("comeback".into(), Toml::Array(comebacks.collect()));
    Scenario::parse("variant.toml".as_ref(), &scenario.to_string()).unwrap()
}

fn play(scenario: &Scenario, seed: u64) -> (Run, State) {
    let run = run_responder(scenario, seed, Conduct::default(), &|_| Box::new(Nobody)).unwrap();
    let bundle = Bundle::from_bytes(run.case.clone().unwrap(), None).unwrap();
    let state = State::fold(
        bundle
            .records()
            .iter()
            .map(|record| (record.at, &record.event)),
    );
    (run, state)
}

fn reopenings(run: &Run) -> Vec<String> {
    let bundle = Bundle::from_bytes(run.case.clone().unwrap(), None).unwrap();
    bundle
        .records()
        .iter()
        .filter_map(|record| match &record.event {
            Event::Reopened { why } => Some(why.clone()),
            _ => None,
        })
        .collect()
}

fn ends_clean_again(scenario: &Scenario, seed: u64, what: &str) {
    let (run, state) = play(scenario, seed);
    let why = || {
        format!(
            "{what}, seed {seed}: {:?}: {:?}",
            state.phase,
            retake_playbook::next(&state, state.last_at.unwrap())
        )
    };
    assert!(!reopenings(&run).is_empty(), "{}", why());
    assert_eq!(state.phase, Phase::Closed, "{}", why());
    assert_eq!(run.score.faults(), Vec::<String>::new(), "{}", why());
    assert_eq!(run.score.collateral, [], "{}", why());
    let blocks = state
        .actions
        .values()
        .filter(|action| action.planned.kind == ActionKind::BlockSignIn)
        .filter(|action| action.verified.is_some())
        .count();
    assert!(blocks >= 2, "{}: blocked {blocks} times", why());
}

#[test]
fn a_help_desk_reset_on_day_two_reopens_the_case_at_containment() {
    for seed in 1..=3 {
        ends_clean_again(
            &with(&[("phone_help_desk", "26h..30h")]),
            seed,
            "phone_help_desk",
        );
    }
}

#[test]
fn every_kind_of_foothold_that_comes_back_reopens_the_case() {
    let kinds = Move::ALL.iter().filter(|step| {
        !step.leaves().is_empty() && step.entry().is_none() && **step != Move::PhoneHelpDesk
    });
    for (index, step) in kinds.enumerate() {
        let scenario = with(&[("phone_help_desk", "20h..24h"), (step.as_str(), "25h..26h")]);
        ends_clean_again(&scenario, 1 + index as u64, step.as_str());
    }
}

/// The control: with nobody coming back, nothing is opened again.
#[test]
fn a_quiet_watch_reopens_nothing() {
    let (run, state) = play(&with(&[]), 2);
    assert_eq!(reopenings(&run), Vec::<String>::new());
    assert_eq!(state.phase, Phase::Closed);
}
