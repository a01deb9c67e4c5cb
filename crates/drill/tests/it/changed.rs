//! A plan is bound to what was observed: an object that somebody changes between
//! plan and execution stops its own action, shows the difference, and no other.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::Request;
use jiff::Timestamp;
use retake_casefile::Bundle;
use retake_drill::{RehearsalError, Run, Stage, respond, run_with, wire};
use retake_lab::{Call, Reply, Scenario};
use retake_playbook::event::{Applied, Facts, Stopped};
use retake_playbook::{ActionId, ActionKind, Event, Gate, ObjectRef, State};
use retake_responder::{Conduct, Watcher};
use serde_json::{Value, json};

const NEW_NAME: &str = "renamed meanwhile";

/// Another administrator, who renames and switches off the first visible rule of
/// the plan just after it was approved.
struct Colleague {
    stage: Stage,
    changed: Mutex<Option<(ActionId, ObjectRef, Timestamp)>>,
    meddles: bool,
}

impl Watcher for Colleague {
    fn event(&self, at: Timestamp, event: &Event, state: &State) {
        if !self.meddles || !matches!(event, Event::GatePassed { gate, .. } if *gate == Gate::Plan)
        {
            return;
        }
        let mut changed = self.changed.lock().unwrap();
        if changed.is_some() {
            return;
        }
        let (action, rule, graph_id) = visible_rule(state);
        self.rename(&graph_id, &state.account.as_ref().unwrap().id);
        *changed = Some((action, rule, at));
    }

    fn note(&self, _: Timestamp, _: &str) {}
}

impl Colleague {
    fn rename(&self, rule: &str, user: &str) {
        let (tenant, form) = {
            let lab = wire::lock(&self.stage.lab);
            let briefing = lab.briefing();
            let form = format!(
                "client_id={}&client_secret={}&grant_type=client_credentials\
                 &scope=https%3A%2F%2Fgraph.microsoft.com%2F.default",
                briefing.client_id,
                percent_encoding::utf8_percent_encode(
                    &briefing.client_secret,
                    percent_encoding::NON_ALPHANUMERIC
                ),
            );
            (briefing.tenant_id.clone(), form)
        };
        let token = self.ask(
            Request::post(format!(
                "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"
            ))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Bytes::from(form))
            .unwrap(),
        )["access_token"]
            .as_str()
            .unwrap()
            .to_owned();
        let changed = self.ask(
            Request::patch(format!(
                "https://graph.microsoft.com/v1.0/users/{user}/mailFolders/inbox/messageRules/{}",
                percent_encoding::utf8_percent_encode(rule, percent_encoding::NON_ALPHANUMERIC)
            ))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(Bytes::from(
                json!({"displayName": NEW_NAME, "isEnabled": false}).to_string(),
            ))
            .unwrap(),
        );
        assert_eq!(changed["displayName"], NEW_NAME);
    }

    fn ask(&self, request: Request<Bytes>) -> Value {
        let call = Call { request, round: 0 };
        let now = retake_tenant::edge::Clock::now(&self.stage.time);
        match wire::lock(&self.stage.lab).handle(call, now) {
            Reply::Answer { response, .. } => {
                assert!(response.status().is_success(), "{response:?}");
                serde_json::from_slice(response.body()).unwrap()
            }
            other => panic!("{other:?}"),
        }
    }
}

/// The first removal of the plan whose rule Graph shows too, and Graph's id of it.
fn visible_rule(state: &State) -> (ActionId, ObjectRef, String) {
    let snapshot = state.snapshot().unwrap();
    state
        .plan()
        .unwrap()
        .actions
        .iter()
        .filter(|planned| planned.kind == ActionKind::RemoveInboxRule)
        .find_map(|planned| {
            let seen = snapshot
                .objects
                .iter()
                .find(|seen| seen.object == planned.object)?;
            let Facts::InboxRule { graph_id, .. } = &seen.facts else {
                return None;
            };
            Some((planned.action, planned.object.clone(), graph_id.clone()?))
        })
        .unwrap()
}

struct Played {
    run: Run,
    events: Vec<Event>,
    changed: Option<(ActionId, ObjectRef, Timestamp)>,
}

fn played(meddles: bool) -> Played {
    let scenario = Scenario::find("invoice-fraud").unwrap();
    let mut changed = None;
    let run = run_with(&scenario, 4, "retake", async |stage: Stage| {
        let colleague = Colleague {
            stage: stage.clone(),
            changed: Mutex::default(),
            meddles,
        };
        let way = Arc::new(stage.transport.clone());
        let case = Box::pin(respond(&stage, way, Conduct::default(), &colleague)).await?;
        changed = colleague.changed.into_inner().unwrap();
        Ok::<_, RehearsalError>(Some(case))
    })
    .unwrap();
    let bundle = Bundle::from_bytes(run.case.clone().unwrap(), None).unwrap();
    let events = bundle
        .records()
        .iter()
        .map(|record| record.event.clone())
        .collect();
    Played {
        run,
        events,
        changed,
    }
}

#[test]
fn a_changed_object_stops_its_own_action_shows_the_difference_and_is_judged_anew() {
    let played = played(true);
    let (action, rule, _) = played.changed.unwrap();

    let stopped: Vec<_> = played
        .events
        .iter()
        .filter_map(|event| match event {
            Event::ActionStopped {
                action,
                why: Stopped::Changed,
                message,
                code,
            } => Some((*action, message.clone(), code.clone())),
            _ => None,
        })
        .collect();
    let [(which, message, code)] = stopped.as_slice() else {
        panic!("{stopped:?}")
    };
    assert_eq!((*which, code.as_str()), (action, "RT1003"));
    assert!(message.contains(&format!("→ \"{NEW_NAME}\"")), "{message}");
    assert!(message.contains("enabled: true → false"), "{message}");
    assert!(!message.contains("conditions"), "{message}");

    // It was never sent under that plan…
    assert!(!played.events.iter().any(
        |event| matches!(event, Event::ActionIntended { action: sent, .. } if *sent == action)
    ));
    // … the others of the same plan were carried out …
    let plan = played
        .events
        .iter()
        .find_map(|event| match event {
            Event::PlanMade(plan) if plan.actions.iter().any(|one| one.action == action) => {
                Some(plan.clone())
            }
            _ => None,
        })
        .unwrap();
    for other in plan.actions.iter().filter(|one| one.action != action) {
        assert!(verified(&played.events, other.action), "{other:?}");
    }
    // … and the rule goes under a later plan, made from what it is now.
    let later = played
        .events
        .iter()
        .filter_map(|event| match event {
            Event::PlanMade(later) if later.plan > plan.plan => Some(later),
            _ => None,
        })
        .flat_map(|later| &later.actions)
        .find(|one| one.object.id == rule.id)
        .unwrap();
    assert!(verified(&played.events, later.action));
    assert_eq!(played.run.score.faults(), Vec::<String>::new());
}

#[test]
fn without_a_change_nothing_is_stopped() {
    let played = played(false);
    assert!(
        !played
            .events
            .iter()
            .any(|event| matches!(event, Event::ActionStopped { .. }))
    );
}

fn verified(events: &[Event], action: ActionId) -> bool {
    let already = events.iter().any(|event| {
        matches!(event, Event::ActionApplied { action: which, how: Applied::AlreadySo, .. } if *which == action)
    });
    already
        || events.iter().any(
            |event| matches!(event, Event::ActionVerified { action: which, .. } if *which == action),
        )
}
