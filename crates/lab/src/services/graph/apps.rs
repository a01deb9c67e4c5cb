//! Consents and apps (reference §5).

use retake_playbook::ObjectKind;
use serde_json::{Value, json};

use super::{Answer, Call, Outcome, not_allowed, not_found};
use crate::services::odata::parse_filter;
use crate::trace::TraceObject;
use crate::world::app_roles::assignment_json;
use crate::world::known::role;
use crate::world::{Grant, ServicePrincipal, World};

/// Roles that may change apps and consents for a signed-in user.
const APP_ROLES: [&str; 3] = [
    role::GLOBAL_ADMINISTRATOR,
    role::CLOUD_APPLICATION_ADMINISTRATOR,
    role::APPLICATION_ADMINISTRATOR,
];

const READ_GRANTS: [&str; 3] = [
    "Directory.Read.All",
    "Directory.ReadWrite.All",
    "DelegatedPermissionGrant.ReadWrite.All",
];

/// `/users/{id}/oauth2PermissionGrants`: the user's own, never those for
/// everyone.
pub(super) fn grants_of(call: &mut Call<'_, '_>, user: &str) -> Outcome {
    call.need(&READ_GRANTS)?;
    let found: Vec<Grant> = call
        .ask
        .world
        .shown_grants(call.ask.now)
        .filter(|grant| grant.principal_id.as_deref() == Some(user))
        .cloned()
        .collect();
    listed(call, &found).map(|answer| answer.about(ObjectKind::Account, user))
}

/// `/oauth2PermissionGrants`.
pub(super) fn grants(call: &mut Call<'_, '_>, method: &str, rest: &[&str]) -> Outcome {
    match (method, rest) {
        ("GET", []) => {
            call.need(&READ_GRANTS)?;
            let filter = match &call.query.filter {
                Some(text) => parse_filter(text)?,
                None => Vec::new(),
            };
            let mut found = Vec::new();
            for grant in call.ask.world.shown_grants(call.ask.now) {
                let mut all = true;
                for group in &filter {
                    let mut any = false;
                    for clause in group {
                        any |= match clause.path.as_str() {
                            "clientId" => clause.text(&grant.client_id),
                            "consentType" => clause.text(consent_type(grant)),
                            "principalId" => {
                                clause.text(grant.principal_id.as_deref().unwrap_or_default())
                            }
                            "resourceId" => clause.text(&grant.resource_id),
                            _ => {
                                return Err(Answer::graph_error(
                                    400,
                                    "Request_UnsupportedQuery",
                                    &format!(
                                        "Unsupported or invalid query filter clause specified for property '{}' of resource 'OAuth2PermissionGrant'.",
                                        clause.path
                                    ),
                                ));
                            }
                        };
                    }
                    all &= any;
                }
                if all {
                    found.push(grant.clone());
                }
            }
            let tenant = call.ask.world.tenant.id.clone();
            listed(call, &found).map(|answer| answer.about(ObjectKind::Tenant, tenant))
        }
        ("POST", []) => create(call),
        (_, [id]) => {
            let grant = call.ask.world.grants.get(*id).cloned();
            if method == "GET" {
                call.need(&READ_GRANTS)?;
                let grant = grant.ok_or_else(|| Answer::no_object(id))?;
                let mut answer = Answer::json(200, grant_json(&grant))
                    .about(ObjectKind::OauthGrant, grant.id.clone());
                answer.shows = vec![TraceObject::new(ObjectKind::OauthGrant, grant.id)];
                return Ok(answer);
            }
            may_change(
                call,
                &[
                    "DelegatedPermissionGrant.ReadWrite.All",
                    "Directory.ReadWrite.All",
                ],
            )?;
            let grant = grant.ok_or_else(|| Answer::no_object(id))?;
            let (now, origin) = (call.ask.now, call.origin());
            match method {
                "DELETE" => {
                    call.ask.world.delete_grant(now, &origin, id);
                    Ok(Answer::no_content()
                        .about(ObjectKind::OauthGrant, grant.id)
                        .effect(json!({"kind": "deleted"})))
                }
                "PATCH" => {
                    let body = call.body()?;
                    let scope = body["scope"].as_str().ok_or_else(|| {
                        Answer::graph_error(400, "Request_BadRequest", "The scope is required.")
                    })?;
                    let scopes: Vec<String> = scope.split_whitespace().map(str::to_owned).collect();
                    let old = grant.scopes.join(" ");
                    call.ask
                        .world
                        .set_grant_scopes(now, &origin, id, scopes.clone());
                    Ok(Answer::no_content()
                        .about(ObjectKind::OauthGrant, grant.id)
                        .effect(json!({"kind": "changed", "fields": {"scope": [old, scopes.join(" ")]}})))
                }
                _ => Err(not_allowed()),
            }
        }
        (_, [_, _, ..]) => Err(not_found()),
        _ => Err(not_allowed()),
    }
}

