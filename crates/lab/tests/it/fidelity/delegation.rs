//! Rights on mailboxes: who holds them, how they are given and taken, what the log says.

use jiff::SignedDuration;
use retake_lab::{Lab, Scenario};
use serde_json::{Value, json};

use super::records::search;
use crate::support::Story;

/// A colleague's sign-in name, and the name that people see.
fn colleague(story: &mut Story) -> (String, String) {
    let me = story.user();
    let users = story.get("/v1.0/users?$select=id,userPrincipalName,displayName&$top=999");
    let found = users
        .list()
        .iter()
        .find(|user| user["id"] != me.as_str() && user["userPrincipalName"] != me.as_str())
        .unwrap()
        .clone();
    let text = |name: &str| found[name].as_str().unwrap().to_owned();
    (text("userPrincipalName"), text("displayName"))
}

fn holders(story: &mut Story, cmdlet: &str, field: &str) -> Vec<String> {
    let user = story.user();
    story
        .cmdlet(cmdlet, json!({"Identity": user}))
        .list()
        .iter()
        .filter(|row| row["IsInherited"] != true)
        .filter_map(|row| row[field].as_str().map(str::to_owned))
        .collect()
}

fn parameter<'a>(record: &'a Value, name: &str) -> &'a str {
    record["auditData"]["Parameters"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["Name"] == name)
        .and_then(|one| one["Value"].as_str())
        .unwrap_or_default()
}

/// Reference §6.2, §6.6: NT AUTHORITY\\SELF and inherited rows stand in the list, rights
/// are one text with commas inside a list.
#[test]
fn a_list_of_full_access_shows_its_own_and_inherited_rows_too() {
    let mut story = Story::new(1);
    let user = story.user();
    let seen = story.cmdlet("Get-MailboxPermission", json!({"Identity": user}));
    let own = seen
        .list()
        .iter()
        .find(|row| row["User"] == "NT AUTHORITY\\SELF")
        .unwrap();
    assert_eq!(own["AccessRights"], json!(["FullAccess, ReadPermission"]));
    assert_eq!(own["UserSid"], "S-1-5-10");
    let denied = seen
        .list()
        .iter()
        .find(|row| row["IsInherited"] == true && row["Deny"] == true);
    assert!(denied.is_some());
    // There is no form for the whole tenant.
    assert_eq!(story.cmdlet("Get-MailboxPermission", json!({})).status, 400);
}

/// Reference §6.2, §7.3: what was given stands in the list and in the log, and what was
/// taken no longer in the list.
#[test]
fn giving_and_taking_a_right_leaves_records_with_the_holder() {
    let mut story = Story::new(1);
    let (user, (holder, _)) = (story.user(), colleague(&mut story));
    for (give, take, list, who, right) in [
        (
            "Add-MailboxPermission",
            "Remove-MailboxPermission",
            "Get-MailboxPermission",
            "User",
            "FullAccess",
        ),
        (
            "Add-RecipientPermission",
            "Remove-RecipientPermission",
            "Get-RecipientPermission",
            "Trustee",
            "SendAs",
        ),
    ] {
        let asked =
            json!({"Identity": user, who: holder, "AccessRights": [right], "Confirm": false});
        assert_eq!(story.cmdlet(give, asked.clone()).status, 200, "{give}");
        assert!(holders(&mut story, list, who).contains(&holder), "{list}");
        // Another right than this cmdlet's is refused, and nobody gets it.
        let wrong = json!({"Identity": user, who: holder, "AccessRights": ["Everything"]});
        assert_eq!(story.cmdlet(give, wrong).status, 400, "{give}");
        assert_eq!(story.cmdlet(take, asked.clone()).status, 200, "{take}");
        assert!(!holders(&mut story, list, who).contains(&holder), "{list}");
        // Taken once more it is a warning, not an error.
        let again = story.cmdlet(take, asked);
        assert_eq!(again.status, 200);
        assert_eq!(
            again.body["@adminapi.warnings"].as_array().unwrap().len(),
            1
        );
    }
    story.wait(SignedDuration::from_mins(120));
    let (_, records, _) = search(
        &mut story,
        &["Add-MailboxPermission", "Remove-RecipientPermission"],
    );
    let named: Vec<(&str, &str)> = records
        .iter()
        .map(|record| {
            let name = record["operation"].as_str().unwrap();
            let who = if name.contains("Recipient") {
                "Trustee"
            } else {
                "User"
            };
            (name, parameter(record, who))
        })
        .collect();
    assert!(
        named.contains(&("Add-MailboxPermission", holder.as_str())),
        "{named:?}"
    );
    assert!(
        named.contains(&("Remove-RecipientPermission", holder.as_str())),
        "{named:?}"
    );
}

