//! Changing: one action from intent to verification.
//!
//! ```text
//! read before ─▶ keep it ─▶ intend (durable) ─▶ change ─▶ applied ─▶ read after ─▶ verified
//! ```
//!
//! The journal is written before the call and after it. Whoever finds an intent
//! without an outcome reads the tenant first: the effect may be there already.

mod look;
mod request;

use std::time::Duration;

use jiff::Timestamp;
use retake_playbook::codes::{self, Code};
use retake_playbook::event::{Applied, Event, Facts, Observed, Planned, Stopped};
use retake_playbook::machine::Phase;
use retake_playbook::state::ActionState;
use retake_playbook::{ActionId, ActionKind, Digest, State};
use retake_tenant::edge::{Clock, Entropy};
use retake_tenant::{Kind, Tenant, TenantError};

use crate::case::Case;
use crate::conduct::Conduct;
use crate::difference::difference;
use crate::error::ResponderError;
use crate::evidence::{keep, request};
use crate::observe::user_key;
use crate::undo::NoWay;
use crate::{preflight, protect};
use look::Look;
pub(crate) use request::prepare_right;

/// How long block and revoke each wait for the state before them (architecture,
/// "Throttled or failing sources never hold up containment").
const QUICK_EVIDENCE: Duration = Duration::from_secs(2);
/// When a change is read back, counted from one reading to the next: two minutes
/// in all, because the directory may answer with an older state (reference §2.1).
const READ_BACK: [u64; 8] = [0, 1, 2, 4, 8, 15, 30, 60];
/// How often an effect of unknown outcome is looked for before the change is sent again.
const LOOK_AGAIN: [u64; 3] = [0, 2, 5];

/// What it takes to carry out actions.
pub(crate) struct Hand<'a> {
    pub(crate) case: &'a Case<'a>,
    pub(crate) tenant: &'a Tenant,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) entropy: &'a dyn Entropy,
    pub(crate) conduct: Conduct,
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

    async fn pause(&self, seconds: u64) {
        if seconds > 0 {
            self.clock.sleep(Duration::from_secs(seconds)).await;
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
            | ActionKind::RestoreResetAttribute
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
            | ActionKind::RemoveMailboxRight
            | ActionKind::RemoveFolderRight
            | ActionKind::RemoveSweepRule
            | ActionKind::RemovePartnership
            | ActionKind::LiftSendingBlock
            | ActionKind::DisableDevice
            | ActionKind::DisableApp
            | ActionKind::RemoveAppRole
            | ActionKind::RemoveRole
    )
}

/// The error book's code for a failed call.
pub fn code_of(error: &TenantError) -> Code {
    error.page()
}
