//! What goes around modern sign-in, and what keeps showing after a write.

use jiff::SignedDuration;
use retake_lab::{Act, Acted, Legacy};
use serde_json::json;

use super::story;
use crate::support::Story;

fn made(story: &mut Story, act: Act<'_>) -> String {
    match story.lab.act(act, story.now) {
        Acted::Done(made) => made,
        Acted::Refused => panic!("{act:?} was refused"),
    }
}

fn works(story: &mut Story, act: Act<'_>) -> bool {
    story.lab.act(act, story.now) != Acted::Refused
}

fn patch(story: &mut Story, user: &str, body: serde_json::Value) {
    let done = story.graph("PATCH", &format!("/v1.0/users/{user}"), Some(body));
    assert_eq!(done.status, 204, "{:?}", done.body);
}

/// Reference §0.9, §2.2, §9.3: basic authentication is gone; app passwords reach
/// SMTP AUTH alone, outlive a reset and a revocation, and end with a block.
#[test]
fn an_app_password_reaches_smtp_alone_and_outlives_reset_and_revocation() {
    let mut story = Story::new(5);
    let user = story.user();
    let app = made(&mut story, Act::MakeAppPassword { user: &user });
    let with = |protocol| Act::LegacySignIn {
        protocol,
        user: &user,
        password: &app,
    };
    for gone in [
        Legacy::Imap,
        Legacy::Pop,
        Legacy::Ews,
        Legacy::ActiveSync,
        Legacy::Mapi,
    ] {
        assert!(!works(&mut story, with(gone)), "{gone:?}");
    }
    assert!(works(&mut story, with(Legacy::SmtpAuth)));
    let body = json!({"passwordProfile": {"password": "Longer-than-8!", "forceChangePasswordNextSignIn": true}});
    patch(&mut story, &user, body);
    let revoke = format!("/v1.0/users/{user}/revokeSignInSessions");
    assert_eq!(story.graph("POST", &revoke, Some(json!({}))).status, 200);
    story.wait(SignedDuration::from_mins(30));
    assert!(works(&mut story, with(Legacy::SmtpAuth)));
    patch(&mut story, &user, json!({"accountEnabled": false}));
    assert!(!works(&mut story, with(Legacy::SmtpAuth)));
    patch(&mut story, &user, json!({"accountEnabled": true}));
    assert!(works(&mut story, with(Legacy::SmtpAuth)));
    made(&mut story, Act::DeleteAppPasswords { user: &user });
    assert!(!works(&mut story, with(Legacy::SmtpAuth)));
    // Its making and deleting are audited; no list of methods shows it.
    story.wait(SignedDuration::from_mins(30));
    let audits = story.get("/v1.0/auditLogs/directoryAudits");
    for name in [
        "Create application password for user",
        "Delete application password for user",
    ] {
        assert!(
            audits
                .list()
                .iter()
                .any(|entry| entry["activityDisplayName"] == name),
            "{name}"
        );
    }
    let methods = story.get(&format!("/v1.0/users/{user}/authentication/methods"));
    assert!(!methods.body.to_string().contains("pplication"));
}

/// Reference §9.1, §9.3, §4: the token of a device ends with the device, and a
/// reset ends what a password got, not what Windows Hello got.
#[test]
fn a_devices_token_ends_with_the_device_and_hellos_outlives_a_reset() {
    let mut story = story(
        &[(
            "responder",
            "permissions = [\"User.Read.All\", \"Device.ReadWrite.All\", \"User-PasswordProfile.ReadWrite.All\", \"User.RevokeSessions.All\"]",
        )],
        5,
    );
    let user = story.user();
    let by_password = made(
        &mut story,
        Act::RegisterDevice {
            user: &user,
            hello: false,
        },
    );
    let by_hello = made(
        &mut story,
        Act::RegisterDevice {
            user: &user,
            hello: true,
        },
    );
    let third = made(
        &mut story,
        Act::RegisterDevice {
            user: &user,
            hello: true,
        },
    );
    story.wait(SignedDuration::from_mins(5));
    for device in [&by_password, &by_hello, &third] {
        assert!(works(&mut story, Act::UseDevice { device }));
    }
    let listed = story.get(&format!("/v1.0/users/{user}/registeredDevices"));
    assert_eq!(listed.list().len(), 3);
    let off = story.graph(
        "PATCH",
        &format!("/v1.0/devices/{third}"),
        Some(json!({"accountEnabled": false})),
    );
    assert_eq!(off.status, 204, "{:?}", off.body);
    assert!(!works(&mut story, Act::UseDevice { device: &third }));
    let body = json!({"passwordProfile": {"password": "Longer-than-8!", "forceChangePasswordNextSignIn": false}});
    patch(&mut story, &user, body);
    assert!(!works(
        &mut story,
        Act::UseDevice {
            device: &by_password
        }
    ));
    assert!(works(&mut story, Act::UseDevice { device: &by_hello }));
    let revoke = format!("/v1.0/users/{user}/revokeSignInSessions");
    assert_eq!(story.graph("POST", &revoke, Some(json!({}))).status, 200);
    story.wait(SignedDuration::from_mins(5));
    assert!(!works(&mut story, Act::UseDevice { device: &by_hello }));
}

