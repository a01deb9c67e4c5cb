//! Why the tenant refuses a change of an account, said so that the right grant
//! follows: a role that outranks the app, or a restricted management unit
//! (reference §0.8, §2.1, §3).

use retake_tenant::model::DirectoryObject;
use retake_tenant::{Kind, Tenant, TenantError};

/// The roles of the table in reference §2.1 and who may reset and change their
/// holders, least first. Every other role is protected.
const RANKS: &[(&[&str], &str)] = &[
    (
        &[
            "Directory Readers",
            "Guest Inviter",
            "Password Administrator",
        ],
        "User Administrator",
    ),
    (
        &[
            "Message Center Reader",
            "Reports Reader",
            "Usage Summary Reports Reader",
        ],
        "User Administrator",
    ),
    (&["Helpdesk Administrator"], "User Administrator"),
    (
        &["User Administrator", "Groups Administrator"],
        "User Administrator",
    ),
    (
        &["Authentication Administrator"],
        "Privileged Authentication Administrator",
    ),
];
/// Who may change everybody.
const HIGHEST: &str = "Privileged Authentication Administrator";

/// What stands between the app and the account; nothing where the account is
/// not protected, or where that cannot be seen.
pub(crate) async fn of_account(tenant: &Tenant, user: &str, error: &TenantError) -> Option<String> {
    if !matches!(
        error.kind,
        Kind::PermissionMissing { .. } | Kind::ProtectedTarget
    ) {
        return None;
    }
    let memberships = tenant.transitive_member_of(user).await.ok()?;
    words(&memberships.value, &tenant.profile().client_id)
}

fn words(memberships: &[DirectoryObject], app: &str) -> Option<String> {
    let name = |object: &DirectoryObject| {
        object
            .display_name
            .clone()
            .unwrap_or_else(|| object.id.clone())
    };
    if let Some(unit) = memberships
        .iter()
        .find(|object| object.is_restricted_unit())
    {
        let role = least(memberships);
        return Some(format!(
            "The account is in the restricted management administrative unit \"{}\" ({id}). Roles over the whole tenant and \
             application permissions do not count there, whatever is added to them: give the service principal of the app {app} \
             the role {role} with the scope /administrativeUnits/{id}, or take the account out of the unit, which can take \
             30 min to work. This change was not made.",
            name(unit),
            id = unit.id
        ));
    }
    let held: Vec<String> = memberships
        .iter()
        .filter(|object| object.is_role() || object.is_assignable_to_role == Some(true))
        .map(name)
        .collect();
    (!held.is_empty()).then(|| {
        format!(
            "The account is protected by what it holds: {}. Application permissions do not reach it: give the service \
             principal of the app {app} the role {}. This change was not made.",
            held.join(", "),
            least(memberships)
        )
    })
}

/// The least role that may change an account with these memberships.
fn least(memberships: &[DirectoryObject]) -> &'static str {
    let mut least = "User Administrator";
    for object in memberships {
        if object.is_assignable_to_role == Some(true) {
            return HIGHEST;
        }
        if !object.is_role() {
            continue;
        }
        let name = object.display_name.as_deref().unwrap_or_default();
        match RANKS.iter().find(|(roles, _)| roles.contains(&name)) {
            Some((_, role)) if *role == HIGHEST => return HIGHEST,
            Some((_, role)) => least = role,
            None => return HIGHEST,
        }
    }
    least
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: serde_json::Value) -> DirectoryObject {
        serde_json::from_value(value).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn a_role_that_is_not_in_the_table_needs_the_highest() {
        let role = |name: &str| {
            object(
                json!({"@odata.type": "#microsoft.graph.directoryRole", "id": name, "displayName": name}),
            )
        };
        for (held, wanted) in [
            ("Helpdesk Administrator", "User Administrator"),
            ("Authentication Administrator", HIGHEST),
            ("Global Administrator", HIGHEST),
            ("Exchange Administrator", HIGHEST),
        ] {
            assert_eq!(least(&[role("Directory Readers"), role(held)]), wanted);
            let said = words(&[role(held)], "app").unwrap_or_default();
            assert!(said.contains(held) && said.contains(wanted), "{said}");
        }
        assert_eq!(words(&[], "app"), None);
    }

    #[test]
    fn a_restricted_unit_is_named_with_the_scope_that_is_needed() {
        let unit = object(
            json!({"@odata.type": "#microsoft.graph.administrativeUnit", "id": "u-1",
            "displayName": "Board", "isMemberManagementRestricted": true}),
        );
        let said = words(&[unit], "app").unwrap_or_default();
        assert!(said.contains("\"Board\" (u-1)"), "{said}");
        assert!(
            said.contains("User Administrator with the scope /administrativeUnits/u-1"),
            "{said}"
        );
        let open = object(
            json!({"@odata.type": "#microsoft.graph.administrativeUnit", "id": "u-2",
            "displayName": "Everybody", "isMemberManagementRestricted": false}),
        );
        assert_eq!(words(&[open], "app"), None);
    }
}
