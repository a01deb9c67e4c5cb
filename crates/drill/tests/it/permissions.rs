//! Each step of the playbook runs with exactly its declared permissions and roles, and
//! fails, well explained and with nothing half-done, with any one of them missing.

use std::collections::BTreeSet;
use std::sync::Arc;

use retake_drill::campaign::{Aim, Called, FaultyWire};
use retake_drill::wire::{Recorder, lock};
use retake_drill::{Desk, RehearsalError, Run, Stage, Worked, run_with};
use retake_lab::{FaultKind, Lab, Scenario};
use retake_playbook::State;
use retake_playbook::event::{CheckResult, Looked, Source, Stopped};
use retake_playbook::steps::StepId;
use retake_responder::preflight::{
    NEEDS, OPTIONAL, Permission, Set, SignedInAs, roles, steps_of_role,
};
use retake_responder::{Conduct, Finished};
use retake_tenant::call::{AUDIT_QUERY_CREATE, CALLS, CallSpec};

use crate::response::Nobody;

const SEED: u64 = 3;

/// The scenario, its app holding exactly the response set and nothing else.
pub(crate) fn declared_only() -> Scenario {
    let mut scenario = Scenario::find("invoice-fraud").unwrap();
    scenario.responder.permissions = Set::Response
        .permissions()
        .map(|permission| permission.name.to_owned())
        .collect();
    scenario.responder.roles = roles(Set::Response, SignedInAs::App)
        .iter()
        .map(|role| role.name.to_owned())
        .collect();
    scenario
}

/// One right that an administrator of the tenant can take away.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Right {
    Permission(&'static Permission),
    Role(&'static str),
}

impl Right {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Permission(permission) => permission.name,
            Self::Role(name) => name,
        }
    }

    fn steps(self) -> Vec<StepId> {
        match self {
            Self::Permission(permission) => permission.steps(Set::Response),
            Self::Role(name) => roles(Set::Response, SignedInAs::App)
                .into_iter()
                .filter(|role| role.name == name)
                .flat_map(|role| steps_of_role(role, Set::Response, SignedInAs::App))
                .collect(),
        }
    }

    fn set(self, lab: &mut Lab, granted: bool) {
        let changed = match self {
            Self::Permission(permission) => lab.set_permission(permission.name, granted),
            Self::Role(name) => lab.set_role(name, granted),
        };
        assert!(changed, "{self:?} was so already");
    }

    /// Whether block or revoke cannot be done without it.
    pub(crate) fn contains(self) -> bool {
        let containment = [StepId::new(2, 1), StepId::new(3, 1)];
        self.steps().iter().any(|step| containment.contains(step))
    }
}

pub(crate) fn every_right() -> Vec<Right> {
    let permissions = Set::Response.permissions().map(Right::Permission);
    let roles = roles(Set::Response, SignedInAs::App);
    permissions
        .chain(roles.iter().map(|role| Right::Role(role.name)))
        .collect()
}

/// The first try without the right, and the second with it.
struct Story {
    refused: Result<Worked, String>,
    granted: Worked,
    run: Run,
}

fn without(right: Right) -> Story {
    let mut tries = None;
    let run = run_with(&declared_only(), SEED, "retake", async |stage: Stage| {
        // What it does without the right, and not what others would do in its place.
        let desk = Desk::new(&stage)?.alone();
        let way = || Arc::new(stage.transport.clone());
        right.set(&mut lock(&stage.lab), false);
        let refused = Box::pin(desk.work(&stage, way(), Conduct::default(), &Nobody))
            .await
            .map_err(|error| match error {
                RehearsalError::Responder(error) => describe(&error),
                other => other.to_string(),
            });
        right.set(&mut lock(&stage.lab), true);
        let granted = match &refused {
            Ok(Worked {
                finished: Finished::Closed,
                ..
            }) => None,
            _ => Some(Box::pin(desk.work(&stage, way(), Conduct::default(), &Nobody)).await?),
        };
        let last = granted.as_ref().or(refused.as_ref().ok());
        let case = desk.export(&last.unwrap().case)?;
        tries = Some((refused, granted));
        Ok::<_, RehearsalError>(Some(case))
    })
    .unwrap_or_else(|error| panic!("{}: {error}", right.name()));
    let (refused, granted) = tries.unwrap();
    let granted = granted.unwrap_or_else(|| {
        let worked = refused.as_ref().unwrap();
        Worked {
            further: Vec::new(),
            case: worked.case.clone(),
            finished: worked.finished.clone(),
            state: worked.state.clone(),
        }
    });
    Story {
        refused,
        granted,
        run,
    }
}

