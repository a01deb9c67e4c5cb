//! The organisation, groups, roles and policies, as far as a response reads
//! them (reference §3).

use retake_playbook::ObjectKind;
use serde_json::{Value, json};

use super::{Answer, Call, Outcome, not_found};
use crate::services::odata::parse_filter;
use crate::trace::TraceObject;
use crate::world::Group;
use crate::world::known::role;

/// Names of the role templates that the lab knows.
const ROLES: [(&str, &str); 21] = [
    (role::GLOBAL_ADMINISTRATOR, "Global Administrator"),
    (
        role::PRIVILEGED_AUTHENTICATION_ADMINISTRATOR,
        "Privileged Authentication Administrator",
    ),
    (
        role::PRIVILEGED_ROLE_ADMINISTRATOR,
        "Privileged Role Administrator",
    ),
    (
        role::AUTHENTICATION_ADMINISTRATOR,
        "Authentication Administrator",
    ),
    (role::USER_ADMINISTRATOR, "User Administrator"),
    (role::HELPDESK_ADMINISTRATOR, "Helpdesk Administrator"),
    (role::PASSWORD_ADMINISTRATOR, "Password Administrator"),
    (role::EXCHANGE_ADMINISTRATOR, "Exchange Administrator"),
    (
        role::EXCHANGE_RECIPIENT_ADMINISTRATOR,
        "Exchange Recipient Administrator",
    ),
    (role::GLOBAL_READER, "Global Reader"),
    (role::SECURITY_READER, "Security Reader"),
    (role::SECURITY_OPERATOR, "Security Operator"),
    (role::SECURITY_ADMINISTRATOR, "Security Administrator"),
    (role::REPORTS_READER, "Reports Reader"),
    (
        role::CLOUD_APPLICATION_ADMINISTRATOR,
        "Cloud Application Administrator",
    ),
    (role::APPLICATION_ADMINISTRATOR, "Application Administrator"),
    (role::DIRECTORY_READERS, "Directory Readers"),
    (role::GUEST_INVITER, "Guest Inviter"),
    (role::COMPLIANCE_ADMINISTRATOR, "Compliance Administrator"),
    (role::GROUPS_ADMINISTRATOR, "Groups Administrator"),
    (role::MESSAGE_CENTER_READER, "Message Center Reader"),
];

/// The paths that this module answers.
pub(super) fn serve(call: &mut Call<'_, '_>, method: &str, words: &[&str]) -> Outcome {
    match (method, words) {
        ("GET", _) => {}
        ("POST", ["roleManagement", "directory", "roleAssignments"]) => return assign(call),
        ("DELETE", ["roleManagement", "directory", "roleAssignments", id]) => {
            return unassign(call, id);
        }
        _ => return Err(super::not_allowed()),
    }
    let tenant = call.ask.world.tenant.id.clone();
    let answer = match words {
        ["organization"] => organization(call),
        ["subscribedSkus"] => skus(call),
        ["domains"] => domains(call),
        ["domains", name] => {
            call.need(&["Domain.Read.All", "Directory.Read.All"])?;
            let item = domains_json(&call.ask.world.tenant)
                .into_iter()
                .find(|domain| domain["id"].as_str() == Some(*name))
                .ok_or_else(|| Answer::no_object(name))?;
            Ok(Answer::json(
                200,
                call.query.project(item, None, "microsoft.graph.domain")?,
            ))
        }
        ["groups", id] => {
            call.need(&[
                "Group.Read.All",
                "Directory.Read.All",
                "Directory.ReadWrite.All",
            ])?;
            let group = call
                .ask
                .world
                .groups
                .get(*id)
                .ok_or_else(|| Answer::no_object(id))?;
            let body = call
                .query
                .project(group_json(group), None, "microsoft.graph.group")?;
            Ok(Answer::json(200, body))
        }
        ["roleManagement", "directory", "roleAssignments"] => return assignments(call),
        ["roleManagement", "directory", "roleDefinitions"] => {
            call.need(&[
                "RoleManagement.Read.Directory",
                "RoleManagement.ReadWrite.Directory",
                "Directory.Read.All",
            ])?;
            let items = ROLES
                .iter()
                .map(|(id, name)| definition_json(id, name))
                .collect();
            Ok(call.page(
                "roleManagement/directory/roleDefinitions",
                (999, 999),
                items,
            ))
        }
        [
            "roleManagement",
            "directory",
            "roleEligibilityScheduleInstances" | "roleAssignmentScheduleInstances",
        ] => {
            call.need(&[
                "RoleManagement.Read.Directory",
                "RoleEligibilitySchedule.Read.Directory",
                "RoleAssignmentSchedule.Read.Directory",
            ])?;
            Ok(call.page("roleManagement/directory/instances", (100, 999), Vec::new()))
        }
        ["policies", "authorizationPolicy"] => {
            call.need(&["Policy.Read.All"])?;
            Ok(Answer::json(
                200,
                json!({
                    "id": "authorizationPolicy",
                    "displayName": "Authorization Policy",
                    "allowedToUseSSPR": true,
                    "allowInvitesFrom": "everyone",
                    "allowUserConsentForRiskyApps": null,
                    "defaultUserRolePermissions": {
                        "allowedToCreateApps": true,
                        "permissionGrantPoliciesAssigned": ["ManagePermissionGrantsForSelf.microsoft-user-default-legacy"],
                    },
                }),
            ))
        }
        ["policies", "identitySecurityDefaultsEnforcementPolicy"] => {
            call.need(&["Policy.Read.All"])?;
            Ok(Answer::json(
                200,
                json!({"id": "00000000-0000-0000-0000-000000000005", "displayName": "Security Defaults", "isEnabled": false}),
            ))
        }
        _ => Err(not_found()),
    }?;
    Ok(answer.about(ObjectKind::Tenant, tenant))
}

