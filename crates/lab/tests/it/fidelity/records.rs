//! What the logs hold, how it is cut off, and for how long.

use jiff::SignedDuration;
use retake_lab::{Act, Acted};
use serde_json::{Value, json};

use super::story;
use crate::support::Story;

/// Runs a search to its end and returns the query and its pages' records.
pub(super) fn search(story: &mut Story, operations: &[&str]) -> (Value, Vec<Value>, Vec<usize>) {
    // Tokens live an hour at least, and no longer is waited for.
    story.graph = story.app_token("https://graph.microsoft.com/.default");
    let from = story
        .now
        .checked_sub(SignedDuration::from_hours(24 * 30))
        .unwrap();
    let made = story.graph(
        "POST",
        "/v1.0/security/auditLog/queries",
        Some(json!({
            "displayName": "x",
            "filterStartDateTime": from,
            "filterEndDateTime": story.now,
            "operationFilters": operations,
        })),
    );
    assert_eq!(made.status, 201, "{:?}", made.body);
    let id = made.body["id"].as_str().unwrap().to_owned();
    story.wait(SignedDuration::from_mins(10));
    let path = format!("/v1.0/security/auditLog/queries/{id}");
    let query = story.get(&path).body;
    let (mut records, mut sizes) = (Vec::new(), Vec::new());
    let mut next = Some(format!("{path}/records?$count=true"));
    while let Some(path) = next {
        let page = story.get(&path);
        sizes.push(usize::try_from(page.body["@odata.count"].as_u64().unwrap()).unwrap());
        records.extend(page.list().iter().cloned());
        next = page.body["@odata.nextLink"].as_str().map(|link| {
            link.trim_start_matches("https://graph.microsoft.com")
                .to_owned()
        });
    }
    (query, records, sizes)
}

/// Reference §0.11, §7.2: a query can succeed though it is cut off.
#[test]
fn an_audit_search_succeeds_though_it_is_cut_off() {
    for (logs, cut) in [
        ("search_limit = 40", true),
        ("search_limit = 100000", false),
    ] {
        let mut story = story(&[("logs", logs)], 3);
        let (query, records, _) = search(&mut story, &[]);
        assert_eq!(query["status"], "succeeded");
        assert_eq!(query["isRecordCountLimitExceeded"], cut);
        assert_eq!(records.len() <= 45, cut, "{}", records.len());
    }
}

/// Reference §7.2: rows may repeat across pages, come unsorted, and counts lie.
#[test]
fn pages_repeat_records_are_unsorted_and_their_counts_lie() {
    let mut story = story(&[("logs", "search_page = 50\ncounts_lie = true")], 3);
    let (_, records, counts) = search(&mut story, &[]);
    assert!(records.len() > 100);
    assert!(counts.iter().all(|count| *count == 0), "{counts:?}");
    let mut ids: Vec<&str> = records.iter().map(|r| r["id"].as_str().unwrap()).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert!(ids.len() < all, "nothing repeats");
    let times: Vec<&str> = records
        .iter()
        .map(|r| r["createdDateTime"].as_str().unwrap())
        .collect();
    assert!(!times.is_sorted() && !times.iter().rev().is_sorted());
}

fn access(records: &[Value]) -> Vec<(String, String)> {
    records
        .iter()
        .map(|record| {
            let properties = &record["auditData"]["OperationProperties"];
            (
                properties[0]["Value"].as_str().unwrap().to_owned(),
                properties[1]["Value"].as_str().unwrap().to_owned(),
            )
        })
        .collect()
}

/// Reference §7.3: past 1,000 bind records in 24 h bind auditing stops for 24 h;
/// sync records go on.
#[test]
fn reading_a_thousand_times_blinds_the_audit_of_reading_for_a_day() {
    let mut story = Story::new(7);
    let user = story.user();
    let day = SignedDuration::from_hours(24);
    let read = |story: &mut Story, number: usize| {
        let session = format!("session-{number}");
        let act = Act::ReadInSession {
            user: &user,
            session: &session,
        };
        assert_ne!(story.lab.act(act, story.now), Acted::Refused);
    };
    for number in 0..1_040 {
        read(&mut story, number);
    }
    assert_ne!(
        story.lab.act(Act::SyncInbox { user: &user }, story.now),
        Acted::Refused
    );
    story.wait(SignedDuration::from_mins(100));
    let (_, records, _) = search(&mut story, &["MailItemsAccessed"]);
    let seen = access(&records);
    let stopped = seen
        .iter()
        .filter(|(_, throttled)| throttled == "True")
        .count();
    assert!(stopped >= 1, "no record says that it is the last");
    assert!(seen.iter().any(|(kind, _)| kind == "Sync"));
    let ours = |records: &[Value]| {
        let mut sessions: Vec<String> = records
            .iter()
            .filter_map(|record| record["auditData"]["SessionId"].as_str())
            .filter(|session| session.starts_with("session-"))
            .map(str::to_owned)
            .collect();
        sessions.sort();
        sessions.dedup();
        sessions.len()
    };
    let before = ours(&records);
    assert!((900..1_040).contains(&before), "{before}");
    // A day later it writes again.
    story.wait(day);
    read(&mut story, 2_000);
    story.wait(SignedDuration::from_mins(100));
    let (_, records, _) = search(&mut story, &["MailItemsAccessed"]);
    assert_eq!(ours(&records), before + 1);
}

