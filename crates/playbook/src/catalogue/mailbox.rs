//! Actions and artefacts of the account's own mailbox besides inbox rules and forwarding.

use super::{ActionKind, ActionSpec, ArtefactSpec, Effect, Reverse};
use crate::steps::StepId;
use crate::words::{ArtefactId, ObjectKind};

const EXCHANGE: &[&str] = &["Exchange.ManageAsApp"];
const EXCHANGE_ROLES: &[&str] = &["Exchange Administrator"];

pub(super) const REMOVE_SWEEP_RULE: ActionSpec = ActionSpec {
    kind: ActionKind::RemoveSweepRule,
    title: "Remove sweep rule",
    step: StepId::new(5, 1),
    object: ObjectKind::SweepRule,
    permissions: EXCHANGE,
    roles: EXCHANGE_ROLES,
    evidence: "the sweep rule as Exchange lists it",
    precheck: "the sweep rule is there and does what it did when the plan was made",
    verification: "Exchange no longer lists it among the mailbox's sweep rules",
    reverse: Reverse::By(
        "create the sweep rule again with the same sender, folders and time; it gets a new id",
    ),
    breaks: "mail of this sender stays where it arrives; what was swept away stays in its folder",
    effect: Effect {
        words: "at once; the service sweeps from time to time",
        within_s: 60,
    },
    repeatable: false,
    source: "reference §6.2",
};

pub(super) const DISGUISED_RULE: ArtefactSpec = ArtefactSpec {
    id: ArtefactId::DISGUISED_RULE,
    title: "Inbox rule named like one of the system's own",
    object: ObjectKind::InboxRule,
    gives: "what any rule gives, in the hope that a tool skips it by its name",
    ended_by: &[
        ActionKind::RemoveInboxRule,
        ActionKind::RemoveHiddenRule,
        ActionKind::RemoveRuleInExchange,
    ],
    source: "reference §6.2",
};

pub(super) const SWEEP_RULE: ArtefactSpec = ArtefactSpec {
    id: ArtefactId::SWEEP_RULE,
    title: "Sweep rule",
    object: ObjectKind::SweepRule,
    gives: "replies and warnings swept out of sight, in a store that rule checks do not read",
    ended_by: &[ActionKind::RemoveSweepRule],
    source: "reference §6.2",
};

pub(super) const CONTACT_FORWARDING: ArtefactSpec = ArtefactSpec {
    id: ArtefactId::CONTACT_FORWARDING,
    title: "Mailbox forwarding to a contact",
    object: ObjectKind::MailboxForwarding,
    gives: "a copy of all mail under a name that looks internal, also while the account is blocked",
    ended_by: &[ActionKind::ClearForwarding],
    source: "reference §6.2",
};
