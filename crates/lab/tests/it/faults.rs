//! A bad day, on request.

use bytes::Bytes;
use http::Request;
use retake_lab::{Fault, FaultKind, Reply};
use serde_json::json;

use crate::support::Story;

fn block(story: &Story) -> Request<Bytes> {
    Request::patch(format!(
        "https://graph.microsoft.com/v1.0/users/{}",
        story.user()
    ))
    .header("authorization", format!("Bearer {}", story.graph))
    .header("content-type", "application/json")
    .body(Bytes::from(json!({"accountEnabled": false}).to_string()))
    .unwrap()
}

#[test]
fn a_throttled_call_comes_through_the_second_time() {
    // reference §10
    let mut story = Story::new(1);
    story.lab.inject(
        Fault::on_path(
            "/users/",
            FaultKind::Throttle {
                retry_after: Some(3),
            },
        )
        .method("GET")
        .times(1),
    );
    let user = story.user();
    let seen = story.get(&format!("/v1.0/users/{user}"));
    assert_eq!(
        (seen.status, seen.headers["retry-after"].to_str().unwrap()),
        (429, "3")
    );
    assert_eq!(
        story.lab.trace().last().unwrap().fault.as_deref(),
        Some("throttle")
    );
    assert_eq!(story.get(&format!("/v1.0/users/{user}")).status, 200);
}

#[test]
fn an_error_may_hide_a_change_and_a_success_may_hide_none() {
    // lab: applied although the answer was an error; success that did nothing
    let mut story = Story::new(1);
    story.lab.inject(
        Fault::on_path("/users/", FaultKind::SuccessWithoutEffect)
            .method("PATCH")
            .times(1),
    );
    let request = block(&story);
    assert_eq!(story.send(request).status, 204);
    assert!(story.lab.trace().last().unwrap().effect.is_none());
    assert_eq!(story.account()["accountEnabled"], true);
    story.lab.inject(
        Fault::on_path("/users/", FaultKind::AppliedButError(503))
            .method("PATCH")
            .times(1),
    );
    let request = block(&story);
    assert_eq!(story.send(request).status, 503);
    assert!(story.lab.trace().last().unwrap().effect.is_some());
    story.wait(jiff::SignedDuration::from_mins(5));
    assert_eq!(story.account()["accountEnabled"], false);
}

#[test]
fn connections_hang_and_break_before_and_after_the_effect() {
    let mut story = Story::new(1);
    for (kind, applied) in [
        (FaultKind::Hang, false),
        (FaultKind::Reset, false),
        (FaultKind::ResetAfterApplying, true),
    ] {
        story
            .lab
            .inject(Fault::on_path("/users/", kind).method("PATCH").times(1));
        let request = block(&story);
        let reply = story.raw(request);
        assert!(matches!(reply, Reply::Hang | Reply::Reset));
        story.wait(jiff::SignedDuration::from_mins(5));
        assert_eq!(
            story.account()["accountEnabled"],
            json!(!applied),
            "{kind:?}"
        );
    }
}

#[test]
fn every_log_source_hangs_and_the_block_still_works() {
    let mut story = Story::new(1);
    for fault in Fault::hang_all_log_sources() {
        story.lab.inject(fault);
    }
    for path in [
        "/v1.0/auditLogs/signIns",
        "/beta/security/auditLog/queries",
        "/v1.0/identityProtection/riskyUsers",
        "/v1.0/admin/exchange/tracing/messageTraces",
    ] {
        let request = Request::get(format!("https://graph.microsoft.com{path}"))
            .header("authorization", format!("Bearer {}", story.graph))
            .body(Bytes::new())
            .unwrap();
        assert!(matches!(story.raw(request), Reply::Hang), "{path}");
    }
    let request = block(&story);
    assert_eq!(story.send(request).status, 204);
}

#[test]
fn a_body_is_cut_and_a_list_never_ends() {
    let mut story = Story::new(1);
    story
        .lab
        .inject(Fault::on_path("/v1.0/users?", FaultKind::EndlessNextLink).times(2));
    for _ in 0..2 {
        let seen = story.get("/v1.0/users?$top=999");
        assert!(seen.body["@odata.nextLink"].is_string());
    }
    story
        .lab
        .inject(Fault::on_path("/organization", FaultKind::Truncate).times(1));
    let request = Request::get("https://graph.microsoft.com/v1.0/organization")
        .header("authorization", format!("Bearer {}", story.graph))
        .body(Bytes::new())
        .unwrap();
    let Reply::Answer { response, .. } = story.raw(request) else {
        panic!()
    };
    assert!(serde_json::from_slice::<serde_json::Value>(response.body()).is_err());
}
