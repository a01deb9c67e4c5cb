//! What the tenant shows of an action: read before it, and read back after it.

use jiff::{SignedDuration, Timestamp};
use retake_playbook::event::{Account, Facts, Observed, Planned};
use retake_playbook::judge::{junk_entries, reopened};
use retake_playbook::{ActionId, ActionKind, Digest, ObjectKind, State, plan};
use retake_tenant::{Kind, Tenant, TenantError};

use crate::error::ResponderError;
use crate::evidence::keep;
use crate::observe::{account_of, is_named, observe_object, record, user_key};
use crate::undo::{Past, Shown, shows_reversed};

use super::{Hand, removes};

/// How far the tenant's clock may be from ours.
const SKEW: SignedDuration = SignedDuration::from_mins(10);

/// What a reading says about an action.
pub(super) struct Look {
    /// Whether the tenant shows what the action wants.
    pub(super) done: bool,
    /// The object as it is, if it is there.
    pub(super) object: Option<Observed>,
    /// The answer that says so.
    pub(super) evidence: Digest,
    /// What somebody else made or changed there since, where a change is taken back.
    pub(super) in_the_way: Option<String>,
    /// What came back and is not as it was, where a change is taken back.
    pub(super) differs: Vec<String>,
}

impl Look {
    pub(super) fn of(done: bool, object: Option<Observed>, evidence: Digest) -> Self {
        Self {
            done,
            object,
            evidence,
            in_the_way: None,
            differs: Vec::new(),
        }
    }
}

impl Hand<'_> {
    pub(super) async fn look(
        &self,
        planned: &Planned,
        since: Option<Timestamp>,
    ) -> Result<Result<Look, TenantError>, ResponderError> {
        self.look_with(self.tenant, planned, since).await
    }

    /// Reads the object of an action. With `since`, a change counts as done only
    /// if the tenant dates it not before then.
    pub(super) async fn look_with(
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
                let place = planned.object.mailbox.as_deref().unwrap_or(&user);
                let seen = match observe_object(tenant, place, &planned.object).await {
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
    pub(super) async fn look_for_undone(
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
        let place = action.planned.object.mailbox.as_deref().unwrap_or(user);
        let seen = match observe_object(tenant, place, &action.planned.object).await {
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

    /// The account as it was kept before this action was sent.
    pub(super) fn account_before(&self, planned: &Planned) -> Option<Account> {
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
