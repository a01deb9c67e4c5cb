//! S2.5: has money moved? A yes opens the payment clock; a no leaves it shut, and finance is warned
//! all the same.

use retake_casefile::Bundle;
use retake_drill::run_responder;
use retake_lab::Scenario;
use retake_playbook::steps::StepId;
use retake_playbook::{Phase, State, payment};
use retake_responder::Conduct;
use toml::{Table, Value as Toml};

use crate::response::Nobody;

const INVOICE_FRAUD: &str = include_str!("../../../../scenarios/invoice-fraud/scenario.toml");

fn played(change: impl FnOnce(&mut Table)) -> State {
    let mut scenario: Table = INVOICE_FRAUD.parse().unwrap();
    change(&mut scenario);
    let scenario = Scenario::parse("variant.toml".as_ref(), &scenario.to_string()).unwrap();
    let run = run_responder(&scenario, 2, Conduct::default(), &|_| Box::new(Nobody)).unwrap();
    assert_eq!(run.score.faults(), Vec::<String>::new());
    let bundle = Bundle::from_bytes(run.case.unwrap(), None).unwrap();
    let records = bundle.records().iter();
    let state = State::fold(records.map(|record| (record.at, &record.event)));
    assert_eq!(state.phase, Phase::Closed);
    state
}

fn recalls(state: &State) -> Vec<bool> {
    let tasks = state.tasks.values();
    tasks
        .filter(|task| task.step == StepId::new(2, 5))
        .map(|task| task.done.is_some())
        .collect()
}

#[test]
fn a_yes_has_the_payment_recalled_and_reported_at_once() {
    let state = played(|_| {});
    assert!(payment::clock(&state).is_some());
    assert_eq!(recalls(&state), [true, true]);
    let asked_for = state
        .tasks
        .values()
        .filter(|task| task.step == StepId::new(2, 5));
    let opened = payment::clock(&state).unwrap();
    assert!(asked_for.clone().all(|task| task.opened >= opened));
    assert_eq!(asked_for.count(), 2);
}

#[test]
fn a_no_opens_no_clock_and_finance_is_warned_all_the_same() {
    let state = played(|scenario| {
        scenario["money_moved"] = Toml::Boolean(false);
    });
    assert_eq!(payment::clock(&state), None);
    assert_eq!(recalls(&state), Vec::<bool>::new());
    assert!(
        state
            .warnings
            .values()
            .all(|warning| warning.done.is_some())
    );
    assert!(!state.warnings.is_empty());
}

/// Whoever does not answer holds nothing up, and the case says that it is not known to be done.
#[test]
fn a_recall_that_nobody_confirms_is_said_when_the_case_closes() {
    let state = played(|scenario| {
        let people = scenario["person"].as_array_mut().unwrap();
        let finance = people
            .iter_mut()
            .find(|person| person["role"].as_str() == Some("finance"))
            .unwrap();
        let silent: Toml = Toml::Table(
            "task = \"recall_payment\"\noutcome = \"no_answer\"\nafter = \"1m\""
                .parse()
                .unwrap(),
        );
        finance["task"].as_array_mut().unwrap().push(silent);
    });
    assert_eq!(recalls(&state), [false, true]);
    let (_, closing) = state.closed.unwrap();
    assert!(
        closing
            .unknown
            .iter()
            .any(|unknown| unknown.contains("fraud desk of the bank")),
        "{:?}",
        closing.unknown
    );
}
