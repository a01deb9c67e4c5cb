//! The least-privileged rights: which permission serves which call, in which set it
//! stands, and which role is needed beside it.
//!
//! Ids are those of Microsoft's own provisioning data for Graph permissions
//! (microsoft-graph-devx-content, `permissions/new/ProvisioningInfo.json`) and of
//! reference §1.2. Where neither confirms one, there is none here, and the name is
//! shown instead.

use retake_playbook::steps::StepId;
use retake_tenant::call::{
    ACTIVITY_BLOB, ACTIVITY_CONTENT, ACTIVITY_START, ACTIVITY_SUBSCRIPTIONS, CALLS,
    CREATE_APP_ROLE, CREATE_INBOX_RULE, DELETE_APP_ROLE, DELETE_GRANT, DELETE_INBOX_RULE,
    DIRECTORY_AUDITS, DISABLE_APP, DISABLE_DEVICE, ENABLE_APP, ENABLE_DEVICE, GIVE_ROLE,
    INBOX_RULES, METHODS, REMOVE_ROLE, SIGN_INS_BETA, USER_BLOCK, USER_RESET_PASSWORD, USER_REVOKE,
    USER_SET_OTHER_MAILS, USER_SET_PHONES, USER_UNBLOCK,
};
use retake_tenant::{CallSpec, Service};

use super::steps::{NEEDS, steps_of};

/// Who signs in: it decides which kind of permission counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignedInAs {
    /// The app itself: application permissions, roles on its service principal.
    App,
    /// A person through the app: delegated permissions, the person's own roles.
    Person,
}

/// What a registration is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Set {
    /// Looking and reporting.
    ReadOnly,
    /// The whole playbook.
    Response,
}

/// Whose permission it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// Microsoft Graph.
    Graph,
    /// Office 365 Exchange Online.
    Exchange,
}

impl Resource {
    /// Its app id in every tenant (reference §1.2, §1.4).
    pub const fn app_id(self) -> &'static str {
        match self {
            Self::Graph => "00000003-0000-0000-c000-000000000000",
            Self::Exchange => "00000002-0000-0ff1-ce00-000000000000",
        }
    }

    /// Its name, as the Entra admin centre lists it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Graph => "Microsoft Graph",
            Self::Exchange => "Office 365 Exchange Online",
        }
    }
}

/// A permission that a registration of ours asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permission {
    /// The application permission.
    pub name: &'static str,
    /// The delegated permission of the same use; `None` where a signed-in person
    /// gains nothing by it.
    pub scope: Option<&'static str>,
    /// Whose it is.
    pub resource: Resource,
    /// Id of the application permission, where confirmed.
    pub role_id: Option<&'static str>,
    /// Id of the delegated permission, where confirmed.
    pub scope_id: Option<&'static str>,
    /// Whether the read-only set has it.
    pub read_only: bool,
    /// Whether the response set has it.
    pub response: bool,
}

macro_rules! graph {
    ($name:literal, $role:expr, $scope:expr, $sets:ident) => {
        Permission {
            name: $name,
            scope: Some($name),
            resource: Resource::Graph,
            role_id: $role,
            scope_id: $scope,
            read_only: graph!(@read $sets),
            response: graph!(@respond $sets),
        }
    };
    (@read read) => { true };
    (@read both) => { true };
    (@read respond) => { false };
    (@respond read) => { false };
    (@respond both) => { true };
    (@respond respond) => { true };
}

/// Graph shows a signed-in person no mailbox but their own (reference §6.1), so these
/// serve an app alone; a person's case goes through Exchange.
const fn app_only(permission: Permission) -> Permission {
    Permission {
        scope: None,
        scope_id: None,
        ..permission
    }
}

