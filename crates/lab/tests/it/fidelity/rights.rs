//! Each call needs its permission and, where a role protects what it touches,
//! the role (reference §2.1, §3, §6.3, §6.7, §10.1).

use jiff::SignedDuration;
use retake_lab::Scenario;
use serde_json::{Value, json};

use crate::support::{Seen, Story};

/// A call, and one permission of the scenario that suffices for it.
struct Endpoint {
    method: &'static str,
    /// `{user}`, `{grant}`, `{app}` and `{group}` are filled in.
    path: &'static str,
    body: Option<Value>,
    permission: &'static str,
    /// The code of the refusal.
    code: &'static str,
}

const DIRECTORY: &str = "Authorization_RequestDenied";
const MAIL: &str = "ErrorAccessDenied";

/// Everything that the lab serves at Graph.
fn endpoints() -> Vec<Endpoint> {
    let mut all = Vec::new();
    let mut add = |method, path, body: Option<Value>, permission, code| {
        all.push(Endpoint {
            method,
            path,
            body,
            permission,
            code,
        });
    };
    for path in [
        "/v1.0/users",
        "/v1.0/users/{user}",
        "/v1.0/users/{user}/manager",
        "/v1.0/users/{user}/memberOf",
        "/v1.0/users/{user}/transitiveMemberOf",
        "/v1.0/users/{user}/ownedObjects",
        "/v1.0/users/{user}/ownedDevices",
        "/v1.0/users/{user}/registeredDevices",
    ] {
        add("GET", path, None, "User.Read.All", DIRECTORY);
    }
    for path in [
        "/v1.0/users/{user}/oauth2PermissionGrants",
        "/v1.0/users/{user}/appRoleAssignments",
        "/v1.0/oauth2PermissionGrants",
        "/v1.0/oauth2PermissionGrants/{grant}",
        "/v1.0/servicePrincipals/{app}/oauth2PermissionGrants",
        "/v1.0/organization",
        "/v1.0/subscribedSkus",
        "/v1.0/domains",
        "/v1.0/groups/{group}",
    ] {
        add("GET", path, None, "Directory.Read.All", DIRECTORY);
    }
    for path in [
        "/v1.0/servicePrincipals",
        "/v1.0/servicePrincipals/{app}",
        "/v1.0/servicePrincipals/{app}/appRoleAssignments",
        "/v1.0/servicePrincipals/{app}/owners",
    ] {
        add("GET", path, None, "Application.ReadWrite.All", DIRECTORY);
    }
    for path in [
        "/v1.0/roleManagement/directory/roleAssignments",
        "/v1.0/roleManagement/directory/roleDefinitions",
        "/v1.0/roleManagement/directory/roleEligibilityScheduleInstances",
    ] {
        add(
            "GET",
            path,
            None,
            "RoleManagement.Read.Directory",
            DIRECTORY,
        );
    }
    add(
        "POST",
        "/v1.0/roleManagement/directory/roleAssignments",
        Some(json!({"principalId": "x", "roleDefinitionId": "x", "directoryScopeId": "/"})),
        "RoleManagement.ReadWrite.Directory",
        DIRECTORY,
    );
    add(
        "DELETE",
        "/v1.0/roleManagement/directory/roleAssignments/x",
        None,
        "RoleManagement.ReadWrite.Directory",
        DIRECTORY,
    );
    for path in [
        "/v1.0/policies/authorizationPolicy",
        "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy",
    ] {
        add("GET", path, None, "Policy.Read.All", DIRECTORY);
    }
    for path in [
        "/beta/auditLogs/signIns?$top=1",
        "/v1.0/auditLogs/directoryAudits?$top=1",
    ] {
        add("GET", path, None, "AuditLog.Read.All", DIRECTORY);
    }
    add(
        "PATCH",
        "/v1.0/users/{user}",
        Some(json!({"otherMails": ["a@home.example"]})),
        "User-Mail.ReadWrite.All",
        DIRECTORY,
    );
    for body in [
        json!({"mobilePhone": "+49 151 2"}),
        json!({"businessPhones": []}),
    ] {
        add(
            "PATCH",
            "/v1.0/users/{user}",
            Some(body),
            "User-Phone.ReadWrite.All",
            DIRECTORY,
        );
    }
    add(
        "POST",
        "/v1.0/users/{user}/appRoleAssignments",
        Some(json!({"principalId": "x", "resourceId": "y", "appRoleId": "z"})),
        "AppRoleAssignment.ReadWrite.All",
        DIRECTORY,
    );
    add(
        "DELETE",
        "/v1.0/users/{user}/appRoleAssignments/none",
        None,
        "AppRoleAssignment.ReadWrite.All",
        DIRECTORY,
    );
    add(
        "GET",
        "/v1.0/identityProtection/riskDetections",
        None,
        "IdentityRiskEvent.Read.All",
        DIRECTORY,
    );
    add(
        "GET",
        "/v1.0/identityProtection/riskyUsers",
        None,
        "IdentityRiskyUser.ReadWrite.All",
        DIRECTORY,
    );
    add(
        "POST",
        "/v1.0/identityProtection/riskyUsers/confirmCompromised",
        Some(json!({"userIds": []})),
        "IdentityRiskyUser.ReadWrite.All",
        DIRECTORY,
    );
    add(
        "GET",
        "/v1.0/security/auditLog/queries",
        None,
        "AuditLogsQuery.Read.All",
        DIRECTORY,
    );
    add(
        "POST",
        "/v1.0/security/auditLog/queries",
        Some(json!({"displayName": "x"})),
        "AuditLogsQuery.Read.All",
        DIRECTORY,
    );
    add(
        "GET",
        "/v1.0/admin/exchange/tracing/messageTraces",
        None,
        "ExchangeMessageTrace.Read.All",
        DIRECTORY,
    );
    for path in [
        "/v1.0/users/{user}/authentication/methods",
        "/v1.0/users/{user}/authentication/phoneMethods",
        "/beta/users/{user}/authentication/signInPreferences",
    ] {
        add(
            "GET",
            path,
            None,
            "UserAuthenticationMethod.ReadWrite.All",
            DIRECTORY,
        );
    }
    for (method, path) in [
        (
            "DELETE",
            "/v1.0/users/{user}/authentication/phoneMethods/3179e48a-750b-4051-897c-87b9720928f7",
        ),
        (
            "DELETE",
            "/v1.0/users/{user}/authentication/fido2Methods/none",
        ),
        (
            "POST",
            "/v1.0/users/{user}/authentication/temporaryAccessPassMethods",
        ),
        ("POST", "/v1.0/users/{user}/authentication/phoneMethods"),
        (
            "PATCH",
            "/beta/users/{user}/authentication/signInPreferences",
        ),
    ] {
        let body = (method != "DELETE").then(|| json!({}));
        add(
            method,
            path,
            body,
            "UserAuthenticationMethod.ReadWrite.All",
            DIRECTORY,
        );
    }
    add(
        "PATCH",
        "/v1.0/users/{user}",
        Some(json!({"accountEnabled": true})),
        "User.EnableDisableAccount.All",
        DIRECTORY,
    );
    add(
        "PATCH",
        "/v1.0/users/{user}",
        Some(json!({"passwordProfile": {"password": "Kx81-hq!_Trp02-wz"}})),
        "User-PasswordProfile.ReadWrite.All",
        DIRECTORY,
    );
    add(
        "POST",
        "/v1.0/users/{user}/revokeSignInSessions",
        Some(json!({})),
        "User.RevokeSessions.All",
        DIRECTORY,
    );
    add(
        "PATCH",
        "/v1.0/servicePrincipals/{app}",
        Some(json!({"accountEnabled": true})),
        "Application.ReadWrite.All",
        DIRECTORY,
    );
    for (method, body) in [
        ("PATCH", Some(json!({"scope": "openid"}))),
        ("DELETE", None),
    ] {
        add(
            method,
            "/v1.0/oauth2PermissionGrants/{grant}",
            body,
            "DelegatedPermissionGrant.ReadWrite.All",
            DIRECTORY,
        );
    }
    add(
        "POST",
        "/v1.0/oauth2PermissionGrants",
        Some(json!({})),
        "DelegatedPermissionGrant.ReadWrite.All",
        DIRECTORY,
    );
    add(
        "GET",
        "/v1.0/users/{user}/mailboxSettings",
        None,
        "MailboxSettings.ReadWrite",
        MAIL,
    );
    for method in ["GET", "POST"] {
        add(
            method,
            "/v1.0/users/{user}/mailFolders/inbox/messageRules",
            (method == "POST").then(|| json!({})),
            "MailboxSettings.ReadWrite",
            MAIL,
        );
    }
    for (method, path) in [
        ("GET", "/v1.0/users/{user}/mailFolders"),
        ("GET", "/v1.0/users/{user}/mailFolders/inbox"),
        ("GET", "/v1.0/users/{user}/mailFolders/inbox/childFolders"),
        (
            "GET",
            "/v1.0/users/{user}/mailFolders/inbox/messages?$top=1",
        ),
        ("GET", "/v1.0/users/{user}/messages?$top=1"),
        ("GET", "/v1.0/users/{user}/messages/none"),
        ("PATCH", "/v1.0/users/{user}/messages/none"),
        ("POST", "/v1.0/users/{user}/messages/none/move"),
        ("DELETE", "/v1.0/users/{user}/messages/none"),
    ] {
        let body = ["PATCH", "POST"].contains(&method).then(|| json!({}));
        add(method, path, body, "Mail.ReadWrite", MAIL);
    }
    all
}

