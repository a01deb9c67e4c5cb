//! Folders of a mailbox and the rights on each: how they are found, given and taken, and
//! what the log says.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use retake_lab::{Lab, Scenario};
use serde_json::{Value, json};

use super::records::search;
use crate::support::Story;

/// The folder of this type, as the list has it.
fn folder(story: &mut Story, folder_type: &str) -> Value {
    let user = story.user();
    story
        .cmdlet("Get-MailboxFolderStatistics", json!({"Identity": user}))
        .list()
        .iter()
        .find(|folder| folder["FolderType"] == folder_type)
        .unwrap()
        .clone()
}

/// Who may what in a folder.
fn rights(story: &mut Story, identity: &str) -> Vec<(String, Value)> {
    story
        .cmdlet("Get-MailboxFolderPermission", json!({"Identity": identity}))
        .list()
        .iter()
        .map(|row| {
            let who = row["User"].as_str().unwrap().to_owned();
            (who, row["AccessRights"].clone())
        })
        .collect()
}

/// Reference §6.2: one call for each folder; the names are localised, ids and types not.
#[test]
fn every_folder_has_a_list_and_is_found_in_any_language() {
    let mut names = BTreeSet::new();
    for seed in 1..=12 {
        let mut story = Story::new(seed);
        let user = story.user();
        let inbox = folder(&mut story, "Inbox");
        let calendar = folder(&mut story, "Calendar");
        names.insert(inbox["Name"].as_str().unwrap().to_owned());
        let id = format!("{user}:{}", inbox["FolderId"].as_str().unwrap());
        let path = format!(
            "{user}:{}",
            inbox["FolderPath"].as_str().unwrap().replace('/', "\\")
        );
        let none = json!(["None"]);
        let standing = [
            ("Default".to_owned(), none.clone()),
            ("Anonymous".to_owned(), none.clone()),
        ];
        assert_eq!(rights(&mut story, &id), standing);
        assert_eq!(rights(&mut story, &path), standing);
        let calendar = format!("{user}:{}", calendar["FolderId"].as_str().unwrap());
        let shown = rights(&mut story, &calendar);
        assert_eq!(
            shown[0],
            ("Default".to_owned(), json!(["AvailabilityOnly"]))
        );
        if inbox["Name"] != "Inbox" {
            let english = json!({"Identity": format!("{user}:\\Inbox")});
            let missing = story.cmdlet("Get-MailboxFolderPermission", english);
            assert_ne!(missing.status, 200);
        }
    }
    assert!(names.len() > 1, "{names:?}");
}

/// Reference §6.2, §7.3: an entry is made once, changed where it is, and taken away; the
/// records of the cmdlets have folder, holder and rights.
#[test]
fn rights_on_a_folder_come_and_go_and_leave_records() {
    let mut story = Story::new(1);
    let user = story.user();
    let users = story.get("/v1.0/users?$select=id,userPrincipalName,displayName&$top=999");
    let colleague = users
        .list()
        .iter()
        .find(|held| held["id"] != user.as_str() && held["userPrincipalName"] != user.as_str())
        .unwrap()
        .clone();
    let (upn, name) = (
        colleague["userPrincipalName"].as_str().unwrap().to_owned(),
        colleague["displayName"].as_str().unwrap().to_owned(),
    );
    let inbox = folder(&mut story, "Inbox");
    let identity = format!("{user}:{}", inbox["FolderId"].as_str().unwrap());
    let run = |story: &mut Story, verb: &str, who: &str, right: Option<&str>| {
        let mut asked = json!({"Identity": identity, "User": who, "Confirm": false});
        if let Some(right) = right {
            asked["AccessRights"] = json!([right]);
        }
        story
            .cmdlet(&format!("{verb}-MailboxFolderPermission"), asked)
            .status
    };
    assert_eq!(run(&mut story, "Set", &upn, Some("Reviewer")), 400);
    assert_eq!(run(&mut story, "Add", &upn, Some("Everything")), 400);
    assert_eq!(run(&mut story, "Add", &upn, Some("Reviewer")), 200);
    assert_eq!(run(&mut story, "Add", &upn, Some("Editor")), 400);
    assert_eq!(run(&mut story, "Set", &name, Some("Editor")), 200);
    assert!(rights(&mut story, &identity).contains(&(name.clone(), json!(["Editor"]))));
    assert_eq!(run(&mut story, "Add", "Default", Some("Reviewer")), 400);
    assert_eq!(run(&mut story, "Set", "Default", Some("Reviewer")), 200);
    assert_eq!(run(&mut story, "Remove", "Default", None), 400);
    assert_eq!(run(&mut story, "Set", "Default", Some("None")), 200);
    assert_eq!(run(&mut story, "Remove", &name, None), 200);
    assert_eq!(run(&mut story, "Remove", &name, None), 400);
    assert_eq!(rights(&mut story, &identity).len(), 2);
    story.wait(SignedDuration::from_mins(120));
    let (_, records, _) = search(
        &mut story,
        &[
            "Add-MailboxFolderPermission",
            "Set-MailboxFolderPermission",
            "Remove-MailboxFolderPermission",
        ],
    );
    let told: Vec<String> = records
        .iter()
        .map(|record| record["auditData"]["Parameters"].to_string())
        .collect();
    assert_eq!(told.len(), 5, "{told:?}");
    let path = inbox["FolderPath"].as_str().unwrap().trim_matches('/');
    for record in &told {
        assert!(record.contains(path), "{record}");
    }
    assert!(
        told.iter()
            .any(|told| told.contains("Editor") && told.contains(&name))
    );
}

/// Reference §7.3: ParentFolder has path, member and the member's rights.
#[test]
fn what_the_attacker_gives_in_outlook_is_a_record_of_the_mailbox() {
    let scenario = Scenario::find("shared-mailboxes").unwrap();
    let mut story = Story::with(Lab::new(&scenario, 1).unwrap());
    let inbox = folder(&mut story, "Inbox");
    let (_, records, _) = search(
        &mut story,
        &["AddFolderPermissions", "ModifyFolderPermissions"],
    );
    let given = records
        .iter()
        .map(|record| &record["auditData"])
        .find(|data| data["Item"]["ParentFolder"]["Id"] == inbox["FolderId"])
        .unwrap();
    let place = &given["Item"]["ParentFolder"];
    assert!(
        place["MemberUpn"].as_str().unwrap().contains("#EXT#"),
        "{place}"
    );
    assert!(place["MemberRights"].as_str().unwrap().contains("ReadAny"));
    assert_eq!(given["LogonType"], 0);
}