/// A grant by an administrator: also how a withdrawn one is put back, under a
/// new id.
fn create(call: &mut Call<'_, '_>) -> Outcome {
    may_change(
        call,
        &[
            "DelegatedPermissionGrant.ReadWrite.All",
            "Directory.ReadWrite.All",
        ],
    )?;
    let body = call.body()?;
    let bad = |text: &str| Answer::graph_error(400, "Request_BadRequest", text);
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    let client = text("clientId").ok_or_else(|| bad("clientId is required."))?;
    let resource = text("resourceId").ok_or_else(|| bad("resourceId is required."))?;
    for id in [&client, &resource] {
        if !call.ask.world.service_principals.contains_key(id) {
            return Err(Answer::no_object(id));
        }
    }
    let user = match (body["consentType"].as_str(), text("principalId")) {
        (Some("AllPrincipals"), None) => None,
        (Some("Principal"), Some(user)) if call.ask.world.users.contains_key(&user) => Some(user),
        (Some("Principal"), Some(user)) => return Err(Answer::no_object(&user)),
        _ => return Err(bad("consentType and principalId do not go together.")),
    };
    let scope = text("scope").unwrap_or_default();
    let scopes: Vec<&str> = scope.split_whitespace().collect();
    let exists = call.ask.world.grants.values().any(|grant| {
        grant.client_id == client && grant.resource_id == resource && grant.principal_id == user
    });
    if exists {
        return Err(Answer::graph_error(
            409,
            "Request_MultipleObjectsWithSameKeyValue",
            "Permission entry already exists.",
        ));
    }
    let (now, origin) = (call.ask.now, call.origin());
    let id = call
        .ask
        .world
        .consent(now, &origin, user.as_deref(), &client, &scopes);
    if let Some(grant) = call.ask.world.grants.get_mut(&id) {
        grant.resource_id = resource;
    }
    let json = call
        .ask
        .world
        .grants
        .get(&id)
        .map(grant_json)
        .unwrap_or_default();
    Ok(Answer::json(201, json)
        .about(ObjectKind::OauthGrant, id)
        .effect(json!({"kind": "created"})))
}

/// `/servicePrincipals`, by id or by `(appId='…')`.
pub(super) fn principals(
    call: &mut Call<'_, '_>,
    method: &str,
    app: Option<&str>,
    rest: &[&str],
) -> Outcome {
    let read: [&str; 4] = [
        "Application.Read.All",
        "Application.ReadWrite.All",
        "Directory.Read.All",
        "Directory.ReadWrite.All",
    ];
    let (held, rest) = match (app, rest) {
        (Some(app), rest) => (
            call.ask
                .world
                .principal_of_app(app)
                .cloned()
                .ok_or_else(|| Answer::no_object(app))?,
            rest,
        ),
        (None, []) => {
            if method != "GET" {
                return Err(not_allowed());
            }
            call.need(&read)?;
            return list(call);
        }
        (None, [id, rest @ ..]) => (
            call.ask
                .world
                .service_principals
                .get(*id)
                .cloned()
                .ok_or_else(|| Answer::no_object(id))?,
            rest,
        ),
    };
    match (method, rest) {
        ("GET", []) => {
            call.need(&read)?;
            let body = call.query.project(
                with_app_roles(call.ask.world, &held),
                None,
                "microsoft.graph.servicePrincipal",
            )?;
            let mut answer =
                Answer::json(200, body).about(ObjectKind::ServicePrincipal, held.id.clone());
            answer.shows = vec![TraceObject::new(ObjectKind::ServicePrincipal, held.id)];
            Ok(answer)
        }
        ("PATCH", []) => {
            may_change(
                call,
                &["Application.ReadWrite.All", "Directory.ReadWrite.All"],
            )?;
            let body = call.body()?;
            let enabled = body["accountEnabled"].as_bool().ok_or_else(|| {
                Answer::graph_error(
                    400,
                    "Request_BadRequest",
                    "Only accountEnabled can be changed here.",
                )
            })?;
            let (now, origin) = (call.ask.now, call.origin());
            call.ask
                .world
                .set_principal_enabled(now, &origin, &held.id, enabled);
            Ok(Answer::no_content()
                .about(ObjectKind::ServicePrincipal, held.id)
                .effect(json!({"kind": "changed", "fields": {"accountEnabled": [held.enabled, enabled]}})))
        }
        ("GET", ["oauth2PermissionGrants"]) => {
            call.need(&READ_GRANTS)?;
            let found: Vec<Grant> = call
                .ask
                .world
                .grants
                .values()
                .filter(|grant| grant.client_id == held.id)
                .cloned()
                .collect();
            listed(call, &found).map(|answer| answer.about(ObjectKind::ServicePrincipal, held.id))
        }
        ("GET", [list @ ("appRoleAssignments" | "appRoleAssignedTo")]) => {
            call.need(&read)?;
            let assigned = *list == "appRoleAssignedTo";
            let world = &call.ask.world;
            let items = world
                .app_role_assignments
                .values()
                .filter(|row| {
                    let id = if assigned {
                        &row.resource_id
                    } else {
                        &row.principal_id
                    };
                    *id == held.id
                })
                .map(|row| assignment_json(world, row))
                .collect();
            Ok(call
                .page("appRoleAssignments", (100, 999), items)
                .about(ObjectKind::ServicePrincipal, held.id))
        }
        ("GET", ["owners"]) => {
            call.need(&read)?;
            Ok(call
                .page("directoryObjects", (100, 999), Vec::new())
                .about(ObjectKind::ServicePrincipal, held.id))
        }
        (_, []) => Err(not_allowed()),
        _ => Err(not_found()),
    }
}

