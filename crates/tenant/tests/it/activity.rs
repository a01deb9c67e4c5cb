//! The audit log as a feed: feeds, windows, pages in a header, parts, repetitions.

use jiff::SignedDuration;
use retake_tenant::client::FEEDS;
use retake_tenant::{Cut, Kind};
use serde_json::{Value, json};

use crate::world::{Step, TENANT, World, empty, json_answer, start};

const HOST: &str = "https://manage.office.com";

fn feeds(on: &[&str]) -> Step {
    let list: Vec<Value> = on
        .iter()
        .map(|feed| json!({"contentType": feed, "status": "enabled", "webhook": null}))
        .collect();
    json_answer(200, &json!(list))
}

fn content(ids: &[&str]) -> Step {
    let list: Vec<Value> = ids
        .iter()
        .map(|id| {
            json!({"contentUri": format!("{HOST}/api/v1.0/{TENANT}/activity/feed/audit/{id}"), "contentId": id,
                "contentType": "Audit.Exchange", "contentCreated": "2026-03-02T07:00:00.000Z",
                "contentExpiration": "2026-03-09T07:00:00.000Z"})
        })
        .collect();
    json_answer(200, &json!(list))
}

fn records(ids: &[&str]) -> Step {
    let list: Vec<Value> = ids
        .iter()
        .map(|id| json!({"Id": id, "Operation": "New-InboxRule", "CreationTime": "2026-03-02T06:00:00"}))
        .collect();
    json_answer(200, &json!(list))
}

fn hours(count: i64) -> jiff::Timestamp {
    start() - SignedDuration::from_hours(count)
}

#[test]
fn every_feed_window_page_and_part_is_read_and_no_record_twice() {
    let next = format!(
        "{HOST}/api/v1.0/{TENANT}/activity/feed/subscriptions/content?contentType=Audit.AzureActiveDirectory&nextPage=2"
    );
    let world = World::new([
        feeds(&FEEDS),
        content(&["a$1"]).with("NextPageUri", &next),
        records(&["1", "2"]),
        content(&["a$2"]),
        records(&["2", "3"]),
        // The second window lists a part again.
        content(&["a$2"]),
        content(&[]),
        content(&[]),
        content(&[]),
        content(&[]),
        content(&[]),
        content(&[]),
    ]);
    let read = world
        .run(world.tenant.activity_records(hours(30), start()))
        .unwrap();
    let ids: Vec<&str> = read
        .value
        .iter()
        .map(|one| one["Id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["1", "2", "3"]);
    assert!(read.completeness.is_complete());
    world.assert_told();
    let seen = world.services.seen();
    assert!(seen.iter().all(|one| one.host == "manage.office.com"));
    for one in &seen {
        assert!(
            one.url.contains(&format!("PublisherIdentifier={TENANT}"))
                || one.url.contains("nextPage"),
            "{}",
            one.url
        );
    }
    assert!(
        ["startTime=2026-03-01T02", "endTime=2026-03-02T02"]
            .iter()
            .all(|part| seen[1].url.contains(part)),
        "{}",
        seen[1].url
    );
    assert!(
        seen[5].url.contains("endTime=2026-03-02T08"),
        "{}",
        seen[5].url
    );
}

#[test]
fn a_feed_that_was_off_is_switched_on_and_the_value_is_not_called_whole() {
    let mut steps = vec![
        feeds(&FEEDS[1..]),
        // Somebody was faster.
        json_answer(
            400,
            &json!({"error": {"code": "AF20024", "message": "The subscription is already enabled."}}),
        ),
    ];
    steps.extend((0..4).map(|_| content(&[])));
    let world = World::new(steps);
    let read = world
        .run(world.tenant.activity_records(hours(1), start()))
        .unwrap();
    assert!(
        matches!(read.completeness.why(), Some(Cut::Warned(why)) if why.contains("Audit.AzureActiveDirectory"))
    );
    let seen = world.services.seen();
    assert_eq!(seen[1].method, "POST");
    assert!(
        seen[1]
            .url
            .contains("contentType=Audit.AzureActiveDirectory")
    );
}

#[test]
fn content_that_is_gone_or_elsewhere_leaves_a_hole_that_is_said() {
    let elsewhere = json_answer(
        200,
        &json!([{"contentUri": "https://evil.example/audit/x", "contentId": "x"}]),
    );
    let mut steps = vec![
        feeds(&FEEDS),
        content(&["gone", "there"]),
        json_answer(
            400,
            &json!({"error": {"code": "AF20051", "message": "expired"}}),
        ),
        records(&["1"]),
        elsewhere,
    ];
    steps.extend((0..2).map(|_| content(&[])));
    let world = World::new(steps);
    let read = world
        .run(world.tenant.activity_records(hours(1), start()))
        .unwrap();
    assert_eq!(read.value.len(), 1);
    assert!(
        matches!(read.completeness.why(), Some(Cut::PageFailed(why)) if why.contains("AF20051"))
    );
    assert!(
        world
            .services
            .seen()
            .iter()
            .all(|one| one.host != "evil.example")
    );
}

#[test]
fn what_lies_behind_the_seventh_day_is_said_and_not_asked_for() {
    let mut steps = vec![feeds(&FEEDS)];
    steps.extend((0..28).map(|_| content(&[])));
    let world = World::new(steps);
    let read = world
        .run(world.tenant.activity_records(hours(30 * 24), start()))
        .unwrap();
    assert!(
        matches!(read.completeness.why(), Some(Cut::Warned(why)) if why.contains("seven days"))
    );
    world.assert_told();
}

#[test]
fn a_feed_that_cannot_be_read_is_no_empty_feed() {
    let world = World::new([feeds(&FEEDS), empty(200)]);
    let error = world
        .run(world.tenant.activity_records(hours(1), start()))
        .unwrap_err();
    assert!(matches!(error.kind, Kind::BadAnswer { .. }), "{error}");
}