/// Reference §2.1, §2.3: a directory read may be stale after a write, of methods
/// and consents as of users.
#[test]
fn what_was_deleted_still_shows_for_a_while() {
    let mut shown = 0;
    for seed in 1..=4 {
        let mut story = story(&[("delays", "directory_reads = \"90s\"")], seed);
        let user = story.user();
        let grants = format!("/v1.0/users/{user}/oauth2PermissionGrants");
        let held = story.get(&grants);
        let id = held.list()[0]["id"].as_str().unwrap().to_owned();
        let gone = story.graph(
            "DELETE",
            &format!("/v1.0/oauth2PermissionGrants/{id}"),
            None,
        );
        assert_eq!(gone.status, 204, "{:?}", gone.body);
        let has = |seen: &crate::support::Seen| {
            seen.list().iter().any(|grant| grant["id"] == id.as_str())
        };
        let still = story.get(&grants);
        shown += usize::from(has(&still));
        // It is gone all the same.
        let again = story.graph(
            "DELETE",
            &format!("/v1.0/oauth2PermissionGrants/{id}"),
            None,
        );
        assert_eq!(again.status, 404);
        story.wait(SignedDuration::from_secs(95));
        assert!(!has(&story.get(&grants)), "seed {seed}");
    }
    assert!(shown > 0, "never stale");
}

/// A token of the affected user's own, by device code.
fn own_token(story: &mut Story) -> String {
    let (app, user) = {
        let briefing = story.lab.briefing();
        (briefing.client_id.clone(), briefing.affected.clone())
    };
    let scope = "https://graph.microsoft.com/.default offline_access";
    let code = story.token("devicecode", &[("client_id", &app), ("scope", scope)]);
    let text = |name: &str| code.body[name].as_str().unwrap().to_owned();
    assert!(
        story
            .lab
            .approve_device_code(&text("user_code"), &user, story.now)
    );
    let token = story.token(
        "token",
        &[
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("client_id", &app),
            ("device_code", &text("device_code")),
        ],
    );
    assert_eq!(token.status, 200, "{:?}", token.body);
    token.body["access_token"].as_str().unwrap().to_owned()
}

/// Reference §2.1, §9.3: who was blocked stays out of Exchange for 35 to 40 min.
#[test]
fn a_reenabled_user_stays_out_of_the_mailbox_for_a_while() {
    let mut story = Story::new(6);
    let user = story.user();
    let before = own_token(&mut story);
    assert_eq!(
        story
            .graph_as(&before, "GET", "/v1.0/me/mailFolders", None)
            .status,
        200
    );
    patch(&mut story, &user, json!({"accountEnabled": false}));
    patch(&mut story, &user, json!({"accountEnabled": true}));
    let token = own_token(&mut story);
    for (minutes, wanted) in [(1, 403), (30, 403), (10, 200)] {
        story.wait(SignedDuration::from_mins(minutes));
        let seen = story.graph_as(&token, "GET", "/v1.0/me/mailFolders", None);
        assert_eq!(seen.status, wanted, "{:?}", seen.body);
    }
}

