//! Changing: one action from intent to verification.
//!
//! ```text
//! read before ─▶ keep it ─▶ intend (durable) ─▶ change ─▶ applied ─▶ read after ─▶ verified
//! ```
//!
//! The journal is written before the call and after it. Whoever finds an intent
//! without an outcome reads the tenant first: the effect may be there already.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use retake_playbook::codes::{self, Code};
use retake_playbook::event::{Account, Applied, Event, Facts, Observed, Planned, Stopped};
use retake_playbook::judge::{JunkList, junk_entries, preference, reopened};
use retake_playbook::machine::Phase;
use retake_playbook::state::ActionState;
use retake_playbook::undo::CannotUndo;
use retake_playbook::{ActionId, ActionKind, Digest, ObjectKind, State, plan};
use retake_tenant::edge::{Clock, Entropy};
use retake_tenant::model::{AutoReply, Forwarding, Keeping, MethodKind};
use retake_tenant::{Kind, Prepared, Tenant, TenantError};
use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::case::Case;
use crate::conduct::Conduct;
use crate::difference::difference;
use crate::error::ResponderError;
use crate::evidence::{keep, request};
use crate::explain::ByHand;
use crate::observe::identity;
use crate::observe::{account_of, is_named, observe, record, user_key};
use crate::undo::{NoWay, Past, Shown, prepare_reverse, shows_reversed};
use crate::{preflight, protect};

/// How long block and revoke each wait for the state before them (architecture,
/// "Throttled or failing sources never hold up containment").
const QUICK_EVIDENCE: Duration = Duration::from_secs(2);
/// When a change is read back, counted from one reading to the next: two minutes
/// in all, because the directory may answer with an older state (reference §2.1).
const READ_BACK: [u64; 8] = [0, 1, 2, 4, 8, 15, 30, 60];
/// How often an effect of unknown outcome is looked for before the change is sent again.
const LOOK_AGAIN: [u64; 3] = [0, 2, 5];
/// How far the tenant's clock may be from ours.
const SKEW: SignedDuration = SignedDuration::from_mins(10);

/// What it takes to carry out actions.
pub(crate) struct Hand<'a> {
    pub(crate) case: &'a Case<'a>,
    pub(crate) tenant: &'a Tenant,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) entropy: &'a dyn Entropy,
    pub(crate) conduct: Conduct,
}

/// What a reading says about an action.
struct Look {
    /// Whether the tenant shows what the action wants.
    done: bool,
    /// The object as it is, if it is there.
    object: Option<Observed>,
    /// The answer that says so.
    evidence: Digest,
    /// What somebody else made or changed there since, where a change is taken back.
    in_the_way: Option<String>,
    /// What came back and is not as it was, where a change is taken back.
    differs: Vec<String>,
}

