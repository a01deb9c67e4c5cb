//! What the response took away is brought back by a person's order: in any order, each
//! alone and all, and the tenant is as it was, or the result says what is not.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::future::{AbortHandle, abortable};
use http::{Method, Request, Response};
use retake_casefile::{Bundle, CaseId};
use retake_drill::score::{Case, changed_twice};
use retake_drill::{Desk, RehearsalError, Run, Stage, UndoOrder, profile, run_with, wire};
use retake_lab::{FaultKind, Scenario};
use retake_playbook::catalogue::Reverse;
use retake_playbook::event::{Applied, Stopped};
use retake_playbook::judge::{Verdict, judge};
use retake_playbook::undo::CannotUndo;
use retake_playbook::{ActionId, ActionKind, ObjectKind, State};
use retake_responder::{Conduct, Finished, UndoOutcome, Undone, Watched, Which};
use retake_tenant::Tenant;
use retake_tenant::edge::{BoxFuture, Transport, TransportError};
use serde_json::{Value, json};

use crate::response::Nobody;

const BY: &str = "Mara Keller";
const WHY: &str = "the owner made these rules";

/// What Graph and Exchange list of the account, without the ids that an object that is
/// made again cannot have again.
#[derive(Clone, Debug, PartialEq)]
struct Picture {
    enabled: bool,
    forwarding: Value,
    /// In their order; the last field says whether only Exchange shows it.
    rules: Vec<(i64, Value, bool)>,
    /// Exchange's identities of them, which are not compared.
    ids: Ids,
    grants: Vec<Value>,
}

/// Ids, which are new for whatever is made again: all are alike.
#[derive(Clone, Debug)]
struct Ids(Vec<String>);

impl PartialEq for Ids {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Picture {
    /// The rules whatever their order and whether they are hidden.
    fn rules_made(&self) -> Vec<String> {
        let mut rules: Vec<String> = self
            .rules
            .iter()
            .map(|(_, rule, _)| rule.to_string())
            .collect();
        rules.sort();
        rules
    }
}

/// A reading of the tenant with a client of its own, that knows nothing of any case.
async fn picture(stage: &Stage) -> Picture {
    let tenant = client(stage, Arc::new(stage.transport.clone()));
    let upn = wire::lock(&stage.lab).briefing().affected.clone();
    let user = tenant.user(&upn).await.unwrap().value;
    let shown = tenant.get_inbox_rules(&upn, false).await.unwrap().value;
    let all = tenant.get_inbox_rules(&upn, true).await.unwrap().value;
    let ids = Ids(all.iter().map(|rule| rule.identity.clone()).collect());
    let mut rules: Vec<(i64, Value, bool)> = all
        .iter()
        .map(|rule| {
            let visible = shown.iter().any(|other| other.identity == rule.identity);
            let mut row = serde_json::to_value(rule).unwrap();
            for id in ["Identity", "RuleIdentity", "Priority"] {
                row.as_object_mut().unwrap().remove(id);
            }
            // Of a recipient the address counts; the name before it is Exchange's.
            for list in ["ForwardTo", "RedirectTo", "ForwardAsAttachmentTo", "From"] {
                for recipient in row[list].as_array_mut().into_iter().flatten() {
                    let text = recipient.as_str().unwrap();
                    *recipient = json!(text[text.rfind('[').unwrap_or(0)..]);
                }
            }
            (rule.priority.unwrap(), row, !visible)
        })
        .collect();
    rules.sort_by_key(|(place, rule, _)| (*place, rule.to_string()));
    let forwarding = tenant.get_mailbox(&upn).await.unwrap().value.forwarding();
    let mut grants: Vec<Value> = tenant
        .grants_of_user(&user.id)
        .await
        .unwrap()
        .value
        .iter()
        .map(|grant| {
            let mut scopes: Vec<&str> = grant.scopes().collect();
            scopes.sort_unstable();
            json!([
                grant.client_id,
                grant.consent_type,
                grant.principal_id,
                grant.resource_id,
                scopes
            ])
        })
        .collect();
    grants.sort_by_key(Value::to_string);
    Picture {
        enabled: user.account_enabled.unwrap(),
        forwarding: serde_json::to_value(forwarding).unwrap(),
        rules,
        ids,
        grants,
    }
}

fn client(stage: &Stage, way: Arc<dyn Transport>) -> Tenant {
    Tenant::new(profile(stage, None), way, Arc::new(stage.time.clone()))
}

/// A closed case, the tenant before it, and everything needed to go on.
struct Closed<'a> {
    stage: &'a Stage,
    desk: &'a Desk,
    case: CaseId,
    before: Picture,
    after: Picture,
    /// The settings of the mailbox before the case.
    settings: Value,
}