/// The scenario's permissions at Graph.
fn permissions() -> Vec<String> {
    let mut all = Scenario::find("invoice-fraud")
        .unwrap()
        .responder
        .permissions;
    all.retain(|name| !name.starts_with("Exchange.") && !name.starts_with("ActivityFeed."));
    all
}

fn filled(story: &mut Story) -> impl Fn(&str) -> String + use<> {
    let user = story.user();
    let grant = story.get("/v1.0/oauth2PermissionGrants").list()[0].clone();
    let group = story.get(&format!("/v1.0/users/{user}/memberOf"));
    let group = group
        .list()
        .first()
        .and_then(|group| group["id"].as_str())
        .unwrap_or("none")
        .to_owned();
    move |path: &str| {
        path.replace("{user}", &user)
            .replace("{grant}", grant["id"].as_str().unwrap())
            .replace("{app}", grant["clientId"].as_str().unwrap())
            .replace("{group}", &group)
    }
}

/// Past every limit, with a fresh token.
fn pause(story: &mut Story) {
    story.wait(SignedDuration::from_secs(11));
}

#[test]
fn each_endpoint_is_closed_without_its_permission_and_open_with_it_alone() {
    // reference §10.1, §12
    let mut story = Story::new(1);
    let path = filled(&mut story);
    for permission in permissions() {
        assert!(story.lab.set_permission(&permission, false), "{permission}");
    }
    for endpoint in endpoints() {
        pause(&mut story);
        let words = format!("{} {}", endpoint.method, endpoint.path);
        let at = path(endpoint.path);
        story.renew();
        let closed = story.graph(endpoint.method, &at, endpoint.body.clone());
        assert_eq!(
            (closed.status, closed.code()),
            (403, endpoint.code),
            "{words}"
        );
        let inner = &closed.body["error"]["innerError"];
        for name in ["date", "request-id", "client-request-id"] {
            assert!(inner[name].is_string(), "{words}: {name}");
        }
        pause(&mut story);
        assert!(story.lab.set_permission(endpoint.permission, true));
        story.renew();
        let open = story.graph(endpoint.method, &at, endpoint.body.clone());
        assert!(
            ![401, 403, 429].contains(&open.status),
            "{words} with {}: {} {}",
            endpoint.permission,
            open.status,
            open.body
        );
        assert!(story.lab.set_permission(endpoint.permission, false));
    }
}