/// Reference §6.2: the table names its type, or the binder refuses it; whoever else is
/// on the list stays there.
#[test]
fn send_on_behalf_takes_a_typed_table_and_nothing_else() {
    let mut story = Story::new(1);
    let (user, (holder, shown)) = (story.user(), colleague(&mut story));
    let untyped = json!({"Identity": user, "GrantSendOnBehalfTo": {"Add": [holder]}});
    assert_eq!(story.cmdlet("Set-Mailbox", untyped).status, 400);
    let typed = |word: &str, who: &str| json!({"Identity": user, "GrantSendOnBehalfTo": {"@odata.type": "#Exchange.GenericHashTable", word: [who]}});
    assert_eq!(
        story.cmdlet("Set-Mailbox", typed("Add", &holder)).status,
        200
    );
    let list = |story: &mut Story| {
        let seen = story.cmdlet("Get-Mailbox", json!({"Identity": user}));
        seen.list()[0]["GrantSendOnBehalfTo"].clone()
    };
    assert_eq!(list(&mut story), json!([shown]));
    assert_eq!(
        story.cmdlet("Set-Mailbox", typed("Remove", &shown)).status,
        200
    );
    assert_eq!(list(&mut story), json!([]));
    story.wait(SignedDuration::from_mins(120));
    let (_, records, _) = search(&mut story, &["Set-Mailbox"]);
    let added = records
        .iter()
        .map(|record| &record["auditData"]["ModifiedProperties"][0])
        .find(|change| change["NewValue"] == shown.as_str())
        .unwrap();
    assert_eq!(
        (&added["Name"], &added["OldValue"]),
        (&json!("GrantSendOnBehalfTo"), &json!(""))
    );
}

/// Reference §6.5: whom nobody knows is not found, by the exception's name.
#[test]
fn a_name_is_a_person_a_group_or_nobody() {
    let mut story = Story::new(1);
    let (holder, shown) = colleague(&mut story);
    for name in [&holder, &shown] {
        let seen = story.cmdlet("Get-Recipient", json!({"Identity": name}));
        assert_eq!(
            seen.list()[0]["RecipientTypeDetails"],
            "UserMailbox",
            "{name}"
        );
        assert_eq!(seen.list()[0]["PrimarySmtpAddress"], holder.as_str());
    }
    let nobody = story.cmdlet("Get-Recipient", json!({"Identity": "S-1-5-21-1-2-3-4"}));
    assert!(
        nobody
            .body
            .to_string()
            .contains("ManagementObjectNotFoundException")
    );
}

/// Reference §7.3: what somebody does in another's mailbox has the delegate's logon type,
/// their own name and the mailbox owner's; a send in its name says whose name that was.
#[test]
fn what_is_done_in_anothers_mailbox_is_a_delegates_record() {
    let scenario = Scenario::find("shared-mailboxes").unwrap();
    let mut story = Story::with(Lab::new(&scenario, 1).unwrap());
    let (_, records, _) = search(&mut story, &["MailItemsAccessed", "SendAs"]);
    let delegated: Vec<&Value> = records
        .iter()
        .map(|record| &record["auditData"])
        .filter(|data| data["MailboxOwnerUPN"] != data["UserId"])
        .collect();
    assert!(!delegated.is_empty());
    for data in &delegated {
        assert_eq!(data["LogonType"], 2, "{data}");
    }
    let sent = delegated
        .iter()
        .find(|data| data["Operation"] == "SendAs")
        .unwrap();
    assert_eq!(sent["SendAsUserSmtp"], sent["MailboxOwnerUPN"]);
    let own = records
        .iter()
        .map(|record| &record["auditData"])
        .find(|data| data["MailboxOwnerUPN"] == data["UserId"])
        .unwrap();
    assert_eq!(own["LogonType"], 0, "{own}");
}

/// Reference §6.3 (cost): the list of mailboxes is one question, of the kinds asked for.
#[test]
fn mailboxes_are_listed_by_their_kind() {
    let scenario = Scenario::find("shared-mailboxes").unwrap();
    let mut story = Story::with(Lab::new(&scenario, 1).unwrap());
    let kinds = |story: &mut Story, asked: Value, most: u64| {
        let asked = json!({"RecipientTypeDetails": asked, "ResultSize": most});
        let seen = story.cmdlet("Get-Recipient", asked);
        let cut = !seen.body["@adminapi.warnings"]
            .as_array()
            .unwrap()
            .is_empty();
        let kinds: Vec<String> = seen
            .list()
            .iter()
            .map(|row| row["RecipientTypeDetails"].as_str().unwrap().to_owned())
            .collect();
        (kinds, cut)
    };
    let (shared, cut) = kinds(&mut story, json!(["SharedMailbox"]), 60);
    assert!(shared.len() >= 2 && !cut, "{shared:?}");
    assert!(shared.iter().all(|kind| kind == "SharedMailbox"));
    let (both, _) = kinds(&mut story, json!(["SharedMailbox", "UserMailbox"]), 60);
    assert!(both.len() > shared.len());
    let (some, cut) = kinds(&mut story, json!(["SharedMailbox", "UserMailbox"]), 3);
    assert!(some.len() == 3 && cut, "what ResultSize cuts off is said");
}
