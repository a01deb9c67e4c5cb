//! The catalogue: what each artefact is and what each action must declare.
//!
//! An [`ActionSpec`] is a struct without defaults: an action that leaves out its
//! permissions, its evidence, its read-back, its way back or what it breaks does
//! not compile. The reference page `docs/reference/catalogue.md` is generated
//! from these tables.

mod folders;
mod identity;

use serde::{Deserialize, Serialize};

use crate::steps::StepId;
use crate::words::{ArtefactId, ObjectKind};

mod mailbox;

/// An artefact that this version reads, judges, removes and verifies.
#[derive(Clone, Copy, Debug)]
pub struct ArtefactSpec {
    /// Its id.
    pub id: ArtefactId,
    /// What it is.
    pub title: &'static str,
    /// The kind of object that carries it.
    pub object: ObjectKind,
    /// What the attacker gets from it.
    pub gives: &'static str,
    /// The actions that end it, in their order.
    pub ended_by: &'static [ActionKind],
    /// Where the facts come from.
    pub source: &'static str,
}

/// One kind of change to one kind of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionKind {
    /// Sets `accountEnabled` to false.
    BlockSignIn,
    /// Ends refresh tokens and session cookies.
    RevokeSessions,
    /// Sets a random password that nobody knows.
    ResetPassword,
    /// Deletes one authentication method.
    RemoveMethod,
    /// Deletes an inbox rule that Graph shows.
    RemoveInboxRule,
    /// Deletes an inbox rule that only Exchange shows.
    RemoveHiddenRule,
    /// Deletes through Exchange an inbox rule that Graph would show, where Graph refuses.
    RemoveRuleInExchange,
    /// Clears both forwarding fields of the mailbox in one change.
    ClearForwarding,
    /// Raises how long the mailbox keeps what is deleted from it.
    RaiseRetention,
    /// Puts the mailbox on litigation hold.
    HoldMailbox,
    /// Deletes a delegated grant.
    RemoveGrant,
    /// Takes a right on the whole mailbox from whoever holds it.
    RemoveMailboxRight,
    /// Takes a right on one folder from whoever holds it; of an entry for nobody in
    /// particular, sets it back to what such a folder has by itself.
    RemoveFolderRight,
    /// Deletes a sweep rule.
    RemoveSweepRule,
    /// Switches the automatic reply off and clears its texts.
    SwitchOffAutoReply,
    /// Takes the attacker's entries out of the lists of junk mail.
    RemoveJunkEntries,
    /// Sets protocols back to what they were.
    RestoreProtocols,
    /// Deletes a mobile device's partnership; never anything on the device.
    RemovePartnership,
    /// Lifts the service's block from sending.
    LiftSendingBlock,
    /// Sets `accountEnabled` to true.
    RestoreSignIn,

    // Identity.
    /// Makes a method that stays the default one.
    ChooseDefaultMethod,
    /// Sets a device's `accountEnabled` to false.
    DisableDevice,
    /// Sets an app's `accountEnabled` to false, for everybody.
    DisableApp,
    /// Withdraws an app role from the account.
    RemoveAppRole,
    /// Sets a property that self-service reset goes by back to what it was.
    RestoreResetAttribute,
    /// Deletes the assignment of a directory role.
    RemoveRole,
}

/// When a change takes effect after the tenant accepted it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effect {
    /// In words, for the plan and the access clock.
    pub words: &'static str,
    /// The longest that it takes, in seconds.
    pub within_s: u32,
}

/// How an action is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reverse {
    /// By this means, from the state saved before the change.
    By(&'static str),
    /// It cannot be, for this reason.
    None(&'static str),
}

/// How far a change reaches beyond the affected person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The affected account alone: its sign-in, sessions, methods, its own consents.
    Account,
    /// The affected account's own mailbox.
    Mailbox,
    /// Roles, policies, other people's objects, apps and consents for everybody. Such a
    /// change takes a second person (product, S2.4).
    Tenant,
}

