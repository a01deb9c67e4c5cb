//! The scenarios of the identity: consents, device codes, sprays, apps with rights of
//! their own.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::{Method, Request, Response};
use retake_casefile::Bundle;
use retake_drill::sequence::Sequence;
use retake_drill::{
    Desk, RehearsalError, Run, Stage, profile, run_responder, run_sequence, run_with,
};
use retake_lab::Scenario;
use retake_playbook::{Event, ObjectKind};
use retake_responder::Conduct;
use retake_tenant::Tenant;
use retake_tenant::edge::{BoxFuture, Transport, TransportError};
use serde_json::{Value, json};

use crate::response::Nobody;

fn played(scenario: &str, seed: u64) -> Run {
    let found = Scenario::find(scenario).unwrap();
    run_responder(&found, seed, Conduct::default(), &|_| Box::new(Nobody))
        .unwrap_or_else(|error| panic!("{scenario}, seed {seed}: {error}"))
}

/// What the case says of plans and refusals, for whoever reads a failure.
fn told(run: &Run) -> String {
    let bundle = Bundle::from_bytes(run.case.clone().unwrap_or_default(), None).unwrap();
    let mut told = String::new();
    for record in bundle.records() {
        let line = match &record.event {
            Event::PlanMade(plan) => {
                let actions: Vec<String> = plan
                    .actions
                    .iter()
                    .map(|action| format!("{} {:?}", action.kind.title(), action.object.name))
                    .collect();
                format!("plan {}; left {:?}", actions.join(", "), plan.left)
            }
            Event::ActionStopped { .. } | Event::GateWaiting { .. } | Event::Reopened { .. } => {
                format!("{:?}", record.event)
            }
            Event::Analysed(found) if !found.quick => format!(
                "{} {} {:?} {:?}",
                found.verdict, found.path, found.reasons, found.accounts
            ),
            _ => continue,
        };
        let _ = write!(told, "\n  {} {line}", record.at);
    }
    told
}

/// What issue 4 demands of a response to each of these scenarios.
fn holds(scenario: &str, seeds: std::ops::RangeInclusive<u64>) {
    for seed in seeds {
        let run = played(scenario, seed);
        let here = format!("{scenario}, seed {seed}{}", told(&run));
        let score = run.score;
        assert_eq!(score.faults(), Vec::<String>::new(), "{here}");
        assert!(score.clock.closed.is_some(), "{here}");
        assert!(score.path.confidence >= 0.5, "{here}: {:?}", score.path);
        let radius = &score.blast_radius;
        for (what, known) in [
            ("sent", radius.sent),
            ("read", radius.read),
            ("changed", radius.changed),
            ("accounts", radius.accounts),
        ] {
            assert!(known.recall >= 1.0, "{here}: {what} {known:?}");
            assert!(known.precision >= 0.95, "{here}: {what} {known:?}");
        }
    }
}

/// `SEEDS=10` plays that many of each scenario.
fn seeds() -> std::ops::RangeInclusive<u64> {
    let most = std::env::var("SEEDS")
        .ok()
        .and_then(|most| most.parse().ok());
    if let Some(one) = std::env::var("SEED").ok().and_then(|one| one.parse().ok()) {
        return one..=one;
    }
    1..=most.unwrap_or(3)
}

#[test]
fn a_consent_that_was_talked_out_of_a_user_is_withdrawn_seeds_1_to_3() {
    holds("consent-phish", seeds());
}

#[test]
fn a_device_code_that_was_talked_out_of_a_user_leaves_nothing_seeds_1_to_3() {
    holds("device-code", seeds());
}

#[test]
fn an_app_with_rights_of_its_own_is_switched_off_seeds_1_to_3() {
    holds("app-only", seeds());
}

#[test]
fn a_sprayed_password_and_the_app_password_that_followed_seeds_1_to_3() {
    holds("spray", seeds());
}

fn replayed(scenario: &str, name: &str, seed: u64) -> Run {
    let sequence = Sequence::find(name).unwrap();
    run_sequence(&Scenario::find(scenario).unwrap(), seed, &sequence)
        .unwrap_or_else(|error| panic!("{scenario}, {name} {seed}: {error}"))
}

#[test]
fn nothing_done_leaves_app_role_and_reset_contact_in_the_attackers_hands() {
    for seed in seeds() {
        let score = replayed("device-code", "none", seed).score;
        for id in ["A21", "A42"] {
            let held = score
                .artefacts
                .iter()
                .find(|held| held.id.to_string() == id)
                .unwrap_or_else(|| panic!("seed {seed}: no {id}"));
            let all = held.usable.at_end && held.usable.after_restore && held.usable.after_24h;
            assert!(all, "seed {seed}: {held:?}");
        }
    }
}

