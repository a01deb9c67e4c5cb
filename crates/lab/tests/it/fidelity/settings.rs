//! What a mailbox holds besides rules: recipients that its settings name, sweep rules.

use jiff::SignedDuration;
use serde_json::json;

use super::records::search;
use crate::support::Story;

/// Reference §6.2: `ForwardingAddress` is a recipient of the organisation; a contact
/// is one whose `ExternalEmailAddress` lies outside.
#[test]
fn a_forward_to_a_contact_leads_outside_and_only_the_contact_says_so() {
    let scenario = retake_lab::Scenario::find("mailbox-persistence").unwrap();
    let mut contacts = 0;
    for seed in 1..=6 {
        let mut story = Story::with(retake_lab::Lab::new(&scenario, seed).unwrap());
        let user = story.user();
        let mailbox = story.cmdlet("Get-Mailbox", json!({"Identity": user}));
        let Some(to) = mailbox.list()[0]["ForwardingAddress"].as_str() else {
            continue;
        };
        let found = story.cmdlet("Get-Recipient", json!({"Identity": to}));
        assert_eq!(found.status, 200, "{:?}", found.body);
        let recipient = &found.list()[0];
        match recipient["ExternalEmailAddress"].as_str() {
            Some(outside) => {
                contacts += 1;
                assert!(!to.contains('@'), "{to}");
                assert_eq!(recipient["RecipientType"], "MailContact");
                assert!(outside.starts_with("SMTP:"), "{outside}");
            }
            None => assert_eq!(recipient["RecipientType"], "UserMailbox"),
        }
    }
    assert!(contacts > 0, "no seed forwards to a contact");
    let mut story = Story::new(1);
    let nobody = story.cmdlet("Get-Recipient", json!({"Identity": "Nobody Of This Name"}));
    assert_ne!(nobody.status, 200);
}

/// Reference §6.2: the built-in junk rule is normal and hidden; a rule of the same name
/// is another rule.
#[test]
fn the_systems_rules_show_with_hidden_ones_alone_and_a_name_proves_nothing() {
    let mut story = Story::new(4);
    let user = story.user();
    let named = |seen: &crate::support::Seen| {
        seen.list()
            .iter()
            .filter(|rule| rule["Name"] == "Junk E-Mail Rule")
            .count()
    };
    let visible = story.cmdlet("Get-InboxRule", json!({"Mailbox": user}));
    let all = story.cmdlet(
        "Get-InboxRule",
        json!({"Mailbox": user, "IncludeHidden": true}),
    );
    assert_eq!((named(&visible), named(&all)), (0, 1));
    let new = story.cmdlet(
        "New-InboxRule",
        json!({"Mailbox": user, "Name": "Junk E-Mail Rule", "MarkAsRead": true, "From": "a@vendor.example"}),
    );
    assert_eq!(new.status, 200, "{:?}", new.body);
    let all = story.cmdlet(
        "Get-InboxRule",
        json!({"Mailbox": user, "IncludeHidden": true}),
    );
    assert_eq!(named(&all), 2);
}

/// Reference §6.2 and §7.3: sweep rules are made by cmdlets, which are audited; with
/// `KeepLatest` all but the newest of a sender go.
#[test]
fn a_sweep_rule_leaves_records_and_takes_all_but_the_newest_away() {
    let mut story = Story::new(6);
    let user = story.user();
    let neither = story.cmdlet(
        "New-SweepRule",
        json!({"Mailbox": user, "Name": "x", "Provider": "Exchange16", "Sender": "a@b.example"}),
    );
    assert_eq!(neither.status, 400, "{:?}", neither.body);
    let new = story.cmdlet(
        "New-SweepRule",
        json!({"Mailbox": user, "Name": "x", "Provider": "Exchange16", "Sender": "a@b.example", "KeepLatest": 1}),
    );
    assert_eq!(new.status, 200, "{:?}", new.body);
    let identity = new.list()[0]["Identity"].as_str().unwrap().to_owned();
    story.wait(SignedDuration::from_mins(1));
    let gone = story.cmdlet(
        "Remove-SweepRule",
        json!({"Mailbox": user, "Identity": identity, "Confirm": false}),
    );
    assert_eq!(gone.status, 200, "{:?}", gone.body);
    story.wait(SignedDuration::from_mins(95));
    let (_, records, _) = search(&mut story, &["New-SweepRule", "Remove-SweepRule"]);
    let mut operations: Vec<&str> = records
        .iter()
        .map(|record| record["operation"].as_str().unwrap())
        .collect();
    operations.sort_unstable();
    operations.dedup();
    assert_eq!(operations, ["New-SweepRule", "Remove-SweepRule"]);
}

