//! Making plans: from what was observed and judged to ordered actions.

mod identity;

use jiff::{SignedDuration, Timestamp};

use crate::catalogue::ActionKind;
use crate::event::{
    AccessEnd, ActionId, Facts, Left, Observed, Plan, Planned, Stopped, UntilRemoved,
};
use crate::judge::{Judgement, Verdict, is_outside, judge};
use crate::state::{ActionState, State};
use crate::steps::StepId;
use crate::words::{ArtefactId, ObjectKind, ObjectRef};

/// The longest life of an access token that does not obey continuous access
/// evaluation, in minutes (reference §9.1: random, 60 to 90).
pub const TOKEN_LIFE_MIN: i64 = 90;
/// What is added for clocks that do not agree, in minutes.
pub const CLOCK_MARGIN_MIN: i64 = 5;
/// How long it is allowed for until a synchronised account is disabled
/// on-premises and the synchronisation has run, in minutes. It runs every 30.
pub const UNTIL_DISABLED_MIN: i64 = 60;
/// How often an action on one object is tried before a person has to look.
const TRIES: usize = 3;

/// The containment: block, then revoke. It needs the account object alone.
pub fn containment(state: &State) -> Plan {
    let mut plan = Builder::new(state, None);
    let account = plan.account(ObjectKind::Account);
    plan.add(
        ActionKind::BlockSignIn,
        account,
        None,
        vec!["nobody can sign in as this account while it is being cleaned".to_owned()],
    );
    plan.add_revoke("ends every refresh token and session cookie");
    plan.finish(Vec::new())
}

/// The eviction: cut what sends mail out, reset, remove, revoke again. Empty
/// when nothing is left to do.
pub fn eviction(state: &State) -> Plan {
    let judgements = judge(state);
    let snapshot = state.snapshot().map(|snapshot| snapshot.snapshot);
    let mut plan = Builder::new(state, snapshot);
    let footholds = footholds(state, &judgements);

    // Nobody took the account over: nothing is reset, and nothing removed.
    let resets = needs_reset(state) && !crate::acquit::shows_no_takeover(state);

    // S2.2: what was blocked and is open again, whoever opened it.
    if block_came_undone(state) {
        let account = plan.account(ObjectKind::Account);
        plan.add(
            ActionKind::BlockSignIn,
            account,
            None,
            vec![match &state.account {
                Some(account) if account.synced => {
                    "the on-premises directory gave sign-in back at its last synchronisation"
                        .to_owned()
                }
                _ => "somebody gave sign-in back while the account was being cleaned".to_owned(),
            }],
        );
        plan.add_revoke("ends what was opened while sign-in was open again");
    }

    // S1.8: before anything is removed, and after the block, which waits for nothing.
    if !footholds.is_empty() || resets {
        preserve(&mut plan);
    }
    // S3.5: what leaves the tenant whether or not the account is blocked, and what gets
    // tokens by itself.
    for (observed, judgement) in &footholds {
        if outlives_the_block(state, &observed.facts) {
            plan.remove(observed, judgement, StepId::new(3, 5));
        }
    }
    // S4: the password once per eviction, then methods, the default one last.
    if resets {
        let account = plan.account(ObjectKind::Password);
        plan.add(
            ActionKind::ResetPassword,
            account,
            Some(ArtefactId::STOLEN_PASSWORD),
            vec!["the attacker may know the password".to_owned()],
        );
    }
    let mut methods: Vec<_> = footholds
        .iter()
        .filter(|(observed, _)| observed.object.kind == ObjectKind::Method)
        .collect();
    let default = crate::judge::presumed_default(state);
    methods.sort_by_key(|(observed, _)| {
        let last = was_refused(state, observed)
            || default.is_some_and(|default| default.object == observed.object);
        (last, method_rank(&observed.facts))
    });
    let mut chosen = false;
    for (observed, judgement) in methods {
        // The good one's presence blocks the deletion of a bad default (reference §2.3).
        if !chosen
            && is_in_the_way(state, observed)
            && let Some(stays) = identity::stays(state, &judgements)
        {
            chosen = true;
            plan.choose_default(stays);
        }
        plan.remove(observed, judgement, StepId::new(4, 2));
    }
    // S4.4: what self-service reset goes by.
    for (observed, judgement) in &footholds {
        if observed.object.kind == ObjectKind::ResetAttributes {
            plan.remove(observed, judgement, StepId::new(4, 4));
        }
    }
    // S5: everything else.
    for (observed, judgement) in &footholds {
        if !matches!(
            observed.object.kind,
            ObjectKind::Method | ObjectKind::ResetAttributes
        ) && !outlives_the_block(state, &observed.facts)
        {
            plan.remove(observed, judgement, removal(observed).spec().step);
        }
    }
    if !plan.actions.is_empty() || revoke_is_outdated(state) {
        plan.add_revoke(
            "a second time, after everything that could have made a new session is gone",
        );
    }
    plan.finish(left(state, &judgements))
}

