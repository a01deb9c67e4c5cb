//! The mailbox through Graph.

use serde_json::json;

use crate::support::Story;

#[test]
fn graph_never_shows_a_hidden_rule_and_exchange_does() {
    // reference §0.6, §6.1, §6.2
    let mut story = Story::new(1);
    let user = story.user();
    let graph = story.get(&format!(
        "/v1.0/users/{user}/mailFolders/inbox/messageRules"
    ));
    let plain = story.cmdlet("Get-InboxRule", json!({"Mailbox": user}));
    let all = story.cmdlet(
        "Get-InboxRule",
        json!({"Mailbox": user, "IncludeHidden": true}),
    );
    assert_eq!(graph.list().len(), plain.list().len());
    // One hidden rule of the attacker's and the built-in junk rule.
    assert_eq!(all.list().len(), plain.list().len() + 2);
    let hidden = story.truth()["artefacts"]
        .as_array()
        .unwrap()
        .iter()
        .find(|artefact| artefact["id"] == "A09")
        .unwrap()["object"]["id"]
        .clone();
    assert!(graph.list().iter().all(|rule| rule["id"] != hidden));
}

#[test]
fn a_rule_is_made_changed_and_deleted() {
    // reference §6.1: 201, 200, 204
    let mut story = Story::new(1);
    let user = story.user();
    let path = format!("/v1.0/users/{user}/mailFolders/inbox/messageRules");
    let made = story.graph(
        "POST",
        &path,
        Some(json!({
            "displayName": "invoices to archive", "sequence": 7, "isEnabled": true,
            "conditions": {"subjectContains": ["invoice"]},
            "actions": {"markAsRead": true, "stopProcessingRules": true},
        })),
    );
    assert_eq!(made.status, 201, "{:?}", made.body);
    let one = format!("{path}/{}", made.body["id"].as_str().unwrap());
    let changed = story.graph("PATCH", &one, Some(json!({"isEnabled": false})));
    assert_eq!(
        (changed.status, &changed.body["isEnabled"]),
        (200, &json!(false))
    );
    let effect = story.lab.trace().last().unwrap().effect.clone().unwrap();
    assert_eq!(effect["fields"]["isEnabled"], json!([true, false]));
    assert_eq!(story.graph("DELETE", &one, None).status, 204);
    let gone = story.get(&one);
    assert_eq!((gone.status, gone.code()), (404, "ErrorItemNotFound"));
    let bad = story.graph(
        "POST",
        &path,
        Some(json!({"displayName": "x", "actions": {"explode": true}})),
    );
    assert_eq!(bad.status, 400);
}

#[test]
fn messages_are_listed_newest_first_in_pages_and_filtered_by_time() {
    // reference §6.1
    let mut story = Story::new(1);
    let user = story.user();
    let first = story.get(&format!(
        "/v1.0/users/{user}/messages?$top=5&$select=id,receivedDateTime,internetMessageId"
    ));
    assert_eq!(first.list().len(), 5);
    let times: Vec<&str> = first
        .list()
        .iter()
        .map(|m| m["receivedDateTime"].as_str().unwrap())
        .collect();
    assert!(times.windows(2).all(|pair| pair[0] >= pair[1]), "{times:?}");
    assert!(first.body["@odata.nextLink"].is_string());
    let id = first.list()[3]["internetMessageId"]
        .as_str()
        .unwrap()
        .to_owned();
    let found = story.get(&format!(
        "/v1.0/users/{user}/messages?$filter={}",
        url::form_urlencoded::byte_serialize(format!("internetMessageId eq '{id}'").as_bytes())
            .collect::<String>()
    ));
    assert!(
        found
            .list()
            .iter()
            .any(|m| m["internetMessageId"] == json!(id))
    );
    let since = times[2];
    let late = story.get(&format!(
        "/v1.0/users/{user}/messages?$top=50&$filter=receivedDateTime%20ge%20{since}"
    ));
    assert!(!late.list().is_empty());
    assert!(
        late.list()
            .iter()
            .all(|m| m["receivedDateTime"].as_str().unwrap() >= since)
    );
    let sent = story.get(&format!(
        "/v1.0/users/{user}/mailFolders/sentitems/messages?$top=3"
    ));
    assert!(!sent.list().is_empty());
}

#[test]
fn a_mailbox_that_is_not_there_says_so() {
    // reference §10.1
    let mut story = Story::new(1);
    let seen = story.get("/v1.0/users?$top=999&$select=id,userPrincipalName");
    let ids: Vec<String> = seen
        .list()
        .iter()
        .map(|u| u["id"].as_str().unwrap().to_owned())
        .collect();
    for id in ids {
        let rules = story.get(&format!("/v1.0/users/{id}/mailFolders/inbox/messageRules"));
        assert!(
            rules.status == 200 || rules.code() == "MailboxNotEnabledForRESTAPI",
            "{:?}",
            rules.body
        );
    }
}