impl Scope {
    /// What a person reads.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Account => "this account alone",
            Self::Mailbox => "this mailbox alone",
            Self::Tenant => "beyond this account: a second person is asked",
        }
    }

    /// Whether a change of this scope waits for a second person.
    pub const fn takes_two(self) -> bool {
        matches!(self, Self::Tenant)
    }
}

/// Everything that an action must declare before it may exist.
#[derive(Clone, Copy, Debug)]
pub struct ActionSpec {
    /// Which action.
    pub kind: ActionKind,
    /// What a person reads, as an order: "Block sign-in".
    pub title: &'static str,
    /// The step that it belongs to.
    pub step: StepId,
    /// The kind of object that it changes.
    pub object: ObjectKind,
    /// How far it reaches.
    pub scope: Scope,
    /// The least application permissions, all needed.
    pub permissions: &'static [&'static str],
    /// The directory roles of which one is needed beside them.
    pub roles: &'static [&'static str],
    /// What must be in the case before the change.
    pub evidence: &'static str,
    /// What is read, and must be so, immediately before the change.
    pub precheck: &'static str,
    /// What is read after the change, and must be so.
    pub verification: &'static str,
    /// How it is taken back.
    pub reverse: Reverse,
    /// What it breaks for people who did nothing wrong.
    pub breaks: &'static str,
    /// When it takes effect.
    pub effect: Effect,
    /// Whether it may be sent again when its outcome is unknown.
    pub repeatable: bool,
    /// Where the facts come from.
    pub source: &'static str,
}

impl ActionKind {
    /// Its declaration.
    pub fn spec(self) -> &'static ActionSpec {
        match self {
            Self::BlockSignIn => &BLOCK_SIGN_IN,
            Self::RevokeSessions => &REVOKE_SESSIONS,
            Self::ResetPassword => &RESET_PASSWORD,
            Self::RemoveMethod => &REMOVE_METHOD,
            Self::RemoveInboxRule => &REMOVE_INBOX_RULE,
            Self::RemoveHiddenRule => &REMOVE_HIDDEN_RULE,
            Self::RemoveRuleInExchange => &REMOVE_RULE_IN_EXCHANGE,
            Self::ClearForwarding => &CLEAR_FORWARDING,
            Self::RaiseRetention => &RAISE_RETENTION,
            Self::HoldMailbox => &HOLD_MAILBOX,
            Self::RemoveGrant => &REMOVE_GRANT,
            Self::RemoveMailboxRight => &REMOVE_MAILBOX_RIGHT,
            Self::RemoveFolderRight => &folders::REMOVE_FOLDER_RIGHT,
            Self::RemoveSweepRule => &mailbox::REMOVE_SWEEP_RULE,
            Self::SwitchOffAutoReply => &mailbox::SWITCH_OFF_AUTO_REPLY,
            Self::RemoveJunkEntries => &mailbox::REMOVE_JUNK_ENTRIES,
            Self::RestoreProtocols => &mailbox::RESTORE_PROTOCOLS,
            Self::RemovePartnership => &mailbox::REMOVE_PARTNERSHIP,
            Self::LiftSendingBlock => &mailbox::LIFT_SENDING_BLOCK,
            Self::RestoreSignIn => &RESTORE_SIGN_IN,
            Self::ChooseDefaultMethod => &identity::CHOOSE_DEFAULT_METHOD,
            Self::DisableDevice => &identity::DISABLE_DEVICE,
            Self::DisableApp => &identity::DISABLE_APP,
            Self::RemoveAppRole => &identity::REMOVE_APP_ROLE,
            Self::RestoreResetAttribute => &identity::RESTORE_RESET_ATTRIBUTE,
            Self::RemoveRole => &identity::REMOVE_ROLE,
        }
    }

    /// Its title.
    pub fn title(self) -> &'static str {
        self.spec().title
    }
}