/// Whether something was removed after the last revoke: what a second person agreed to
/// later than the rest, say. The last revoke comes after the last removal.
fn revoke_is_outdated(state: &State) -> bool {
    let made = |wanted: &dyn Fn(&ActionState) -> bool| {
        state
            .actions
            .values()
            .filter(|action| action.planned.undoes.is_none() && wanted(action))
            .filter_map(|action| action.applied.as_ref().map(|(at, _)| *at))
            .max()
    };
    let removed = made(&|action| {
        action.planned.observed.is_some()
            && action.verified.is_some()
            && action.planned.kind.spec().step.step() < 7
    });
    let revoked = made(&|action| action.planned.kind == ActionKind::RevokeSessions);
    state.restored_at.is_none()
        && removed.is_some_and(|removed| revoked.is_none_or(|revoked| revoked < removed))
}

/// How long deleted mail is kept in a case, in days: the most that Exchange allows
/// without a hold (reference §14.1).
pub const RETAIN_DAYS: u32 = 30;

/// What the attacker deleted, and what we delete, stays for whoever investigates:
/// deleted items for 30 days, and all of the mailbox where a hold is licensed. Each
/// is tried once; a refusal is said and holds nothing up.
fn preserve(plan: &mut Builder<'_>) {
    let state = plan.state;
    let seen = state.snapshot().and_then(|snapshot| {
        snapshot
            .objects
            .iter()
            .find(|seen| seen.object.kind == ObjectKind::Mailbox && seen.object.mailbox.is_none())
    });
    let Some(Observed { object, facts, .. }) = seen else {
        return;
    };
    let Facts::Keeping {
        retain_days,
        single_item_recovery,
        litigation_hold,
        hold_licensed,
    } = facts
    else {
        return;
    };
    let tried = |kind| {
        state
            .actions
            .values()
            .any(|action| action.planned.kind == kind && action.settled())
    };
    let long_enough =
        retain_days.is_none_or(|days| days >= RETAIN_DAYS) && *single_item_recovery != Some(false);
    if !long_enough && !tried(ActionKind::RaiseRetention) {
        plan.add(
            ActionKind::RaiseRetention,
            object.clone(),
            None,
            vec![format!(
                "what was deleted is gone for good after {} days otherwise",
                retain_days.unwrap_or_default()
            )],
        );
    }
    if *litigation_hold == Some(false)
        && *hold_licensed == Some(true)
        && !tried(ActionKind::HoldMailbox)
    {
        plan.add(
            ActionKind::HoldMailbox,
            object.clone(),
            None,
            vec!["a hold is licensed, and keeps what purging would not".to_owned()],
        );
    }
}

/// Giving sign-in back.
pub fn restore(state: &State, why: &str) -> Plan {
    let mut plan = Builder::new(state, None);
    let account = plan.account(ObjectKind::Account);
    plan.add(
        ActionKind::RestoreSignIn,
        account,
        None,
        vec![why.to_owned()],
    );
    // Last of all, and never when a containment is only taken back: the block from
    // sending contains too, and is not ours (reference §15.5).
    if state.phase == crate::machine::Phase::Restoring
        && let Some(snapshot) = state.snapshot()
    {
        for observed in &snapshot.objects {
            if observed.object.kind == ObjectKind::SendingBlock {
                plan.push(
                    ActionKind::LiftSendingBlock,
                    ActionKind::LiftSendingBlock.spec().step,
                    observed.object.clone(),
                    Some(observed.digest.clone()),
                    Some(ArtefactId::SENDING_BLOCK),
                    vec![
                        "the eviction is effective, and nothing is left that could send in the user's name".to_owned(),
                    ],
                );
            }
        }
    }
    plan.finish(Vec::new())
}