impl Closed<'_> {
    fn state(&self) -> State {
        self.desk.state(&self.case).unwrap()
    }

    /// What was carried out, and whether the catalogue has a way back.
    fn actions(&self, reversible: bool) -> Vec<ActionId> {
        self.state()
            .actions
            .values()
            .filter(|action| action.verified.is_some() && action.planned.undoes.is_none())
            .filter(|action| !matches!(action.applied, Some((_, Applied::AlreadySo))))
            .filter(|action| {
                let back = matches!(action.planned.kind.spec().reverse, Reverse::By(_));
                back == reversible
            })
            .map(|action| action.planned.action)
            .collect()
    }

    async fn undo(&self, which: Which) -> Vec<Undone> {
        self.undo_through(
            which,
            Arc::new(self.stage.transport.clone()),
            Conduct::default(),
        )
        .await
    }

    async fn undo_through(
        &self,
        which: Which,
        way: Arc<dyn Transport>,
        conduct: Conduct,
    ) -> Vec<Undone> {
        let order = UndoOrder {
            case: &self.case,
            by: BY,
            reason: WHY,
            which: &which,
        };
        let tenant = client(self.stage, way);
        Box::pin(self.desk.undo(self.stage, &tenant, order, conduct, &Nobody))
            .await
            .unwrap()
    }

    /// What the case says of each undo, whichever command carried it out.
    fn as_the_case_has_it(&self) -> Vec<Undone> {
        let state = self.state();
        let undos = state.actions.values().filter_map(|undo| {
            let of = undo.planned.undoes?;
            let restored = state.restored.get(&undo.planned.action);
            let outcome = match &undo.stopped {
                Some((_, _, why)) => UndoOutcome::Stopped { why: why.clone() },
                None => UndoOutcome::Restored {
                    differs: restored
                        .map(|back| back.differs.clone())
                        .unwrap_or_default(),
                },
            };
            Some(Undone {
                action: of,
                title: undo.planned.title(),
                object: undo.planned.object.id.clone(),
                outcome,
            })
        });
        undos.collect()
    }

    fn kind(&self, action: ActionId) -> ActionKind {
        self.state().actions[&action].planned.kind
    }
}