/// Reference §6.2: state, texts, and Exchange's own rules that come with a reply.
#[test]
fn an_automatic_reply_is_read_set_and_cleared() {
    let mut story = Story::new(6);
    let user = story.user();
    let set = |story: &mut Story, parameters: serde_json::Value| {
        let seen = story.cmdlet("Set-MailboxAutoReplyConfiguration", parameters);
        assert_eq!(seen.status, 200, "{:?}", seen.body);
    };
    set(
        &mut story,
        json!({"Identity": user, "AutoReplyState": "Enabled", "ExternalMessage": "away", "InternalMessage": "out"}),
    );
    let read = |story: &mut Story| {
        story
            .cmdlet(
                "Get-MailboxAutoReplyConfiguration",
                json!({"Identity": user}),
            )
            .list()[0]
            .clone()
    };
    let shown = read(&mut story);
    assert_eq!(
        (&shown["AutoReplyState"], &shown["ExternalMessage"]),
        (&json!("Enabled"), &json!("away"))
    );
    let hidden = json!({"Mailbox": user, "IncludeHidden": true});
    let names = story.cmdlet("Get-InboxRule", hidden);
    assert!(names.list().iter().any(|rule| {
        rule["Name"]
            .as_str()
            .unwrap()
            .starts_with("Microsoft.Exchange.OOF.")
    }));
    set(
        &mut story,
        json!({"Identity": user, "AutoReplyState": "Disabled", "ExternalMessage": null}),
    );
    let shown = read(&mut story);
    assert_eq!(
        (
            &shown["AutoReplyState"],
            &shown["ExternalMessage"],
            &shown["InternalMessage"]
        ),
        (&json!("Disabled"), &json!(null), &json!("out"))
    );
}

/// Reference §6.2, send on behalf: a table needs its type.
#[test]
fn entries_of_the_junk_lists_come_and_go_by_a_typed_table() {
    let mut story = Story::new(6);
    let user = story.user();
    let change = |story: &mut Story, value: serde_json::Value| {
        story
            .cmdlet(
                "Set-MailboxJunkEmailConfiguration",
                json!({"Identity": user, "BlockedSendersAndDomains": value}),
            )
            .status
    };
    let blocked = |story: &mut Story| {
        story
            .cmdlet(
                "Get-MailboxJunkEmailConfiguration",
                json!({"Identity": user}),
            )
            .list()[0]["BlockedSendersAndDomains"]
            .clone()
    };
    let table = "#Exchange.GenericHashTable";
    assert_eq!(
        change(
            &mut story,
            json!({"@odata.type": table, "Add": ["a.example", "b.example"]})
        ),
        200
    );
    assert_eq!(change(&mut story, json!({"Remove": ["a.example"]})), 400);
    assert_eq!(blocked(&mut story), json!(["a.example", "b.example"]));
    assert_eq!(
        change(
            &mut story,
            json!({"@odata.type": table, "Remove": ["A.example"]})
        ),
        200
    );
    assert_eq!(blocked(&mut story), json!(["b.example"]));
    assert_eq!(change(&mut story, json!(["c.example"])), 200);
    assert_eq!(blocked(&mut story), json!(["c.example"]));
}