impl Hand<'_> {
    /// Carries out one action, from wherever its journal left it.
    pub(crate) async fn carry_out(&self, action: ActionId) -> Result<(), ResponderError> {
        match self.send(action).await? {
            Some((planned, sent_at)) => self.read_back(&planned, sent_at).await,
            None => Ok(()),
        }
    }

    /// Block and revoke. The revoke waits for a block that the tenant shows not to be
    /// there: whoever is thrown out could sign in again. It does not wait for a tenant
    /// that does not answer for the account in time: the attacker's sessions must not
    /// live on meanwhile (product, tenet 2). What was not seen is read back after both.
    pub(crate) async fn contain(&self, actions: &[ActionId]) -> Result<(), ResponderError> {
        let quick = self.tenant.with_deadline(QUICK_EVIDENCE);
        let mut unseen = Vec::new();
        for action in actions {
            if let Some((planned, sent_at)) = self.send(*action).await? {
                match self.look_with(&quick, &planned, Some(sent_at)).await? {
                    Ok(look) if look.done && self.conduct.read_back => {
                        self.case.append(Event::ActionVerified {
                            action: *action,
                            evidence: look.evidence,
                        })?;
                    }
                    Ok(_) => self.read_back(&planned, sent_at).await?,
                    Err(_) => unseen.push((planned, sent_at)),
                }
            }
            let stopped = self.case.with_state(|state| {
                state
                    .actions
                    .get(action)
                    .is_some_and(|action| action.stopped.is_some())
            });
            if stopped {
                break;
            }
        }
        for (planned, sent_at) in unseen {
            self.read_back(&planned, sent_at).await?;
        }
        Ok(())
    }

    /// Brings one action to where the tenant has accepted it; with the time from
    /// which its effect has to show. Nothing where there is nothing to read back.
    async fn send(&self, action: ActionId) -> Result<Option<(Planned, Timestamp)>, ResponderError> {
        let Some(state) = self
            .case
            .with_state(|state| state.actions.get(&action).cloned())
        else {
            return Ok(None);
        };
        if state.settled() {
            return Ok(None);
        }
        let applied = match (&state.applied, state.intended.last()) {
            (Some((at, _)), _) => Some(*at),
            (None, Some((at, _))) => self.find_effect(&state, *at).await?,
            (None, None) => None,
        };
        let applied = match applied {
            Some(at) => Some(at),
            None => self.change(&state).await?,
        };
        Ok(applied.map(|at| (state.planned, at)))
    }

    /// An intent without an outcome: somebody died between the two. What the
    /// tenant shows decides; a change that may be repeated is sent again.
    async fn find_effect(
        &self,
        state: &ActionState,
        intended: Timestamp,
    ) -> Result<Option<Timestamp>, ResponderError> {
        let action = state.planned.action;
        if state.planned.kind == ActionKind::ResetPassword {
            // The secret died with the process; whether or not it took effect,
            // a new one is set.
            return Ok(None);
        }
        // What is made must not be made twice: it is looked for as long as a directory
        // may answer with an older state.
        let waits: &[u64] = if state.planned.undoes.is_some() {
            &READ_BACK
        } else {
            &LOOK_AGAIN
        };
        for wait in waits {
            self.pause(*wait).await;
            match self.look(&state.planned, Some(intended)).await? {
                Ok(look) if look.done => {
                    self.case.append(Event::ActionApplied {
                        action,
                        status: None,
                        how: Applied::FoundByReading,
                    })?;
                    return Ok(Some(intended));
                }
                Ok(_) | Err(_) => {}
            }
        }
        Ok(None)
    }

    /// Reads, keeps, intends, changes. Returns when the change was accepted.
    async fn change(&self, state: &ActionState) -> Result<Option<Timestamp>, ResponderError> {
        let planned = &state.planned;
        if let Some(other) = self.remains_before(planned) {
            self.stop(
                planned,
                Stopped::Changed,
                format!(
                    "it is the default method and cannot go while others remain, and \"{other}\" could not be removed"
                ),
                codes::REFUSED,
            )?;
            return Ok(None);
        }
        let before = match self.before(planned).await? {
            Before::Known(digest) => Some(digest),
            Before::Unknown => None,
            Before::AlreadySo(evidence) => {
                return self.already_so(planned, evidence).map(|()| None);
            }
            Before::Stopped => return Ok(None),
        };
        let prepared = match self.request_of(planned) {
            Ok(prepared) => prepared,
            Err(NoWay::Tenant(error)) => return self.refused(planned, &error).await.map(|()| None),
            Err(NoWay::Cannot(cannot)) => {
                let why = cannot.to_string();
                self.stop(planned, Stopped::NoEvidence, why, cannot.code())?;
                return Ok(None);
            }
        };
        self.case.append(Event::ActionIntended {
            action: planned.action,
            request: request(prepared.request()),
            before,
            attempt: u32::try_from(state.intended.len()).unwrap_or(u32::MAX),
        })?;
        let sent_at = self.case.now();
        match self.tenant.submit(&prepared).await {
            Err(error) if !self.conduct.errors => {
                self.applied(planned, error.status, Applied::Accepted)?;
                Ok(Some(sent_at))
            }
            Ok(change) => {
                if !change.warnings.is_empty() {
                    // What a change cost besides stands in its answer alone.
                    keep(self.case, "warnings of Exchange", &change.answers)?;
                    for warning in &change.warnings {
                        self.case.note(&format!("Exchange warns: {warning}"));
                    }
                }
                self.applied(planned, Some(change.status), Applied::Accepted)?;
                Ok(Some(sent_at))
            }
            // Gone is what a removal wants.
            Err(error) if error.kind == Kind::NotFound && removes(planned) => {
                self.applied(planned, error.status, Applied::FoundByReading)?;
                Ok(Some(sent_at))
            }
            // It is there already: reading says whether as it was.
            Err(error) if error.kind == Kind::Conflict && planned.undoes.is_some() => {
                self.uncertain(planned, sent_at, &error).await
            }
            Err(error) if error.effect_unknown() => self.uncertain(planned, sent_at, &error).await,
            Err(error) => self.refused(planned, &error).await.map(|()| None),
        }
    }

    fn applied(
        &self,
        planned: &Planned,
        status: Option<u16>,
        how: Applied,
    ) -> Result<(), ResponderError> {
        self.case.append(Event::ActionApplied {
            action: planned.action,
            status,
            how,
        })?;
        Ok(())
    }

    /// The answer left open whether the change was carried out.
    async fn uncertain(
        &self,
        planned: &Planned,
        sent_at: Timestamp,
        error: &TenantError,
    ) -> Result<Option<Timestamp>, ResponderError> {
        self.case
            .note(&format!("{error}; reading whether it was carried out"));
        for wait in READ_BACK {
            self.pause(wait).await;
            if let Ok(look) = self.look(planned, Some(sent_at)).await?
                && look.done
            {
                self.applied(planned, None, Applied::FoundByReading)?;
                return Ok(Some(sent_at));
            }
        }
        self.stop(
            planned,
            Stopped::Unreachable,
            error.to_string(),
            code_of(error),
        )?;
        Ok(None)
    }

    async fn refused(&self, planned: &Planned, error: &TenantError) -> Result<(), ResponderError> {
        let why = match error.kind {
            // It may go once others are gone: it is planned again (reference §2.3).
            Kind::DefaultMethod | Kind::Conflict | Kind::PreconditionFailed => Stopped::Changed,
            Kind::Throttled
            | Kind::Unreachable { .. }
            | Kind::TimedOut { .. }
            | Kind::BadAnswer { .. }
            | Kind::Server { .. } => Stopped::Unreachable,
            _ => Stopped::Refused,
        };
        let said = error.to_string();
        // Granting more of what does not count would not help: who is protected,
        // and by what, is looked up before anybody is told what to grant.
        let protection = match self.case.with_state(user_key) {
            Some(user) if concerns_account(planned.kind) => {
                protect::of_account(self.tenant, &user, error).await
            }
            _ => None,
        };
        let (hint, code) = if let Some(protection) = protection {
            (protection, codes::PROTECTED)
        } else {
            let tokens = preflight::tokens(self.tenant).await;
            let next = preflight::after_refusal(&tokens, error);
            (next.unwrap_or_else(|| error.hint()), code_of(error))
        };
        let message = format!("{}. {hint}", said.trim_end_matches('.'));
        self.stop(planned, why, message, code)
    }

    fn stop(
        &self,
        planned: &Planned,
        why: Stopped,
        message: String,
        code: Code,
    ) -> Result<(), ResponderError> {
        self.case.append(Event::ActionStopped {
            action: planned.action,
            why,
            message,
            code: code.id.to_owned(),
        })?;
        Ok(())
    }

    fn already_so(&self, planned: &Planned, evidence: Digest) -> Result<(), ResponderError> {
        self.applied(planned, None, Applied::AlreadySo)?;
        self.case.append(Event::ActionVerified {
            action: planned.action,
            evidence,
        })?;
        Ok(())
    }

    /// The state before, kept; and whether it still is what the plan was made from.
    async fn before(&self, planned: &Planned) -> Result<Before, ResponderError> {
        if !self.conduct.evidence {
            return Ok(Before::Unknown);
        }
        // Quick evidence has a deadline, not a veto (product, tenet 2).
        let urgent = self
            .case
            .with_state(|state| state.phase == Phase::Containing);
        let look = if urgent {
            let quick = self.tenant.with_deadline(QUICK_EVIDENCE);
            self.look_with(&quick, planned, None).await?
        } else {
            self.look(planned, None).await?
        };
        let look = match look {
            Ok(look) => look,
            Err(error) if urgent => {
                self.case.append(Event::AccountUnread {
                    why: format!("before-state unknown: {error}"),
                })?;
                return Ok(Before::Unknown);
            }
            Err(error) => {
                self.stop(
                    planned,
                    Stopped::NoEvidence,
                    error.to_string(),
                    codes::NO_EVIDENCE,
                )?;
                return Ok(Before::Stopped);
            }
        };
        if look.done && !planned.kind.spec().repeatable {
            self.restored(planned, &look)?;
            return Ok(Before::AlreadySo(look.evidence));
        }
        if let Some(message) = look.in_the_way {
            self.stop(planned, Stopped::Changed, message, codes::OBJECT_CHANGED)?;
            return Ok(Before::Stopped);
        }
        match (&planned.observed, &look.object) {
            (Some(observed), Some(object))
                if object.digest != *observed && planned.undoes.is_none() =>
            {
                let message = self.changed_since(observed, object)?;
                self.stop(planned, Stopped::Changed, message, codes::OBJECT_CHANGED)?;
                Ok(Before::Stopped)
            }
            _ => Ok(Before::Known(look.evidence)),
        }
    }

    /// In which fields an object differs from what the plan was made from.
    fn changed_since(&self, planned: &Digest, now: &Observed) -> Result<String, ResponderError> {
        let was = self.case.with_state(|state| {
            state
                .snapshots
                .iter()
                .flat_map(|snapshot| &snapshot.objects)
                .find(|seen| seen.object.id == now.object.id && seen.digest == *planned)
                .map(|seen| seen.facts.clone())
        });
        let differences = match was {
            Some(was) => difference(&was, &now.facts)?.join("; "),
            None => format!("now it is {}", serde_json::to_string(&now.facts)?),
        };
        Ok(format!(
            "it is no longer what the plan was made from: {differences}. It was left as it is, and is judged anew"
        ))
    }

    /// Asked is not done: the tenant has to show it.
    async fn read_back(&self, planned: &Planned, sent_at: Timestamp) -> Result<(), ResponderError> {
        if !self.conduct.read_back {
            let claimed = self.case.with_state(|state| {
                state
                    .actions
                    .get(&planned.action)
                    .and_then(|action| action.before.clone())
            });
            if let Some(evidence) = claimed {
                self.case.append(Event::ActionVerified {
                    action: planned.action,
                    evidence,
                })?;
                return Ok(());
            }
        }
        let mut last = None;
        for wait in READ_BACK {
            self.pause(wait).await;
            match self.look(planned, Some(sent_at)).await? {
                Ok(look) if look.done => {
                    self.restored(planned, &look)?;
                    self.case.append(Event::ActionVerified {
                        action: planned.action,
                        evidence: look.evidence,
                    })?;
                    return Ok(());
                }
                Ok(_) => last = None,
                Err(error) => last = Some(error),
            }
        }
        match last {
            Some(error) => self.stop(
                planned,
                Stopped::Unreachable,
                error.to_string(),
                code_of(&error),
            ),
            None => self.stop(
                planned,
                Stopped::NoEffect,
                format!(
                    "the tenant accepted it, and for two minutes did not show it: {}",
                    match planned.undoes {
                        None => planned.kind.spec().verification,
                        Some(_) => "the object is not there as it was before",
                    }
                ),
                codes::NO_EFFECT,
            ),
        }
    }

    async fn look(
        &self,
        planned: &Planned,
        since: Option<Timestamp>,
    ) -> Result<Result<Look, TenantError>, ResponderError> {
        self.look_with(self.tenant, planned, since).await
    }

    /// Reads the object of an action. With `since`, a change counts as done only
    /// if the tenant dates it not before then.
    async fn look_with(
        &self,
        tenant: &Tenant,
        planned: &Planned,
        since: Option<Timestamp>,
    ) -> Result<Result<Look, TenantError>, ResponderError> {
        let Some(user) = self.case.with_state(user_key) else {
            return Ok(Err(no_answer()));
        };
        if let Some(of) = planned.undoes {
            return self.look_for_undone(tenant, &user, of).await;
        }
        match planned.object.kind {
            ObjectKind::Account | ObjectKind::Session | ObjectKind::Password => {
                let read = match tenant.user(&user).await {
                    Ok(read) => read,
                    Err(error) => return Ok(Err(error)),
                };
                let digests = keep(self.case, "account", &read.answers)?;
                let account = account_of(&read.value, None);
                let before = since.and_then(|_| self.account_before(planned));
                let done = account_shows(planned.kind, &account, since, before.as_ref());
                Ok(last(digests).map(|evidence| Look::of(done, None, evidence)))
            }
            kind => {
                let seen = if kind == ObjectKind::ServicePrincipal {
                    identity::app(tenant, &planned.object.id).await
                } else {
                    observe(tenant, &user, kind).await
                };
                let seen = match seen {
                    Ok(seen) => seen,
                    Err(error) => return Ok(Err(error)),
                };
                let whole = seen.listed;
                // Every object of a kind stands in the list that is read first; rules
                // go by Exchange's identity, and that list is Exchange's.
                let mut kept = keep(
                    self.case,
                    retake_playbook::judge::source_of(kind),
                    &seen.answers,
                )?
                .into_iter();
                // Which method is the default stands in an answer of its own, the last.
                let evidence = if planned.kind == ActionKind::ChooseDefaultMethod && since.is_some()
                {
                    kept.next_back()
                } else {
                    kept.next()
                };
                let object = record(self.case, kind, seen)?.into_iter().find(|observed| {
                    observed.object.kind == kind && is_named(observed, &planned.object.id)
                });
                let done = match &object {
                    // An incomplete list proves no absence.
                    None => whole && removes(planned),
                    Some(observed) => self
                        .case
                        .with_state(|state| cleared(state, planned.kind, observed)),
                };
                Ok(evidence.map_or_else(
                    || Err(no_answer()),
                    |evidence| Ok(Look::of(done, object, evidence)),
                ))
            }
        }
    }

    /// Reads whether the object of an action is as it was before that action.
    async fn look_for_undone(
        &self,
        tenant: &Tenant,
        user: &str,
        of: ActionId,
    ) -> Result<Result<Look, TenantError>, ResponderError> {
        let state = self.case.state();
        let Some(action) = state.actions.get(&of) else {
            return Ok(Err(no_answer()));
        };
        if let Some(allowed) = retake_playbook::undo::sign_in_without(&state, of) {
            let read = match tenant.user(user).await {
                Ok(read) => read,
                Err(error) => return Ok(Err(error)),
            };
            let digests = keep(self.case, "account", &read.answers)?;
            let done = account_of(&read.value, None).enabled == allowed;
            return Ok(last(digests).map(|evidence| Look::of(done, None, evidence)));
        }
        let kind = action.planned.object.kind;
        let seen = match observe(tenant, user, kind).await {
            Ok(seen) => seen,
            Err(error) => return Ok(Err(error)),
        };
        let past = Past::new(self.case, &state, action);
        let shown: Shown = shows_reversed(&past, &seen.objects);
        let source = retake_playbook::judge::source_of(kind);
        let evidence = keep(self.case, source, &seen.answers)?.into_iter().next();
        let object = record(self.case, kind, seen)?.into_iter().find(|observed| {
            observed.object.kind == kind && shown.object.as_ref() == Some(&observed.object.id)
        });
        Ok(evidence.map_or_else(
            || Err(no_answer()),
            |evidence| {
                Ok(Look {
                    done: object.is_some(),
                    object,
                    evidence,
                    in_the_way: shown.in_the_way,
                    differs: shown.differs,
                })
            },
        ))
    }

    /// Writes what an undo brought back, and in what it is not as it was.
    fn restored(&self, planned: &Planned, look: &Look) -> Result<(), ResponderError> {
        let (Some(_), Some(object)) = (planned.undoes, &look.object) else {
            return Ok(());
        };
        let mut differs = look.differs.clone();
        if object.object.id != planned.object.id {
            differs.insert(0, format!("it has a new id: {}", object.object.id));
        }
        self.case.append(Event::ObjectRestored {
            action: planned.action,
            object: object.clone(),
            differs,
        })?;
        Ok(())
    }

    /// The request of an action, or of its undo.
    fn request_of(&self, planned: &Planned) -> Result<Prepared, NoWay> {
        let Some(of) = planned.undoes else {
            return Ok(self.prepare(planned, true)?);
        };
        let state = self.case.state();
        let Some(action) = state.actions.get(&of) else {
            return Err(NoWay::Cannot(CannotUndo::NoSuchAction(of)));
        };
        prepare_reverse(self.tenant, &Past::new(self.case, &state, action))
    }

    /// The account as it was kept before this action was sent.
    fn account_before(&self, planned: &Planned) -> Option<Account> {
        let digest = self.case.with_state(|state| {
            state
                .actions
                .get(&planned.action)
                .and_then(|action| action.before.clone())
        })?;
        let bytes = self.case.evidence(&digest)?;
        serde_json::from_slice(&bytes)
            .ok()
            .map(|user| account_of(&user, None))
    }

    /// Another method of the plan that should have gone before this one, the default,
    /// and did not: the tenant would refuse this one too (reference §2.3).
    fn remains_before(&self, planned: &Planned) -> Option<String> {
        self.case.with_state(|state| {
            let default = matches!(
                facts(state, planned),
                Some(Facts::Method { default: true, .. })
            );
            if !default || !planned.makes(ActionKind::RemoveMethod) {
                return None;
            }
            state
                .plan_actions()
                .filter(|action| action.planned.kind == ActionKind::RemoveMethod)
                // Several may be of the kind that is the default, and one of them is it:
                // a refusal tells which, and the others can go.
                .filter(|action| {
                    !matches!(
                        facts(state, &action.planned),
                        Some(Facts::Method { default: true, .. })
                    )
                })
                .find(|action| action.stopped.is_some())
                .map(|action| {
                    let object = &action.planned.object;
                    object.name.clone().unwrap_or_else(|| object.id.clone())
                })
        })
    }

    /// The request of an action. Without `for_real` a password is a placeholder.
    fn prepare(&self, planned: &Planned, for_real: bool) -> Result<Prepared, TenantError> {
        let state = self.case.state();
        let user = user_key(&state).unwrap_or_default();
        let tenant = self.tenant;
        match planned.kind {
            ActionKind::BlockSignIn => tenant.prepare_block(&user),
            ActionKind::RestoreSignIn => tenant.prepare_unblock(&user),
            ActionKind::RevokeSessions => tenant.prepare_revoke(&user),
            ActionKind::ResetPassword => {
                let password = if for_real {
                    random_password(self.entropy)
                } else {
                    SecretString::from("not-the-password".to_owned())
                };
                tenant.prepare_reset_password(&user, password, true)
            }
            ActionKind::RemoveMethod => {
                let kind = match facts(&state, planned) {
                    Some(Facts::Method { method, .. }) => MethodKind::of(method),
                    _ => MethodKind::Unknown,
                };
                tenant.prepare_delete_method(&user, kind, &planned.object.id)
            }
            ActionKind::RemoveInboxRule => {
                let id = match facts(&state, planned) {
                    Some(Facts::InboxRule {
                        graph_id: Some(id), ..
                    }) => id,
                    _ => &planned.object.id,
                };
                tenant.prepare_delete_graph_rule(&user, id)
            }
            ActionKind::RemoveHiddenRule | ActionKind::RemoveRuleInExchange => {
                tenant.prepare_remove_inbox_rule(&user, &planned.object.id)
            }
            ActionKind::ClearForwarding => {
                tenant.prepare_set_forwarding(&user, &Forwarding::default())
            }
            ActionKind::RaiseRetention => tenant.prepare_set_keeping(
                &user,
                Keeping {
                    single_item_recovery: Some(true),
                    retain_days: Some(plan::RETAIN_DAYS),
                    litigation_hold: None,
                },
            ),
            ActionKind::HoldMailbox => tenant.prepare_set_keeping(
                &user,
                Keeping {
                    litigation_hold: Some(true),
                    ..Keeping::default()
                },
            ),
            ActionKind::RemoveGrant => tenant.prepare_delete_grant(&planned.object.id),
            ActionKind::RemoveSweepRule => {
                tenant.prepare_remove_sweep_rule(&user, &planned.object.id)
            }
            ActionKind::SwitchOffAutoReply => {
                tenant.prepare_set_auto_reply(&user, &AutoReply::default())
            }
            ActionKind::RemoveJunkEntries => {
                let entries = seen(&state, planned)
                    .map(|observed| junk_entries(&state, observed).0)
                    .unwrap_or_default();
                let lists: Vec<(&str, Vec<String>)> = JunkList::ALL
                    .into_iter()
                    .map(|list| {
                        let of_list = entries.iter().filter(|entry| entry.list == list);
                        (
                            list.parameter(),
                            of_list.map(|entry| entry.entry.clone()).collect(),
                        )
                    })
                    .collect();
                tenant.prepare_change_junk_lists(&user, &lists, false)
            }
            ActionKind::RestoreProtocols => {
                let switches: Vec<(&str, Option<bool>)> = seen(&state, planned)
                    .map(|observed| reopened(&state, observed))
                    .unwrap_or_default()
                    .into_iter()
                    .map(|one| (one.parameter, one.before))
                    .collect();
                tenant.prepare_set_protocols(&user, &switches)
            }
            ActionKind::RemovePartnership => {
                tenant.prepare_remove_mobile_device(&user, &planned.object.id)
            }
            ActionKind::LiftSendingBlock => {
                let address = planned.object.name.as_deref().unwrap_or(&user);
                tenant.prepare_lift_sending_block(address)
            }
            ActionKind::ChooseDefaultMethod => {
                let word = facts(&state, planned).and_then(preference);
                tenant.prepare_set_default_method(&user, word.unwrap_or_default())
            }
            ActionKind::DisableDevice => tenant.prepare_disable_device(&planned.object.id),
            ActionKind::DisableApp => tenant.prepare_disable_app(&planned.object.id),
        }
    }

    /// How each action of the latest plan is done by hand.
    pub(crate) fn by_hand(&self) -> Vec<ByHand> {
        self.case
            .state()
            .plan_actions()
            .map(|action| match self.prepare(&action.planned, false) {
                Ok(prepared) => ByHand::of(&prepared),
                Err(error) => ByHand {
                    call: error.to_string(),
                    powershell: String::new(),
                },
            })
            .collect()
    }

    async fn pause(&self, seconds: u64) {
        if seconds > 0 {
            self.clock.sleep(Duration::from_secs(seconds)).await;
        }
    }
}