/// Every permission of both sets, those to read first.
#[rustfmt::skip]
pub static PERMISSIONS: &[Permission] = &[
    graph!("User.Read.All", Some("df021288-bdef-4463-88db-98f22de89214"), Some("a154be20-db9c-4678-8ab7-66f6cc099a59"), both),
    graph!("Application.Read.All", Some("9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30"), Some("c79f8feb-a9db-4090-85f9-90d820caa0eb"), read),
    graph!("Application.ReadWrite.All", Some("1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9"), Some("bdfbf15f-ee85-4955-8675-146e8e5296b5"), respond),
    graph!("AuditLog.Read.All", Some("b0afded3-3588-46d8-8b3d-9842eff778da"), Some("e4c9e354-4dc5-45b8-9e7c-e1393b0b1a20"), both),
    graph!("AuditLogsQuery.Read.All", Some("5e1e9171-754d-478c-812c-f1755a9a4c2d"), Some("1d9e7ac3-0eca-442c-82f9-e92625af6e6d"), both),
    graph!("ExchangeMessageTrace.Read.All", None, None, both),
    graph!("IdentityRiskEvent.Read.All", Some("6e472fd1-ad78-48da-a0f0-97ab2c6b769e"), Some("8f6a01e7-0391-4ee5-aa22-a3af122cef27"), both),
    graph!("Directory.Read.All", Some("7ab1d382-f21e-4acd-a863-ba3e13f7da61"), Some("06da0dbc-49e2-44d2-8312-53f166ab848a"), read),
    graph!("UserAuthenticationMethod.Read.All", Some("38d9df27-64da-44fd-b7c5-a6fbac20248f"), Some("aec28ec7-4d02-4e8c-b864-50163aea77eb"), read),
    app_only(graph!("MailboxSettings.Read", Some("40f97065-369a-49f4-947c-6a255697ae91"), None, read)),
    graph!("Domain.Read.All", Some("dbb9058a-0e50-45d7-ae91-66909b5d4664"), Some("2f9ee017-59c1-4f1d-9472-bd5529a7b311"), respond),
    graph!("Organization.Read.All", Some("498476ce-e0fe-48b0-b801-37ba7e2685c6"), Some("4908d5b9-3fb2-4b1e-9336-1888b7937185"), respond),
    // Ids not confirmed.
    graph!("RoleManagement.ReadWrite.Directory", None, None, respond),
    graph!("User.EnableDisableAccount.All", Some("3011c876-62b7-4ada-afa2-506cbbecc68c"), Some("f92e74e7-2563-467f-9dd0-902688cb5863"), respond),
    graph!("User.RevokeSessions.All", Some("77f3a031-c388-4f99-b373-dc68676a979e"), Some("fc30e98b-8810-4501-81f5-c20a3196387b"), respond),
    graph!("User-PasswordProfile.ReadWrite.All", Some("cc117bb9-00cf-4eb8-b580-ea2a878fe8f7"), Some("56760768-b641-451f-8906-e1b8ab31bca7"), respond),
    graph!("UserAuthenticationMethod.ReadWrite.All", Some("50483e42-d915-4231-9639-7fdb7fd190e5"), Some("b7887744-6746-4312-813d-72daeaee7e2d"), respond),
    app_only(graph!("MailboxSettings.ReadWrite", Some("6931bccd-447a-43d1-b442-00a195474933"), None, respond)),
    graph!("DelegatedPermissionGrant.ReadWrite.All", Some("8e8e4742-1d95-4f68-9d56-6ee75648c72a"), Some("41ce6ca6-6826-4807-84f1-1c82854f7ee5"), respond),
    graph!("AppRoleAssignment.ReadWrite.All", Some("06b708a9-e830-4db3-a914-8e69da51d44f"), Some("84bccea3-f856-4a8a-967b-dbe0a3d53a64"), respond),
    graph!("User-Mail.ReadWrite.All", Some("280d0935-0796-47d1-8d26-273470a3f17a"), None, respond),
    graph!("User-Phone.ReadWrite.All", Some("86ceff06-c822-49ff-989a-d912845ffe69"), None, respond),
    // A person switches devices off with what they may do themselves (reference §4).
    Permission {
        name: "Device.ReadWrite.All",
        scope: Some("Directory.AccessAsUser.All"),
        resource: Resource::Graph,
        role_id: Some("1138cb37-bd11-4084-a2b7-9f71582aeddb"),
        scope_id: Some("0e263e50-5827-48a4-b97c-d940288653c7"),
        read_only: false,
        response: true,
    },
    Permission {
        name: "Exchange.ManageAsApp",
        scope: Some("Exchange.Manage"),
        resource: Resource::Exchange,
        role_id: Some("dc50a0fb-09a3-484d-be87-e023b12c6440"),
        scope_id: None,
        read_only: true,
        response: true,
    },
];

/// A permission that no step needs and that spares the case something where it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Optional {
    /// The permission, application or delegated.
    pub name: &'static str,
    /// Whose it is, as the Entra admin centre lists it.
    pub of: &'static str,
    /// The resource's app id.
    pub app_id: &'static str,
    /// What it is good for.
    pub why: &'static str,
    /// What the case does without it.
    pub without: &'static str,
    /// The calls that it lets through.
    pub calls: &'static [&'static CallSpec],
}

