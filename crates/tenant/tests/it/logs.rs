//! Logs: filters as documented, searches that take their time.

use std::time::Duration;

use percent_encoding::percent_decode_str;
use retake_tenant::client::{AuditAbout, AuditQuery, MessageTraceFilter, SignInKind};
use retake_tenant::{Cut, Kind};
use serde_json::json;

use crate::world::{USER, World, json_answer, page, refusal, start};

fn decoded(url: &str) -> String {
    percent_decode_str(url).decode_utf8().unwrap().into_owned()
}

#[test]
fn sign_ins_are_asked_for_by_kind_account_and_time() {
    let world = World::new((0..4).map(|_| page(&json!([{"id": "s"}]), None)));
    let since = start();
    let until = Some("2026-03-02T09:30:00.75Z".parse().unwrap());
    for kind in [
        SignInKind::Interactive,
        SignInKind::InteractiveDetailed,
        SignInKind::NonInteractive,
    ] {
        let read = world
            .run(world.tenant.sign_ins(kind, USER, since, until))
            .unwrap();
        assert_eq!(read.value.len(), 1);
    }
    world
        .run(
            world
                .tenant
                .directory_audits(AuditAbout::Target(USER), since, None),
        )
        .unwrap();
    let seen = world.services.seen();
    let span =
        "createdDateTime ge 2026-03-02T08:00:00Z and createdDateTime le 2026-03-02T09:30:01Z";
    assert_eq!(
        decoded(&seen[0].url),
        format!("/v1.0/auditLogs/signIns?$filter=userId eq '{USER}' and {span}")
    );
    assert_eq!(
        decoded(&seen[2].url),
        format!(
            "/beta/auditLogs/signIns?$filter=userId eq '{USER}' and {span} and signInEventTypes/any(t: t eq 'nonInteractiveUser')"
        )
    );
    assert_eq!(
        seen[2].header("prefer"),
        Some("include-unknown-enum-members")
    );
    assert_eq!(
        decoded(&seen[3].url),
        format!(
            "/v1.0/auditLogs/directoryAudits?$filter=activityDateTime ge 2026-03-02T08:00:00Z and targetResources/any(t: t/id eq '{USER}')"
        )
    );
}

fn query() -> AuditQuery {
    AuditQuery {
        display_name: "case 7".into(),
        start: start(),
        end: "2026-03-03T08:00:00Z".parse().unwrap(),
        record_types: vec!["ExchangeAdmin".into()],
        users: vec!["ida@tarn.example".into()],
        ..AuditQuery::default()
    }
}

#[test]
fn an_audit_search_falls_back_to_beta_waits_and_says_when_it_was_cut_off() {
    let state = |status: &str, over: bool| {
        json_answer(
            200,
            &json!({"id": "q1", "status": status, "isRecordCountLimitExceeded": over}),
        )
    };
    let world = World::new([
        refusal(404, "UnknownError", ""),
        json_answer(201, &json!({"id": "q1", "status": "notStarted"})),
        state("notStarted", false),
        state("running", false),
        state("succeeded", true),
        page(
            &json!([{"id": "1"}]),
            Some(
                "https://graph.microsoft.com/beta/security/auditLog/queries/q1/records?$skiptoken=2",
            ),
        ),
        page(&json!([{"id": "2"}]), None),
    ]);
    let read = world
        .run(
            world
                .tenant
                .audit_search(&query(), Duration::from_secs(10), Duration::from_mins(30)),
        )
        .unwrap();
    assert_eq!(read.value.len(), 2);
    assert_eq!(read.completeness.why(), Some(&Cut::LimitReached));
    assert_eq!(
        read.answers.len(),
        6,
        "every answer but the refused one is kept"
    );
    let seen = world.services.seen();
    assert_eq!(seen[0].url, "/v1.0/security/auditLog/queries");
    assert_eq!(seen[1].url, "/beta/security/auditLog/queries");
    assert_eq!(
        seen[1].json(),
        json!({"displayName": "case 7", "filterStartDateTime": "2026-03-02T08:00:00Z",
            "filterEndDateTime": "2026-03-03T08:00:00Z", "recordTypeFilters": ["ExchangeAdmin"],
            "userPrincipalNameFilters": ["ida@tarn.example"]})
    );
    assert_eq!(seen[2].url, "/beta/security/auditLog/queries/q1");
    assert_eq!(
        seen[3].at.saturating_sub(seen[2].at),
        Duration::from_millis(10_150)
    );
    assert!(
        seen[5]
            .url
            .starts_with("/beta/security/auditLog/queries/q1/records?$top=999")
    );
}

