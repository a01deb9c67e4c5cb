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
/// KeepLatest all but the newest of a sender go.
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
