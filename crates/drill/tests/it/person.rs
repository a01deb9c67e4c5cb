//! A person responds instead of an app: Graph gives no other person's rules, and the
//! case ends as clean all the same.

use std::sync::Arc;

use retake_casefile::Bundle;
use retake_drill::{
    RehearsalError, Run, Stage, profile, respond_as, run_responder, run_with, wire,
};
use retake_lab::Scenario;
use retake_playbook::event::{Facts, Looked};
use retake_playbook::{ActionKind, Event, State};
use retake_responder::Conduct;
use retake_tenant::edge::{Clock as _, Transport};
use retake_tenant::{Credential, Tenant};

use crate::response::Nobody;

/// A client of the stage's tenant, signed in as the app or as the operator.
pub(crate) async fn client(stage: &Stage, transport: Arc<dyn Transport>, person: bool) -> Tenant {
    let credential = person.then_some(Credential::DeviceCode);
    let profile = profile(stage, credential);
    let tenant = Tenant::new(profile, transport, Arc::new(stage.time.clone()));
    if person {
        let prompt = tenant.begin_device_code().await.unwrap();
        {
            let mut lab = wire::lock(&stage.lab);
            let operator = lab.briefing().operator.clone();
            assert!(lab.approve_device_code(&prompt.user_code, &operator, stage.time.now()));
        }
        tenant.finish_device_code(&prompt).await.unwrap();
    }
    tenant
}

fn by_a_person(seed: u64) -> Run {
    let scenario = Scenario::find("invoice-fraud").unwrap();
    run_with(&scenario, seed, "retake", async |stage: Stage| {
        let tenant = client(&stage, Arc::new(stage.transport.clone()), true).await;
        let case = Box::pin(respond_as(&stage, &tenant, Conduct::default(), &Nobody)).await?;
        Ok::<_, RehearsalError>(Some(case))
    })
    .unwrap()
}

fn state(run: &Run) -> State {
    let bundle = Bundle::from_bytes(run.case.clone().unwrap(), None).unwrap();
    State::fold(
        bundle
            .records()
            .iter()
            .map(|record| (record.at, &record.event)),
    )
}

/// Which rules went, by Exchange's identity.
fn removed_rules(state: &State) -> Vec<&str> {
    let mut removed: Vec<&str> = state
        .actions
        .values()
        .filter(|action| action.verified.is_some())
        .filter(|action| {
            matches!(
                action.planned.kind,
                ActionKind::RemoveInboxRule
                    | ActionKind::RemoveHiddenRule
                    | ActionKind::RemoveRuleInExchange
            )
        })
        .map(|action| action.planned.object.id.as_str())
        .collect();
    removed.sort_unstable();
    removed
}

#[test]
fn a_persons_response_ends_as_clean_as_the_apps() {
    let scenario = Scenario::find("invoice-fraud").unwrap();
    for seed in [1, 2] {
        let app =
            run_responder(&scenario, seed, Conduct::default(), &|_| Box::new(Nobody)).unwrap();
        let person = by_a_person(seed);
        assert_eq!(person.score.faults(), Vec::<String>::new(), "seed {seed}");
        assert_eq!(person.score.collateral, [], "seed {seed}");
        assert!(person.score.clock.closed.is_some(), "seed {seed}");
        assert!(
            person
                .score
                .artefacts
                .iter()
                .all(|held| !held.usable.ever()),
            "seed {seed}"
        );
        let (app, person) = (state(&app), state(&person));
        assert_eq!(
            removed_rules(&person),
            removed_rules(&app),
            "seed {seed}: one rule has one name, whichever surface showed it"
        );
        assert!(removed_rules(&person).len() >= 2, "seed {seed}");
    }
}

#[test]
fn a_persons_case_says_that_rules_were_read_through_exchange_alone() {
    let run = by_a_person(3);
    let state = state(&run);
    for snapshot in &state.snapshots {
        let rules = snapshot
            .sources
            .iter()
            .find(|source| source.name == "inbox rules")
            .unwrap();
        assert_eq!(rules.looked, Looked::Whole);
        let why = rules.why.as_deref().unwrap();
        assert!(why.starts_with("read through Exchange alone"), "{why}");
    }
    let first = &state.snapshots[0];
    let hidden = first
        .objects
        .iter()
        .filter_map(|seen| match &seen.facts {
            Facts::InboxRule { hidden, .. } => Some(*hidden),
            _ => None,
        })
        .collect::<Vec<_>>();
    assert!(hidden.contains(&true) && hidden.contains(&false));
    // What it costs is shown before, with every such change.
    let through_exchange: Vec<_> = state
        .actions
        .values()
        .filter(|action| action.planned.kind == ActionKind::RemoveRuleInExchange)
        .collect();
    assert!(!through_exchange.is_empty());
    for action in through_exchange {
        assert!(
            action
                .planned
                .kind
                .spec()
                .breaks
                .contains("client-side rules")
        );
    }
    let bundle = Bundle::from_bytes(run.case.unwrap(), None).unwrap();
    assert!(
        bundle
            .records()
            .iter()
            .any(|record| matches!(&record.event, Event::Closed(_)))
    );
}