/// The footholds that nothing could remove, with the reason.
pub fn survivors(state: &State) -> Vec<(ObjectRef, String)> {
    let password = state
        .account
        .as_ref()
        .map(|account| ObjectRef::new(ObjectKind::Password, &account.id).named(&account.upn));
    judge(state)
        .into_iter()
        .filter(|judgement| judgement.verdict == Verdict::Foothold)
        .map(|judgement| judgement.object)
        .chain(password)
        .filter_map(|object| given_up(state, &object).map(|why| (object, why)))
        .filter(|(object, _)| !crate::errands::is_done_by_hand(state, object))
        .chain(reopened_too_often(state))
        .collect()
}

/// An account that is opened again as often as we block it: whoever does that has
/// to be found, and blocking for ever is no answer.
fn reopened_too_often(state: &State) -> Option<(ObjectRef, String)> {
    let account = state.account.as_ref()?;
    let again = state
        .actions
        .values()
        .filter(|action| action.planned.makes(ActionKind::BlockSignIn))
        .filter(|action| {
            state
                .plans
                .iter()
                .any(|plan| plan.plan == action.plan && plan.snapshot.is_some())
        })
        .filter_map(|action| action.applied.as_ref())
        .filter(|(at, _)| state.retried_at.is_none_or(|retried| *at > retried))
        .count();
    let who = if account.synced {
        "a synchronisation with the on-premises directory, where the account is still enabled"
    } else {
        "somebody with rights over the account"
    };
    (again >= TRIES).then(|| {
        (
            ObjectRef::new(ObjectKind::Account, &account.id).named(&account.upn),
            format!(
                "it was blocked again {again} times because {who} gave sign-in back each time; it is blocked now, and will not stay so"
            ),
        )
    })
}

/// Until when each known piece of the attacker's access can live, counted from
/// the moment when the block was accepted (reference §0.2, §9.1, §9.3).
pub fn access_clock(blocked_at: Timestamp) -> Vec<AccessEnd> {
    let end = |minutes: i64| {
        blocked_at
            .checked_add(SignedDuration::from_mins(minutes + CLOCK_MARGIN_MIN))
            .unwrap_or(blocked_at)
    };
    let token_end = end(TOKEN_LIFE_MIN);
    vec![
        AccessEnd {
            artefact: ArtefactId::STOLEN_PASSWORD,
            what: "new sign-ins with the password".to_owned(),
            ends_at: blocked_at,
            why: "refused as soon as sign-in is blocked".to_owned(),
        },
        AccessEnd {
            artefact: ArtefactId::REFRESH_TOKENS,
            what: "refresh tokens and session cookies".to_owned(),
            ends_at: end(0),
            why: "refused while sign-in is blocked; revocation follows within minutes".to_owned(),
        },
        AccessEnd {
            artefact: ArtefactId::ACCESS_TOKEN,
            what: "access tokens issued before the block".to_owned(),
            ends_at: token_end,
            why: format!(
                "without continuous access evaluation a token lives up to {TOKEN_LIFE_MIN} min; a token lifetime policy of the tenant can make it longer"
            ),
        },
        AccessEnd {
            artefact: ArtefactId::DELEGATED_GRANT,
            what: "access tokens of apps that act for the user".to_owned(),
            ends_at: token_end,
            why: "issued before the block; removing the consent stops new ones only".to_owned(),
        },
    ]
}