/// `/users/{id}/memberOf` and `/transitiveMemberOf` (groups do not nest here).
pub(super) fn member_of(call: &mut Call<'_, '_>, user: &str) -> Outcome {
    call.need_user_read(user)?;
    let world = &call.ask.world;
    let groups = world
        .groups
        .values()
        .filter(|group| group.members.iter().any(|id| id == user))
        .map(|group| {
            let mut json = group_json(group);
            json["@odata.type"] = json!("#microsoft.graph.group");
            json
        });
    let roles = world.roles_of(user).into_iter().map(|held| {
        json!({
            "@odata.type": "#microsoft.graph.directoryRole",
            "id": role_object(held),
            "deletedDateTime": null,
            "description": role_name(held),
            "displayName": role_name(held),
            "roleTemplateId": held,
        })
    });
    let units = world
        .units
        .values()
        .filter(|unit| unit.members.iter().any(|id| id == user))
        .map(|unit| {
            let mut json = super::bin::unit_json(unit);
            json["@odata.type"] = json!("#microsoft.graph.administrativeUnit");
            json
        });
    let mut items = Vec::new();
    for item in groups.chain(roles).chain(units).collect::<Vec<_>>() {
        let mut kept = call.query.clone();
        // A list of several types shows each selected name where it exists.
        if let (Some(names), Value::Object(object)) = (&mut kept.select, &item) {
            names.retain(|name| object.contains_key(name));
        }
        items.push(kept.project(item, None, "microsoft.graph.directoryObject")?);
    }
    Ok(call
        .page("directoryObjects", (100, 999), items)
        .about(ObjectKind::Account, user))
}

fn organization(call: &mut Call<'_, '_>) -> Outcome {
    // A signed-in person may read it with the least permission there is; an app
    // needs one of its own (reference §12).
    if call.caller.is_app() {
        call.need(&["Organization.Read.All", "Directory.Read.All"])?;
    } else {
        call.need(&[
            "Organization.Read.All",
            "Directory.Read.All",
            "User.Read",
            "User.Read.All",
        ])?;
    }
    let tenant = &call.ask.world.tenant;
    let json = json!({
        "id": tenant.id,
        "deletedDateTime": null,
        "businessPhones": [],
        "city": null,
        "country": null,
        "countryLetterCode": tenant.country,
        "displayName": tenant.display_name,
        "onPremisesSyncEnabled": call.ask.world.users.values().any(|user| user.on_premises.is_some()).then_some(true),
        "preferredLanguage": "en",
        "tenantType": "AAD",
        "assignedPlans": [],
        "verifiedDomains": [
            {"capabilities": "Email, OfficeCommunicationsOnline", "isDefault": false, "isInitial": true, "name": tenant.initial_domain, "type": "Managed"},
            {"capabilities": "Email, OfficeCommunicationsOnline", "isDefault": true, "isInitial": false, "name": tenant.domain, "type": "Managed"},
        ],
    });
    let item = call
        .query
        .project(json, None, "microsoft.graph.organization")?;
    Ok(call.page("organization", (100, 999), vec![item]))
}

