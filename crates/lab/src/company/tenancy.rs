//! The tenant of a company: its domains and delays, Microsoft's own apps, the
//! roles, and the responder's app with its rights.

use jiff::{SignedDuration, Timestamp};

use crate::chance::Chance;
use crate::scenario::{Scenario, Span};
use crate::world::known::{self, role};
use crate::world::practice::{self, Practice};
use crate::world::registration::{FederatedCredential, RegisteredCertificate};
use crate::world::{
    AppRegistration, Grant, Method, MethodKind, RoleAssignment, ServicePrincipal, Tenant, User,
    World,
};

use super::{ResponderAccess, before, names};

/// The organisation, with the scenario's licences and delays.
pub(super) fn tenant(scenario: &Scenario, chance: Chance, country: &str) -> Tenant {
    let first = chance
        .draw("company", "name", 0)
        .word(&names::COMPANY_FIRST);
    let second = chance
        .draw("company", "name", 1)
        .word(&names::COMPANY_SECOND);
    let form = chance.draw("company", "form", 0).word(&names::COMPANY_FORM);
    let stem = format!("{}{second}", first.to_lowercase());
    let mut tenant = Tenant::new(chance.draw("company", "tenant", 0).uuid().to_string());
    tenant.display_name = format!("{first}{second} {form}");
    tenant.initial_domain = format!(
        "{stem}{}.onmicrosoft.com",
        chance.draw("company", "domain", 0).below(900) + 100
    );
    tenant.domain = format!("{stem}.example");
    country.clone_into(&mut tenant.country);
    chance
        .draw("company", "auto forwarding", 0)
        .word(&["Automatic", "On"])
        .clone_into(&mut tenant.auto_forwarding);
    let delays = &scenario.delays;
    let pair = |span: Span| (span.low, span.high);
    tenant.has_p1 = scenario.licences.entra_p1;
    tenant.has_p2 = scenario.licences.entra_p2;
    tenant.sign_in_delay = pair(delays.sign_in_log);
    tenant.directory_audit_delay = pair(delays.directory_audit);
    tenant.unified_delay = pair(delays.audit_log);
    tenant.revoke_delay = pair(delays.revocation);
    tenant.cae_delay = pair(delays.continuous_evaluation);
    tenant.stale_reads = delays.directory_reads.high;
    tenant.exchange_reopens = pair(delays.mailbox_reenabled);
    tenant.latency = SignedDuration::from_millis(i64::from(scenario.latency_ms));
    tenant.mail_items_accessed = scenario.licences.mail_items_accessed;
    tenant.has_litigation_hold = scenario.licences.litigation_hold;
    tenant.audit_on = scenario.logs.audit;
    tenant.audit_limit = scenario.logs.search_limit;
    tenant.audit_page = scenario.logs.search_page;
    tenant.audit_counts_lie = scenario.logs.counts_lie;
    tenant
}

/// Microsoft's own apps and resources, as every tenant has them.
pub(super) fn microsoft_apps(world: &mut World, alert: Timestamp) {
    let created = before(alert, 2000);
    for (app, name, client) in [
        (known::GRAPH, "Microsoft Graph", false),
        (known::EXCHANGE, "Office 365 Exchange Online", false),
        (known::MANAGEMENT, "Office 365 Management APIs", false),
        (known::OUTLOOK_WEB, "One Outlook Web", true),
        (known::OFFICE_HOME, "OfficeHome", true),
        (known::MY_SIGN_INS, "My Signins", true),
        (known::OUTLOOK_MOBILE, "Outlook Mobile", true),
        (known::OFFICE_DESKTOP, "Microsoft Office", true),
        (
            known::AUTHENTICATION_BROKER,
            "Microsoft Authentication Broker",
            true,
        ),
    ] {
        let id = world.next("microsoft app", app).uuid().to_string();
        let mut principal = ServicePrincipal::new(&id, app, name, known::MICROSOFT_TENANT, created);
        principal.verified_publisher = Some(String::from("Microsoft"));
        principal.tags.clear();
        world.service_principals.insert(id, principal);
        if client {
            world.registrations.insert(
                app.to_owned(),
                AppRegistration {
                    app_id: app.to_owned(),
                    public_client: true,
                    ..AppRegistration::default()
                },
            );
        }
    }
}

/// Directory roles of the people who have some.
pub(super) fn roles(world: &mut World, colleagues: &[String]) {
    for (index, role) in [
        (0, role::GLOBAL_ADMINISTRATOR),
        (3, role::HELPDESK_ADMINISTRATOR),
    ] {
        if let Some(user) = colleagues.get(index) {
            let id = world.new_id("role assignment");
            world.roles.push(RoleAssignment {
                id,
                principal_id: user.clone(),
                role: role.to_owned(),
                unit: None,
            });
        }
    }
}