/// The access clock of this case. A synchronised account can be opened again by
/// the next cycle until it is disabled on-premises too, so until that is known
/// its clock allows for the time that this takes.
pub fn access_clock_of(state: &State, blocked_at: Timestamp) -> Vec<AccessEnd> {
    if crate::duties::stays_blocked(state) {
        let mut ends = access_clock(blocked_at);
        ends.extend(identity::with_live_tokens(state, blocked_at));
        return ends;
    }
    let open = SignedDuration::from_mins(UNTIL_DISABLED_MIN);
    let from = blocked_at.checked_add(open).unwrap_or(blocked_at);
    let mut ends = access_clock(from);
    // A method that the attacker registered is a way in whenever the account is open.
    ends.extend(identity::ways_while_open(from));
    for end in &mut ends {
        end.why = format!(
            "{}; counted from {UNTIL_DISABLED_MIN} min after the block, because until the account is disabled on-premises too a synchronisation can undo it",
            end.why
        );
    }
    ends
}

/// What no clock ends: mail keeps being forwarded and hidden, and others with rights
/// on the mailbox use them, while the account is blocked, until each is gone.
pub fn until_removed() -> Vec<UntilRemoved> {
    [
        ArtefactId::FORWARDING_RULE,
        ArtefactId::HIDING_RULE,
        ArtefactId::HIDDEN_RULE,
        ArtefactId::SMTP_FORWARDING,
        ArtefactId::FULL_ACCESS,
        ArtefactId::SEND_AS,
        ArtefactId::SEND_ON_BEHALF,
        ArtefactId::INBOX_RIGHT,
        ArtefactId::FOLDER_RIGHT,
        ArtefactId::SHARED_MAILBOX,
        ArtefactId::DISGUISED_RULE,
        ArtefactId::SWEEP_RULE,
        ArtefactId::CONTACT_FORWARDING,
        ArtefactId::AUTO_REPLY,
        ArtefactId::JUNK_LISTS,
        ArtefactId::CLIENT_SIDE_RULE,
        ArtefactId::MALICIOUS_APP,
    ]
    .into_iter()
    .map(|artefact| UntilRemoved {
        artefact,
        what: crate::catalogue::ARTEFACTS
            .iter()
            .find(|spec| spec.id == artefact)
            .map_or("", |spec| spec.title)
            .to_lowercase(),
    })
    .collect()
}

struct Builder<'a> {
    state: &'a State,
    snapshot: Option<u32>,
    next: u32,
    actions: Vec<Planned>,
}

impl<'a> Builder<'a> {
    fn new(state: &'a State, snapshot: Option<u32>) -> Self {
        Self {
            state,
            snapshot,
            next: state.next_action(),
            actions: Vec::new(),
        }
    }

    fn account(&self, kind: ObjectKind) -> ObjectRef {
        match (&self.state.account, &self.state.opened) {
            (Some(account), _) => ObjectRef::new(kind, &account.id).named(&account.upn),
            (None, Some((_, opened))) => {
                ObjectRef::new(kind, &opened.account).named(&opened.account)
            }
            (None, None) => ObjectRef::new(kind, ""),
        }
    }

    fn add(
        &mut self,
        kind: ActionKind,
        object: ObjectRef,
        artefact: Option<ArtefactId>,
        why: Vec<String>,
    ) {
        self.push(kind, kind.spec().step, object, None, artefact, why);
    }

    fn add_revoke(&mut self, why: &str) {
        let account = self.account(ObjectKind::Session);
        self.add(
            ActionKind::RevokeSessions,
            account,
            Some(ArtefactId::REFRESH_TOKENS),
            vec![why.to_owned()],
        );
    }

    fn remove(&mut self, observed: &Observed, judgement: &Judgement, step: StepId) {
        self.push(
            removal(observed),
            step,
            observed.object.clone(),
            Some(observed.digest.clone()),
            judgement.artefact,
            judgement.reasons.clone(),
        );
    }

    fn choose_default(&mut self, stays: &Observed) {
        let name = stays.object.name.as_deref().unwrap_or(&stays.object.id);
        self.push(
            ActionKind::ChooseDefaultMethod,
            StepId::new(4, 2),
            stays.object.clone(),
            Some(stays.digest.clone()),
            None,
            vec![format!(
                "\"{name}\" stays, and the default method cannot be deleted beside it before it is the default itself"
            )],
        );
    }