/// The object id of the tenant's own Global Administrator.
fn administrator(story: &mut Story) -> String {
    let assignments = story.get("/v1.0/roleManagement/directory/roleAssignments");
    assignments
        .list()
        .iter()
        .find(|one| one["roleDefinitionId"] == "62e90394-69f5-4237-9190-012177145e10")
        .unwrap()["principalId"]
        .as_str()
        .unwrap()
        .to_owned()
}

const HIGH: &str = "Privileged Authentication Administrator";

#[test]
fn an_app_needs_a_role_for_passwords_and_a_high_one_for_administrators() {
    // reference §2.1: app + role; 0.7
    let mut story = Story::new(1);
    let (user, admin) = (story.user(), administrator(&mut story));
    let reset = json!({"passwordProfile": {"password": "Kx81-hq!_Trp02-wz"}});
    let block = json!({"accountEnabled": false});
    let patch = |story: &mut Story, target: &str, body: &Value| {
        story
            .graph(
                "PATCH",
                &format!("/v1.0/users/{target}"),
                Some(body.clone()),
            )
            .status
    };
    assert!(story.lab.set_role(HIGH, false));
    assert_eq!(
        patch(&mut story, &admin, &block),
        403,
        "an administrator, lesser role"
    );
    assert_eq!(patch(&mut story, &admin, &reset), 403);
    assert_eq!(patch(&mut story, &user, &reset), 204);
    assert!(story.lab.set_role("User Administrator", false));
    assert_eq!(patch(&mut story, &user, &reset), 403, "no role at all");
    assert_eq!(
        patch(&mut story, &user, &block),
        204,
        "for a block of a plain user none is needed"
    );
    let pass = format!("/v1.0/users/{admin}/authentication/temporaryAccessPassMethods");
    assert_eq!(story.graph("POST", &pass, Some(json!({}))).status, 403);
    assert!(story.lab.set_role(HIGH, true));
    assert_eq!(patch(&mut story, &admin, &block), 204);
    assert_eq!(patch(&mut story, &admin, &reset), 204);
    assert_ne!(story.graph("POST", &pass, Some(json!({}))).status, 403);
}

