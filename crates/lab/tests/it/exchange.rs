//! `InvokeCommand`.

use serde_json::json;

use crate::support::Story;

#[test]
fn a_rule_comes_with_sidecars_and_a_number_past_a_signed_integer() {
    // reference §6.6
    let mut story = Story::new(1);
    let user = story.user();
    let seen = story.cmdlet(
        "Get-InboxRule",
        json!({"Mailbox": user, "IncludeHidden": true}),
    );
    assert_eq!(seen.status, 200);
    assert_eq!(seen.body["@adminapi.warnings"], json!([]));
    assert!(
        seen.headers["content-type"]
            .to_str()
            .unwrap()
            .contains("IEEE754Compatible=false")
    );
    for rule in seen.list() {
        let number = rule["RuleIdentity"].as_u64().unwrap();
        assert!(number > i64::MAX as u64);
        assert!(
            rule["Identity"]
                .as_str()
                .unwrap()
                .ends_with(&format!("\\{number}"))
        );
        assert_eq!(rule["ForwardTo@odata.type"], "#Collection(String)");
    }
    let outside = seen
        .list()
        .iter()
        .flat_map(|rule| rule["ForwardTo"].as_array().unwrap())
        .filter(|to| to.as_str().unwrap().contains("[SMTP:"))
        .count();
    assert!(outside >= 1);
}

#[test]
fn a_removed_rule_is_gone_and_a_second_removal_names_the_exception() {
    // reference §6.5: decided on the exception's name
    let mut story = Story::new(1);
    let user = story.user();
    let rules = story.cmdlet(
        "Get-InboxRule",
        json!({"Mailbox": user, "IncludeHidden": true}),
    );
    let identity = rules.list()[0]["Identity"].as_str().unwrap().to_owned();
    let remove = json!({"Mailbox": user, "Identity": identity, "Force": true, "Confirm": false});
    let seen = story.cmdlet("Remove-InboxRule", remove.clone());
    assert_eq!((seen.status, seen.list().len()), (200, 0));
    let line = story.lab.trace().last().unwrap();
    assert_eq!(line.operation.as_deref(), Some("Remove-InboxRule"));
    assert_eq!(line.effect.as_ref().unwrap()["kind"], "deleted");
    let again = story.cmdlet("Remove-InboxRule", remove);
    assert!(
        again.body["error"]["details"][0]["message"]
            .as_str()
            .unwrap()
            .contains("ManagementObjectNotFoundException")
    );
    let absent = story.cmdlet(
        "Get-InboxRule",
        json!({"Mailbox": "nobody@nowhere.example"}),
    );
    assert!(
        absent.body["error"]["details"][0]["message"]
            .as_str()
            .unwrap()
            .contains("doesn't exist")
    );
}

#[test]
fn a_disabled_rule_stays_and_can_be_enabled() {
    let mut story = Story::new(2);
    let user = story.user();
    let rules = story.cmdlet("Get-InboxRule", json!({"Mailbox": user}));
    let identity = rules.list()[0]["Identity"].clone();
    for (cmdlet, enabled) in [("Disable-InboxRule", false), ("Enable-InboxRule", true)] {
        let seen = story.cmdlet(
            cmdlet,
            json!({"Mailbox": user, "Identity": identity, "Confirm": false}),
        );
        assert_eq!(seen.status, 200, "{:?}", seen.body);
        let now = story.cmdlet("Get-InboxRule", json!({"Mailbox": user}));
        let rule = now
            .list()
            .iter()
            .find(|rule| rule["Identity"] == identity)
            .unwrap()
            .clone();
        assert_eq!(rule["Enabled"], json!(enabled));
    }
}

#[test]
fn both_forwarding_fields_go_in_one_change() {
    // reference §6.2
    let mut story = Story::new(1);
    let user = story.user();
    let before = story.cmdlet("Get-Mailbox", json!({"Identity": user}));
    let smtp = before.list()[0]["ForwardingSmtpAddress"].as_str().unwrap();
    assert!(smtp.starts_with("smtp:"));
    let seen = story.cmdlet(
        "Set-Mailbox",
        json!({"Identity": user, "ForwardingAddress": null, "ForwardingSmtpAddress": null, "DeliverToMailboxAndForward": false}),
    );
    assert_eq!(seen.status, 200, "{:?}", seen.body);
    let after = story.cmdlet("Get-Mailbox", json!({"Identity": user}));
    assert!(after.list()[0]["ForwardingSmtpAddress"].is_null());
    assert_eq!(after.list()[0]["DeliverToMailboxAndForward"], false);
}

#[test]
fn a_null_identity_returns_every_mailbox() {
    // reference §6.2, last paragraph
    let mut story = Story::new(1);
    assert!(
        story
            .cmdlet("Get-Mailbox", json!({"Identity": null}))
            .list()
            .len()
            > 1
    );
}

#[test]
fn who_may_not_gets_nul_bytes_and_who_is_nobody_gets_401() {
    // reference §0.14, §6.3, §6.5
    let mut story = Story::new(1);
    let user = story.user();
    let unknown = story.cmdlet("Get-Nonsense", json!({}));
    assert_eq!((unknown.status, unknown.raw.len()), (403, 985));
    assert!(unknown.raw.iter().all(|byte| *byte == 0));
    assert_eq!(unknown.headers["content-encoding"], "gzip");
    let graph = story.graph.clone();
    let wrong = story.cmdlet_as(&graph, "Get-Mailbox", json!({"Identity": user}));
    assert_eq!(wrong.status, 401);
    let typo = story.cmdlet("Get-Mailbox", json!({"Identity": user, "Nonsense": 1}));
    assert_eq!((typo.status, typo.code()), (400, "BadRequest"));
    let nothing = story.cmdlet("Get-MailboxPermission", json!({}));
    assert_eq!(nothing.status, 400);
}

#[test]
fn the_other_reading_cmdlets_answer() {
    let mut story = Story::new(1);
    let user = story.user();
    for (cmdlet, parameters) in [
        ("Get-MailboxPermission", json!({"Identity": user})),
        ("Get-RecipientPermission", json!({"Identity": user})),
        ("Get-CASMailbox", json!({"Identity": user})),
        ("Get-MailboxFolderStatistics", json!({"Identity": user})),
        ("Get-OrganizationConfig", json!({})),
        ("Get-AdminAuditLogConfig", json!({})),
        ("Get-HostedOutboundSpamFilterPolicy", json!({})),
        ("Get-RemoteDomain", json!({})),
    ] {
        let seen = story.cmdlet(cmdlet, parameters);
        assert_eq!(seen.status, 200, "{cmdlet}");
        assert!(!seen.list().is_empty(), "{cmdlet}");
    }
}
