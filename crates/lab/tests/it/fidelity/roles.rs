//! Directory roles, and what one administrator's account does for another's (reference
//! §2.1, §3, §7.3).

use jiff::SignedDuration;
use retake_lab::{Lab, Scenario};
use serde_json::{Value, json};

use crate::support::Story;

const ASSIGNMENTS: &str = "/v1.0/roleManagement/directory/roleAssignments";
const REPORTS_READER: &str = "4a5d8f65-41da-4de4-8968-e035b65339cf";

fn two_admins(seed: u64) -> Story {
    Story::with(Lab::new(&Scenario::find("two-admins").unwrap(), seed).unwrap())
}

/// The ids of both accounts in the attacker's hands.
fn both(story: &Story) -> [String; 2] {
    let truth = story.truth();
    [&truth["account"]["id"], &truth["further"][0]["id"]].map(|id| id.as_str().unwrap().to_owned())
}

fn roles_of(story: &mut Story, user: &str) -> Vec<Value> {
    let path = format!("{ASSIGNMENTS}?$filter=principalId%20eq%20'{user}'");
    story.get(&path).list().to_vec()
}

fn block(story: &mut Story, user: &str) {
    let body = json!({"accountEnabled": false});
    let done = story.graph("PATCH", &format!("/v1.0/users/{user}"), Some(body));
    assert_eq!(done.status, 204, "{:?}", done.body);
    let revoke = format!("/v1.0/users/{user}/revokeSignInSessions");
    assert_eq!(story.graph("POST", &revoke, Some(json!({}))).status, 200);
}

fn enabled(story: &mut Story, user: &str) -> bool {
    let read = story.get(&format!("/v1.0/users/{user}?$select=id,accountEnabled"));
    read.body["accountEnabled"] == true
}

/// Reference §3 "role assignments", "remove an assignment"; §7.3 "Add member to role."
#[test]
fn a_role_is_given_and_taken_and_both_leave_records() {
    let mut story = Story::new(2);
    let user = story.account()["id"].as_str().unwrap().to_owned();
    let body = json!({
        "principalId": user, "roleDefinitionId": REPORTS_READER, "directoryScopeId": "/",
    });
    let made = story.graph("POST", ASSIGNMENTS, Some(body.clone()));
    assert_eq!(made.status, 201, "{}", made.body);
    let id = made.body["id"].as_str().unwrap().to_owned();
    let held = roles_of(&mut story, &user);
    let one = held.iter().find(|one| one["id"] == *id).unwrap();
    assert_eq!(one["directoryScopeId"], "/");
    assert_eq!(one["roleDefinitionId"], REPORTS_READER);
    // The same twice is refused.
    assert_eq!(story.graph("POST", ASSIGNMENTS, Some(body)).status, 400);
    let one = format!("{ASSIGNMENTS}/{id}");
    assert_eq!(story.graph("DELETE", &one, None).status, 204);
    assert_eq!(story.graph("DELETE", &one, None).status, 404);
    assert!(
        roles_of(&mut story, &user)
            .iter()
            .all(|one| one["id"] != *id)
    );
    story.wait(SignedDuration::from_mins(20));
    let audits = story.get("/v1.0/auditLogs/directoryAudits");
    for name in ["Add member to role", "Remove member from role"] {
        let entry = audits
            .list()
            .iter()
            .find(|entry| entry["activityDisplayName"] == name)
            .unwrap_or_else(|| panic!("{name}"));
        assert_eq!(entry["category"], "RoleManagement");
        let targets = entry["targetResources"].as_array().unwrap();
        assert_eq!(targets[0]["id"], *user);
        let text = targets[0]["modifiedProperties"].to_string();
        assert!(text.contains("Role.TemplateId") && text.contains(REPORTS_READER));
    }
}

/// Reference §2.1: an administrator with the right role changes another administrator's
/// account. Contained alone, the one is opened again by the other.
#[test]
fn one_administrators_account_gives_sign_in_back_to_the_other() {
    for seed in 1..=3 {
        let mut story = two_admins(seed);
        let [first, second] = both(&story);
        block(&mut story, &first);
        assert!(!enabled(&mut story, &first));
        story.wait(SignedDuration::from_mins(12));
        assert!(enabled(&mut story, &first), "seed {seed}");
        // By the other's hand, and with the record that its portal leaves.
        story.wait(SignedDuration::from_mins(20));
        let about = format!(
            "/v1.0/auditLogs/directoryAudits?$filter=targetResources/any(t:t/id%20eq%20'{first}')"
        );
        let audits = story.get(&about);
        let record = audits
            .list()
            .iter()
            .find(|entry| entry["activityDisplayName"] == "Enable account")
            .unwrap();
        assert_eq!(record["initiatedBy"]["user"]["id"], *second, "seed {seed}");
    }
}

/// The other way: with both contained nobody is left to undo anything.
#[test]
fn contained_together_neither_gives_anything_back() {
    for seed in 1..=3 {
        let mut story = two_admins(seed);
        let accounts = both(&story);
        for account in &accounts {
            block(&mut story, account);
        }
        story.wait(SignedDuration::from_hours(3));
        story.renew();
        for account in &accounts {
            assert!(!enabled(&mut story, account), "seed {seed}");
        }
    }
}

/// A role does what it does only while it is held: reference §3, `role_removal` of §13.
#[test]
fn a_role_that_the_attacker_gave_works_until_it_is_taken() {
    let mut story = two_admins(1);
    let truth = story.truth();
    let given = truth["artefacts"]
        .as_array()
        .unwrap()
        .iter()
        .find(|held| held["id"] == "A31")
        .unwrap()
        .clone();
    story.wait(SignedDuration::from_mins(30));
    let tries = story.attempts("A31");
    assert!(
        tries.last().is_some_and(|(_, got)| got == "\"data\""),
        "{tries:?}"
    );
    let id = given["object"]["id"].as_str().unwrap();
    let one = format!("{ASSIGNMENTS}/{id}");
    assert_eq!(story.graph("DELETE", &one, None).status, 204);
    let taken = story.now;
    story.wait(SignedDuration::from_mins(40));
    let after: Vec<String> = story
        .attempts("A31")
        .into_iter()
        .filter(|(at, _)| *at > taken)
        .map(|(_, got)| got)
        .collect();
    assert!(
        !after.is_empty() && after.iter().all(|got| got == "\"nothing\""),
        "{after:?}"
    );
}