#[test]
fn a_person_needs_a_role_beside_the_apps_permission() {
    // reference §2.1, §5, §7.1: +role
    let mut story = Story::new(1);
    let roles = Scenario::find("invoice-fraud")
        .unwrap()
        .responder
        .operator_roles;
    let path = filled(&mut story);
    let calls = [
        (
            "PATCH",
            "/v1.0/users/{user}",
            Some(json!({"accountEnabled": true})),
        ),
        (
            "POST",
            "/v1.0/users/{user}/revokeSignInSessions",
            Some(json!({})),
        ),
        ("GET", "/v1.0/users/{user}/authentication/methods", None),
        (
            "POST",
            "/v1.0/users/{user}/authentication/temporaryAccessPassMethods",
            Some(json!({})),
        ),
        ("GET", "/v1.0/auditLogs/directoryAudits?$top=1", None),
        (
            "POST",
            "/v1.0/identityProtection/riskyUsers/confirmCompromised",
            Some(json!({"userIds": []})),
        ),
        (
            "PATCH",
            "/v1.0/servicePrincipals/{app}",
            Some(json!({"accountEnabled": true})),
        ),
        ("DELETE", "/v1.0/oauth2PermissionGrants/{grant}", None),
    ];
    for granted in [false, true] {
        for role in &roles {
            story.lab.set_role(role, granted);
        }
        let token = story.operator_token(&[]);
        let token = token.body["access_token"].as_str().unwrap().to_owned();
        for (method, at, body) in &calls {
            pause(&mut story);
            let seen = story.graph_as(&token, method, &path(at), body.clone());
            assert_eq!(seen.status == 403, !granted, "{method} {at}: {}", seen.body);
        }
    }
}

fn whoever(story: &mut Story) -> Seen {
    story.renew();
    let user = story.user();
    story.cmdlet("Get-Mailbox", json!({"Identity": user}))
}

#[test]
fn exchange_wants_the_app_role_and_a_directory_role() {
    // reference §1.2, §6.3: 401 with neither, 403 with one, 200 with both
    let mut story = Story::new(1);
    let roles = Scenario::find("invoice-fraud").unwrap().responder.roles;
    assert_eq!(whoever(&mut story).status, 200);
    for role in &roles {
        story.lab.set_role(role, false);
    }
    let seen = whoever(&mut story);
    assert_eq!(seen.status, 403, "the app role alone");
    assert!(seen.raw.iter().all(|byte| *byte == 0) && !seen.raw.is_empty());
    assert_eq!(seen.headers["content-encoding"], "gzip");
    assert!(story.lab.set_permission("Exchange.ManageAsApp", false));
    let seen = whoever(&mut story);
    assert_eq!(seen.status, 401, "neither");
    assert!(seen.headers.contains_key("www-authenticate"));
    assert!(story.lab.set_role("Exchange Administrator", true));
    assert_eq!(whoever(&mut story).status, 403, "the directory role alone");
    assert!(story.lab.set_permission("Exchange.ManageAsApp", true));
    assert_eq!(whoever(&mut story).status, 200);
}

#[test]
fn who_only_reads_runs_what_the_role_allows() {
    // reference §6.7
    let mut story = Story::new(1);
    let roles = Scenario::find("invoice-fraud").unwrap().responder.roles;
    for role in &roles {
        story.lab.set_role(role, false);
    }
    let user = story.user();
    let reads = [
        ("Get-AdminAuditLogConfig", json!({})),
        ("Get-TransportRule", json!({})),
        ("Get-Mailbox", json!({"Identity": user})),
        (
            "Get-InboxRule",
            json!({"Mailbox": user, "IncludeHidden": true}),
        ),
        ("Get-MailboxPermission", json!({"Identity": user})),
        ("Get-RemoteDomain", json!({})),
        ("Get-OrganizationConfig", json!({})),
    ];
    for (role, open) in [("Security Reader", 2), ("Global Reader", reads.len())] {
        assert!(story.lab.set_role(role, true));
        story.renew();
        for (index, (name, parameters)) in reads.iter().enumerate() {
            let status = story.cmdlet(name, parameters.clone()).status;
            assert_eq!(
                status,
                if index < open { 200 } else { 403 },
                "{role}: {name}"
            );
        }
        let change = json!({"Identity": user, "ForwardingSmtpAddress": null});
        assert_eq!(
            story.cmdlet("Set-Mailbox", change).status,
            403,
            "{role} writes"
        );
        story.lab.set_role(role, false);
    }
}
