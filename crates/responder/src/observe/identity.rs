//! Reading what belongs to the identity beside its methods: devices, app roles, what
//! self-service reset goes by, and apps with rights of their own.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use retake_playbook::event::Facts;
use retake_playbook::judge::reaches_mail_or_files;
use retake_playbook::{ObjectKind, ObjectRef};
use retake_tenant::model::{AppRoleAssignment, Device, ServicePrincipal};
use retake_tenant::{Kind, Read, Tenant, TenantError};
use serde_json::Value;

use super::{Found, MICROSOFT, Seen};

/// The devices of the account: those that it is registered on, and those that it owns.
pub(super) async fn devices(tenant: &Tenant, user: &str) -> Result<Seen, TenantError> {
    let (registered, owned) =
        futures_util::future::join(tenant.registered_devices(user), tenant.owned_devices(user))
            .await;
    let (registered, owned) = (registered?, owned?);
    let mut devices: Vec<&Device> = registered.value.iter().chain(&owned.value).collect();
    devices.retain(|device| !device.id.is_empty());
    devices.sort_by(|a, b| a.id.cmp(&b.id));
    devices.dedup_by(|a, b| a.id == b.id);
    let objects = devices.into_iter().map(device_facts).collect();
    Ok(Seen::of(registered, objects).also(owned))
}

fn device_facts(device: &Device) -> Found {
    let object = ObjectRef::new(ObjectKind::Device, &device.id);
    let object = match &device.display_name {
        Some(name) => object.named(name),
        None => object,
    };
    Found::new(
        object,
        Facts::Device {
            identifier: device.device_id.clone(),
            // What the service does not say is taken for the worse.
            enabled: device.account_enabled.unwrap_or(true),
            trust: device.trust_type.clone(),
            system: device.operating_system.clone(),
            registered: device.registration_date_time,
            managed: device.is_managed == Some(true),
        },
    )
}

/// The app roles that the account itself was assigned.
pub(super) async fn app_roles(tenant: &Tenant, user: &str) -> Result<Seen, TenantError> {
    let read = tenant.app_roles_of_user(user).await?;
    let objects = read
        .value
        .iter()
        .filter(|held| !held.id.is_empty())
        .map(|held| {
            let object = ObjectRef::new(ObjectKind::AppRole, &held.id);
            let object = match &held.resource_display_name {
                Some(name) => object.named(name),
                None => object,
            };
            let facts = Facts::AppRole {
                resource: held.resource_id.clone().unwrap_or_default(),
                app_name: held.resource_display_name.clone(),
                role: held.app_role_id.clone(),
                created: held.created_date_time,
            };
            Found::new(object, facts)
        })
        .collect();
    Ok(Seen::of(read, objects))
}

/// What self-service reset goes by, of the account itself: an object for each property.
pub(super) async fn reset_attributes(tenant: &Tenant, user: &str) -> Result<Seen, TenantError> {
    let read = tenant.user(user).await?;
    let account = &read.value;
    let phone = |number: &Option<String>| -> Vec<String> {
        number
            .iter()
            .filter(|number| !number.trim().is_empty())
            .cloned()
            .collect()
    };
    let objects = [
        (
            "otherMails",
            "other mail addresses",
            account.other_mails.clone(),
        ),
        ("mobilePhone", "mobile phone", phone(&account.mobile_phone)),
        (
            "businessPhones",
            "office phone",
            account.business_phones.clone(),
        ),
    ]
    .into_iter()
    .map(|(attribute, name, values)| {
        let id = format!("{}/{attribute}", account.id);
        Found::new(
            ObjectRef::new(ObjectKind::ResetAttributes, id).named(name),
            Facts::ResetAttribute {
                attribute: attribute.to_owned(),
                values,
            },
        )
    })
    .collect();
    Ok(Seen::of(read, objects))
}

/// The directory roles that are assigned to the account itself. Those that it has through
/// a group are the group's (reference §3).
pub(super) async fn roles(tenant: &Tenant, user: &str) -> Result<Seen, TenantError> {
    let read = tenant.role_assignments(user).await?;
    let objects = read
        .value
        .iter()
        .filter(|held| !held.id.is_empty())
        .map(|held| {
            let name = held
                .role_definition
                .as_ref()
                .and_then(|role| role.display_name.clone());
            let object = ObjectRef::new(ObjectKind::DirectoryRole, &held.id);
            let object = match &name {
                Some(name) => object.named(name),
                None => object,
            };
            Found::new(
                object,
                Facts::Role {
                    role: held.role_definition_id.clone(),
                    name,
                    scope: held
                        .directory_scope_id
                        .clone()
                        .unwrap_or_else(|| "/".to_owned()),
                    principal: held.principal_id.clone().unwrap_or_else(|| user.to_owned()),
                },
            )
        })
        .collect();
    Ok(Seen::of(read, objects))
}

/// The resources whose application permissions open mail, files and the directory:
/// Microsoft Graph and Exchange Online (reference §1.2).
const RESOURCES: [&str; 2] = [
    "00000003-0000-0000-c000-000000000000",
    "00000002-0000-0ff1-ce00-000000000000",
];

