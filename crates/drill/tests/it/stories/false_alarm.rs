//! `false-alarm`: a journey, a VPN, a new phone, and somebody who contained in haste.

use std::sync::Arc;

use retake_casefile::Store;
use retake_drill::{RehearsalError, ScenarioPeople, SeededEntropy, Stage, lock, profile, run_with};
use retake_lab::Scenario;
use retake_playbook::state::GateState;
use retake_playbook::{ActionKind, Gate, Phase};
use retake_responder::{Extent, Finished, Opening, Responder, Surroundings};
use retake_tenant::Tenant;
use serde_json::Value;

use super::{
    CONTAINED_AND_GIVEN_BACK, control, did, perfect, play, play_of, seeds, state_of, table,
    whereabouts,
};
use crate::response::Nobody;

#[test]
fn nothing_is_removed_and_the_containment_is_taken_back() {
    for seed in seeds() {
        let run = play("false-alarm", seed);
        let state = perfect(&run);
        assert_eq!(did(&state), CONTAINED_AND_GIVEN_BACK, "seed {seed}");
        let (_, analysis) = state.analysis.as_ref().unwrap();
        assert_eq!(analysis.verdict, "clean", "seed {seed}");
        assert_eq!(run.score.path.said, "none", "seed {seed}");
        assert!(matches!(
            state.gates.get(&Gate::Release),
            Some(GateState::Passed { .. })
        ));
        // Nobody asked for money, and nobody is frightened.
        assert!(!state.money_moved(), "seed {seed}");
        assert!(state.warnings.is_empty(), "seed {seed}");
    }
}

#[test]
fn a_person_who_holds_it_a_takeover_is_heard_and_the_password_is_reset() {
    let mut scenario = table("false-alarm");
    // The approver refuses from some point on: a refusal at the containment would end
    // the case, so the order comes from the gate's own answer.
    let people = scenario["person"].as_array_mut().unwrap();
    let approver = people
        .iter_mut()
        .find(|person| person["role"].as_str() == Some("approver"))
        .unwrap();
    let script: toml::Table = "task = \"release\"\noutcome = \"refused\"\nafter = \"1m\""
        .parse()
        .unwrap();
    approver.as_table_mut().unwrap().insert(
        "task".into(),
        toml::Value::Array(vec![toml::Value::Table(script)]),
    );
    let scenario = Scenario::parse("variant.toml".as_ref(), &scenario.to_string()).unwrap();
    let run = play_of(&scenario, 1);
    let state = state_of(&run);
    assert!(
        did(&state).contains(&ActionKind::ResetPassword),
        "{}",
        whereabouts(&state)
    );
    assert_eq!(state.phase, Phase::Closed, "{}", whereabouts(&state));
    assert_eq!(run.score.collateral, []);
}

/// What of the tenant a containment touches, and what nothing may touch.
fn apart_from_sessions(mut tenant: Value) -> Value {
    fn forget(value: &mut Value, keys: &[&str]) {
        match value {
            Value::Object(members) => {
                members.retain(|key, _| !keys.contains(&key.as_str()));
                members.values_mut().for_each(|value| forget(value, keys));
            }
            Value::Array(items) => items.iter_mut().for_each(|value| forget(value, keys)),
            _ => {}
        }
    }
    forget(&mut tenant, &["sessions_valid_from", "cuts"]);
    tenant
}

#[test]
fn a_containment_in_haste_is_taken_back_by_one_command_and_the_tenant_is_as_before() {
    let scenario = Scenario::find("false-alarm").unwrap();
    for seed in seeds() {
        let run = run_with(&scenario, seed, "retake", async |stage: Stage| {
            let before = lock(&stage.lab).final_state();
            let tenant = Tenant::new(
                profile(&stage, None),
                Arc::new(stage.transport.clone()),
                Arc::new(stage.time.clone()),
            );
            let store = Store::open_in_memory()?;
            let entropy = SeededEntropy::new(seed);
            let people = ScenarioPeople::new(Arc::clone(&stage.lab), stage.time.clone());
            let around = Surroundings {
                tenant: &tenant,
                store: &store,
                clock: &stage.time,
                entropy: &entropy,
                people: &people,
                watcher: &Nobody,
            };
            let affected = lock(&stage.lab).briefing().affected.clone();
            let opening = Opening {
                account: affected,
                responder: "Rosa".into(),
                alert: "two countries".into(),
            };
            let responder = Responder::open(around, opening).await?;
            let contained = Box::pin(responder.run(Extent::Contain)).await?;
            assert_eq!(contained, Finished::Contained);
            let finished = Box::pin(responder.release("it was a journey")).await?;
            assert_eq!(finished, Finished::Closed, "seed {seed}");
            let after = lock(&stage.lab).final_state();
            assert_eq!(
                apart_from_sessions(after),
                apart_from_sessions(before),
                "seed {seed}"
            );
            Ok::<_, RehearsalError>(None)
        })
        .unwrap();
        assert_eq!(run.score.collateral, [], "seed {seed}");
    }
}

#[test]
fn removing_everything_takes_what_is_the_users_own() {
    let run = control("false-alarm", "remove-everything", 1);
    assert!(!run.score.collateral.is_empty());
    let run = control("false-alarm", "none", 1);
    assert_eq!(run.score.artefacts, []);
    assert_eq!(run.score.collateral, []);
}