    fn push(
        &mut self,
        kind: ActionKind,
        step: StepId,
        object: ObjectRef,
        observed: Option<crate::words::Digest>,
        artefact: Option<ArtefactId>,
        why: Vec<String>,
    ) {
        self.actions.push(Planned {
            action: ActionId(self.next),
            kind,
            step,
            object,
            observed,
            artefact,
            undoes: None,
            why,
        });
        self.next += 1;
    }

    fn finish(self, left: Vec<Left>) -> Plan {
        let number = u32::try_from(self.state.plans.len()).unwrap_or(u32::MAX - 1) + 1;
        Plan {
            plan: number,
            snapshot: self.snapshot,
            actions: self.actions,
            left,
        }
    }
}

fn footholds<'a>(
    state: &'a State,
    judgements: &'a [Judgement],
) -> Vec<(&'a Observed, &'a Judgement)> {
    let Some(snapshot) = state.snapshot() else {
        return Vec::new();
    };
    judgements
        .iter()
        .filter(|judgement| judgement.verdict == Verdict::Foothold)
        .filter(|judgement| given_up(state, &judgement.object).is_none())
        .filter_map(|judgement| {
            snapshot
                .objects
                .iter()
                .find(|observed| observed.object == judgement.object)
                .map(|observed| (observed, judgement))
        })
        .collect()
}

/// Why no further try is made on this object, if so.
fn given_up(state: &State, object: &ObjectRef) -> Option<String> {
    let stops: Vec<_> = state
        .actions
        .values()
        .filter(|action| action.planned.object == *object && action.planned.undoes.is_none())
        .filter_map(|action| action.stopped.as_ref())
        .filter(|(at, ..)| state.retried_at.is_none_or(|retried| *at > retried))
        .collect();
    stops
        .iter()
        .find(|(_, why, _)| *why == Stopped::Refused)
        .or_else(|| stops.get(TRIES - 1))
        .map(|(_, _, message)| message.clone())
}

fn left(state: &State, judgements: &[Judgement]) -> Vec<Left> {
    let unclear = judgements
        .iter()
        .filter(|judgement| judgement.verdict == Verdict::Unclear)
        .map(|judgement| Left {
            object: judgement.object.clone(),
            why: judgement.reasons.clone(),
        });
    let survivors = survivors(state).into_iter().map(|(object, why)| Left {
        object,
        why: vec![format!("could not be removed: {why}")],
    });
    // Found and shown early, lifted last.
    let stopped = judgements
        .iter()
        .filter(|judgement| judgement.object.kind == ObjectKind::SendingBlock)
        .map(|judgement| Left {
            object: judgement.object.clone(),
            why: judgement.reasons.clone(),
        });
    unclear.chain(survivors).chain(stopped).collect()
}

/// Whether sign-in reads open although we blocked it and did not give it back.
fn block_came_undone(state: &State) -> bool {
    let (Some(blocked_at), Some(snapshot)) = (state.contained_since(), state.snapshot()) else {
        return false;
    };
    snapshot.at > blocked_at
        && snapshot
            .account
            .as_ref()
            .is_some_and(|account| account.enabled)
}

fn needs_reset(state: &State) -> bool {
    // Where another directory is the master of the password it is a task there.
    if state
        .account
        .as_ref()
        .is_some_and(crate::event::Account::password_is_elsewhere)
    {
        return false;
    }
    let Some(blocked_at) = state.contained_since() else {
        return false;
    };
    let reset = state.actions.values().any(|action| {
        action.planned.makes(ActionKind::ResetPassword)
            && (action
                .verified
                .as_ref()
                .is_some_and(|(at, _)| *at >= blocked_at)
                || given_up(state, &action.planned.object).is_some())
    });
    !reset
}

