//! The logs: who sees what, when, and in which shape.

use base64::Engine as _;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::Story;

fn encode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[test]
fn sign_ins_show_after_minutes_and_only_beta_knows_sessions() {
    // reference §0.4, §0.5, §7.1
    let mut story = Story::new(1);
    let id = story.account()["id"].as_str().unwrap().to_owned();
    let filter = encode(&format!("userId eq '{id}'"));
    let v1 = story.get(&format!("/v1.0/auditLogs/signIns?$filter={filter}"));
    assert!(!v1.list().is_empty());
    assert!(
        v1.list()
            .iter()
            .all(|entry| entry["isInteractive"] == true && entry.get("sessionId").is_none())
    );
    let beta = story.get(&format!("/beta/auditLogs/signIns?$filter={filter}"));
    assert!(
        beta.list()
            .iter()
            .all(|entry| entry.get("sessionId").is_some())
    );
    let kind = encode(&format!(
        "userId eq '{id}' and signInEventTypes/any(t: t eq 'nonInteractiveUser')"
    ));
    let silent = story.get(&format!("/beta/auditLogs/signIns?$filter={kind}"));
    assert!(
        silent
            .list()
            .iter()
            .all(|entry| entry["isInteractive"] == false)
    );
    assert!(
        silent
            .list()
            .iter()
            .any(|entry| entry["incomingTokenType"] == "unknownFutureValue")
    );
    let refused = story.get(&format!("/v1.0/auditLogs/signIns?$filter={kind}"));
    assert_eq!(refused.status, 400);
    // uniqueTokenIdentifier is the id over its .NET bytes.
    let entry = &beta.list()[0];
    let uuid = uuid::Uuid::parse_str(entry["id"].as_str().unwrap()).unwrap();
    let expected = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(uuid.to_bytes_le());
    assert_eq!(entry["uniqueTokenIdentifier"], json!(expected));
}

#[test]
fn the_sixth_read_of_the_logs_within_ten_seconds_must_wait() {
    // reference §10: 5 per 10 s, with Retry-After
    let mut story = Story::new(1);
    for _ in 0..5 {
        assert_eq!(
            story.get("/v1.0/auditLogs/directoryAudits?$top=1").status,
            200
        );
    }
    let sixth = story.get("/v1.0/auditLogs/directoryAudits?$top=1");
    assert_eq!(sixth.status, 429);
    assert!(sixth.headers.contains_key("retry-after"));
    story.wait(SignedDuration::from_secs(11));
    assert_eq!(
        story.get("/v1.0/auditLogs/directoryAudits?$top=1").status,
        200
    );
    // Identity Protection: one a second, and no Retry-After.
    assert_eq!(story.get("/v1.0/identityProtection/riskyUsers").status, 200);
    let second = story.get("/v1.0/identityProtection/riskyUsers");
    assert_eq!(second.status, 429);
    assert!(!second.headers.contains_key("retry-after"));
}

#[test]
fn a_directory_audit_says_who_did_what_to_whom() {
    // reference §7.1: documented filters, JSON-encoded values
    let mut story = Story::new(1);
    let id = story.account()["id"].as_str().unwrap().to_owned();
    story.graph(
        "PATCH",
        &format!("/v1.0/users/{id}"),
        Some(json!({"accountEnabled": false})),
    );
    let filter = encode(&format!(
        "targetResources/any(t: t/id eq '{id}') and activityDisplayName eq 'Disable account'"
    ));
    assert!(
        story
            .get(&format!("/v1.0/auditLogs/directoryAudits?$filter={filter}"))
            .list()
            .is_empty(),
        "not yet"
    );
    story.wait(SignedDuration::from_mins(40));
    let seen = story.get(&format!("/v1.0/auditLogs/directoryAudits?$filter={filter}"));
    let entry = &seen.list()[0];
    assert!(entry["id"].as_str().unwrap().starts_with("Directory_"));
    assert!(entry["initiatedBy"]["app"]["servicePrincipalId"].is_string());
    assert!(entry["initiatedBy"]["app"]["appId"].is_null());
    let change = &entry["targetResources"][0]["modifiedProperties"][0];
    assert_eq!(
        (&change["oldValue"], &change["newValue"]),
        (&json!("[true]"), &json!("[false]"))
    );
    let by_user = encode(&format!("initiatedBy/user/id eq '{id}'"));
    let own = story.get(&format!(
        "/v1.0/auditLogs/directoryAudits?$filter={by_user}"
    ));
    let names: Vec<&str> = own
        .list()
        .iter()
        .map(|e| e["activityDisplayName"].as_str().unwrap())
        .collect();
    assert!(
        names.contains(&"User registered security info"),
        "{names:?}"
    );
    assert!(names.contains(&"Consent to application"), "{names:?}");
    let old = story.get(
        "/v1.0/auditLogs/directoryAudits?$filter=activityDateTime%20ge%202020-01-01T00:00:00Z",
    );
    assert_eq!(old.status, 400, "refused, not clipped");
}

