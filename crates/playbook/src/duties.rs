//! What has to be done where an account belongs, and no interface of this
//! tenant can do: on-premises, in a guest's home tenant, at a federation
//! provider (S2.2). Such a duty is handed to a person, and where the tenant can
//! show that it was carried out, it has to.

use jiff::Timestamp;

use crate::event::Origin;
use crate::state::State;
use crate::steps::StepId;
use crate::words::ObjectKind;

/// Before what a duty has to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// The eviction is declared effective.
    Effective,
    /// Sign-in is given back.
    Return,
    /// The case is closed; what is not done by then is said, and holds nothing up.
    Closing,
}

/// What the tenant shows of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shows {
    /// The account reads disabled after a later cycle of the synchronisation.
    StaysDisabled,
    /// The time of the last password change is later.
    NewPassword,
    /// The directory's log has a record of the deletion, later than that of the making.
    AppPasswordsDeleted,
    /// The object is no longer in a later look.
    Gone,
    /// Nothing: it happens outside, and a named person says that it was done.
    Nothing,
}

/// One duty.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Duty {
    /// Its number as a task of the case.
    pub task: u32,
    /// A word for it.
    pub name: &'static str,
    /// The step that it belongs to.
    pub step: StepId,
    /// Who carries it out.
    pub who: &'static str,
    /// What to do.
    pub what: &'static str,
    /// What the tenant shows of it.
    pub shows: Shows,
    /// Before what it has to be done.
    pub before: Before,
}

const DISABLE_ON_PREMISES: Duty = Duty {
    task: 1,
    name: "disable_on_premises",
    step: StepId::new(2, 2),
    who: "identity_admin",
    what: "Disable the account in the on-premises directory too, and start a synchronisation. Until then the next cycle undoes the block.",
    shows: Shows::StaysDisabled,
    before: Before::Effective,
};

const RESET_ON_PREMISES: Duty = Duty {
    task: 2,
    name: "reset_on_premises",
    step: StepId::new(4, 1),
    who: "identity_admin",
    what: "Reset the password in the on-premises directory, twice, with the account disabled there. The cloud is not its master and refuses.",
    shows: Shows::NewPassword,
    before: Before::Effective,
};

const ENABLE_ON_PREMISES: Duty = Duty {
    task: 3,
    name: "enable_on_premises",
    step: StepId::new(7, 1),
    who: "identity_admin",
    what: "Enable the account in the on-premises directory again: sign-in is about to be given back, and the next cycle would undo it.",
    shows: Shows::Nothing,
    before: Before::Return,
};

const HOME_TENANT: Duty = Duty {
    task: 4,
    name: "home_tenant",
    step: StepId::new(3, 1),
    who: "identity_admin",
    what: "The account is a guest: tell the administrators of its home tenant, over another channel than its mailbox, to end its sessions, reset its password and check its methods. Nothing here can.",
    shows: Shows::Nothing,
    before: Before::Effective,
};

const FEDERATION_PROVIDER: Duty = Duty {
    task: 5,
    name: "federation_provider",
    step: StepId::new(2, 2),
    who: "identity_admin",
    what: "The account signs in at a federation provider: block it there, end its sessions there and reset its password there. A reset in Entra does nothing.",
    shows: Shows::Nothing,
    before: Before::Effective,
};

const RECALL_PAYMENT: Duty = Duty {
    task: 6,
    name: "recall_payment",
    step: StepId::new(2, 5),
    who: "finance",
    what: "Money has moved. Telephone the fraud desk of the bank that sent it now and ask for a recall; stop every payment to the changed bank details. Use numbers you had before, never one from a mail.",
    shows: Shows::Nothing,
    before: Before::Closing,
};

const REPORT_TO_POLICE: Duty = Duty {
    task: 7,
    name: "report_to_police",
    step: StepId::new(2, 5),
    who: "finance",
    what: "Report the fraud to the police with the fraud pack, and to the insurer; keep the reference. In the United States also at ic3.gov.",
    shows: Shows::Nothing,
    before: Before::Closing,
};

const CLIENT_SIDE_RULES: Duty = Duty {
    task: 8,
    name: "client_side_rules",
    step: StepId::new(5, 1),
    who: "help_desk",
    what: "The audit log tells of a rule that desktop Outlook made in the attacker's hands, and no interface of Exchange lists it. Open the mailbox in desktop Outlook, Rules and Alerts, and delete every rule there that its owner did not make, those marked client-only above all; export the owner's first. What no list of Outlook's shows either can be told by its effect alone: mail that goes missing.",
    shows: Shows::Nothing,
    before: Before::Effective,
};