fn removal(observed: &Observed) -> ActionKind {
    match &observed.facts {
        Facts::Method { .. } => ActionKind::RemoveMethod,
        Facts::InboxRule { hidden: true, .. } => ActionKind::RemoveHiddenRule,
        // Exchange's identity holds a backslash, Graph's ids never do: without an
        // id of Graph's there is Exchange alone.
        Facts::InboxRule { graph_id: None, .. } if observed.object.id.contains('\\') => {
            ActionKind::RemoveRuleInExchange
        }
        Facts::InboxRule { .. } => ActionKind::RemoveInboxRule,
        Facts::Forwarding { .. } => ActionKind::ClearForwarding,
        // A mailbox that is merely opened is no foothold, and is never planned.
        Facts::MailboxRight { .. } | Facts::Opened { .. } => ActionKind::RemoveMailboxRight,
        Facts::FolderRight { .. } => ActionKind::RemoveFolderRight,
        Facts::Grant { .. } => ActionKind::RemoveGrant,
        Facts::SweepRule { .. } => ActionKind::RemoveSweepRule,
        Facts::AutoReply { .. } => ActionKind::SwitchOffAutoReply,
        Facts::JunkLists { .. } => ActionKind::RemoveJunkEntries,
        Facts::MailProtocols { .. } => ActionKind::RestoreProtocols,
        Facts::MobilePartnership { .. } => ActionKind::RemovePartnership,
        Facts::SendingBlock { .. } => ActionKind::LiftSendingBlock,
        // Never a foothold; raised by `preserve`.
        Facts::Keeping { .. } => ActionKind::RaiseRetention,
        Facts::Device { .. } => ActionKind::DisableDevice,
        Facts::App { .. } => ActionKind::DisableApp,
        Facts::AppRole { .. } => ActionKind::RemoveAppRole,
        Facts::ResetAttribute { .. } => ActionKind::RestoreResetAttribute,
        Facts::Role { .. } => ActionKind::RemoveRole,
    }
}

/// Whether the tenant refuses to delete this method while another remains: it is the
/// default, or it was refused before for a reason that a look at it does not show.
fn is_in_the_way(state: &State, observed: &Observed) -> bool {
    was_refused(state, observed) || matches!(observed.facts, Facts::Method { default: true, .. })
}

/// Whether its deletion was sent and did not happen.
fn was_refused(state: &State, observed: &Observed) -> bool {
    state.actions.values().any(|action| {
        action.planned.object == observed.object
            && action.planned.kind == ActionKind::RemoveMethod
            && action.stopped.is_some()
            && !action.intended.is_empty()
    })
}

/// What goes on working while the account is blocked and its sessions are ended, or
/// could once they come back (S3.5).
fn outlives_the_block(state: &State, facts: &Facts) -> bool {
    sends_outside(state, facts)
        || matches!(
            facts,
            Facts::Device { .. } | Facts::App { .. } | Facts::Role { .. }
        )
}

/// What outlives block and revoke, because it needs no sign-in of the account's.
fn sends_outside(state: &State, facts: &Facts) -> bool {
    match facts {
        Facts::InboxRule { forwards_to, .. } => {
            forwards_to.iter().any(|address| is_outside(state, address))
        }
        // An automatic reply sends by itself, whoever is signed in.
        Facts::Forwarding { .. }
        | Facts::MailboxRight { .. }
        | Facts::FolderRight { .. }
        | Facts::AutoReply { .. } => true,
        _ => false,
    }
}

/// The order in which methods can go (reference §2.2, §2.3): the alternate
/// mobile number before the mobile one, the default kind last. The default is
/// known as a kind only; of several of that kind the oldest goes last, because
/// what the attacker adds is newer than what the owner signs in with.
fn method_rank(facts: &Facts) -> (bool, u8, std::cmp::Reverse<Option<Timestamp>>) {
    match facts {
        Facts::Method {
            default,
            method,
            detail,
            created,
        } => {
            let alternate = detail
                .as_deref()
                .is_some_and(|detail| detail.starts_with("alternateMobile"));
            let phone = method.eq_ignore_ascii_case("phoneAuthenticationMethod");
            let rank = if alternate { 0 } else { 1 + u8::from(phone) };
            (*default, rank, std::cmp::Reverse(*created))
        }
        _ => (false, 0, std::cmp::Reverse(None)),
    }
}
