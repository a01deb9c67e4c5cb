//! Actions and artefacts of the account's own mailbox besides inbox rules and forwarding.

use super::{ActionKind, ActionSpec, ArtefactSpec, Effect, Reverse, Scope};
use crate::steps::StepId;
use crate::words::{ArtefactId, ObjectKind};

const EXCHANGE: &[&str] = &["Exchange.ManageAsApp"];
const EXCHANGE_ROLES: &[&str] = &["Exchange Administrator"];

pub(super) const REMOVE_SWEEP_RULE: ActionSpec = ActionSpec {
    kind: ActionKind::RemoveSweepRule,
    title: "Remove sweep rule",
    step: StepId::new(5, 1),
    object: ObjectKind::SweepRule,
    scope: Scope::Mailbox,
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

pub(super) const SWITCH_OFF_AUTO_REPLY: ActionSpec = ActionSpec {
    kind: ActionKind::SwitchOffAutoReply,
    title: "Switch the automatic reply off",
    step: StepId::new(3, 5),
    object: ObjectKind::AutoReply,
    scope: Scope::Mailbox,
    permissions: EXCHANGE,
    roles: EXCHANGE_ROLES,
    evidence: "the automatic reply with both texts",
    precheck: "it answers as it did when the plan was made",
    verification: "the automatic reply reads disabled",
    reverse: Reverse::By("set state, audience, times and both texts to their saved values"),
    breaks: "nobody is told that the user is away",
    effect: Effect {
        words: "at once for mail that arrives",
        within_s: 60,
    },
    repeatable: false,
    source: "reference §6.2",
};

pub(super) const REMOVE_JUNK_ENTRIES: ActionSpec = ActionSpec {
    kind: ActionKind::RemoveJunkEntries,
    title: "Remove entries from the lists of junk mail",
    step: StepId::new(5, 1),
    object: ObjectKind::JunkLists,
    scope: Scope::Mailbox,
    permissions: EXCHANGE,
    roles: EXCHANGE_ROLES,
    evidence: "the lists as Exchange shows them",
    precheck: "the lists are as they were when the plan was made",
    verification: "none of the removed entries stands in the lists",
    reverse: Reverse::By("add the removed entries again"),
    breaks: "nothing of the user's own: only the attacker's entries go",
    effect: Effect {
        words: "at once for mail that arrives",
        within_s: 60,
    },
    repeatable: false,
    source: "reference §6.2",
};

pub(super) const RESTORE_PROTOCOLS: ActionSpec = ActionSpec {
    kind: ActionKind::RestoreProtocols,
    title: "Set mail protocols back",
    step: StepId::new(5, 1),
    object: ObjectKind::MailProtocols,
    scope: Scope::Mailbox,
    permissions: EXCHANGE,
    roles: EXCHANGE_ROLES,
    evidence: "the protocols as Exchange shows them",
    precheck: "the protocols are as they were when the plan was made",
    verification: "each reads what it was before it was switched on",
    reverse: Reverse::By("switch the same protocols on again"),
    breaks: "programs that began to use these protocols since then stop",
    effect: Effect {
        words: "up to an hour; what is already connected stays so until its token ends",
        within_s: 3600,
    },
    repeatable: false,
    source: "reference §6.2",
};

pub(super) const REMOVE_PARTNERSHIP: ActionSpec = ActionSpec {
    kind: ActionKind::RemovePartnership,
    title: "Remove mobile device",
    step: StepId::new(5, 1),
    object: ObjectKind::MobilePartnership,
    scope: Scope::Mailbox,
    permissions: EXCHANGE,
    roles: EXCHANGE_ROLES,
    evidence: "the mailbox's mobile devices with this one among them",
    precheck: "the device is there as it was when the plan was made",
    verification: "Exchange no longer lists it among the mailbox's devices",
    reverse: Reverse::None(
        "a partnership is made by the device: whoever holds it pairs it again after signing in",
    ),
    breaks: "mail on this device stops; nothing on the device itself is erased",
    effect: Effect {
        words: "at its next synchronisation; it cannot pair again without signing in",
        within_s: 900,
    },
    repeatable: false,
    source: "reference §6.2",
};

pub(super) const LIFT_SENDING_BLOCK: ActionSpec = ActionSpec {
    kind: ActionKind::LiftSendingBlock,
    title: "Lift the block from sending",
    step: StepId::new(7, 1),
    object: ObjectKind::SendingBlock,
    scope: Scope::Account,
    permissions: EXCHANGE,
    roles: EXCHANGE_ROLES,
    evidence: "the service's list of accounts that may not send, with this one in it",
    precheck: "the eviction is effective and sign-in has been given back",
    verification: "the service's list no longer holds the account",
    reverse: Reverse::None("the service alone stops accounts from sending"),
    breaks: "nothing; how often an account can be lifted is limited, then support has to",
    effect: Effect {
        words: "usually within an hour, at most a day",
        within_s: 86_400,
    },
    repeatable: false,
    source: "reference §15.5",
};

pub(super) const AUTO_REPLY: ArtefactSpec = ArtefactSpec {
    id: ArtefactId::AUTO_REPLY,
    title: "Automatic reply",
    object: ObjectKind::AutoReply,
    gives: "the attacker's words, sent to whoever writes, also while the account is blocked",
    ended_by: &[ActionKind::SwitchOffAutoReply],
    source: "reference §6.2",
};

pub(super) const JUNK_LISTS: ArtefactSpec = ArtefactSpec {
    id: ArtefactId::JUNK_LISTS,
    title: "Safe senders and junk lists",
    object: ObjectKind::JunkLists,
    gives: "mail of the attacker's that arrives, and warnings that do not",
    ended_by: &[ActionKind::RemoveJunkEntries],
    source: "reference §6.2",
};

pub(super) const MAIL_PROTOCOLS: ArtefactSpec = ArtefactSpec {
    id: ArtefactId::MAIL_PROTOCOLS,
    title: "Mail protocol switched on",
    object: ObjectKind::MailProtocols,
    gives: "another way to read or send with a token or password that still works",
    ended_by: &[ActionKind::RestoreProtocols],
    source: "reference §0.9, §6.2",
};

pub(super) const MOBILE_PARTNERSHIP: ArtefactSpec = ArtefactSpec {
    id: ArtefactId::MOBILE_PARTNERSHIP,
    title: "Mobile device paired with the mailbox",
    object: ObjectKind::MobilePartnership,
    gives: "the mailbox on a phone of the attacker's, for as long as its token lives",
    ended_by: &[
        ActionKind::BlockSignIn,
        ActionKind::RevokeSessions,
        ActionKind::RemovePartnership,
    ],
    source: "reference §6.2",
};

pub(super) const SENDING_BLOCK: ArtefactSpec = ArtefactSpec {
    id: ArtefactId::SENDING_BLOCK,
    title: "Account stopped from sending, by the service",
    object: ObjectKind::SendingBlock,
    gives: "nothing; it is what the attacker's mail cost the user, and is lifted last",
    ended_by: &[ActionKind::LiftSendingBlock],
    source: "reference §15.5",
};

pub(super) const CLIENT_SIDE_RULE: ArtefactSpec = ArtefactSpec {
    id: ArtefactId::CLIENT_SIDE_RULE,
    title: "Rule that only desktop Outlook runs",
    object: ObjectKind::ClientSideRule,
    gives: "what a rule gives, wherever Outlook runs; no interface lists it",
    // A person deletes it in Outlook (the task `client_side_rules`); a rule that has to
    // be changed through Exchange takes it away too, with the owner's own.
    ended_by: &[
        ActionKind::RemoveHiddenRule,
        ActionKind::RemoveRuleInExchange,
    ],
    source: "reference §0.6, §6.2",
};