impl Look {
    fn of(done: bool, object: Option<Observed>, evidence: Digest) -> Self {
        Self {
            done,
            object,
            evidence,
            in_the_way: None,
            differs: Vec::new(),
        }
    }
}

/// What is known before a change.
enum Before {
    /// This is the state before.
    Known(Digest),
    /// It could not be read in time, and the block does not wait.
    Unknown,
    /// The tenant already is as the action wants it.
    AlreadySo(Digest),
    /// The action was stopped.
    Stopped,
}

fn facts<'a>(state: &'a State, planned: &Planned) -> Option<&'a Facts> {
    seen(state, planned).map(|observed| &observed.facts)
}

fn seen<'a>(state: &'a State, planned: &Planned) -> Option<&'a Observed> {
    state
        .snapshots
        .iter()
        .rev()
        .flat_map(|snapshot| &snapshot.objects)
        .find(|observed| observed.object == planned.object)
}

/// Whether the directory refuses it by who the account is.
fn concerns_account(kind: ActionKind) -> bool {
    matches!(
        kind,
        ActionKind::BlockSignIn
            | ActionKind::RestoreSignIn
            | ActionKind::RevokeSessions
            | ActionKind::ResetPassword
            | ActionKind::RemoveMethod
            | ActionKind::ChooseDefaultMethod
    )
}