#[test]
fn removing_everything_takes_the_users_own_roles_and_contacts_and_the_score_sees_it() {
    for seed in seeds() {
        let run = replayed("device-code", "remove-everything", seed);
        let harmed: BTreeSet<(ObjectKind, &str)> = run
            .score
            .collateral
            .iter()
            .map(|harmed| (harmed.kind, harmed.object.as_str()))
            .collect();
        let first: Value = serde_json::from_str(run.trace.lines().next().unwrap()).unwrap();
        let mut expected = 0;
        for bait in first["effect"]["truth"]["baits"].as_array().unwrap() {
            let kind: ObjectKind = serde_json::from_value(bait["kind"].clone()).unwrap();
            if matches!(kind, ObjectKind::AppRole | ObjectKind::ResetAttributes) {
                expected += 1;
                let id = bait["id"].as_str().unwrap();
                assert!(
                    harmed.contains(&(kind, id)),
                    "seed {seed}: {bait} in {harmed:?}"
                );
            }
        }
        assert!(expected >= 3, "seed {seed}: {expected}");
    }
}

/// A way to the tenant on which no app is found by its id, so many times.
struct NoApps {
    stage: Stage,
    left: AtomicUsize,
}

impl Transport for NoApps {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let alone = request
                .uri()
                .path()
                .strip_prefix("/v1.0/servicePrincipals/")
                .is_some_and(|rest| !rest.contains('/'));
            let hidden = request.method() == Method::GET
                && alone
                && self
                    .left
                    .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                        left.checked_sub(1)
                    })
                    .is_ok();
            if !hidden {
                return self.stage.transport.send(request).await;
            }
            let body = json!({"error": {"code": "Request_ResourceNotFound",
                "message": "Resource does not exist or one of its queried reference-property objects are not present.",
                "innerError": {"date": "2026-03-02T08:00:00", "request-id": "r", "client-request-id": "c"}}});
            Ok(Response::builder()
                .status(404)
                .header("content-type", "application/json")
                .body(Bytes::from(body.to_string()))
                .unwrap())
        })
    }
}

#[test]
fn the_responders_own_app_stays_on_although_apps_cannot_be_read() {
    let scenario = Scenario::find("app-only").unwrap();
    for times in [1, 6, usize::MAX] {
        let looked = std::cell::Cell::new(false);
        let result = run_with(&scenario, 1, "retake", async |stage: Stage| {
            let desk = Desk::new(&stage)?;
            let way = Arc::new(NoApps {
                stage: stage.clone(),
                left: AtomicUsize::new(times),
            });
            // Whether the case can be closed so is another matter.
            let worked =
                Box::pin(desk.work(&stage, way.clone(), Conduct::default(), &Nobody)).await;
            assert!(
                way.left.load(Ordering::SeqCst) < times,
                "no app was asked for"
            );
            let own = Tenant::new(
                profile(&stage, None),
                Arc::new(stage.transport.clone()),
                Arc::new(stage.time.clone()),
            );
            let app_id = own.profile().client_id.clone();
            let app = own.service_principal_by_app_id(&app_id).await.unwrap();
            assert_eq!(app.value.account_enabled, Some(true), "{times}");
            looked.set(true);
            let exported = desk.export(&worked?.case)?;
            Ok::<_, RehearsalError>(Some(exported))
        });
        assert!(looked.get(), "{times}: {:?}", result.err());
    }
}

/// Said to be done and not done: the directory's log has no record of it.
#[test]
fn app_passwords_that_were_only_said_to_be_deleted_stop_the_case() {
    let text = include_str!("../../../../scenarios/spray/scenario.toml");
    let says = text.replacen(
        "role = \"identity_admin\"\nafter = \"3m..9m\"\n",
        "role = \"identity_admin\"\nafter = \"3m..9m\"\n\n[[person.task]]\ntask = \"delete_app_passwords\"\noutcome = \"says_done\"\nafter = \"3m..9m\"\n",
        1,
    );
    assert_ne!(says, text);
    let scenario = Scenario::parse("variant.toml".as_ref(), &says).unwrap();
    let run = run_responder(&scenario, 1, Conduct::default(), &|_| Box::new(Nobody)).unwrap();
    let bundle = Bundle::from_bytes(run.case.clone().unwrap_or_default(), None).unwrap();
    let effective = bundle
        .records()
        .iter()
        .any(|record| matches!(record.event, Event::EvictionEffective { .. }));
    assert!(!effective, "{}", told(&run));
}