/// Every action, in the order in which a case meets them.
pub const ACTIONS: &[&ActionSpec] = &[
    &BLOCK_SIGN_IN,
    &REVOKE_SESSIONS,
    &RAISE_RETENTION,
    &HOLD_MAILBOX,
    &CLEAR_FORWARDING,
    &REMOVE_MAILBOX_RIGHT,
    &folders::REMOVE_FOLDER_RIGHT,
    &REMOVE_INBOX_RULE,
    &REMOVE_HIDDEN_RULE,
    &REMOVE_RULE_IN_EXCHANGE,
    &mailbox::REMOVE_SWEEP_RULE,
    &mailbox::SWITCH_OFF_AUTO_REPLY,
    &mailbox::REMOVE_JUNK_ENTRIES,
    &mailbox::RESTORE_PROTOCOLS,
    &mailbox::REMOVE_PARTNERSHIP,
    &identity::DISABLE_DEVICE,
    &identity::DISABLE_APP,
    &identity::REMOVE_ROLE,
    &RESET_PASSWORD,
    &identity::CHOOSE_DEFAULT_METHOD,
    &REMOVE_METHOD,
    &identity::RESTORE_RESET_ATTRIBUTE,
    &REMOVE_GRANT,
    &identity::REMOVE_APP_ROLE,
    &RESTORE_SIGN_IN,
    &mailbox::LIFT_SENDING_BLOCK,
];

const USER_ROLES: &[&str] = &[
    "User Administrator",
    "Privileged Authentication Administrator",
];

const BLOCK_SIGN_IN: ActionSpec = ActionSpec {
    kind: ActionKind::BlockSignIn,
    title: "Block sign-in",
    step: StepId::new(2, 1),
    object: ObjectKind::Account,
    scope: Scope::Account,
    permissions: &["User.EnableDisableAccount.All", "User.Read.All"],
    roles: &[],
    evidence: "one read of the account; if it does not come within 2 s the block goes ahead and the case says so",
    precheck: "the account exists and is not the responder's own",
    verification: "accountEnabled reads false",
    reverse: Reverse::By("set accountEnabled to true again (retake release)"),
    breaks: "the user cannot sign in anywhere; mail still arrives; Exchange comes back up to 40 min after release",
    effect: Effect {
        words: "new sign-ins at once; apps with continuous access evaluation within 15 min",
        within_s: 900,
    },
    repeatable: false,
    source: "reference §2.1, §9.3",
};

const REVOKE_SESSIONS: ActionSpec = ActionSpec {
    kind: ActionKind::RevokeSessions,
    title: "Revoke sessions",
    step: StepId::new(3, 1),
    object: ObjectKind::Session,
    scope: Scope::Account,
    permissions: &["User.RevokeSessions.All", "User.Read.All"],
    roles: &[],
    evidence: "the account with its present session validity time",
    precheck: "sign-in is blocked",
    verification: "signInSessionsValidFromDateTime is not older than the change",
    reverse: Reverse::None("ended sessions cannot be given back; the user signs in again"),
    breaks: "the user is signed out everywhere",
    effect: Effect {
        words: "refresh within a few minutes; access tokens without continuous access evaluation live on up to 90 min",
        within_s: 300,
    },
    repeatable: true,
    source: "reference §2.1, §9.2",
};

const RAISE_RETENTION: ActionSpec = ActionSpec {
    kind: ActionKind::RaiseRetention,
    title: "Keep deleted mail for 30 days",
    step: StepId::new(1, 8),
    object: ObjectKind::Mailbox,
    scope: Scope::Mailbox,
    permissions: &["Exchange.ManageAsApp"],
    roles: &["Exchange Administrator"],
    evidence: "the mailbox with its retention time",
    precheck: "the retention time is as it was when the plan was made",
    verification: "the mailbox reads 30 days and single item recovery on",
    reverse: Reverse::By("set the retention time and single item recovery to their saved values"),
    breaks: "nothing; the folder of recoverable items grows",
    effect: Effect {
        words: "for what is deleted from now on, and for what is still there",
        within_s: 3600,
    },
    repeatable: true,
    source: "reference §14.1",
};

