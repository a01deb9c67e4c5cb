//! S1.8: what decays is kept, after the block and before anything is removed.

use retake_casefile::Bundle;
use retake_drill::{Run, run_responder};
use retake_lab::Scenario;
use retake_playbook::{ActionKind, Phase, State};
use retake_responder::Conduct;
use serde_json::Value;
use toml::{Table, Value as Toml};

use crate::response::Nobody;

const INVOICE_FRAUD: &str = include_str!("../../../../scenarios/invoice-fraud/scenario.toml");

fn play(licensed: bool) -> (Run, State) {
    let mut scenario: Table = INVOICE_FRAUD.parse().unwrap();
    scenario["licences"]
        .as_table_mut()
        .unwrap()
        .insert("litigation_hold".into(), Toml::Boolean(licensed));
    let scenario = Scenario::parse("variant.toml".as_ref(), &scenario.to_string()).unwrap();
    let run = run_responder(&scenario, 4, Conduct::default(), &|_| Box::new(Nobody)).unwrap();
    let bundle = Bundle::from_bytes(run.case.clone().unwrap(), None).unwrap();
    let records = bundle.records().iter();
    let state = State::fold(records.map(|record| (record.at, &record.event)));
    assert_eq!(run.score.faults(), Vec::<String>::new());
    assert_eq!(state.phase, Phase::Closed);
    (run, state)
}

/// Times at which the tenant shows that the responder set this to something else.
fn set(run: &Run, field: &str) -> Vec<u64> {
    let lines = run.trace.lines().map(serde_json::from_str::<Value>);
    lines
        .map(Result::unwrap)
        .filter(|line| line["actor"] == "responder" && !line["effect"]["fields"][field].is_null())
        .map(|line| line["n"].as_u64().unwrap())
        .collect()
}

fn verified(state: &State, kind: ActionKind) -> usize {
    let actions = state.actions.values();
    actions
        .filter(|action| action.planned.kind == kind && action.verified.is_some())
        .count()
}

#[test]
fn deleted_mail_is_kept_and_the_mailbox_held_after_the_block_and_before_any_removal() {
    let (run, state) = play(true);
    assert_eq!(verified(&state, ActionKind::RaiseRetention), 1);
    assert_eq!(verified(&state, ActionKind::HoldMailbox), 1);
    let block = set(&run, "accountEnabled")[0];
    let kept = [
        set(&run, "RetainDeletedItemsFor")[0],
        set(&run, "LitigationHoldEnabled")[0],
    ];
    let first_removal = run
        .trace
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .find(|line| {
            line["actor"] == "responder"
                && (line["effect"]["kind"] == "deleted"
                    || !line["effect"]["fields"]["ForwardingSmtpAddress"].is_null())
        })
        .unwrap()["n"]
        .as_u64()
        .unwrap();
    for kept in kept {
        assert!(
            block < kept && kept < first_removal,
            "{block} {kept} {first_removal}"
        );
    }
}

/// Where a hold is not licensed, none is tried, and the longer retention is what there is.
#[test]
fn without_a_licence_for_a_hold_the_retention_is_raised_alone() {
    let (run, state) = play(false);
    assert_eq!(verified(&state, ActionKind::RaiseRetention), 1);
    assert_eq!(verified(&state, ActionKind::HoldMailbox), 0);
    assert_eq!(set(&run, "LitigationHoldEnabled"), Vec::<u64>::new());
}