pub(crate) fn describe(error: &retake_responder::ResponderError) -> String {
    match error {
        retake_responder::ResponderError::Tenant(error) => format!("{error}. {}", error.hint()),
        other => other.to_string(),
    }
}

/// Plays this part of all rights.
fn campaign(part: usize, parts: usize) {
    for (index, right) in every_right().into_iter().enumerate() {
        if index % parts == part {
            let story = without(right);
            says_what_to_grant(right, &story);
            leaves_nothing_half_done(right, &story);
            contains_where_it_can(right, &story);
            comes_to_a_clean_end(right, &story);
        }
    }
}

/// The record names the right, the app, and every step that lacks it.
fn says_what_to_grant(right: Right, story: &Story) {
    let name = right.name();
    let quoted = format!("`{name}`");
    let worked = match &story.refused {
        Ok(worked) => worked,
        Err(said) => {
            // Without the account there is no case; what is missing is said at once.
            assert!(said.contains(&quoted), "{name}: {said}");
            return;
        }
    };
    let lacking: BTreeSet<StepId> = worked
        .state
        .checks
        .iter()
        .filter(|check| check.result != CheckResult::Good && check.detail.contains(&quoted))
        .filter_map(|check| check.step)
        .collect();
    let steps: BTreeSet<StepId> = right.steps().into_iter().collect();
    // Without the assignments nobody knows which roles are missing, so those steps are
    // not known to lack anything.
    if name == "RoleManagement.ReadWrite.Directory" {
        assert!(lacking.is_superset(&steps), "{name}: {lacking:?}");
    } else {
        assert_eq!(lacking, steps, "{name}: {:#?}", worked.state.checks);
    }
    for check in worked
        .state
        .checks
        .iter()
        .filter(|check| check.detail.contains(&quoted))
    {
        let to_whom = ["the app", "service principal"];
        assert!(
            to_whom.iter().any(|whom| check.detail.contains(whom))
                && check.detail.contains("Entra admin centre"),
            "{name}: {check:?}"
        );
    }
    if let Finished::Waits { why } = &worked.finished {
        assert!(why.contains(&quoted), "{name}: it waits: {why}");
    }
}

/// Every change that left has its evidence and its end; what was refused changed nothing.
fn leaves_nothing_half_done(right: Right, story: &Story) {
    let Ok(worked) = &story.refused else { return };
    for action in worked.state.actions.values() {
        let name = right.name();
        if action.intended.is_empty() {
            assert!(action.applied.is_none(), "{name}: {action:?}");
            continue;
        }
        assert!(action.before.is_some(), "{name}: no evidence: {action:?}");
        match &action.stopped {
            None => assert!(action.verified.is_some(), "{name}: {action:?}"),
            Some((_, why, message)) => {
                assert_eq!(*why, Stopped::Refused, "{name}: {message}");
                assert!(action.applied.is_none(), "{name}: {action:?}");
                assert!(message.contains(&format!("`{name}`")), "{name}: {message}");
            }
        }
    }
}

fn contains_where_it_can(right: Right, story: &Story) {
    let contained = story
        .refused
        .as_ref()
        .is_ok_and(|worked| worked.state.contained_since().is_some() || is_closed(&worked.state));
    assert_eq!(contained, !right.contains(), "{}", right.name());
    if right.contains() {
        let changed = story
            .refused
            .iter()
            .flat_map(|worked| worked.state.actions.values())
            .any(|action| !action.intended.is_empty());
        assert!(!changed, "{}: something was changed", right.name());
    }
}