/// Reference §6.2, protocols: null follows the organisation.
#[test]
fn a_protocol_is_switched_and_smtp_auth_may_follow_the_organisation() {
    let mut story = Story::new(6);
    let user = story.user();
    for (given, shown) in [(json!(true), json!(true)), (json!(null), json!(null))] {
        let set = json!({"Identity": user, "ImapEnabled": false, "SmtpClientAuthenticationDisabled": given});
        assert_eq!(story.cmdlet("Set-CASMailbox", set).status, 200);
        let seen = story.cmdlet("Get-CASMailbox", json!({"Identity": user}));
        let row = &seen.list()[0];
        assert_eq!(row["ImapEnabled"], false);
        assert_eq!(row["SmtpClientAuthenticationDisabled"], shown);
    }
    let wrong = json!({"Identity": user, "ImapEnabled": "perhaps"});
    assert_eq!(story.cmdlet("Set-CASMailbox", wrong).status, 400);
}

fn persistence(seed: u64) -> Story {
    let scenario = retake_lab::Scenario::find("mailbox-persistence").unwrap();
    Story::with(retake_lab::Lab::new(&scenario, seed).unwrap())
}

/// Reference §6.2: the identity is not ASCII, and removing wipes nothing.
#[test]
fn a_mobile_device_is_removed_by_its_identity() {
    let mut story = persistence(2);
    let user = story.user();
    let list = |story: &mut Story| story.cmdlet("Get-MobileDevice", json!({"Mailbox": user}));
    let before = list(&mut story);
    let identity = before.list()[0]["Identity"].as_str().unwrap().to_owned();
    assert!(identity.contains('§'), "{identity}");
    let gone = story.cmdlet(
        "Remove-MobileDevice",
        json!({"Identity": identity, "Confirm": false}),
    );
    assert_eq!(gone.status, 200, "{:?}", gone.body);
    assert_eq!(list(&mut story).list().len(), before.list().len() - 1);
    // No cmdlet of the lab reaches what is on a device.
    let wipe = story.cmdlet("Clear-MobileDevice", json!({"Identity": identity}));
    assert_eq!(wipe.status, 403);
}

/// Reference §15.5.
#[test]
fn the_block_from_sending_is_listed_and_lifted() {
    let stopped = (1..=6).find_map(|seed| {
        let mut story = persistence(seed);
        let seen = story.cmdlet("Get-BlockedSenderAddress", json!({}));
        let address = seen.list().first()?["SenderAddress"].as_str()?.to_owned();
        Some((story, address))
    });
    let (mut story, address) = stopped.expect("a seed with a flood");
    let lift = json!({"SenderAddress": address, "Confirm": false});
    assert_eq!(
        story
            .cmdlet("Remove-BlockedSenderAddress", lift.clone())
            .status,
        200
    );
    assert!(
        story
            .cmdlet("Get-BlockedSenderAddress", json!({}))
            .list()
            .is_empty()
    );
    assert_ne!(
        story.cmdlet("Remove-BlockedSenderAddress", lift).status,
        200
    );
}

/// Reference §0.6, §7.3: `UpdateInboxRules` names a rule that no list shows.
#[test]
fn a_client_side_rule_leaves_a_record_and_no_list_shows_it() {
    let found = (1..=8).any(|seed| {
        let mut story = persistence(seed);
        let user = story.user();
        let rules = story.cmdlet(
            "Get-InboxRule",
            json!({"Mailbox": user, "IncludeHidden": true}),
        );
        let numbers: Vec<String> = rules
            .list()
            .iter()
            .map(|rule| rule["RuleIdentity"].to_string())
            .collect();
        story.wait(SignedDuration::from_mins(1));
        let (_, records, _) = search(&mut story, &["UpdateInboxRules"]);
        records.iter().any(|record| {
            let properties = record["auditData"]["OperationProperties"]
                .as_array()
                .unwrap();
            properties.iter().any(|property| {
                property["Name"] == "RuleId"
                    && !numbers.contains(&property["Value"].as_str().unwrap().to_owned())
            })
        })
    });
    assert!(found, "no seed has one");
}