fn domains(call: &mut Call<'_, '_>) -> Outcome {
    call.need(&["Domain.Read.All", "Directory.Read.All"])?;
    let tenant = &call.ask.world.tenant;
    let items = domains_json(tenant);
    Ok(call.page("domains", (100, 999), items))
}

fn domains_json(tenant: &crate::world::Tenant) -> Vec<Value> {
    [(&tenant.domain, true), (&tenant.initial_domain, false)]
        .into_iter()
        .map(|(name, default)| {
            json!({
                "id": name,
                "authenticationType": if default && tenant.federated { "Federated" } else { "Managed" },
                "availabilityStatus": null,
                "isAdminManaged": true,
                "isDefault": default,
                "isInitial": !default,
                "isRoot": true,
                "isVerified": true,
                "supportedServices": ["Email", "OfficeCommunicationsOnline"],
            })
        })
        .collect()
}

fn skus(call: &mut Call<'_, '_>) -> Outcome {
    call.need(&[
        "LicenseAssignment.Read.All",
        "Organization.Read.All",
        "Directory.Read.All",
    ])?;
    let world = &call.ask.world;
    let users = world.users.values().filter(|user| user.has_mailbox).count();
    let mut plans = vec![(
        "EXCHANGE_S_STANDARD",
        "9aaf7827-d63c-4b61-89c3-182f06f82e5c",
    )];
    if world.tenant.has_p1 {
        plans.push(("AAD_PREMIUM", "41781fb2-bc02-4b7c-bd55-b576c07bb09d"));
    }
    if world.tenant.has_p2 {
        plans.push(("AAD_PREMIUM_P2", "eec0eb4f-6444-4f95-aba0-50c24d67f998"));
    }
    let plans: Vec<Value> = plans
        .into_iter()
        .map(|(name, id)| {
            json!({"servicePlanId": id, "servicePlanName": name, "provisioningStatus": "Success", "appliesTo": "User"})
        })
        .collect();
    let item = json!({
        "id": format!("{}_cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46", world.tenant.id),
        "accountId": world.tenant.id,
        "accountName": world.tenant.display_name,
        "appliesTo": "User",
        "capabilityStatus": "Enabled",
        "consumedUnits": users,
        "prepaidUnits": {"enabled": users, "suspended": 0, "warning": 0, "lockedOut": 0},
        "servicePlans": plans,
        "skuId": "cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46",
        "skuPartNumber": "SPB",
        "subscriptionIds": [],
    });
    Ok(call.page("subscribedSkus", (100, 999), vec![item]))
}

fn assignments(call: &mut Call<'_, '_>) -> Outcome {
    call.need(&[
        "RoleManagement.Read.Directory",
        "RoleManagement.ReadWrite.Directory",
        "Directory.Read.All",
    ])?;
    let filter = match &call.query.filter {
        Some(text) => parse_filter(text)?,
        None => Vec::new(),
    };
    let mut items = Vec::new();
    let mut shows = Vec::new();
    for held in &call.ask.world.roles {
        let all = filter.iter().all(|group| {
            group.iter().any(|clause| match clause.path.as_str() {
                "principalId" => clause.text(&held.principal_id),
                "roleDefinitionId" => clause.text(&held.role),
                _ => false,
            })
        });
        if all {
            let mut item = json!({
                "id": held.id,
                "principalId": held.principal_id,
                "roleDefinitionId": held.role,
                "directoryScopeId": held.unit.as_ref().map_or_else(
                    || String::from("/"),
                    |unit| format!("/administrativeUnits/{unit}"),
                ),
            });
            if call.query.expand.as_deref() == Some("roleDefinition") {
                item["roleDefinition"] = definition_json(&held.role, role_name(&held.role));
            }
            items.push(item);
            shows.push(TraceObject::new(ObjectKind::DirectoryRole, held.id.clone()));
        }
    }
    let mut answer = call.page(
        "roleManagement/directory/roleAssignments",
        (100, 999),
        items,
    );
    answer.shows = shows;
    Ok(answer.about(ObjectKind::Tenant, call.ask.world.tenant.id.clone()))
}