#[test]
fn an_audit_search_that_ends_badly_or_never_is_no_empty_log() {
    let state = |status: &str| json_answer(200, &json!({"id": "q", "status": status}));
    let world = World::new([state("notStarted"), state("failed")]);
    let wait = (Duration::from_secs(30), Duration::from_mins(1));
    let error = world
        .run(world.tenant.audit_search(&query(), wait.0, wait.1))
        .unwrap_err();
    assert!(matches!(error.kind, Kind::Server { .. }));
    assert!(error.message.contains("failed"));

    let world = World::new((0..8).map(|_| state("running")));
    let error = world
        .run(world.tenant.audit_search(&query(), wait.0, wait.1))
        .unwrap_err();
    assert!(matches!(error.kind, Kind::TimedOut { .. }));
    assert!(world.clock.since_start() < Duration::from_secs(100));
}

#[test]
fn a_message_trace_over_three_weeks_is_three_queries() {
    let row = |id: u32| json!({"id": format!("m{id}"), "recipientAddress": "v@vendor.example"});
    // The row at a window's end comes again at the beginning of the next.
    let world = World::new((0..3).map(|n| page(&json!([row(n), row(n + 1)]), None)));
    let filter = MessageTraceFilter {
        sender: Some("o'neil@tarn.example".into()),
        recipient: None,
        start: "2026-02-01T00:00:00Z".parse().unwrap(),
        end: "2026-02-22T00:00:00Z".parse().unwrap(),
    };
    let read = world.run(world.tenant.message_traces(&filter)).unwrap();
    assert_eq!(read.value.len(), 4);
    assert!(read.completeness.is_complete());
    let last = decoded(&world.services.seen()[2].url);
    assert!(last.ends_with(
        "receivedDateTime ge 2026-02-21T00:00:00Z and receivedDateTime le 2026-02-22T00:00:00Z and senderAddress eq 'o''neil@tarn.example'"
    ), "{last}");
}

#[test]
fn a_message_trace_of_ten_days_never_asks_for_more_than_ten() {
    // Between two seconds, as every real clock is.
    let world = World::new((0..2).map(|_| page(&json!([]), None)));
    let filter = MessageTraceFilter {
        sender: None,
        recipient: None,
        start: "2026-02-01T00:00:00.75Z".parse().unwrap(),
        end: "2026-02-11T00:00:00.75Z".parse().unwrap(),
    };
    world.run(world.tenant.message_traces(&filter)).unwrap();
    let asked: Vec<String> = world
        .services
        .seen()
        .iter()
        .map(|r| decoded(&r.url))
        .collect();
    for (asked, span) in asked.iter().zip([
        "ge 2026-02-01T00:00:00Z and receivedDateTime le 2026-02-11T00:00:00Z",
        "ge 2026-02-11T00:00:00Z and receivedDateTime le 2026-02-11T00:00:01Z",
    ]) {
        assert!(asked.ends_with(span), "{asked}");
    }
}

#[test]
fn sent_messages_are_read_by_their_envelopes_only() {
    let world = World::new([page(
        &json!([{"id": "1", "internetMessageId": "<a@b>", "subject": "x", "toRecipients": [{"emailAddress": {"address": "v@vendor.example"}}],
            "sentDateTime": "2026-03-01T07:00:00Z"}]),
        None,
    )]);
    let read = world
        .run(world.tenant.messages(USER, "sentitems", Some(start())))
        .unwrap();
    assert_eq!(
        read.value[0].to_recipients[0]
            .email_address
            .address
            .as_deref(),
        Some("v@vendor.example")
    );
    let seen = &world.services.seen()[0];
    assert!(!seen.url.contains("body"));
    assert!(
        decoded(&seen.url)
            .contains("$filter=sentDateTime ge 2026-03-02T08:00:00Z&$orderby=sentDateTime desc")
    );
    assert_eq!(seen.header("prefer"), Some("IdType=\"ImmutableId\""));
}
