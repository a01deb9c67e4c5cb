//! The Management Activity API.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::Request;
use jiff::SignedDuration;
use serde_json::Value;

use crate::support::{Seen, Story};

/// A story with a token for the feed.
struct Feed {
    story: Story,
    token: String,
}

impl Feed {
    fn new() -> Self {
        let mut story = Story::new(1);
        let token = story.app_token("https://manage.office.com/.default");
        Self { story, token }
    }

    fn send(&mut self, method: &str, uri: &str) -> Seen {
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .header("authorization", format!("Bearer {}", self.token))
            .body(Bytes::new())
            .unwrap();
        self.story.send(request)
    }

    fn call(&mut self, method: &str, path: &str) -> Seen {
        let tenant = self.story.lab.briefing().tenant_id.clone();
        self.send(
            method,
            &format!("https://manage.office.com/api/v1.0/{tenant}/activity/feed/{path}"),
        )
    }
}

#[test]
fn a_subscription_is_started_once_and_its_blobs_are_read() {
    // reference §7.2 Management Activity API
    let mut feed = Feed::new();
    let content = "subscriptions/content?contentType=Audit.Exchange";
    let none = feed.call("GET", content);
    assert_eq!((none.status, none.code()), (400, "AF20022"));
    let start = "subscriptions/start?contentType=Audit.Exchange";
    assert_eq!(feed.call("POST", start).body["status"], "enabled");
    assert_eq!(feed.call("POST", start).code(), "AF20024");
    assert_eq!(
        feed.call("GET", "subscriptions/list").body[0]["contentType"],
        "Audit.Exchange"
    );
    let (mut ids, mut events) = (BTreeSet::new(), Vec::new());
    let mut page = feed.call("GET", content);
    loop {
        for blob in page.body.as_array().unwrap().clone() {
            assert!(ids.insert(blob["contentId"].as_str().unwrap().to_owned()));
            let seen = feed.send("GET", blob["contentUri"].as_str().unwrap());
            events.extend(seen.body.as_array().unwrap().clone());
        }
        let Some(next) = page.headers.get("nextpageuri") else {
            break;
        };
        let next = next.to_str().unwrap().to_owned();
        page = feed.send("GET", &next);
    }
    assert!(ids.len() > 3, "more than a page: {}", ids.len());
    let distinct: BTreeSet<String> = events
        .iter()
        .map(|event: &Value| event["Id"].to_string())
        .collect();
    assert!(
        !distinct.is_empty() && distinct.len() < events.len(),
        "events repeat"
    );
    assert_eq!(
        feed.call("POST", "subscriptions/stop?contentType=Audit.Exchange")
            .status,
        204
    );
}

#[test]
fn the_feed_refuses_in_its_own_codes() {
    // reference §7.2 Management API errors
    let mut feed = Feed::new();
    for (method, path, code) in [
        (
            "POST",
            "subscriptions/start?contentType=Audit.Nonsense",
            "AF20020",
        ),
        ("POST", "subscriptions/start", "AF20001"),
        ("GET", "audit/nonsense", "AF20052"),
        ("GET", "audit/audit_exchange$1800000000", "AF20050"),
    ] {
        assert_eq!(feed.call(method, path).code(), code, "{path}");
    }
    feed.call("POST", "subscriptions/start?contentType=Audit.General");
    let now = feed.story.now;
    let ago = |hours: i64| {
        now.checked_sub(SignedDuration::from_hours(hours))
            .unwrap()
            .strftime("%Y-%m-%dT%H:%M:%S")
            .to_string()
    };
    let base = "subscriptions/content?contentType=Audit.General";
    for (query, code) in [
        (format!("&startTime={}", ago(2)), "AF20030"),
        (
            format!("&startTime={}&endTime={}", ago(30), ago(1)),
            "AF20030",
        ),
        (
            format!("&startTime={}&endTime={}", ago(200), ago(190)),
            "AF20030",
        ),
        (
            String::from("&startTime=yesterday&endTime=today"),
            "AF20002",
        ),
        (String::from("&nextPage=x"), "AF20031"),
    ] {
        assert_eq!(
            feed.call("GET", &format!("{base}{query}")).code(),
            code,
            "{query}"
        );
    }
    let other = "https://manage.office.com/api/v1.0/00000000-1111-2222-3333-444444444444/activity/feed/subscriptions/list";
    assert_eq!(feed.send("GET", other).code(), "AF20010");
    assert!(feed.story.lab.set_permission("ActivityFeed.Read", false));
    feed.token = feed.story.app_token("https://manage.office.com/.default");
    let closed = feed.call("GET", "subscriptions/list");
    assert_eq!((closed.status, closed.code()), (403, "AF10001"));
    feed.token = feed.story.graph.clone();
    assert_eq!(feed.call("GET", "subscriptions/list").status, 401);
}

#[test]
fn the_feed_takes_two_thousand_requests_a_minute() {
    // reference §10: AF429
    let mut feed = Feed::new();
    for _ in 0..2_000 {
        // All in the same moment.
        feed.story.now = feed
            .story
            .now
            .checked_sub(SignedDuration::from_millis(150))
            .unwrap();
        assert_eq!(feed.call("GET", "subscriptions/list").status, 200);
    }
    let seen = feed.call("GET", "subscriptions/list");
    assert_eq!((seen.status, seen.code()), (429, "AF429"));
    assert!(seen.headers.contains_key("retry-after"));
}