/// Plays the default drill to its end and hands the closed case over.
fn after_the_case(seed: u64, then: impl AsyncFnOnce(&Closed<'_>)) -> Run {
    after_the_case_of("invoice-fraud", seed, then)
}

/// The settings of the mailbox that a response touches, without ids that are new for
/// whatever is made again.
async fn settings(stage: &Stage) -> Value {
    let tenant = client(stage, Arc::new(stage.transport.clone()));
    let upn = wire::lock(&stage.lab).briefing().affected.clone();
    let sweeps: Vec<Value> = tenant
        .get_sweep_rules(&upn)
        .await
        .unwrap()
        .value
        .iter()
        .map(|rule| {
            json!([
                rule.name,
                rule.sender,
                rule.keep_for_days,
                rule.keep_latest,
                rule.destination_folder
            ])
        })
        .collect();
    let reply = tenant.get_auto_reply(&upn).await.unwrap().value;
    let junk = tenant.get_junk_lists(&upn).await.unwrap().value;
    let access = tenant.get_protocols(&upn).await.unwrap().value;
    let sorted = |list: &[String]| {
        let mut list = list.to_vec();
        list.sort();
        list
    };
    let mut sweeps = sweeps;
    sweeps.sort_by_key(Value::to_string);
    json!({
        "sweep rules": sweeps,
        "reply": [reply.auto_reply_state, reply.internal_message, reply.external_message],
        "trusted": sorted(&junk.trusted_senders_and_domains),
        "blocked": sorted(&junk.blocked_senders_and_domains),
        "protocols": [access.imap_enabled, access.pop_enabled, access.ews_enabled, access.smtp_client_authentication_disabled],
    })
}

/// Plays a scenario to its end and hands the closed case over.
fn after_the_case_of(name: &str, seed: u64, then: impl AsyncFnOnce(&Closed<'_>)) -> Run {
    let scenario = Scenario::find(name).unwrap();
    run_with(&scenario, seed, "retake", async |stage: Stage| {
        let before = picture(&stage).await;
        let settings = settings(&stage).await;
        let desk = Desk::new(&stage)?;
        let way = Arc::new(stage.transport.clone());
        let worked = Box::pin(desk.work(&stage, way, Conduct::default(), &Nobody)).await?;
        assert_eq!(worked.finished, Finished::Closed);
        let closed = Closed {
            before,
            settings,
            after: picture(&stage).await,
            stage: &stage,
            desk: &desk,
            case: worked.case,
        };
        Box::pin(then(&closed)).await;
        let exported = desk.export(&closed.case)?;
        Ok::<_, RehearsalError>(Some(exported))
    })
    .unwrap()
}

/// The tenant is as it was before the case, but for what the results say.
fn is_as_before(closed: &Closed<'_>, now: &Picture, results: &[Undone]) {
    assert_eq!(now.enabled, closed.before.enabled);
    assert_eq!(now.forwarding, closed.before.forwarding);
    assert_eq!(now.grants, closed.before.grants);
    rules_are_as_before(closed, now, results);
    let hidden = |picture: &Picture| picture.rules.iter().filter(|(.., hidden)| *hidden).count();
    assert_eq!(
        hidden(&closed.before) - hidden(now),
        said(results, "was hidden"),
        "each rule that came back visible is named: {results:?}"
    );
}

/// Every rule of before is there, in the order of before; and beside them only those
/// that the attacker made during the case, at the top, which the case removed, too.
fn rules_are_as_before(closed: &Closed<'_>, now: &Picture, results: &[Undone]) {
    let state = closed.state();
    let mut made_since: Vec<&str> = results
        .iter()
        .map(|undone| &state.actions[&undone.action].planned.object)
        .filter(|object| object.kind == ObjectKind::InboxRule)
        .filter(|object| !closed.before.ids.0.contains(&object.id))
        .map(|object| object.name.as_deref().unwrap_or_default())
        .collect();
    let mut more: Vec<&Value> = Vec::new();
    let mut order = closed
        .before
        .rules
        .iter()
        .map(|(_, rule, _)| rule)
        .peekable();
    for (_, rule, _) in &now.rules {
        if order.peek() == Some(&rule) {
            order.next();
        } else {
            more.push(rule);
        }
    }
    // A rule without a name cannot be made: it is called something, and that is said.
    if let Some(nameless) = order.next() {
        let mut called = nameless.clone();
        called["Name"] = json!("(no name)");
        assert_eq!(
            said(results, "it had no name"),
            1,
            "{nameless} is missing: {results:?}"
        );
        let found = more.iter().position(|rule| **rule == called).unwrap();
        more.remove(found);
        let rest: Vec<&Value> = order.collect();
        for rule in rest {
            let found = more.iter().position(|other| *other == rule).unwrap();
            more.remove(found);
        }
    }
    let mut more: Vec<&str> = more
        .iter()
        .map(|rule| rule["Name"].as_str().unwrap_or_default())
        .collect();
    more.sort_unstable();
    made_since.sort_unstable();
    assert_eq!(more, made_since, "{results:?}");
}

/// How many of the results say this of what came back.
fn said(results: &[Undone], words: &str) -> usize {
    results
        .iter()
        .filter(|undone| match &undone.outcome {
            UndoOutcome::Restored { differs } => differs.iter().any(|text| text.contains(words)),
            _ => false,
        })
        .count()
}

/// An order that this seed gives, the same each time.
fn shuffled(mut actions: Vec<ActionId>, seed: u64) -> Vec<ActionId> {
    let mut number = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
    for last in (1..actions.len()).rev() {
        number = number
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let other = usize::try_from(number >> 33).unwrap() % (last + 1);
        actions.swap(last, other);
    }
    actions
}

#[test]
fn undo_of_all_brings_the_tenant_back_and_says_what_does_not_come_back() {
    for seed in [1, 7] {
        let run = after_the_case(seed, async |closed| {
            assert_ne!(closed.after.rules_made(), closed.before.rules_made());
            assert_ne!(closed.after.grants, closed.before.grants);
            let results = closed.undo(Which::All).await;
            let now = picture(closed.stage).await;
            is_as_before(closed, &now, &results);
            // What has no way back is named with the catalogue's reason, and only that.
            let refused: Vec<ActionId> = results
                .iter()
                .filter(|undone| {
                    matches!(
                        undone.outcome,
                        UndoOutcome::Refused(CannotUndo::Irreversible { .. })
                    )
                })
                .map(|undone| undone.action)
                .collect();
            let mut irreversible = closed.actions(false);
            irreversible.reverse();
            assert_eq!(refused, irreversible);
            let restored = results
                .iter()
                .filter(|undone| matches!(undone.outcome, UndoOutcome::Restored { .. }))
                .count();
            assert_eq!(restored, closed.actions(true).len(), "{results:?}");
        });
        // The judge has the trace: what the case says of the undos is what was read.
        assert_eq!(undos_claimed(&run), Vec::<String>::new());
        assert_eq!(twice(&run), []);
    }
}

#[test]
fn the_settings_of_a_mailbox_come_back_in_any_order() {
    for seed in 1..=2 {
        let run = after_the_case_of("mailbox-persistence", seed, async |closed| {
            assert_ne!(settings(closed.stage).await, closed.settings);
            let actions = shuffled(closed.actions(true), seed);
            let mine: Vec<ActionId> = actions
                .into_iter()
                .filter(|action| {
                    matches!(
                        closed.kind(*action),
                        ActionKind::RemoveSweepRule
                            | ActionKind::SwitchOffAutoReply
                            | ActionKind::RemoveJunkEntries
                            | ActionKind::RestoreProtocols
                    )
                })
                .collect();
            assert!(!mine.is_empty());
            let results = closed.undo(Which::These(mine.clone())).await;
            let restored = results
                .iter()
                .filter(|undone| matches!(undone.outcome, UndoOutcome::Restored { .. }))
                .count();
            assert_eq!(restored, mine.len(), "{results:?}");
            assert_eq!(settings(closed.stage).await, closed.settings, "seed {seed}");
        });
        assert_eq!(undos_claimed(&run), Vec::<String>::new());
        assert_eq!(twice(&run), []);
    }
}

/// What of the identity a response changes and an undo brings back.
async fn identity(stage: &Stage) -> Value {
    let tenant = client(stage, Arc::new(stage.transport.clone()));
    let upn = wire::lock(&stage.lab).briefing().affected.clone();
    let user = tenant.user(&upn).await.unwrap().value;
    let mut roles: Vec<Value> = tenant
        .app_roles_of_user(&user.id)
        .await
        .unwrap()
        .value
        .iter()
        .map(|held| json!([held.principal_id, held.resource_id, held.app_role_id]))
        .collect();
    roles.sort_by_key(Value::to_string);
    let devices = tenant.registered_devices(&user.id).await.unwrap().value;
    let on: Vec<Value> = devices
        .iter()
        .map(|device| json!([device.id, device.account_enabled]))
        .collect();
    json!({
        "roles": roles,
        "contacts": [user.other_mails, user.mobile_phone, user.business_phones],
        "devices": on,
    })
}

#[test]
fn devices_app_roles_and_reset_contacts_come_back_in_any_order() {
    let scenario = Scenario::find("device-code").unwrap();
    for seed in 1..=3 {
        let run = run_with(&scenario, seed, "retake", async |stage: Stage| {
            let before = (picture(&stage).await, settings(&stage).await);
            let was = identity(&stage).await;
            let desk = Desk::new(&stage)?;
            let way = Arc::new(stage.transport.clone());
            let worked = Box::pin(desk.work(&stage, way, Conduct::default(), &Nobody)).await?;
            assert_eq!(worked.finished, Finished::Closed);
            let closed = Closed {
                before: before.0,
                settings: before.1,
                after: picture(&stage).await,
                stage: &stage,
                desk: &desk,
                case: worked.case,
            };
            assert_ne!(identity(&stage).await, was);
            let mine: Vec<ActionId> = shuffled(closed.actions(true), seed)
                .into_iter()
                .filter(|action| {
                    matches!(
                        closed.kind(*action),
                        ActionKind::DisableDevice
                            | ActionKind::RemoveAppRole
                            | ActionKind::RestoreResetAttribute
                    )
                })
                .collect();
            assert!(mine.len() >= 3, "seed {seed}: {mine:?}");
            let results = closed.undo(Which::These(mine.clone())).await;
            let restored = results
                .iter()
                .filter(|undone| matches!(undone.outcome, UndoOutcome::Restored { .. }))
                .count();
            assert_eq!(restored, mine.len(), "seed {seed}: {results:?}");
            assert_eq!(identity(&stage).await, was, "seed {seed}");
            let exported = desk.export(&closed.case)?;
            Ok::<_, RehearsalError>(Some(exported))
        })
        .unwrap();
        assert_eq!(undos_claimed(&run), Vec::<String>::new());
        assert_eq!(twice(&run), []);
    }
}

#[test]
fn any_order_comes_to_the_same() {
    for seed in 1..=3 {
        after_the_case(2, async |closed| {
            let mut results = Vec::new();
            for action in shuffled(closed.actions(true), seed) {
                results.extend(closed.undo(Which::These(vec![action])).await);
            }
            assert!(
                results
                    .iter()
                    .all(|undone| matches!(undone.outcome, UndoOutcome::Restored { .. })),
                "{results:?}"
            );
            is_as_before(closed, &picture(closed.stage).await, &results);
        });
    }
}

#[test]
fn each_alone_changes_nothing_else_and_a_second_time_nothing_at_all() {
    after_the_case(3, async |closed| {
        let mut last = closed.after.clone();
        for action in closed.actions(true) {
            closed.undo(Which::These(vec![action])).await;
            let now = picture(closed.stage).await;
            match closed.kind(action) {
                ActionKind::BlockSignIn | ActionKind::RestoreSignIn => {
                    assert_eq!((&now.rules, &now.grants), (&last.rules, &last.grants));
                    assert_eq!(now.forwarding, last.forwarding);
                }
                ActionKind::ClearForwarding => {
                    assert_eq!((&now.rules, &now.grants), (&last.rules, &last.grants));
                    assert_eq!(now.forwarding, closed.before.forwarding);
                }
                ActionKind::RemoveGrant => {
                    assert_eq!((&now.rules, now.enabled), (&last.rules, last.enabled));
                    assert_eq!(now.grants.len(), last.grants.len() + 1);
                }
                ActionKind::RaiseRetention | ActionKind::HoldMailbox => {
                    assert_eq!((&now.rules, &now.grants), (&last.rules, &last.grants));
                    assert_eq!(now.enabled, last.enabled);
                }
                _ => {
                    assert_eq!((&now.grants, now.enabled), (&last.grants, last.enabled));
                    assert_eq!(now.rules.len(), last.rules.len() + 1);
                }
            }
            let records = closed.state().actions.len();
            let again = closed.undo(Which::These(vec![action])).await;
            assert!(
                matches!(
                    again[0].outcome,
                    UndoOutcome::Refused(CannotUndo::AlreadyUndone { .. })
                ),
                "{again:?}"
            );
            assert_eq!(closed.state().actions.len(), records);
            assert_eq!(picture(closed.stage).await, now);
            last = now;
        }
    });
}

#[test]
fn what_a_person_brought_back_is_kept_and_reopens_nothing() {
    after_the_case(1, async |closed| {
        closed.undo(Which::All).await;
        // The next look sees the rules again, and they are somebody's order now.
        let tenant = client(closed.stage, Arc::new(closed.stage.transport.clone()));
        let watched = Box::pin(
            closed
                .desk
                .watch(closed.stage, &tenant, &closed.case, &Nobody),
        )
        .await
        .unwrap();
        assert_eq!(watched, Watched::Quiet);
        let state = closed.state();
        let judged = judge(&state);
        let kept = judged
            .iter()
            .filter(|judgement| judgement.reasons == [format!("kept by order of {BY}: {WHY}")])
            .count();
        let back = closed.before.rules.len() - closed.after.rules.len();
        assert!(kept > back, "{judged:#?}");
        let footholds: Vec<_> = judged
            .iter()
            .filter(|judgement| judgement.verdict == Verdict::Foothold)
            .collect();
        assert!(footholds.is_empty(), "{footholds:#?}");
    });
}

/// A way to the tenant on which something happens to the request of this number that
/// makes something, before or after it is carried out.
struct Meddled {
    stage: Stage,
    /// Requests that make or set something, so far.
    changes: AtomicUsize,
    meddle: Meddle,
    life: Mutex<Option<AbortHandle>>,
}

#[derive(Clone, Copy)]
enum Meddle {
    /// The change of this number is answered with success, and nothing is done.
    WithoutEffect(usize),
    /// The process dies before the change of this number is sent.
    DeadBefore(usize),
    /// The process dies after it was carried out.
    DeadAfter(usize),
}

impl Meddled {
    fn on(stage: &Stage, meddle: Meddle) -> Arc<Self> {
        Arc::new(Self {
            stage: stage.clone(),
            changes: AtomicUsize::new(0),
            meddle,
            life: Mutex::default(),
        })
    }
}

impl Meddled {
    /// Nothing comes any more: whoever waits for this is gone.
    async fn die<T>(&self) -> T {
        if let Some(life) = self.life.lock().unwrap().take() {
            life.abort();
        }
        std::future::pending().await
    }
}

impl Transport for Meddled {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let change = request.method() == Method::PATCH
                || String::from_utf8_lossy(request.body()).contains("New-InboxRule")
                || String::from_utf8_lossy(request.body()).contains("Set-Mailbox")
                || (request.method() == Method::POST
                    && (request.uri().path().ends_with("/messageRules")
                        || request.uri().path().ends_with("/oauth2PermissionGrants")));
            if !change {
                return self.stage.transport.send(request).await;
            }
            let number = self.changes.fetch_add(1, Ordering::SeqCst);
            match self.meddle {
                Meddle::WithoutEffect(which) if which == number => {
                    let fault = Some(FaultKind::SuccessWithoutEffect);
                    self.stage.transport.send_with(request, fault).await
                }
                Meddle::DeadBefore(which) if which == number => self.die().await,
                Meddle::DeadAfter(which) if which == number => {
                    let _ = self.stage.transport.send(request).await;
                    self.die().await
                }
                _ => self.stage.transport.send(request).await,
            }
        })
    }
}