/// The responder's app registration, its rights, and the operator.
pub(super) fn responder(
    scenario: &Scenario,
    chance: Chance,
    world: &mut World,
    alert: Timestamp,
) -> ResponderAccess {
    let client_id = chance.draw("responder", "client id", 0).uuid().to_string();
    let principal = chance.draw("responder", "principal", 0).uuid().to_string();
    let secret = format!(
        "{}~{}",
        chance
            .draw("responder", "secret", 0)
            .text(b"abcdefghkmnpqrstuvwxyzABCDEFGHKMNPQRSTUVWXYZ23456789", 6),
        chance.draw("responder", "secret", 1).text(
            b"abcdefghkmnpqrstuvwxyzABCDEFGHKMNPQRSTUVWXYZ23456789._-",
            32
        )
    );
    let practice = Practice::of(chance);
    // A cluster's issuer and one of its service accounts.
    let workload = (
        format!(
            "https://oidc.example/{}/",
            chance.draw("responder", "issuer", 0).uuid()
        ),
        String::from("system:serviceaccount:response:retake"),
    );
    let mut app = ServicePrincipal::new(
        &principal,
        &client_id,
        "Incident response",
        &world.tenant.id.clone(),
        before(alert, 90),
    );
    app.verified_publisher = None;
    world.service_principals.insert(principal.clone(), app);
    let resource_of = |permission: &str| match permission {
        "Exchange.ManageAsApp" | "full_access_as_app" => known::EXCHANGE,
        "ActivityFeed.Read" | "ActivityFeed.ReadDlp" => known::MANAGEMENT,
        _ => known::GRAPH,
    };
    world.tenant.responder_app.clone_from(&client_id);
    world.registrations.insert(
        client_id.clone(),
        AppRegistration {
            app_id: client_id.clone(),
            secret: Some(AppRegistration::digest(&secret)),
            app_roles: scenario
                .responder
                .permissions
                .iter()
                .map(|permission| (resource_of(permission).to_owned(), permission.clone()))
                .collect(),
            // Both native and manifest-only loopback addresses are registered,
            // as a tool that listens on either needs them (reference §1.3).
            redirect_uris: [
                "http://localhost",
                "http://127.0.0.1",
                "https://login.microsoftonline.com/common/oauth2/nativeclient",
            ]
            .map(String::from)
            .to_vec(),
            certificates: practice
                .iter()
                .filter_map(|practice| RegisteredCertificate::read(&practice.der))
                .collect(),
            federated: practice::public_key()
                .map(|key| FederatedCredential {
                    issuer: workload.0.clone(),
                    subject: workload.1.clone(),
                    audience: String::from(practice::EXCHANGE_AUDIENCE),
                    key,
                })
                .into_iter()
                .collect(),
            // It holds credentials, and the flows of public clients are allowed
            // as well.
            public_client: true,
        },
    );
    for permission in &scenario.responder.permissions {
        world.assign_app_role(
            before(alert, 90),
            &principal,
            resource_of(permission),
            permission,
        );
    }
    // What an administrator consented to for the operator's delegated use.
    for resource in [known::GRAPH, known::EXCHANGE, known::MANAGEMENT] {
        let scopes: Vec<String> = scenario
            .responder
            .permissions
            .iter()
            .filter(|permission| resource_of(permission) == resource)
            .map(|permission| match permission.as_str() {
                "Exchange.ManageAsApp" => String::from("Exchange.Manage"),
                // A person changes devices with what they may do themselves.
                "Device.ReadWrite.All" => String::from("Directory.AccessAsUser.All"),
                other => other.to_owned(),
            })
            .collect();
        let resource_id = world
            .principal_of_app(resource)
            .map(|p| p.id.clone())
            .unwrap_or_default();
        if !scopes.is_empty() {
            let id = chance.draw("responder grant", resource, 0).text(
                b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
                32,
            );
            world.grants.insert(
                id.clone(),
                Grant {
                    id,
                    client_id: principal.clone(),
                    principal_id: None,
                    resource_id,
                    scopes,
                },
            );
        }
    }
    for name in &scenario.responder.roles {
        if let Some(role) = known::role_template(name) {
            let id = world.new_id("role assignment");
            world.roles.push(RoleAssignment {
                id,
                principal_id: principal.clone(),
                role: role.to_owned(),
                unit: None,
            });
        }
    }
    let id = chance.draw("operator", "id", 0).uuid().to_string();
    let upn = format!("ir-operator@{}", world.tenant.initial_domain);
    let mut operator = User::new(&id, &upn, "Incident Operator", before(alert, 90));
    operator.has_mailbox = false;
    operator.mail = String::new();
    operator.proxy_addresses.clear();
    operator.job_title = String::from("External incident response");
    operator.methods.push(Method {
        id: chance.draw("operator", "key", 0).text(
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
            22,
        ),
        kind: MethodKind::Fido2 {
            display_name: String::from("Operator key"),
            model: String::from("Security Key NFC"),
            aa_guid: String::from("a4e9fc6d-4cbe-4758-b8ba-37598bb5bbaa"),
        },
        created: Some(before(alert, 90)),
    });
    world.add_user(operator);
    for name in &scenario.responder.operator_roles {
        if let Some(role) = known::role_template(name) {
            let assignment = world.new_id("role assignment");
            world.roles.push(RoleAssignment {
                id: assignment,
                principal_id: id.clone(),
                role: role.to_owned(),
                unit: None,
            });
        }
    }
    let identity_header = chance.draw("responder", "identity header", 0).hex(32);
    world.tenant.operator.clone_from(&upn);
    world.tenant.identity_header.clone_from(&identity_header);
    ResponderAccess {
        client_id,
        secret,
        certificate_pem: practice.map(|practice| practice.pem).unwrap_or_default(),
        workload,
        identity_header,
        operator: upn,
    }
}
