//! Artefacts and actions of the identity itself: methods, devices, apps, roles.

use super::{ActionKind, ActionSpec, ArtefactSpec, Effect, Reverse, Scope};
use crate::steps::StepId;
use crate::words::{ArtefactId, ObjectKind};

/// Roles that may switch a device off, for a person who signs in (reference §4).
const DEVICE_ROLES: &[&str] = &["Cloud Device Administrator", "Intune Administrator"];

pub(super) const CHOOSE_DEFAULT_METHOD: ActionSpec = ActionSpec {
    kind: ActionKind::ChooseDefaultMethod,
    title: "Choose the default authentication method",
    step: StepId::new(4, 2),
    object: ObjectKind::Method,
    scope: Scope::Account,
    permissions: &["UserAuthenticationMethod.ReadWrite.All"],
    roles: &[
        "Authentication Administrator",
        "Privileged Authentication Administrator",
    ],
    evidence: "the list of methods and the kind that is the default",
    precheck: "the method that stays is there and is as it was when the plan was made",
    verification: "the kind of the method that stays reads as the default",
    reverse: Reverse::None(
        "the default before was the method that is removed; its owner chooses another on the security page",
    ),
    breaks: "the owner is asked for this method first",
    effect: Effect {
        words: "at the next sign-in",
        within_s: 60,
    },
    // Several methods may be of the kind: that the kind is the default already does
    // not say which method is.
    repeatable: true,
    source: "reference §2.2, §2.3",
};

pub(super) const DISABLE_DEVICE: ActionSpec = ActionSpec {
    kind: ActionKind::DisableDevice,
    title: "Switch off device",
    step: StepId::new(3, 5),
    object: ObjectKind::Device,
    scope: Scope::Account,
    permissions: &["Device.ReadWrite.All", "User.Read.All"],
    roles: DEVICE_ROLES,
    evidence: "the account's devices with this one in the list",
    precheck: "the device is there and is as it was when the plan was made",
    verification: "the device reads accountEnabled false",
    reverse: Reverse::By("set the device's accountEnabled to true again"),
    breaks: "nobody gets tokens on this device; who is signed in to its system stays so",
    effect: Effect {
        words: "at once for new tokens; tokens already issued live on up to 90 min",
        within_s: 60,
    },
    repeatable: false,
    source: "reference §4, §9.3",
};

pub(super) const DISABLE_APP: ActionSpec = ActionSpec {
    kind: ActionKind::DisableApp,
    title: "Switch off app",
    step: StepId::new(3, 5),
    object: ObjectKind::ServicePrincipal,
    scope: Scope::Tenant,
    permissions: &["Application.ReadWrite.All"],
    roles: &[],
    evidence: "the app as it exists in the tenant, with its credentials and permissions",
    precheck: "the app is there and is as it was when the plan was made",
    verification: "the app reads accountEnabled false",
    reverse: Reverse::By("set the app's accountEnabled to true again"),
    breaks: "nobody in the tenant can use this app, and it gets no tokens for itself",
    effect: Effect {
        words: "no new tokens at once; tokens already issued live on up to 90 min",
        within_s: 60,
    },
    repeatable: false,
    source: "reference §0.3, §5, §9.3",
};

pub(super) const REMOVE_APP_ROLE: ActionSpec = ActionSpec {
    kind: ActionKind::RemoveAppRole,
    title: "Withdraw app role",
    step: StepId::new(5, 3),
    object: ObjectKind::AppRole,
    scope: Scope::Account,
    permissions: &["AppRoleAssignment.ReadWrite.All", "Directory.Read.All"],
    roles: &[],
    evidence: "the account's app roles with this one in the list",
    precheck: "the role is assigned and is as it was when the plan was made",
    verification: "the account's app roles no longer hold it",
    reverse: Reverse::By("assign the same role on the same app again; it gets a new id"),
    breaks: "the account can no longer use the app in this role; a consent that it gave stays",
    effect: Effect {
        words: "no new tokens at once; the app's own session lives on as long as the app lets it",
        within_s: 60,
    },
    repeatable: false,
    source: "reference §5",
};

pub(super) const RESTORE_RESET_ATTRIBUTE: ActionSpec = ActionSpec {
    kind: ActionKind::RestoreResetAttribute,
    title: "Restore attribute for self-service reset",
    step: StepId::new(4, 4),
    object: ObjectKind::ResetAttributes,
    scope: Scope::Account,
    permissions: &["User-Mail.ReadWrite.All", "User-Phone.ReadWrite.All"],
    roles: &[
        "User Administrator",
        "Privileged Authentication Administrator",
    ],
    evidence: "the account with its other mail addresses and phone numbers",
    precheck: "the attribute is as it was when the plan was made",
    verification: "none of the attacker's values is there, and those that they displaced are",
    reverse: Reverse::By("set the attribute to its saved value"),
    breaks: "nothing; self-service reset asks for what it asked for before",
    effect: Effect {
        words: "at once for new resets",
        within_s: 60,
    },
    // It sets the whole value.
    repeatable: false,
    source: "reference §2.1, §2.2",
};