#[test]
fn an_undo_that_was_killed_anywhere_goes_on_and_changes_nothing_twice() {
    // A rule, a consent and the forwarding, sent and not answered; a rule not sent.
    for meddle in [
        Meddle::DeadAfter(0),
        Meddle::DeadBefore(1),
        Meddle::DeadAfter(2),
        Meddle::DeadAfter(4),
    ] {
        let run = after_the_case(5, async |closed| {
            let way = Meddled::on(closed.stage, meddle);
            let undo = closed.undo_through(Which::All, way.clone(), Conduct::default());
            let (undo, life) = abortable(undo);
            *way.life.lock().unwrap() = Some(life);
            assert!(undo.await.is_err(), "it was to be killed");
            let broken_off = picture(closed.stage).await;
            assert_ne!(broken_off.rules_made(), closed.before.rules_made());
            closed.undo(Which::All).await;
            let settled = closed.as_the_case_has_it();
            let now = picture(closed.stage).await;
            rules_are_as_before(closed, &now, &settled);
            assert_eq!(now.grants, closed.before.grants);
            assert_eq!(now.forwarding, closed.before.forwarding);
            assert_eq!(now.enabled, closed.before.enabled);
            let state = closed.state();
            let orders: Vec<usize> = state
                .undo_orders
                .iter()
                .map(|order| order.actions.len())
                .collect();
            assert_eq!(
                orders.len(),
                1,
                "the second command finished the first order"
            );
        });
        assert_eq!(twice(&run), []);
    }
}

