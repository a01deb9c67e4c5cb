//! Application permissions: app roles that an app, or a user, was assigned
//! (reference §5). What an app holds this way no change of a user's account touches.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::audit::Activity;
use super::logs::{SignInKind, Target};
use super::{AccessToken, Origin, Resource, World, known};
use crate::world::issue::AccessWish;

/// One assignment.
#[derive(Clone, Debug)]
pub(crate) struct AppRoleAssignment {
    pub(crate) id: String,
    /// The app's service principal, or the user.
    pub(crate) principal_id: String,
    /// Object id of the resource's service principal.
    pub(crate) resource_id: String,
    pub(crate) role_id: String,
    pub(crate) created: Timestamp,
}

/// The role of plain access, for apps that name none (reference §5).
pub(crate) const PLAIN_ACCESS: &str = "00000000-0000-0000-0000-000000000000";

/// App roles of Microsoft Graph whose ids are known (Graph permissions reference).
const GRAPH_ROLES: [(&str, &str); 7] = [
    ("Mail.Read", "810c84a8-4a9e-49e6-bf7d-12d183f40d01"),
    ("Mail.ReadWrite", "e2a3a72e-5f79-4c64-b1b1-878b674786c9"),
    ("Mail.Send", "b633e1c5-b582-4048-a93e-9f11b44c7e96"),
    ("User.Read.All", "df021288-bdef-4463-88db-98f22de89214"),
    ("Files.Read.All", "01d4889c-1287-42c6-ac1f-5d1e02578ef6"),
    ("Directory.Read.All", "7ab1d382-f21e-4acd-a863-ba3e13f7da61"),
    ("Calendars.Read", "798ee544-9d2d-430c-a058-570e29e34338"),
];

impl World {
    /// The id of a resource's app role.
    pub(crate) fn app_role_id(&mut self, resource: &str, value: &str) -> String {
        let key = (resource.to_owned(), value.to_owned());
        if let Some(id) = self.app_role_ids.get(&key) {
            return id.clone();
        }
        let known = GRAPH_ROLES
            .iter()
            .find(|(name, _)| resource == known::GRAPH && *name == value);
        let id = known.map_or_else(
            || self.next(resource, value).uuid().to_string(),
            |(_, id)| (*id).to_owned(),
        );
        self.app_role_ids.insert(key, id.clone());
        id
    }

    /// The app roles that a resource offers, as its service principal shows them.
    pub(crate) fn app_roles_of_resource(&self, app_id: &str) -> Vec<Value> {
        self.app_role_ids
            .iter()
            .filter(|((resource, _), _)| resource == app_id)
            .map(|((_, value), id)| {
                json!({
                    "allowedMemberTypes": ["Application"],
                    "description": value,
                    "displayName": value,
                    "id": id,
                    "isEnabled": true,
                    "origin": "Application",
                    "value": value,
                })
            })
            .collect()
    }

    /// Assigns an app role without a record: what was so before the history begins.
    pub(crate) fn assign_app_role(
        &mut self,
        at: Timestamp,
        principal: &str,
        resource: &str,
        value: &str,
    ) -> Option<String> {
        let role_id = self.app_role_id(resource, value);
        let resource_id = self.principal_of_app(resource)?.id.clone();
        let id = self.next(principal, "app role assignment").text(
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
            43,
        );
        self.app_role_assignments.insert(
            id.clone(),
            AppRoleAssignment {
                id: id.clone(),
                principal_id: principal.to_owned(),
                resource_id,
                role_id,
                created: at,
            },
        );
        if let Some(app) = self
            .service_principals
            .get(principal)
            .map(|held| held.app_id.to_lowercase())
            && let Some(registration) = self.registrations.get_mut(&app)
        {
            let held = (resource.to_owned(), value.to_owned());
            if !registration.app_roles.contains(&held) {
                registration.app_roles.push(held);
            }
        }
        Some(id)
    }

    /// An administrator consents to application permissions for an app.
    pub(crate) fn consent_app_roles(
        &mut self,
        now: Timestamp,
        by: &Origin,
        principal: &str,
        values: &[&str],
    ) {
        let Some((app_id, name)) = self
            .service_principals
            .get(principal)
            .map(|held| (held.app_id.clone(), held.display_name.clone()))
        else {
            return;
        };
        let text = |value: &str| Some(json!(value).to_string());
        for value in values {
            self.assign_app_role(now, principal, known::GRAPH, value);
            let target = Target {
                id: principal.to_owned(),
                kind: String::from("ServicePrincipal"),
                name: name.clone(),
                upn: None,
                modified: vec![
                    (String::from("AppRole.Value"), None, text(value)),
                    (
                        String::from("ServicePrincipal.ObjectID"),
                        None,
                        text(principal),
                    ),
                    (String::from("ServicePrincipal.AppId"), None, text(&app_id)),
                ],
            };
            self.application_audit(
                now,
                by,
                "Add app role assignment to service principal",
                target,
            );
        }
        let words = format!(
            "[] => [[Id: , ClientId: {principal}, PrincipalId: , ResourceId: , ConsentType: AllPrincipals, Scope: {}, CreatedDateTime: , LastModifiedDateTime ]]; ",
            values.join(" ")
        );
        let target = Target {
            id: principal.to_owned(),
            kind: String::from("ServicePrincipal"),
            name,
            upn: None,
            modified: vec![
                (
                    String::from("ConsentContext.IsAdminConsent"),
                    None,
                    text("True"),
                ),
                (String::from("ConsentContext.IsAppOnly"), None, text("True")),
                (
                    String::from("ConsentContext.OnBehalfOfAll"),
                    None,
                    text("True"),
                ),
                (
                    String::from("ConsentAction.Permissions"),
                    None,
                    text(&words),
                ),
                (
                    String::from("TargetId.ServicePrincipalNames"),
                    None,
                    text(&app_id),
                ),
            ],
        };
        self.application_audit(now, by, "Consent to application", target);
    }