const DELETE_APP_PASSWORDS: Duty = Duty {
    task: 9,
    name: "delete_app_passwords",
    step: StepId::new(4, 3),
    who: "identity_admin",
    what: "An app password was made while a stranger was in the account, and no interface can delete it. In the Entra admin centre open Users, Per-user MFA, choose the user, Manage user settings, tick \"Delete all existing app passwords generated by the selected users\" and save. Until then it sends mail by SMTP AUTH as soon as sign-in is given back.",
    shows: Shows::AppPasswordsDeleted,
    before: Before::Effective,
};

/// When an app password was last made, by somebody who is not known to be the owner. No
/// interface lists them: the record of the making is all there is.
pub fn app_password_made(state: &State) -> Option<Timestamp> {
    let (_, analysis) = state.analysis.as_ref()?;
    analysis
        .changes
        .iter()
        .filter(|change| change.kind == ObjectKind::AppPassword)
        .filter(|change| change.operation.to_lowercase().starts_with("create"))
        .filter(|change| matches!(change.by, Origin::Attacker | Origin::Unknown))
        .map(|change| change.at)
        .max()
}

/// How far apart the numbers of one round of a case lie: a case that is opened
/// again hands everything out again.
const ROUND: u32 = 100;

/// The duties of a case, as far as its account is known.
pub fn duties(state: &State) -> Vec<Duty> {
    let Some(account) = &state.account else {
        return Vec::new();
    };
    let guest = account.is_guest();
    let paid = crate::payment::clock(state).is_some();
    let unlisted = !unlisted_rules(state).is_empty();
    [
        (DISABLE_ON_PREMISES, account.synced),
        (RESET_ON_PREMISES, account.synced),
        (ENABLE_ON_PREMISES, account.synced),
        (HOME_TENANT, guest),
        (CLIENT_SIDE_RULES, unlisted),
        (
            FEDERATION_PROVIDER,
            !guest && account.standing.federated == Some(true),
        ),
        (RECALL_PAYMENT, paid),
        (REPORT_TO_POLICE, paid),
        (DELETE_APP_PASSWORDS, app_password_made(state).is_some()),
    ]
    .into_iter()
    .filter(|(_, applies)| *applies)
    .map(|(duty, _)| Duty {
        task: ROUND * (state.reopened + 1) + duty.task,
        ..duty
    })
    .collect()
}

/// Rules that the attacker made in desktop Outlook and that no list of any snapshot
/// shows: each by its record. They run in Outlook, or are hidden below Exchange's own
/// list; either way nothing but the record and their effect tells of them. A rule that
/// we changed through Exchange since took them with it (reference §0.6).
pub fn unlisted_rules(state: &State) -> Vec<&crate::event::Change> {
    use crate::event::{Facts, Origin};
    let Some((_, analysis)) = &state.analysis else {
        return Vec::new();
    };
    let listed = |id: &str| {
        state
            .snapshots
            .iter()
            .flat_map(|snapshot| &snapshot.objects)
            .any(|observed| match &observed.facts {
                Facts::InboxRule { aliases, .. } => aliases.iter().any(|alias| alias == id),
                _ => false,
            })
    };
    let dropped_at = state
        .actions
        .values()
        .filter(|action| {
            matches!(
                action.planned.kind,
                crate::ActionKind::RemoveHiddenRule | crate::ActionKind::RemoveRuleInExchange
            )
        })
        .filter_map(|action| action.applied.as_ref().map(|(at, _)| *at))
        .max();
    analysis
        .changes
        .iter()
        .filter(|change| {
            change.by == Origin::Attacker
                && change.kind == crate::ObjectKind::InboxRule
                && change.operation.eq_ignore_ascii_case("UpdateInboxRules")
                && !change.parameters.contains("removemailboxrule")
        })
        .filter(|change| {
            let numbers: Vec<&String> = change
                .ids
                .iter()
                .filter(|id| id.len() >= 8 && id.bytes().all(|digit| digit.is_ascii_digit()))
                .collect();
            !numbers.is_empty() && numbers.iter().all(|id| !listed(id))
        })
        .filter(|change| dropped_at.is_none_or(|at| change.at > at))
        .collect()
}

/// The duties that have to be done before this, and are not: nobody said so, or
/// the tenant could show it and does not.
pub fn open(state: &State, before: Before) -> Vec<Duty> {
    duties(state)
        .into_iter()
        .filter(|duty| duty.before == before && !is_done(state, duty))
        .collect()
}

/// Whether the on-premises twin, if there is one, is known to be disabled.
pub fn stays_blocked(state: &State) -> bool {
    duties(state)
        .iter()
        .filter(|duty| duty.shows == Shows::StaysDisabled)
        .all(|duty| is_done(state, duty))
}

fn is_done(state: &State, duty: &Duty) -> bool {
    state.tasks.get(&duty.task).is_some_and(|task| {
        task.done.is_some() && (task.verified.is_some() || duty.shows == Shows::Nothing)
    })
}