/// Reference §0.6, §6.2: any rule change through Exchange drops what Outlook keeps
/// for itself; one through Graph does not.
#[test]
fn client_side_rules_go_with_a_change_through_exchange_and_not_through_graph() {
    let mut story = Story::new(6);
    let user = story.user();
    made(
        &mut story,
        Act::MakeClientSideRule {
            user: &user,
            name: "print",
        },
    );
    let kept = |story: &Story| {
        let state = story.lab.final_state();
        state["mailboxes"][&user]["clientSideRules"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(kept(&story), 1);
    let rules = format!("/v1.0/users/{user}/mailFolders/inbox/messageRules");
    let visible = story.get(&rules).list()[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let off = story.graph(
        "PATCH",
        &format!("{rules}/{visible}"),
        Some(json!({"isEnabled": false})),
    );
    assert_eq!(off.status, 200);
    assert_eq!(kept(&story), 1);
    let all = story.cmdlet("Get-InboxRule", json!({"Mailbox": user}));
    assert_eq!(kept(&story), 1, "reading drops nothing");
    let identity = all.list()[0]["Identity"].as_str().unwrap().to_owned();
    let off = story.cmdlet(
        "Disable-InboxRule",
        json!({"Mailbox": user, "Identity": identity, "Force": true, "Confirm": false}),
    );
    assert_eq!(off.status, 200, "{:?}", off.body);
    assert_eq!(kept(&story), 0);
}

/// Reference §6.2: with both set, `ForwardingSmtpAddress` is ignored, and clearing
/// only the other one switches it on.
#[test]
fn clearing_one_forwarding_field_switches_the_other_on() {
    let mut story = Story::new(6);
    let user = story.user();
    let all = story.cmdlet("Get-Mailbox", json!({}));
    let colleague = all
        .list()
        .iter()
        .map(|mailbox| mailbox["PrimarySmtpAddress"].as_str().unwrap().to_owned())
        .find(|address| !address.eq_ignore_ascii_case(&user))
        .unwrap();
    let set = |story: &mut Story, parameters| {
        let seen = story.cmdlet("Set-Mailbox", parameters);
        assert_eq!(seen.status, 200, "{:?}", seen.body);
    };
    let to = |story: &mut Story, address: &str| {
        let filter = format!("recipientAddress%20eq%20'{address}'");
        let seen = story.get(&format!(
            "/v1.0/admin/exchange/tracing/messageTraces?$filter={filter}"
        ));
        assert_eq!(seen.status, 200, "{:?}", seen.body);
        seen.list().len()
    };
    let outside = "archive@elsewhere.example";
    set(
        &mut story,
        json!({"Identity": user, "ForwardingSmtpAddress": outside, "ForwardingAddress": colleague, "DeliverToMailboxAndForward": true}),
    );
    let before = to(&mut story, &colleague);
    story.wait(SignedDuration::from_mins(30));
    assert!(to(&mut story, &colleague) > before);
    assert_eq!(to(&mut story, outside), 0);
    set(
        &mut story,
        json!({"Identity": user, "ForwardingAddress": null}),
    );
    story.wait(SignedDuration::from_mins(30));
    assert!(to(&mut story, outside) > 0);
}

/// Reference §6.2: folder names are localised; the well-known word is not.
#[test]
fn folder_names_are_localised_and_well_known_words_are_not() {
    let mut names = std::collections::BTreeSet::new();
    for seed in 1..=12 {
        let mut story = Story::new(seed);
        let user = story.user();
        let inbox = story.get(&format!("/v1.0/users/{user}/mailFolders/inbox"));
        assert_eq!(inbox.status, 200);
        names.insert(inbox.body["displayName"].as_str().unwrap().to_owned());
        let name = inbox.body["displayName"].as_str().unwrap();
        let folders = story.cmdlet("Get-MailboxFolderStatistics", json!({"Identity": user}));
        assert!(
            folders.list().iter().any(|folder| folder["Name"] == name),
            "{name}"
        );
    }
    assert!(
        names.contains("Inbox") && names.contains("Posteingang"),
        "{names:?}"
    );
}

/// Reference §6.2: sweep rules are a store of their own.
#[test]
fn sweep_rules_stand_apart_from_inbox_rules() {
    let mut story = Story::new(6);
    let user = story.user();
    let before = story.cmdlet(
        "Get-InboxRule",
        json!({"Mailbox": user, "IncludeHidden": true}),
    );
    let new = story.cmdlet(
        "New-SweepRule",
        json!({"Mailbox": user, "Name": "x", "Provider": "Exchange16", "Sender": "bank@vendor.example", "KeepForDays": 1}),
    );
    assert_eq!(new.status, 200, "{:?}", new.body);
    let after = story.cmdlet(
        "Get-InboxRule",
        json!({"Mailbox": user, "IncludeHidden": true}),
    );
    assert_eq!(before.list().len(), after.list().len());
    let swept = story.cmdlet("Get-SweepRule", json!({"Mailbox": user}));
    let rule = swept.list()[0].clone();
    assert_eq!(rule["Provider"], "Exchange16");
    assert!(
        rule["DestinationFolder"]
            .as_str()
            .unwrap()
            .ends_with(":\\Deleted Items")
    );
    let id = rule["Identity"].as_str().unwrap();
    let gone = story.cmdlet("Remove-SweepRule", json!({"Mailbox": user, "Identity": id}));
    assert_eq!(gone.status, 200, "{:?}", gone.body);
    assert!(
        story
            .cmdlet("Get-SweepRule", json!({"Mailbox": user}))
            .list()
            .is_empty()
    );
}

/// Reference §2.2: v1.0 has no hardware tokens, beta has; registration is audited.
#[test]
fn a_hardware_token_shows_in_beta_alone_and_its_registration_is_audited() {
    let mut story = Story::new(6);
    let user = story.user();
    let id = made(
        &mut story,
        Act::AssignToken {
            user: &user,
            serial: "7-001",
        },
    );
    let path = format!("users/{user}/authentication/methods");
    for (version, shown) in [("v1.0", false), ("beta", true)] {
        let methods = story.get(&format!("/{version}/{path}"));
        let has = methods
            .list()
            .iter()
            .any(|method| method["id"] == id.as_str());
        assert_eq!(has, shown, "{version}");
    }
    story.wait(SignedDuration::from_mins(30));
    let audits = story.get("/v1.0/auditLogs/directoryAudits");
    assert!(audits.list().iter().any(|entry| {
        entry["activityDisplayName"] == "Admin registered security info"
            && entry["resultReason"] == "Admin registered Hardware OATH token"
    }));
}