#[test]
fn what_somebody_made_again_or_changed_meanwhile_stops_that_action_alone() {
    after_the_case(1, async |closed| {
        // Somebody sets another forwarding, and makes a rule of the same name that does
        // something else.
        let tenant = client(closed.stage, Arc::new(closed.stage.transport.clone()));
        let upn = wire::lock(&closed.stage.lab).briefing().affected.clone();
        let state = closed.state();
        let rule = state
            .actions
            .values()
            .find(|action| action.planned.kind == ActionKind::RemoveInboxRule)
            .unwrap();
        let name = rule.planned.object.name.clone().unwrap();
        let other = serde_json::from_value(json!({
            "id": "", "displayName": name, "isEnabled": true,
            "conditions": {"subjectContains": ["canteen"]}, "actions": {"markAsRead": true}}))
        .unwrap();
        let made = tenant.prepare_create_graph_rule(&upn, &other).unwrap();
        tenant.submit(&made).await.unwrap();

        let results = closed.undo(Which::All).await;
        let stopped: Vec<&Undone> = results
            .iter()
            .filter(|undone| matches!(undone.outcome, UndoOutcome::Stopped { .. }))
            .collect();
        let [stopped] = stopped.as_slice() else {
            panic!("{results:#?}")
        };
        assert_eq!(stopped.action, rule.planned.action);
        let UndoOutcome::Stopped { why } = &stopped.outcome else {
            unreachable!()
        };
        assert!(why.contains("somebody made or changed it"), "{why}");
        assert!(
            why.contains("conditions:") && why.contains("canteen"),
            "{why}"
        );
        let state = closed.state();
        let undo = state
            .actions
            .values()
            .find(|action| action.planned.undoes == Some(rule.planned.action))
            .unwrap();
        assert!(undo.intended.is_empty(), "nothing was sent");
        assert!(matches!(undo.stopped, Some((_, Stopped::Changed, _))));
        // Everything else came back.
        let now = picture(closed.stage).await;
        assert_eq!(now.grants, closed.before.grants);
        assert!(now.rules.len() >= closed.before.rules.len());
    });
}