fn is_closed(state: &State) -> bool {
    state.closed.is_some()
}

/// With the right, the same case goes on to the end that it has without the detour.
fn comes_to_a_clean_end(right: Right, story: &Story) {
    let name = right.name();
    assert_eq!(story.granted.finished, Finished::Closed, "{name}");
    assert_eq!(story.run.score.faults(), Vec::<String>::new(), "{name}");
    // Nothing that was not looked at for want of it is left in the record.
    assert_eq!(story.granted.state.lacking().count(), 0, "{name}");
}

#[test]
fn without_any_one_right_the_steps_that_need_it_fail_and_go_on_once_it_is_granted_1() {
    campaign(0, 3);
}

#[test]
fn without_any_one_right_the_steps_that_need_it_fail_and_go_on_once_it_is_granted_2() {
    campaign(1, 3);
}

#[test]
fn without_any_one_right_the_steps_that_need_it_fail_and_go_on_once_it_is_granted_3() {
    campaign(2, 3);
}

/// The default drill with exactly the declared set: clean, and no call that a step has
/// not declared.
#[test]
fn the_declared_set_is_enough_and_every_call_stands_in_the_table_of_its_steps() {
    let mut recorder = None;
    let run = run_with(&declared_only(), SEED, "retake", async |stage: Stage| {
        let desk = Desk::new(&stage)?;
        let way = Arc::new(Recorder::before(stage.transport.clone()));
        recorder = Some(Arc::clone(&way));
        let worked = Box::pin(desk.work(&stage, way, Conduct::default(), &Nobody)).await?;
        assert_eq!(worked.finished, Finished::Closed);
        assert!(
            worked
                .state
                .checks
                .iter()
                .all(|check| !check.detail.contains("cannot run")),
            "{:#?}",
            worked.state.checks
        );
        Ok::<_, RehearsalError>(Some(desk.export(&worked.case)?))
    })
    .unwrap();
    assert_eq!(run.score.faults(), Vec::<String>::new());

    let declared: BTreeSet<&str> = NEEDS
        .iter()
        .flat_map(|needs| needs.calls)
        .map(|call| call.id)
        .collect();
    let mut made = BTreeSet::new();
    for exchange in recorder.unwrap().exchanges() {
        let path = exchange.request.uri().path();
        if path.ends_with("/token") {
            continue;
        }
        let calls: Vec<&str> = CALLS
            .iter()
            .filter(|call| is(call, &exchange.request))
            .map(|call| call.id)
            .collect();
        assert!(!calls.is_empty(), "no call is {}", exchange.request.uri());
        assert!(
            calls.iter().any(|id| declared.contains(id)),
            "{} {} is one of {calls:?}, which no step declares",
            exchange.request.method(),
            exchange.request.uri()
        );
        made.extend(calls);
        for (inside, path) in Called::inside(&exchange.request) {
            let id = inside.spec.id;
            assert!(
                declared.contains(id),
                "{path} in a batch is {id}, which no step declares"
            );
            made.insert(id);
        }
    }
    // The other way round: what a step declares is made, but for what only other
    // tenants need, and what `tenant check` alone tries.
    let elsewhere = [
        "graph.audit.create_beta",
        "graph.audit.status_beta",
        "graph.audit.records_beta",
        "graph.methods.delete_beta",
        "graph.user.list",
        "graph.audit.list",
        // Nobody has a right on the mailbox in the default drill.
        "exchange.mailbox.give_full_access",
        "exchange.mailbox.remove_full_access",
        "exchange.mailbox.give_send_as",
        "exchange.mailbox.remove_send_as",
        "exchange.folders.give_right",
        "exchange.folders.set_right",
        "exchange.folders.remove_right",
        // What the attacker of another scenario leaves.
        "graph.methods.set_default",
        "graph.devices.disable",
        "graph.devices.enable",
        "graph.roles.remove",
        "graph.roles.give",
        "graph.apps.disable",
        "graph.apps.enable",
        "graph.apps.withdraw_role",
        "graph.user.set_other_mails",
        "graph.user.set_phones",
        // What an undo makes again.
        "graph.rules.create",
        "graph.grants.create",
        "graph.apps.assign_role",
        "exchange.rules.create",
        "exchange.sweep.create",
        // What `mailbox-persistence` leaves and the default drill does not.
        "exchange.recipient.read",
        "exchange.sweep.remove",
        "exchange.auto_reply.set",
        "exchange.junk.set",
        "exchange.protocols.set",
        "exchange.mobile.remove",
        "exchange.sending.lift",
    ];
    for id in declared {
        assert!(
            made.contains(id) || elsewhere.contains(&id),
            "no step of the default drill makes {id}"
        );
    }
}