/// Whether the object is gone when it is done.
fn removes(planned: &Planned) -> bool {
    planned.undoes.is_none() && is_removal(planned.kind)
}

fn is_removal(kind: ActionKind) -> bool {
    matches!(
        kind,
        ActionKind::RemoveMethod
            | ActionKind::RemoveInboxRule
            | ActionKind::RemoveHiddenRule
            | ActionKind::RemoveRuleInExchange
            | ActionKind::RemoveGrant
            | ActionKind::RemoveSweepRule
            | ActionKind::RemovePartnership
            | ActionKind::LiftSendingBlock
            | ActionKind::DisableDevice
            | ActionKind::DisableApp
    )
}

/// Whether an object that stays shows what the action wants of it.
fn cleared(state: &State, kind: ActionKind, observed: &Observed) -> bool {
    match (kind, &observed.facts) {
        (
            ActionKind::ClearForwarding,
            Facts::Forwarding {
                smtp: None,
                address: None,
                ..
            },
        ) => true,
        (ActionKind::SwitchOffAutoReply, Facts::AutoReply { state, .. }) => state == "disabled",
        (ActionKind::RemoveJunkEntries, Facts::JunkLists { .. }) => {
            junk_entries(state, observed).0.is_empty()
        }
        (ActionKind::RestoreProtocols, Facts::MailProtocols { .. }) => {
            reopened(state, observed).is_empty()
        }
        (
            ActionKind::RaiseRetention,
            Facts::Keeping {
                retain_days,
                single_item_recovery,
                ..
            },
        ) => {
            retain_days.is_some_and(|days| days >= plan::RETAIN_DAYS)
                && *single_item_recovery != Some(false)
        }
        (
            ActionKind::HoldMailbox,
            Facts::Keeping {
                litigation_hold, ..
            },
        ) => *litigation_hold == Some(true),
        (ActionKind::ChooseDefaultMethod, Facts::Method { default, .. }) => *default,
        (ActionKind::DisableDevice, Facts::Device { enabled, .. })
        | (ActionKind::DisableApp, Facts::App { enabled, .. }) => !enabled,
        _ => false,
    }
}