/// An app needs its permission, a person a role that may give roles besides
/// (reference §3).
fn may_assign(call: &Call<'_, '_>) -> Result<(), Answer> {
    call.need(&["RoleManagement.ReadWrite.Directory"])?;
    if call.caller.is_app() {
        return Ok(());
    }
    call.need_role(&[
        role::PRIVILEGED_ROLE_ADMINISTRATOR,
        role::GLOBAL_ADMINISTRATOR,
    ])
}

/// `POST /roleManagement/directory/roleAssignments`.
fn assign(call: &mut Call<'_, '_>) -> Outcome {
    may_assign(call)?;
    let body = call.body()?;
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let (principal, role) = (text("principalId"), text("roleDefinitionId"));
    if role_name(&role) == role || text("directoryScopeId") != "/" {
        return Err(Answer::bad_request(
            "The role definition or the scope is not valid.",
        ));
    }
    let world = &call.ask.world;
    if !world.users.contains_key(&principal) && !world.service_principals.contains_key(&principal) {
        return Err(Answer::no_object(&principal));
    }
    let (now, origin) = (call.ask.now, call.origin());
    let Some(id) = call.ask.world.give_role(now, &origin, &principal, &role) else {
        return Err(Answer::graph_error(
            400,
            "Request_BadRequest",
            "A conflicting object with one or more of the specified property values is present in the directory.",
        ));
    };
    Ok(Answer::json(
        201,
        json!({
            "id": id,
            "principalId": principal,
            "roleDefinitionId": role,
            "directoryScopeId": "/",
        }),
    )
    .about(ObjectKind::DirectoryRole, id)
    .effect(json!({"kind": "created"})))
}

/// `DELETE /roleManagement/directory/roleAssignments/{id}`. A Global Administrator cannot
/// remove their own last assignment (reference §3).
fn unassign(call: &mut Call<'_, '_>, id: &str) -> Outcome {
    may_assign(call)?;
    let held = call
        .ask
        .world
        .roles
        .iter()
        .find(|held| held.id == id)
        .ok_or_else(|| Answer::no_object(id))?;
    if call.caller.is(&held.principal_id) && held.role == role::GLOBAL_ADMINISTRATOR {
        return Err(Answer::bad_request(
            "Removing self from Global Administrator built-in role is not allowed.",
        ));
    }
    let (now, origin) = (call.ask.now, call.origin());
    call.ask.world.take_role(now, &origin, id);
    Ok(Answer::no_content()
        .about(ObjectKind::DirectoryRole, id)
        .effect(json!({"kind": "deleted"})))
}

fn definition_json(id: &str, name: &str) -> Value {
    json!({
        "id": id,
        "displayName": name,
        "description": name,
        "isBuiltIn": true,
        "isEnabled": true,
        "templateId": id,
        "resourceScopes": ["/"],
        "rolePermissions": [],
        "version": "1",
    })
}

/// The name of a role template; the id itself when the lab does not know it.
pub(crate) fn role_name(id: &str) -> &str {
    ROLES
        .iter()
        .find(|(held, _)| *held == id)
        .map_or(id, |(_, name)| name)
}

/// The directoryRole object of a template.
fn role_object(template: &str) -> String {
    crate::chance::Chance::new(0)
        .draw(template, "directory role", 0)
        .uuid()
        .to_string()
}

fn group_json(group: &Group) -> Value {
    json!({
        "id": group.id,
        "deletedDateTime": null,
        "createdDateTime": group.created,
        "description": group.description,
        "displayName": group.display_name,
        "groupTypes": [],
        "isAssignableToRole": group.assignable_to_role.then_some(true),
        "mail": group.mail,
        "mailEnabled": group.mail.is_some(),
        "securityEnabled": group.security,
        "visibility": null,
    })
}