/// Every app that holds permissions of its own on mail, files or the directory.
pub(super) async fn apps(tenant: &Tenant) -> Result<Seen, TenantError> {
    let mut answers = Vec::new();
    let mut complete = Ok(());
    let mut roles: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for held in join_all(RESOURCES.map(|resource| held_on(tenant, resource))).await {
        let Some((resource, assigned)) = held? else {
            continue;
        };
        for row in &assigned.value {
            let (Some(principal), Some(role)) = (&row.principal_id, role_of(&resource.value, row))
            else {
                continue;
            };
            if row.principal_type.as_deref() != Some("User") && is_wide(&role) {
                roles.entry(principal.clone()).or_default().push(role);
            }
        }
        let seen = Seen::of(resource, Vec::new()).also(assigned);
        if complete.is_ok() {
            complete = seen.complete;
        }
        answers.extend(seen.answers);
    }
    let ids: Vec<String> = roles.keys().cloned().collect();
    let mut objects = Vec::new();
    for read in join_all(ids.iter().map(|id| tenant.service_principal(id))).await {
        match read {
            // Whoever responds is not what is looked for, and switching it off would end
            // the response.
            Ok(read)
                if read
                    .value
                    .app_id
                    .eq_ignore_ascii_case(&tenant.profile().client_id) =>
            {
                answers.extend(read.answers);
            }
            Ok(read) => {
                let mut held = roles.remove(&read.value.id).unwrap_or_default();
                held.sort();
                held.dedup();
                objects.push(app_facts(&read.value, held));
                answers.extend(read.answers);
            }
            // A group, or gone since.
            Err(error) if error.kind == Kind::NotFound => {}
            Err(error) => {
                if complete.is_ok() {
                    complete = Err(format!("an app could not be read: {error}"));
                }
            }
        }
    }
    Ok(Seen {
        objects,
        answers,
        listed: complete.is_ok(),
        complete,
        mailbox: None,
        remark: None,
    })
}

/// One app alone: what it is switched to stands on it and not in the lists.
pub(crate) async fn app(tenant: &Tenant, id: &str) -> Result<Seen, TenantError> {
    let read = tenant.service_principal(id).await?;
    let found = app_facts(&read.value, Vec::new());
    Ok(Seen::of(read, vec![found]))
}

type Held = (Read<ServicePrincipal>, Read<Vec<AppRoleAssignment>>);

async fn held_on(tenant: &Tenant, resource: &str) -> Result<Option<Held>, TenantError> {
    let resource = match tenant.service_principal_by_app_id(resource).await {
        Ok(read) => read,
        Err(error) if error.kind == Kind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let assigned = tenant.app_role_assigned_to(&resource.value.id).await?;
    Ok(Some((resource, assigned)))
}

/// The name of the role, which the resource tells.
fn role_of(resource: &ServicePrincipal, row: &AppRoleAssignment) -> Option<String> {
    let id = row.app_role_id.as_deref()?;
    let roles = resource.other.get("appRoles")?.as_array()?;
    let role = roles.iter().find(|role| {
        role["id"]
            .as_str()
            .is_some_and(|held| held.eq_ignore_ascii_case(id))
    })?;
    role["value"].as_str().map(str::to_owned)
}

/// Permissions with which an app needs no user any more (reference §5).
fn is_wide(role: &str) -> bool {
    let lower = role.to_lowercase();
    reaches_mail_or_files(role)
        || lower == "exchange.manageasapp"
        || (lower.contains(".readwrite")
            && [
                "directory.",
                "rolemanagement.",
                "application.",
                "approleassignment.",
                "delegatedpermissiongrant.",
                "userauthenticationmethod.",
                "user.",
                "user-passwordprofile.",
            ]
            .iter()
            .any(|area| lower.starts_with(area)))
}

fn app_facts(app: &ServicePrincipal, roles: Vec<String>) -> Found {
    let credentials = ["passwordCredentials", "keyCredentials"]
        .iter()
        .filter_map(|list| app.other.get(*list)?.as_array())
        .flatten()
        .filter_map(|row| row.get("keyId").and_then(Value::as_str))
        .map(str::to_owned)
        .collect();
    let verified_publisher = app
        .verified_publisher
        .as_ref()
        .and_then(|publisher| publisher.get("verifiedPublisherId"))
        .is_some_and(|id| id.as_str().is_some_and(|id| !id.is_empty()));
    let first_party = app
        .app_owner_organization_id
        .as_deref()
        .is_some_and(|owner| owner.eq_ignore_ascii_case(MICROSOFT));
    let object = ObjectRef::new(ObjectKind::ServicePrincipal, &app.id);
    let object = match &app.display_name {
        Some(name) => object.named(name),
        None => object,
    };
    let facts = Facts::App {
        app_id: app.app_id.clone(),
        enabled: app.account_enabled.unwrap_or(true),
        verified_publisher,
        first_party,
        roles,
        credentials,
    };
    let mut basis = facts.clone();
    if let Facts::App { roles, .. } = &mut basis {
        roles.clear();
    }
    Found {
        basis: Some(basis),
        ..Found::new(object, facts)
    }
}