const HOLD_MAILBOX: ActionSpec = ActionSpec {
    kind: ActionKind::HoldMailbox,
    title: "Put the mailbox on litigation hold",
    step: StepId::new(1, 8),
    object: ObjectKind::Mailbox,
    scope: Scope::Mailbox,
    permissions: &["Exchange.ManageAsApp"],
    roles: &["Exchange Administrator"],
    evidence: "the mailbox with its holds",
    precheck: "the mailbox is not on hold, and a hold is licensed",
    verification: "LitigationHoldEnabled reads true",
    reverse: Reverse::By("lift the hold"),
    breaks: "nothing is deleted for good until somebody lifts it; a full folder of recoverable items would refuse deletions",
    effect: Effect {
        words: "within the hour",
        within_s: 3600,
    },
    repeatable: true,
    source: "reference §14.1",
};

const RESET_PASSWORD: ActionSpec = ActionSpec {
    kind: ActionKind::ResetPassword,
    title: "Reset password",
    step: StepId::new(4, 1),
    object: ObjectKind::Password,
    scope: Scope::Account,
    permissions: &["User-PasswordProfile.ReadWrite.All", "User.Read.All"],
    roles: USER_ROLES,
    evidence: "the account with the time of its last password change",
    precheck: "sign-in is blocked",
    verification: "lastPasswordChangeDateTime is not older than the change",
    reverse: Reverse::None("the old password is the attacker's"),
    breaks: "devices that remember the password ask for it; the user comes back by a temporary access pass",
    effect: Effect {
        words: "at once",
        within_s: 60,
    },
    repeatable: true,
    source: "reference §2.1, §9.2",
};

const REMOVE_METHOD: ActionSpec = ActionSpec {
    kind: ActionKind::RemoveMethod,
    title: "Remove authentication method",
    step: StepId::new(4, 2),
    object: ObjectKind::Method,
    scope: Scope::Account,
    permissions: &["UserAuthenticationMethod.ReadWrite.All"],
    roles: &[
        "Authentication Administrator",
        "Privileged Authentication Administrator",
    ],
    evidence: "the list of methods with this one in it",
    precheck: "the method is there and is as it was when the plan was made",
    verification: "the list of methods no longer holds it",
    reverse: Reverse::None("a method is bound to a device or number; its owner registers it again"),
    breaks: "whoever holds the method registers it again at the next sign-in",
    effect: Effect {
        words: "at once for new sign-ins",
        within_s: 60,
    },
    repeatable: false,
    source: "reference §2.2, §2.3",
};

const REMOVE_INBOX_RULE: ActionSpec = ActionSpec {
    kind: ActionKind::RemoveInboxRule,
    title: "Remove inbox rule",
    step: StepId::new(5, 1),
    object: ObjectKind::InboxRule,
    scope: Scope::Mailbox,
    permissions: &["MailboxSettings.ReadWrite"],
    roles: &[],
    evidence: "the rule as Graph returns it and as Exchange lists it",
    precheck: "the rule is there and does what it did when the plan was made",
    verification: "neither Graph nor Exchange lists it",
    reverse: Reverse::By(
        "create the rule again from its saved form; it gets a new id, and its old place in the order as far as the service takes it",
    ),
    breaks: "mail is no longer handled by this rule",
    effect: Effect {
        words: "at once for mail that arrives",
        within_s: 60,
    },
    repeatable: false,
    source: "reference §6.1",
};

const REMOVE_HIDDEN_RULE: ActionSpec = ActionSpec {
    kind: ActionKind::RemoveHiddenRule,
    title: "Remove hidden inbox rule",
    step: StepId::new(5, 1),
    object: ObjectKind::InboxRule,
    scope: Scope::Mailbox,
    permissions: &["Exchange.ManageAsApp"],
    roles: &["Exchange Administrator"],
    evidence: "the rule as Exchange lists it with hidden rules included",
    precheck: "the rule is there and does what it did when the plan was made",
    verification: "Exchange, asked for hidden rules too, no longer lists it",
    reverse: Reverse::By("create a rule of the same effect; it comes back visible"),
    breaks: CLIENT_SIDE_RULES,
    effect: Effect {
        words: "at once for mail that arrives",
        within_s: 60,
    },
    repeatable: false,
    source: "reference §0.6, §6.2",
};