#[test]
fn an_audit_search_is_asked_for_waited_for_and_read_in_pages() {
    // reference §7.2: asynchronous, unsorted, duplicates across pages
    let mut story = Story::new(1);
    let from = story
        .now
        .checked_sub(SignedDuration::from_hours(24 * 7))
        .unwrap();
    let body = json!({
        "displayName": "case", "filterStartDateTime": from, "filterEndDateTime": story.now,
        "userPrincipalNameFilters": [story.user()],
    });
    let made = story.graph(
        "POST",
        "/beta/security/auditLog/queries",
        Some(body.clone()),
    );
    assert_eq!(
        (made.status, &made.body["status"]),
        (201, &json!("notStarted")),
        "{:?}",
        made.body
    );
    let path = format!(
        "/beta/security/auditLog/queries/{}",
        made.body["id"].as_str().unwrap()
    );
    assert_eq!(story.get(&format!("{path}/records")).status, 400);
    story.wait(SignedDuration::from_secs(45));
    assert_eq!(story.get(&path).body["status"], "running");
    story.wait(SignedDuration::from_mins(10));
    assert_eq!(story.get(&path).body["status"], "succeeded");
    let all = story.get(&format!("{path}/records?$top=999"));
    assert!(all.list().len() > 20);
    let times: Vec<&Value> = all.list().iter().map(|r| &r["createdDateTime"]).collect();
    assert!(
        times
            .windows(2)
            .any(|pair| pair[0].as_str() > pair[1].as_str()),
        "unsorted"
    );
    assert!(
        all.list()
            .iter()
            .all(|r| r["clientIp"].is_null() && r["auditData"]["Id"] == r["id"])
    );
    let (mut ids, mut next) = (Vec::new(), format!("{path}/records?$top=10"));
    loop {
        let page = story.get(&next);
        ids.extend(
            page.list()
                .iter()
                .map(|r| r["id"].as_str().unwrap().to_owned()),
        );
        let Some(link) = page.body["@odata.nextLink"].as_str() else {
            break;
        };
        link.trim_start_matches("https://graph.microsoft.com")
            .clone_into(&mut next);
    }
    let total = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all.list().len());
    assert!(total > ids.len(), "records repeat across pages");
    let invalid = story.graph(
        "POST",
        "/beta/security/auditLog/queries",
        Some(json!({"filterStartDateTime": story.now, "filterEndDateTime": from})),
    );
    assert_eq!(invalid.status, 400);
}

#[test]
fn the_unified_log_lags_by_more_than_an_hour() {
    // reference §7.2, "60 to 90 min"
    let mut story = Story::new(1);
    let user = story.user();
    story.cmdlet("Set-Mailbox", json!({"Identity": user, "ForwardingSmtpAddress": null, "DeliverToMailboxAndForward": false}));
    let mut found = Vec::new();
    for minutes in [45, 60] {
        story.wait(SignedDuration::from_mins(minutes));
        story.graph = story.app_token("https://graph.microsoft.com/.default");
        let from = story.lab.start();
        let made = story.graph(
            "POST",
            "/beta/security/auditLog/queries",
            Some(json!({"filterStartDateTime": from, "filterEndDateTime": story.now, "operationFilters": ["Set-Mailbox"]})),
        );
        let path = format!(
            "/beta/security/auditLog/queries/{}/records",
            made.body["id"].as_str().unwrap()
        );
        story.wait(SignedDuration::from_mins(10));
        found.push(story.get(&path).list().len());
    }
    assert_eq!(found[0], 0);
    assert!(found[1] >= 1);
}

#[test]
fn message_trace_knows_what_left_the_mailbox() {
    // reference §7.5
    let mut story = Story::new(1);
    let user = story.user();
    let seen = story.get(&format!(
        "/v1.0/admin/exchange/tracing/messageTraces?$filter={}",
        encode(&format!("senderAddress eq '{user}'"))
    ));
    assert!(!seen.list().is_empty(), "{:?}", seen.body);
    let wide = story.get(&format!(
        "/v1.0/admin/exchange/tracing/messageTraces?$filter={}",
        encode(
            "receivedDateTime ge 2026-06-01T00:00:00Z and receivedDateTime le 2026-08-01T00:00:00Z"
        )
    ));
    assert_eq!(wide.status, 400);
}