/// What may be granted besides, to look and to respond alike.
pub static OPTIONAL: &[Optional] = &[Optional {
    name: "ActivityFeed.Read",
    of: "Office 365 Management APIs",
    app_id: "c5393580-f805-4401-95e8-94b7a6ef2fc2",
    why: "the last seven days of the unified audit log, where the audit search of Graph fails (S6.3)",
    without: "where the search fails, the case says that the unified audit log could not be read and why, and what hangs on that log stays with a person",
    calls: &[
        &ACTIVITY_SUBSCRIPTIONS,
        &ACTIVITY_START,
        &ACTIVITY_CONTENT,
        &ACTIVITY_BLOB,
    ],
}];

impl Set {
    /// Its permissions, in the table's order.
    pub fn permissions(self) -> impl Iterator<Item = &'static Permission> {
        PERMISSIONS.iter().filter(move |permission| match self {
            Self::ReadOnly => permission.read_only,
            Self::Response => permission.response,
        })
    }

    /// The word for it in commands and files.
    pub const fn word(self) -> &'static str {
        match self {
            Self::ReadOnly => "read-only",
            Self::Response => "response",
        }
    }

    /// Whether it has to be able to make this call.
    pub const fn makes(self, call: &CallSpec) -> bool {
        match self {
            Self::ReadOnly => !call.change,
            Self::Response => true,
        }
    }
}

impl Permission {
    /// Its name for whoever signs in; `None` where it serves them nothing.
    pub const fn name_for(&self, signed_in: SignedInAs) -> Option<&'static str> {
        match signed_in {
            SignedInAs::App => Some(self.name),
            SignedInAs::Person => self.scope,
        }
    }

    /// Whether it lets this call through, roles aside.
    pub fn serves(&self, call: &CallSpec) -> bool {
        call.permissions
            .iter()
            .any(|wanted| covers(self.name, wanted))
    }

    /// The calls of the playbook that need it in this set: those that nothing else
    /// of the set would let through.
    pub fn calls(&self, set: Set) -> impl Iterator<Item = &'static CallSpec> {
        CALLS
            .iter()
            .copied()
            .filter(move |call| set.makes(call) && steps_of(call).next().is_some())
            .filter(move |call| self.serves(call))
            .filter(move |call| {
                set.permissions()
                    .filter(|other| other.serves(call))
                    .all(|other| other == self)
            })
    }

    /// The steps for which this set needs it.
    pub fn steps(&self, set: Set) -> Vec<StepId> {
        let mut steps: Vec<StepId> = self.calls(set).flat_map(steps_of).collect();
        steps.sort_unstable();
        steps.dedup();
        steps
    }
}

/// Whether a permission is the wanted one, or more of the same.
pub(super) fn covers(held: &str, wanted: &str) -> bool {
    held == wanted
        || held == wanted.replace(".Read.", ".ReadWrite.")
        || wanted
            .strip_suffix(".Read")
            .is_some_and(|area| held.strip_suffix(".ReadWrite") == Some(area))
}

/// The permission of the set that a call needs, or the least that is documented.
pub(super) fn needed(call: &'static CallSpec, set: Set, signed_in: SignedInAs) -> &'static str {
    set.permissions()
        .find(|permission| permission.serves(call))
        .and_then(|permission| permission.name_for(signed_in))
        .or_else(|| call.permissions.first().copied())
        .unwrap_or_default()
}

/// Whether Exchange does the same where Graph refuses: inbox rules are read and removed
/// there too, at the cost of the mailbox's client-side rules (reference §0.6).
pub(super) fn has_another_way(call: &CallSpec) -> bool {
    [&INBOX_RULES, &DELETE_INBOX_RULE, &CREATE_INBOX_RULE]
        .iter()
        .any(|other| other.id == call.id)
}

/// Whether a call can be made at all by whoever signs in: Graph lets a person into no
/// mailbox but their own (reference §6.1).
pub(super) fn reaches(call: &CallSpec, signed_in: SignedInAs) -> bool {
    signed_in == SignedInAs::App
        || !call
            .permissions
            .iter()
            .any(|name| name.starts_with("MailboxSettings.") || name.starts_with("Mail."))
}

/// A directory role that a registration of ours asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Role {
    /// Its name.
    pub name: &'static str,
    /// Roles of which one does as well, or better.
    pub or: &'static [&'static str],
}