/// What a rule changed through Exchange costs. No documented interface shows those
/// rules, so the owner is the only one who can save them.
const CLIENT_SIDE_RULES: &str = "Exchange drops Outlook's client-side rules of this mailbox with any such change, and no interface shows them: have the owner export them in Outlook first if they matter";

const REMOVE_RULE_IN_EXCHANGE: ActionSpec = ActionSpec {
    kind: ActionKind::RemoveRuleInExchange,
    title: "Remove inbox rule through Exchange",
    step: StepId::new(5, 1),
    object: ObjectKind::InboxRule,
    scope: Scope::Mailbox,
    permissions: &["Exchange.ManageAsApp"],
    roles: &["Exchange Administrator"],
    evidence: "the rule as Exchange lists it",
    precheck: "the rule is there and does what it did when the plan was made",
    verification: "Exchange, asked for hidden rules too, no longer lists it",
    reverse: Reverse::By(
        "create the rule again from its saved form; it gets a new id, and its old place in the order as far as the service takes it",
    ),
    breaks: CLIENT_SIDE_RULES,
    effect: Effect {
        words: "at once for mail that arrives",
        within_s: 60,
    },
    repeatable: false,
    source: "reference §0.6, §6.2",
};

const CLEAR_FORWARDING: ActionSpec = ActionSpec {
    kind: ActionKind::ClearForwarding,
    title: "Clear mailbox forwarding",
    step: StepId::new(3, 5),
    object: ObjectKind::MailboxForwarding,
    scope: Scope::Mailbox,
    permissions: &["Exchange.ManageAsApp"],
    roles: &["Exchange Administrator"],
    evidence: "the mailbox with both forwarding fields",
    precheck: "both fields are as they were when the plan was made",
    verification: "both forwarding fields read empty",
    reverse: Reverse::By("set both fields and the keep-a-copy switch to their saved values"),
    breaks: "mail stays in the mailbox and is no longer sent on",
    effect: Effect {
        words: "at once for mail that arrives",
        within_s: 60,
    },
    repeatable: false,
    source: "reference §6.2",
};

const REMOVE_MAILBOX_RIGHT: ActionSpec = ActionSpec {
    kind: ActionKind::RemoveMailboxRight,
    title: "Remove right on the mailbox",
    scope: Scope::Mailbox,
    step: StepId::new(3, 5),
    object: ObjectKind::MailboxRight,
    permissions: &["Exchange.ManageAsApp"],
    roles: &["Exchange Administrator"],
    evidence: "the list of rights with this one in it",
    precheck: "the right is in the list as it was when the plan was made",
    verification: "the list of rights no longer holds it",
    reverse: Reverse::By("give the same right to the same holder again"),
    breaks: "its holder can no longer open the mailbox, or send in its name",
    effect: Effect {
        words: "at once for new connections; a program that has the mailbox open may keep it for up to an hour",
        within_s: 3600,
    },
    repeatable: false,
    source: "reference §6.2",
};

const REMOVE_GRANT: ActionSpec = ActionSpec {
    kind: ActionKind::RemoveGrant,
    title: "Remove app consent",
    step: StepId::new(5, 3),
    object: ObjectKind::OauthGrant,
    scope: Scope::Account,
    permissions: &["DelegatedPermissionGrant.ReadWrite.All"],
    roles: &[],
    evidence: "the grant and the app that holds it",
    precheck: "the grant is there with the scopes it had when the plan was made",
    verification: "the user's grants no longer hold it",
    reverse: Reverse::By(
        "create the grant again with the same app, resource and scopes; it gets a new id",
    ),
    breaks: "the app can no longer act for this user",
    effect: Effect {
        words: "no new tokens at once; tokens already issued live on up to 90 min",
        within_s: 60,
    },
    repeatable: false,
    source: "reference §5, §9.3",
};