fn list(call: &mut Call<'_, '_>) -> Outcome {
    let filter = match &call.query.filter {
        Some(text) => parse_filter(text)?,
        None => Vec::new(),
    };
    let mut found = Vec::new();
    for held in call.ask.world.service_principals.values() {
        let mut all = true;
        for group in &filter {
            let mut any = false;
            for clause in group {
                any |= match clause.path.as_str() {
                    "appId" => clause.text(&held.app_id),
                    "id" => clause.text(&held.id),
                    "displayName" => clause.text(&held.display_name),
                    "accountEnabled" => clause.text(if held.enabled { "true" } else { "false" }),
                    "appOwnerOrganizationId" => clause.text(&held.owner_tenant),
                    _ => {
                        return Err(Answer::graph_error(
                            400,
                            "Request_UnsupportedQuery",
                            &format!(
                                "Unsupported or invalid query filter clause specified for property '{}' of resource 'ServicePrincipal'.",
                                clause.path
                            ),
                        ));
                    }
                };
            }
            all &= any;
        }
        if all {
            found.push(held);
        }
    }
    let shows = found
        .iter()
        .map(|held| TraceObject::new(ObjectKind::ServicePrincipal, held.id.clone()))
        .collect();
    let mut items = Vec::new();
    for held in found {
        items.push(call.query.project(
            principal_json(held),
            None,
            "microsoft.graph.servicePrincipal",
        )?);
    }
    let mut answer = call
        .page("servicePrincipals", (100, 999), items)
        .about(ObjectKind::Tenant, call.ask.world.tenant.id.clone());
    answer.shows = shows;
    Ok(answer)
}

/// The permission, and for a signed-in user a role too.
fn may_change(call: &Call<'_, '_>, permissions: &[&str]) -> Result<(), Answer> {
    call.need(permissions)?;
    if call.caller.is_app() || call.caller.holds(call.ask.world, &APP_ROLES) {
        Ok(())
    } else {
        Err(Answer::denied())
    }
}

fn listed(call: &Call<'_, '_>, found: &[Grant]) -> Outcome {
    let mut items = Vec::new();
    for grant in found {
        items.push(call.query.project(
            grant_json(grant),
            None,
            "microsoft.graph.oAuth2PermissionGrant",
        )?);
    }
    let mut answer = call.page("oauth2PermissionGrants", (100, 999), items);
    answer.shows = found
        .iter()
        .map(|grant| TraceObject::new(ObjectKind::OauthGrant, grant.id.clone()))
        .collect();
    Ok(answer)
}

fn consent_type(grant: &Grant) -> &'static str {
    if grant.principal_id.is_some() {
        "Principal"
    } else {
        "AllPrincipals"
    }
}

/// A grant: no creation time, which only the audit log knows.
fn grant_json(grant: &Grant) -> Value {
    json!({
        "id": grant.id,
        "clientId": grant.client_id,
        "consentType": consent_type(grant),
        "principalId": grant.principal_id,
        "resourceId": grant.resource_id,
        // Graph writes the list with a blank in front.
        "scope": format!(" {}", grant.scopes.join(" ")),
    })
}

/// A resource shows the roles that it offers.
fn with_app_roles(world: &World, held: &ServicePrincipal) -> Value {
    let mut json = principal_json(held);
    json["appRoles"] = json!(world.app_roles_of_resource(&held.app_id));
    json
}

fn principal_json(held: &ServicePrincipal) -> Value {
    json!({
        "id": held.id,
        "deletedDateTime": null,
        "accountEnabled": held.enabled,
        "alternativeNames": [],
        "appDescription": null,
        "appDisplayName": held.display_name,
        "appId": held.app_id,
        "applicationTemplateId": null,
        "appOwnerOrganizationId": held.owner_tenant,
        "appRoleAssignmentRequired": false,
        "createdByAppId": null,
        "description": null,
        "disabledByMicrosoftStatus": null,
        "displayName": held.display_name,
        "homepage": held.homepage,
        "isDisabled": null,
        "keyCredentials": [],
        "loginUrl": null,
        "logoutUrl": null,
        "notes": null,
        "notificationEmailAddresses": [],
        "passwordCredentials": [],
        "preferredSingleSignOnMode": null,
        "replyUrls": held.reply_urls,
        "servicePrincipalNames": [held.app_id],
        "servicePrincipalType": "Application",
        "signInAudience": "AzureADMultipleOrgs",
        "tags": held.tags,
        "tokenEncryptionKeyId": null,
        "verifiedPublisher": {
            "displayName": held.verified_publisher,
            "verifiedPublisherId": held.verified_publisher.as_ref().map(|_| "5206095"),
            "addedDateTime": held.verified_publisher.as_ref().map(|_| held.created),
        },
    })
}