/// Whether the account shows the change. Without `since` nothing was sent yet,
/// and only what is a state, not a moment, can be "already so".
///
/// A moment counts only if it is newer than the one before the change: an
/// earlier revoke must not vouch for a later one.
fn account_shows(
    kind: ActionKind,
    account: &Account,
    since: Option<Timestamp>,
    before: Option<&Account>,
) -> bool {
    let moved = |moment: fn(&Account) -> Option<Timestamp>| match (moment(account), since) {
        (Some(shown), Some(since)) => {
            let recent = since
                .checked_sub(SKEW)
                .is_ok_and(|earliest| shown >= earliest);
            let newer = before
                .and_then(moment)
                .is_none_or(|earlier| shown > earlier);
            recent && newer
        }
        _ => false,
    };
    match kind {
        ActionKind::BlockSignIn => !account.enabled,
        ActionKind::RestoreSignIn => account.enabled,
        ActionKind::RevokeSessions => moved(|account| account.sessions_valid_from),
        ActionKind::ResetPassword => moved(|account| account.last_password_change),
        _ => false,
    }
}

fn last(digests: Vec<Digest>) -> Result<Digest, TenantError> {
    digests.into_iter().next_back().ok_or_else(no_answer)
}

/// Without an answer there is nothing that could be kept as evidence.
fn no_answer() -> TenantError {
    TenantError::new(
        Kind::BadAnswer {
            effect_unknown: false,
        },
        &retake_tenant::call::USER,
        "",
        "no answer to keep as evidence",
    )
}