const RESTORE_SIGN_IN: ActionSpec = ActionSpec {
    kind: ActionKind::RestoreSignIn,
    title: "Give sign-in back",
    step: StepId::new(7, 1),
    object: ObjectKind::Account,
    scope: Scope::Account,
    permissions: &["User.EnableDisableAccount.All", "User.Read.All"],
    roles: &[],
    evidence: "the account as it is while blocked",
    precheck: "every gate of return is passed or overridden",
    verification: "accountEnabled reads true",
    reverse: Reverse::By("block sign-in again (retake contain)"),
    breaks: "nothing; whatever foothold was missed can be used again from now on",
    effect: Effect {
        words: "sign-in within minutes; Exchange after 35 to 40 min",
        within_s: 2400,
    },
    repeatable: false,
    source: "reference §2.1, §9.3",
};

/// Every artefact of this version.
pub const ARTEFACTS: &[ArtefactSpec] = &[
    ArtefactSpec {
        id: ArtefactId::STOLEN_PASSWORD,
        title: "Stolen password",
        object: ObjectKind::Password,
        gives: "a new sign-in, where a second factor is also held or not asked for",
        ended_by: &[ActionKind::BlockSignIn, ActionKind::ResetPassword],
        source: "reference §9.2",
    },
    ArtefactSpec {
        id: ArtefactId::REFRESH_TOKENS,
        title: "Refresh tokens and session cookies",
        object: ObjectKind::Session,
        gives: "new access tokens without password or second factor, for up to 90 days",
        ended_by: &[ActionKind::BlockSignIn, ActionKind::RevokeSessions],
        source: "reference §9.1, §9.2",
    },
    ArtefactSpec {
        id: ArtefactId::ACCESS_TOKEN,
        title: "Live access token",
        object: ObjectKind::Token,
        gives: "reading, sending and changing until the token ends, even after block and revoke",
        ended_by: &[ActionKind::RevokeSessions],
        source: "reference §0.2, §9.1",
    },
    ArtefactSpec {
        id: ArtefactId::ADDED_METHOD,
        title: "Added authentication method",
        object: ObjectKind::Method,
        gives: "the second factor, and the password through self-service reset",
        ended_by: &[ActionKind::RemoveMethod],
        source: "reference §2.2",
    },
    ArtefactSpec {
        id: ArtefactId::FORWARDING_RULE,
        title: "Inbox rule that forwards outside",
        object: ObjectKind::InboxRule,
        gives: "a copy of mail, also while the account is blocked",
        ended_by: &[
            ActionKind::RemoveInboxRule,
            ActionKind::RemoveRuleInExchange,
        ],
        source: "reference §6.1",
    },
    ArtefactSpec {
        id: ArtefactId::HIDING_RULE,
        title: "Inbox rule that hides mail",
        object: ObjectKind::InboxRule,
        gives: "replies and warnings that the user never sees",
        ended_by: &[
            ActionKind::RemoveInboxRule,
            ActionKind::RemoveRuleInExchange,
        ],
        source: "reference §6.1",
    },
    ArtefactSpec {
        id: ArtefactId::HIDDEN_RULE,
        title: "Hidden inbox rule",
        object: ObjectKind::InboxRule,
        gives: "the same, invisible in Outlook and Graph",
        ended_by: &[ActionKind::RemoveHiddenRule],
        source: "reference §0.6",
    },
    ArtefactSpec {
        id: ArtefactId::SMTP_FORWARDING,
        title: "Mailbox forwarding address",
        object: ObjectKind::MailboxForwarding,
        gives: "a copy of all mail, also while the account is blocked",
        ended_by: &[ActionKind::ClearForwarding],
        source: "reference §6.2",
    },
    mailbox::DISGUISED_RULE,
    mailbox::SWEEP_RULE,
    mailbox::CONTACT_FORWARDING,
    mailbox::AUTO_REPLY,
    mailbox::JUNK_LISTS,
    mailbox::MAIL_PROTOCOLS,
    mailbox::MOBILE_PARTNERSHIP,
    mailbox::SENDING_BLOCK,
    mailbox::CLIENT_SIDE_RULE,
    ArtefactSpec {
        id: ArtefactId::FULL_ACCESS,
        title: "Full access to the mailbox",
        object: ObjectKind::MailboxRight,
        gives: "all mail through another account, also while this one is blocked",
        ended_by: &[ActionKind::RemoveMailboxRight],
        source: "reference §6.2, §6.6",
    },
    ArtefactSpec {
        id: ArtefactId::SEND_AS,
        title: "Right to send as the mailbox",
        object: ObjectKind::MailboxRight,
        gives: "mail in the user's name from another account, also while this one is blocked",
        ended_by: &[ActionKind::RemoveMailboxRight],
        source: "reference §6.2, §6.6",
    },
    ArtefactSpec {
        id: ArtefactId::SEND_ON_BEHALF,
        title: "Right to send on behalf of the mailbox",
        object: ObjectKind::MailboxRight,
        gives: "mail on the user's behalf from another account, also while this one is blocked",
        ended_by: &[ActionKind::RemoveMailboxRight],
        source: "reference §6.2",
    },
    folders::INBOX_RIGHT,
    folders::FOLDER_RIGHT,
    ArtefactSpec {
        id: ArtefactId::SHARED_MAILBOX,
        title: "Rule or forward in a mailbox that the account opens",
        object: ObjectKind::InboxRule,
        gives: "mail of everybody who writes to that mailbox, also while the account is blocked",
        ended_by: &[
            ActionKind::RemoveInboxRule,
            ActionKind::RemoveHiddenRule,
            ActionKind::RemoveRuleInExchange,
            ActionKind::ClearForwarding,
        ],
        source: "reference §6.1, §6.2",
    },
    ArtefactSpec {
        id: ArtefactId::DELEGATED_GRANT,
        title: "Consent given to an app",
        object: ObjectKind::OauthGrant,
        gives: "mail and files through an app, after password and methods have changed",
        ended_by: &[ActionKind::RevokeSessions, ActionKind::RemoveGrant],
        source: "reference §5, §9.3",
    },
    identity::APP_PASSWORD,
    identity::DEFAULT_METHOD,
    identity::APP_ROLE,
    identity::MALICIOUS_APP,
    identity::DIRECTORY_ROLE,
    identity::SECOND_ACCOUNT,
    identity::REGISTERED_DEVICE,
    identity::RESET_ATTRIBUTES,
    identity::TEMPORARY_ACCESS_PASS,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_stands_in_the_list_once_and_in_an_existing_step() {
        for (index, spec) in ACTIONS.iter().enumerate() {
            assert!(spec.step.spec().is_some(), "{:?}", spec.kind);
            assert!(ACTIONS.iter().skip(index + 1).all(|o| o.kind != spec.kind));
            assert_eq!(spec.kind.spec().kind, spec.kind);
        }
    }

    #[test]
    fn no_declaration_is_empty() {
        for spec in ACTIONS {
            assert!(!spec.permissions.is_empty(), "{:?}", spec.kind);
            for text in [
                spec.evidence,
                spec.precheck,
                spec.verification,
                spec.breaks,
                spec.effect.words,
                spec.source,
            ] {
                assert!(text.len() > 3, "{:?}", spec.kind);
            }
            match spec.reverse {
                Reverse::By(text) | Reverse::None(text) => assert!(text.len() > 10),
            }
        }
    }

    #[test]
    fn every_artefact_has_an_action_that_ends_it() {
        for artefact in ARTEFACTS {
            assert!(!artefact.ended_by.is_empty(), "{}", artefact.id);
        }
    }
}