const USER_ADMINISTRATOR: Role = Role {
    name: "User Administrator",
    or: &[
        "Privileged Authentication Administrator",
        "Global Administrator",
    ],
};
const AUTHENTICATION_ADMINISTRATOR: Role = Role {
    name: "Authentication Administrator",
    or: &[
        "Privileged Authentication Administrator",
        "Global Administrator",
    ],
};
const CLOUD_APPLICATION_ADMINISTRATOR: Role = Role {
    name: "Cloud Application Administrator",
    or: &["Application Administrator", "Global Administrator"],
};
const EXCHANGE_ADMINISTRATOR: Role = Role {
    name: "Exchange Administrator",
    or: &["Global Administrator"],
};
const EXCHANGE_READER: Role = Role {
    name: "Global Reader",
    or: &["Exchange Administrator", "Global Administrator"],
};
const DEVICE_ADMINISTRATOR: Role = Role {
    name: "Cloud Device Administrator",
    or: &["Intune Administrator", "Global Administrator"],
};
const METHOD_READER: Role = Role {
    name: "Global Reader",
    or: &[
        "Authentication Administrator",
        "Privileged Authentication Administrator",
        "Global Administrator",
    ],
};
const PRIVILEGED_ROLE_ADMINISTRATOR: Role = Role {
    name: "Privileged Role Administrator",
    or: &["Global Administrator"],
};
const LOG_READER: Role = Role {
    name: "Security Reader",
    or: &[
        "Reports Reader",
        "Security Operator",
        "Security Administrator",
        "Global Reader",
        "Global Administrator",
    ],
};

/// The role that a call needs beside its permission, for an account that holds no role
/// itself (reference §2.1, §2.2, §5, §6.3, §7.1). An account with a role needs
/// [`FOR_PRIVILEGED`] besides.
pub fn role_for(call: &CallSpec, signed_in: SignedInAs) -> Option<&'static Role> {
    let is = |other: &CallSpec| call.id == other.id;
    match (call.service, signed_in) {
        (Service::Exchange, _) if call.change => Some(&EXCHANGE_ADMINISTRATOR),
        (Service::Exchange, _) => Some(&EXCHANGE_READER),
        _ if is(&USER_RESET_PASSWORD) => Some(&USER_ADMINISTRATOR),
        (_, SignedInAs::App) => None,
        _ if is(&USER_BLOCK) || is(&USER_UNBLOCK) || is(&USER_REVOKE) => Some(&USER_ADMINISTRATOR),
        _ if is(&DISABLE_DEVICE) || is(&ENABLE_DEVICE) => Some(&DEVICE_ADMINISTRATOR),
        _ if is(&DISABLE_APP) || is(&ENABLE_APP) => Some(&CLOUD_APPLICATION_ADMINISTRATOR),
        _ if is(&REMOVE_ROLE) || is(&GIVE_ROLE) => Some(&PRIVILEGED_ROLE_ADMINISTRATOR),
        _ if is(&DELETE_GRANT) || is(&DELETE_APP_ROLE) || is(&CREATE_APP_ROLE) => {
            Some(&CLOUD_APPLICATION_ADMINISTRATOR)
        }
        _ if is(&USER_SET_OTHER_MAILS) || is(&USER_SET_PHONES) => Some(&USER_ADMINISTRATOR),
        _ if is(&SIGN_INS_BETA) || is(&DIRECTORY_AUDITS) => Some(&LOG_READER),
        _ if call.permissions == METHODS.permissions => Some(&METHOD_READER),
        _ if is_method_change(call) => Some(&AUTHENTICATION_ADMINISTRATOR),
        _ => None,
    }
}

fn is_method_change(call: &CallSpec) -> bool {
    call.change
        && call
            .permissions
            .contains(&"UserAuthenticationMethod.ReadWrite.All")
}

/// What it takes besides when the affected account holds a role itself (reference §2.1).
pub const FOR_PRIVILEGED: &str = "Privileged Authentication Administrator";

/// The roles of a set: none whose work another of them does as well.
pub fn roles(set: Set, signed_in: SignedInAs) -> Vec<&'static Role> {
    let mut all: Vec<&'static Role> = Vec::new();
    let calls = NEEDS.iter().flat_map(|needs| needs.calls.iter().copied());
    for role in calls
        .filter(|call| set.makes(call))
        .filter_map(|call| role_for(call, signed_in))
    {
        if !all.contains(&role) {
            all.push(role);
        }
    }
    let covered = |role: &Role, by: &[&str]| role.or.iter().any(|better| by.contains(better));
    let names: Vec<&str> = all.iter().map(|role| role.name).collect();
    let kept: Vec<&str> = all
        .iter()
        .filter(|role| !covered(role, &names))
        .map(|role| role.name)
        .collect();
    all.retain(|role| !covered(role, &kept));
    all.sort_by_key(|role| role.name);
    all.dedup_by_key(|role| role.name);
    all
}