pub(super) const REMOVE_ROLE: ActionSpec = ActionSpec {
    kind: ActionKind::RemoveRole,
    title: "Remove directory role",
    step: StepId::new(3, 5),
    object: ObjectKind::DirectoryRole,
    scope: Scope::Tenant,
    permissions: &["RoleManagement.ReadWrite.Directory"],
    roles: &["Privileged Role Administrator"],
    evidence: "the account's role assignments with this one in the list",
    precheck: "the assignment is there and is as it was when the plan was made",
    verification: "the list of assignments, read whole, does not hold it",
    reverse: Reverse::By("assign the same role over the same scope again; it gets a new id"),
    breaks: "what the role allows: nobody but the attacker used it, or its owner gets it again",
    effect: Effect {
        words: "at once for most requests; tokens that carry the role keep it up to 90 min",
        within_s: 60,
    },
    repeatable: false,
    source: "reference §3",
};

/// No interface lists or deletes one: the block stops it, and a person deletes it.
pub(super) const APP_PASSWORD: ArtefactSpec = ArtefactSpec {
    id: ArtefactId::APP_PASSWORD,
    title: "App password",
    object: ObjectKind::AppPassword,
    gives: "sending as the user by SMTP AUTH, after a reset and without a second factor",
    ended_by: &[ActionKind::BlockSignIn],
    source: "reference §0.9, §2.2, §9.3",
};

pub(super) const APP_ROLE: ArtefactSpec = ArtefactSpec {
    id: ArtefactId::APP_ROLE,
    title: "App role of the account",
    object: ObjectKind::AppRole,
    gives: "an app by single sign-on that the account had no business in",
    ended_by: &[ActionKind::RevokeSessions, ActionKind::RemoveAppRole],
    source: "reference §5",
};

pub(super) const RESET_ATTRIBUTES: ArtefactSpec = ArtefactSpec {
    id: ArtefactId::RESET_ATTRIBUTES,
    title: "Phone or other mail for self-service reset",
    object: ObjectKind::ResetAttributes,
    gives: "the password through self-service reset, after it was changed",
    ended_by: &[ActionKind::RestoreResetAttribute],
    source: "reference §2.1, §2.2",
};

pub(super) const MALICIOUS_APP: ArtefactSpec = ArtefactSpec {
    id: ArtefactId::MALICIOUS_APP,
    title: "App with application permissions",
    object: ObjectKind::ServicePrincipal,
    gives: "everybody's mail or files, whatever is done to any account",
    ended_by: &[ActionKind::DisableApp],
    source: "reference §5, §9.3",
};

pub(super) const DEFAULT_METHOD: ArtefactSpec = ArtefactSpec {
    id: ArtefactId::DEFAULT_METHOD,
    title: "Added authentication method made the default",
    object: ObjectKind::Method,
    gives: "the second factor, asked for first, and the password through self-service reset",
    ended_by: &[ActionKind::ChooseDefaultMethod, ActionKind::RemoveMethod],
    source: "reference §2.2, §2.3",
};

pub(super) const TEMPORARY_ACCESS_PASS: ArtefactSpec = ArtefactSpec {
    id: ArtefactId::TEMPORARY_ACCESS_PASS,
    title: "Temporary access pass",
    object: ObjectKind::Method,
    gives: "a sign-in without password and second factor, for up to thirty days",
    ended_by: &[ActionKind::RemoveMethod],
    source: "reference §2.4",
};

pub(super) const REGISTERED_DEVICE: ArtefactSpec = ArtefactSpec {
    id: ArtefactId::REGISTERED_DEVICE,
    title: "Registered device",
    object: ObjectKind::Device,
    gives: "a primary refresh token: new tokens without password and second factor",
    ended_by: &[ActionKind::RevokeSessions, ActionKind::DisableDevice],
    source: "reference §4, §9.1, §9.3",
};

pub(super) const DIRECTORY_ROLE: ArtefactSpec = ArtefactSpec {
    id: ArtefactId::DIRECTORY_ROLE,
    title: "Directory role given by the attacker",
    object: ObjectKind::DirectoryRole,
    gives: "an administrator's rights for whoever is in the account",
    ended_by: &[ActionKind::RemoveRole],
    source: "reference §3, §7.3",
};

/// The account is cleaned in a case of its own, contained with the first.
pub(super) const SECOND_ACCOUNT: ArtefactSpec = ArtefactSpec {
    id: ArtefactId::SECOND_ACCOUNT,
    title: "Second account of the same attacker",
    object: ObjectKind::Account,
    gives: "what the account can do; an administrator's undoes what is done to the others",
    ended_by: &[
        ActionKind::BlockSignIn,
        ActionKind::RevokeSessions,
        ActionKind::ResetPassword,
    ],
    source: "product S2.6; reference §2.1",
};