#[test]
fn what_was_accepted_and_not_done_is_not_called_undone() {
    for number in 0..3 {
        let run = after_the_case(1, async |closed| {
            let way = Meddled::on(closed.stage, Meddle::WithoutEffect(number));
            let results = closed
                .undo_through(Which::All, way, Conduct::default())
                .await;
            let stopped: Vec<&Undone> = results
                .iter()
                .filter(|undone| matches!(undone.outcome, UndoOutcome::Stopped { .. }))
                .collect();
            assert_eq!(stopped.len(), 1, "{results:#?}");
        });
        let claimed = undos_claimed(&run);
        assert!(claimed.is_empty(), "{claimed:?}");
    }
}

#[test]
fn an_undo_that_skips_the_reading_back_is_caught() {
    let run = after_the_case(1, async |closed| {
        let way = Meddled::on(closed.stage, Meddle::WithoutEffect(0));
        let careless = Conduct::default().without_read_back();
        let results = closed.undo_through(Which::All, way, careless).await;
        assert!(
            !results
                .iter()
                .any(|undone| matches!(undone.outcome, UndoOutcome::Stopped { .. })),
            "it claims everything: {results:?}"
        );
        assert_ne!(picture(closed.stage).await, closed.before);
    });
    assert!(!undos_claimed(&run).is_empty());
}

/// The actions whose requests took effect more than once.
fn twice(run: &Run) -> Vec<(ActionId, Vec<u64>)> {
    let bundle = Bundle::from_bytes(run.case.clone().unwrap(), None).unwrap();
    changed_twice(&run.trace, &Case::from(&bundle)).unwrap()
}

/// The undos that the case calls verified and the trace does not bear out.
fn undos_claimed(run: &Run) -> Vec<String> {
    let bundle = Bundle::from_bytes(run.case.clone().unwrap(), None).unwrap();
    let state = State::fold(
        bundle
            .records()
            .iter()
            .map(|record| (record.at, &record.event)),
    );
    let verified = |object: &str| {
        state.actions.values().any(|undo| {
            undo.planned.undoes.is_some()
                && undo.verified.is_some()
                && undo.planned.object.id == object
        })
    };
    run.score
        .claims_not_verified
        .iter()
        .filter(|claim| verified(&claim.object))
        .map(|claim| format!("{claim:?}"))
        .collect()
}