/// The error book's code for a failed call.
pub fn code_of(error: &TenantError) -> Code {
    error.page()
}

/// A password that nobody will ever type: the owner comes back by a temporary
/// access pass. 32 characters of four classes from 32 random bytes.
fn random_password(entropy: &dyn Entropy) -> SecretString {
    const LETTERS: &[u8; 64] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789-_+=.:#";
    let mut random = Zeroizing::new([0_u8; 32]);
    entropy.fill(&mut *random);
    let mut password = Zeroizing::new(String::with_capacity(36));
    for byte in random.iter() {
        password.push(char::from(LETTERS[usize::from(byte % 64)]));
    }
    // Whatever the bytes were, every class that a policy may want is there.
    password.push_str("aZ9-");
    SecretString::from(password.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret as _;

    struct Same(u8);

    impl Entropy for Same {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn a_password_has_every_class_whatever_the_entropy() {
        for byte in 0..=255 {
            let password = random_password(&Same(byte));
            let text = password.expose_secret();
            assert_eq!(text.len(), 36);
            assert!(text.bytes().any(|b| b.is_ascii_uppercase()));
            assert!(text.bytes().any(|b| b.is_ascii_lowercase()));
            assert!(text.bytes().any(|b| b.is_ascii_digit()));
        }
    }
}