/// The steps for which a set needs this role.
pub fn steps_of_role(role: &Role, set: Set, signed_in: SignedInAs) -> Vec<StepId> {
    let does = |wanted: &Role| wanted.name == role.name || wanted.or.contains(&role.name);
    NEEDS
        .iter()
        .filter(|needs| {
            needs
                .calls
                .iter()
                .filter(|call| set.makes(call))
                .any(|call| role_for(call, signed_in).is_some_and(does))
        })
        .map(|needs| needs.step)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETS: [Set; 2] = [Set::ReadOnly, Set::Response];

    #[test]
    fn every_call_of_every_step_is_served_by_the_set() {
        for set in SETS {
            for needs in NEEDS {
                for call in needs.calls.iter().filter(|call| set.makes(call)) {
                    assert!(
                        set.permissions().any(|permission| permission.serves(call)),
                        "{set:?}: {} of {} is not served",
                        call.id,
                        needs.step
                    );
                }
            }
        }
    }

    #[test]
    fn no_permission_is_declared_that_nothing_needs() {
        for set in SETS {
            for permission in set.permissions() {
                assert!(
                    permission.calls(set).next().is_some(),
                    "{set:?}: {} is over-declared",
                    permission.name
                );
            }
        }
    }

    #[test]
    fn what_is_optional_is_in_no_set_and_serves_calls_that_change_nothing() {
        for optional in OPTIONAL {
            assert!(
                PERMISSIONS.iter().all(|one| one.name != optional.name),
                "{}",
                optional.name
            );
            for call in optional.calls {
                assert!(!call.change, "{}", call.id);
                assert_eq!(call.permissions, [optional.name], "{}", call.id);
                assert_eq!(steps_of(call).next(), None, "{} belongs to a step", call.id);
            }
        }
        // Every call of the client is a step's, or is known to be of use without one.
        let known = |call: &CallSpec| OPTIONAL.iter().any(|one| one.calls.contains(&call));
        for call in CALLS
            .iter()
            .filter(|call| call.service == Service::Activity)
        {
            assert!(known(call), "{}", call.id);
        }
    }

    #[test]
    fn the_read_only_set_changes_nothing() {
        for permission in Set::ReadOnly.permissions() {
            for call in CALLS.iter().filter(|call| permission.serves(call)) {
                // Exchange has one permission for all cmdlets; there the role decides.
                assert!(
                    !call.change || call.service == Service::Exchange,
                    "{} lets {} through",
                    permission.name,
                    call.id
                );
            }
        }
        let roles = roles(Set::ReadOnly, SignedInAs::App);
        assert_eq!(
            roles.iter().map(|role| role.name).collect::<Vec<_>>(),
            ["Global Reader"]
        );
    }

    #[test]
    fn the_roles_of_the_response_set_are_these() {
        let names = |signed_in| -> Vec<&str> {
            roles(Set::Response, signed_in)
                .iter()
                .map(|role| role.name)
                .collect()
        };
        assert_eq!(
            names(SignedInAs::App),
            ["Exchange Administrator", "User Administrator"]
        );
        assert_eq!(
            names(SignedInAs::Person),
            [
                "Authentication Administrator",
                "Cloud Application Administrator",
                "Cloud Device Administrator",
                "Exchange Administrator",
                "Privileged Role Administrator",
                "Security Reader",
                "User Administrator",
            ]
        );
    }

    #[test]
    fn more_of_the_same_covers_and_something_else_does_not() {
        assert!(covers("MailboxSettings.ReadWrite", "MailboxSettings.Read"));
        assert!(covers(
            "UserAuthenticationMethod.ReadWrite.All",
            "UserAuthenticationMethod.Read.All"
        ));
        assert!(!covers("User.Read.All", "User.ReadWrite.All"));
        assert!(!covers("Mail.ReadWrite", "MailboxSettings.ReadWrite"));
    }

    #[test]
    fn ids_are_guids_and_stand_once() {
        let ids: Vec<&str> = PERMISSIONS
            .iter()
            .flat_map(|permission| [permission.role_id, permission.scope_id])
            .flatten()
            .collect();
        for (index, id) in ids.iter().enumerate() {
            let groups: Vec<usize> = id.split('-').map(str::len).collect();
            assert_eq!(groups, [8, 4, 4, 4, 12], "{id}");
            assert!(id.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit()));
            assert!(!ids[index + 1..].contains(id), "{id} stands twice");
        }
    }
}