    /// Somebody assigns the user an app role: of an app that names none, plain access.
    /// Gives the assignment's id.
    pub(crate) fn assign_user_app_role(
        &mut self,
        now: Timestamp,
        by: &Origin,
        user: &str,
        principal: &str,
        role: Option<&str>,
    ) -> Option<String> {
        let app_id = self.service_principals.get(principal)?.app_id.clone();
        let role_id = match role {
            Some(value) => self.app_role_id(&app_id, value),
            None => PLAIN_ACCESS.to_owned(),
        };
        let id = self.next(user, "app role assignment").text(
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
            43,
        );
        let held = AppRoleAssignment {
            id: id.clone(),
            principal_id: user.to_owned(),
            resource_id: principal.to_owned(),
            role_id,
            created: now,
        };
        self.app_role_assignments.insert(id.clone(), held);
        self.user_role_audit(
            now,
            by,
            "Add app role assignment grant to user",
            user,
            principal,
            role.unwrap_or_default(),
        );
        Some(id)
    }

    /// Withdraws a user's app role. A consent to the app stays (reference §5).
    pub(crate) fn withdraw_user_app_role(&mut self, now: Timestamp, by: &Origin, id: &str) -> bool {
        let Some(held) = self.app_role_assignments.remove(id) else {
            return false;
        };
        self.user_role_audit(
            now,
            by,
            "Remove app role assignment from user",
            &held.principal_id,
            &held.resource_id,
            "",
        );
        true
    }

    /// The record names the app and the user, and not the assignment.
    fn user_role_audit(
        &mut self,
        now: Timestamp,
        by: &Origin,
        name: &str,
        user: &str,
        principal: &str,
        role: &str,
    ) {
        let Some((app_id, app_name)) = self
            .service_principals
            .get(principal)
            .map(|held| (held.app_id.clone(), held.display_name.clone()))
        else {
            return;
        };
        let text = |value: &str| Some(json!(value).to_string());
        let upn = self
            .users
            .get(user)
            .map(|user| user.upn.clone())
            .unwrap_or_default();
        let app = Target {
            id: principal.to_owned(),
            kind: String::from("ServicePrincipal"),
            name: app_name,
            upn: None,
            modified: vec![
                (String::from("AppRole.Value"), None, text(role)),
                (String::from("User.ObjectID"), None, text(user)),
                (String::from("User.UPN"), None, text(&upn)),
                (
                    String::from("TargetId.ServicePrincipalNames"),
                    None,
                    text(&app_id),
                ),
            ],
        };
        let whom = self.user_target(user, Vec::new());
        self.audit_directory(
            now,
            by,
            &Activity {
                name,
                category: "ApplicationManagement",
                service: "Core Directory",
                operation: "Assign",
            },
            vec![app, whom],
        );
    }

    fn application_audit(&mut self, now: Timestamp, by: &Origin, name: &str, target: Target) {
        self.audit_directory(
            now,
            by,
            &Activity {
                name,
                category: "ApplicationManagement",
                service: "Core Directory",
                operation: "Assign",
            },
            vec![target],
        );
    }

    /// A token that an app gets for itself with its own credential, or the error. Nothing
    /// that is done to a user changes it (reference §9.3).
    pub(crate) fn app_only_token(
        &mut self,
        now: Timestamp,
        origin: &Origin,
    ) -> Result<AccessToken, u32> {
        let mut entry =
            self.sign_in_entry(now, SignInKind::ServicePrincipal, origin, Resource::Graph);
        let error = match self.principal_of_app(&origin.app_id) {
            None => 700_016,
            Some(app) if !app.enabled => 7_000_112,
            Some(_) => 0,
        };
        entry.error = error;
        crate::ways::reason(error).clone_into(&mut entry.reason);
        let sign_in = entry.id.clone();
        self.record_sign_in(entry);
        if error != 0 {
            return Err(error);
        }
        let roles = self.app_roles(&origin.app_id, Resource::Graph);
        Ok(self.issue_access(
            now,
            AccessWish {
                user: None,
                app_id: &origin.app_id,
                resource: Resource::Graph,
                scopes: Vec::new(),
                roles,
                cae: false,
                session: None,
                sign_in: &sign_in,
            },
        ))
    }
}

/// As Graph shows it.
pub(crate) fn assignment_json(world: &World, held: &AppRoleAssignment) -> Value {
    let app = world.service_principals.get(&held.principal_id);
    let user = world.users.get(&held.principal_id);
    json!({
        "id": held.id,
        "deletedDateTime": null,
        "appRoleId": held.role_id,
        "createdDateTime": held.created,
        "principalDisplayName": app
            .map(|app| app.display_name.clone())
            .or_else(|| user.map(|user| user.display_name.clone())),
        "principalId": held.principal_id,
        "principalType": if app.is_some() { "ServicePrincipal" } else { "User" },
        "resourceDisplayName": world
            .service_principals
            .get(&held.resource_id)
            .map(|resource| resource.display_name.clone()),
        "resourceId": held.resource_id,
    })
}