/// Whether a request is this call: method, path, and for Exchange the cmdlet.
fn is(call: &CallSpec, request: &http::Request<bytes::Bytes>) -> bool {
    let segments = |path: &str| -> Vec<String> { path.split('/').map(str::to_owned).collect() };
    let (wanted, sent) = (segments(call.path_template), segments(request.uri().path()));
    let same_path = wanted.len() == sent.len()
        && wanted.iter().zip(&sent).all(|(wanted, sent)| {
            match (wanted.find('{'), wanted.rfind('}')) {
                (Some(open), Some(close)) => {
                    sent.starts_with(&wanted[..open]) && sent.ends_with(&wanted[close + 1..])
                }
                _ => wanted == sent,
            }
        });
    let body = String::from_utf8_lossy(request.body());
    let same_cmdlet = match call.does.rsplit_once('(') {
        Some((_, cmdlet)) if call.path_template.starts_with("/adminapi") => {
            body.contains(&format!("\"{}\"", cmdlet.trim_end_matches(')')))
        }
        _ => !call.path_template.starts_with("/adminapi"),
    };
    call.method.as_str() == request.method().as_str() && same_path && same_cmdlet
}

/// The unified audit log, where every audit search fails, with and without the
/// optional permission.
fn audit_without_the_search(feed: bool) -> (Source, bool) {
    let mut found = None;
    let run = run_with(&declared_only(), SEED, "retake", async |stage: Stage| {
        let desk = Desk::new(&stage)?.alone();
        if feed {
            let [optional] = OPTIONAL else {
                panic!("{OPTIONAL:?}");
            };
            assert!(lock(&stage.lab).set_permission(optional.name, true));
        }
        let aim = Aim {
            called: Called {
                spec: &AUDIT_QUERY_CREATE,
                token_for: None,
                in_batch: false,
            },
            kind: FaultKind::Status(500),
            from: 1,
            times: None,
        };
        let wire = FaultyWire::new(stage.transport.clone(), Some(aim));
        let worked =
            Box::pin(desk.work(&stage, Arc::new(wire), Conduct::default(), &Nobody)).await?;
        let (_, analysis) = worked.state.analysis.as_ref().unwrap();
        let mut sources = analysis.sources.iter();
        found = sources
            .find(|source| source.name.contains("unified audit"))
            .cloned();
        Ok::<_, RehearsalError>(Some(desk.export(&worked.case)?))
    })
    .unwrap();
    assert_eq!(run.score.claims_not_verified, []);
    let asked = run.trace.contains("/activity/feed/audit/");
    (found.unwrap(), asked)
}

#[test]
fn without_the_optional_feed_a_failing_audit_search_is_said_and_with_it_the_feed_is_read() {
    let (without, read) = audit_without_the_search(false);
    assert_eq!(without.looked, Looked::CouldNot, "{without:?}");
    // Why the search failed: that is what a person can do something about.
    assert!(without.code.is_some(), "{without:?}");
    let why = without.why.unwrap();
    assert!(
        why.contains("search of the unified audit log") && why.contains("500"),
        "{why}"
    );
    assert!(!why.contains("ActivityFeed"), "{why}");
    assert!(!read);

    let (with, read) = audit_without_the_search(true);
    assert!(read);
    assert_ne!(with.looked, Looked::CouldNot, "{with:?}");
}