/// Reference §7.1, §11: without a premium licence sign-ins and risk are closed, and
/// directory audits go back seven days.
#[test]
fn without_premium_licences_endpoints_close_and_audits_go_back_a_week() {
    let mut story = story(
        &[(
            "licences",
            "entra_p1 = false\nentra_p2 = false\nmail_items_accessed = false",
        )],
        3,
    );
    for path in [
        "/v1.0/auditLogs/signIns",
        "/v1.0/identityProtection/riskDetections",
    ] {
        let refused = story.get(path);
        assert_eq!(refused.status, 403, "{path}");
        assert_eq!(
            refused.code(),
            "Authentication_RequestFromNonPremiumTenantOrB2CTenant"
        );
        story.wait(SignedDuration::from_secs(12));
    }
    let audits = story.get("/v1.0/auditLogs/directoryAudits");
    let oldest = story
        .now
        .checked_sub(SignedDuration::from_hours(24 * 7))
        .unwrap();
    assert!(!audits.list().is_empty());
    for entry in audits.list() {
        let at: jiff::Timestamp = entry["activityDateTime"].as_str().unwrap().parse().unwrap();
        assert!(at >= oldest);
    }
    let (_, records, _) = search(&mut story, &["MailItemsAccessed"]);
    assert!(records.is_empty());
}

/// Reference §7.2: with auditing off a search is refused with 400, and the reason is JSON
/// inside the message. Whoever switches it on gets records from then on, and none of before.
#[test]
fn with_auditing_off_a_search_is_refused_and_nothing_of_then_is_ever_recorded() {
    let scenario = retake_lab::Scenario::find("poor-tenant").unwrap();
    let mut story = Story::with(retake_lab::Lab::new(&scenario, 3).unwrap());
    let body = serde_json::json!({
        "displayName": "t",
        "filterStartDateTime": story.now.checked_sub(SignedDuration::from_hours(72)).unwrap().to_string(),
        "filterEndDateTime": story.now.to_string(),
    });
    let refused = story.graph("POST", "/v1.0/security/auditLog/queries", Some(body));
    assert_eq!(refused.status, 400);
    assert_eq!(refused.code(), "UnknownError");
    let message = refused.body["error"]["message"].as_str().unwrap();
    let inside: Value = serde_json::from_str(message).unwrap();
    assert_eq!(inside["Status"], "AuditingDisabledTenant");

    let ask = retake_lab::Ask {
        role: "mail_admin".into(),
        task: "read_by_hand.unified_audit".into(),
        detail: serde_json::json!({"what": "switch it on"}),
    };
    let answer = story.lab.ask(ask, story.now);
    story.wait(answer.after + SignedDuration::from_mins(100));
    let (_, records, _) = search(&mut story, &["New-InboxRule", "Set-Mailbox"]);
    assert!(records.is_empty(), "{records:?}");
}

/// Reference §15.6: mail from outside under an own address is no takeover. The message
/// trace has the stranger's address; no record of sending and no sign-in belongs to it.
#[test]
fn mail_handed_in_from_outside_under_an_own_address_was_never_sent_from_it() {
    let scenario = retake_lab::Scenario::find("spoof").unwrap();
    let mut story = Story::with(retake_lab::Lab::new(&scenario, 5).unwrap());
    let me = story.lab.briefing().affected.clone();
    let forged: Vec<String> = story
        .lab
        .trace_jsonl()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|line| line["method"] == "spoof_mail")
        .map(|line| line["effect"]["messages"][0].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(forged.len(), 2);
    let (_, sent, _) = search(&mut story, &["Send"]);
    let is_sent = |id: &str| {
        sent.iter()
            .any(|record| record["auditData"]["Item"]["InternetMessageId"] == id)
    };
    let rows = story
        .get(&format!(
            "/v1.0/admin/exchange/tracing/messageTraces?$filter=senderAddress%20eq%20'{me}'"
        ))
        .list()
        .to_vec();
    let sign_ins = story
        .get(&format!(
            "/v1.0/auditLogs/signIns?$filter=userPrincipalName%20eq%20'{me}'&$top=999"
        ))
        .list()
        .to_vec();
    let mut own = 0;
    for row in &rows {
        let id = row["messageId"].as_str().unwrap();
        if forged.iter().any(|forged| forged == id) {
            assert!(!is_sent(id));
            let address = row["fromIP"].as_str().unwrap();
            assert!(!address.is_empty());
            assert!(sign_ins.iter().all(|entry| entry["ipAddress"] != address));
        } else if is_sent(id) {
            own += 1;
        }
    }
    assert!(own > 0, "the user's own mail has records");
    assert!(rows.len() > own);
}
