//! The Management Activity API (reference §7.2).

use bytes::Bytes;
use http::Request;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::support::{Seen, Story};

struct Feed {
    story: Story,
    token: String,
}

impl Feed {
    fn new(seed: u64) -> Self {
        let mut story = Story::new(seed);
        let token = story.app_token("https://manage.office.com/.default");
        Self { story, token }
    }

    fn ask(&mut self, method: &str, path: &str) -> Seen {
        let tenant = self.story.lab.briefing().tenant_id.clone();
        let request = Request::builder()
            .method(method)
            .uri(format!(
                "https://manage.office.com/api/v1.0/{tenant}/activity/feed/{path}"
            ))
            .header("authorization", format!("Bearer {}", self.token))
            .body(Bytes::new())
            .unwrap();
        self.story.send(request)
    }

    fn wait(&mut self, minutes: i64) {
        self.story.wait(SignedDuration::from_mins(minutes));
        self.token = self.story.app_token("https://manage.office.com/.default");
    }
}

fn list(seen: &Seen) -> Vec<Value> {
    seen.body.as_array().cloned().unwrap_or_default()
}

#[test]
fn a_subscription_is_started_once_listed_and_stopped() {
    let mut feed = Feed::new(3);
    let content = "subscriptions/content?contentType=Audit.Exchange";
    assert_eq!(feed.ask("GET", content).code(), "AF20022");
    let start = "subscriptions/start?contentType=Audit.Exchange";
    assert_eq!(feed.ask("POST", start).status, 200);
    let again = feed.ask("POST", start);
    assert_eq!((again.status, again.code()), (400, "AF20024"));
    assert_eq!(feed.ask("POST", "subscriptions/start").code(), "AF20001");
    assert_eq!(
        feed.ask("POST", "subscriptions/start?contentType=Audit.Nothing")
            .code(),
        "AF20020"
    );
    let listed = feed.ask("GET", "subscriptions/list");
    assert_eq!(list(&listed)[0]["status"], "enabled");
    assert_eq!(
        feed.ask("POST", "subscriptions/stop?contentType=Audit.Exchange")
            .status,
        204
    );
    assert_eq!(feed.ask("GET", content).code(), "AF20022");
}

#[test]
fn the_first_content_comes_after_minutes_and_is_filled_back_by_hours() {
    let mut feed = Feed::new(3);
    feed.ask("POST", "subscriptions/start?contentType=Audit.Exchange");
    let begun = feed.story.now;
    let content = "subscriptions/content?contentType=Audit.Exchange";
    let early = feed.ask("GET", content);
    assert!(list(&early).is_empty());
    feed.wait(4);
    let first = feed.ask("GET", content);
    let pieces = list(&first);
    assert_eq!(pieces.len(), 1, "{pieces:?}");
    let id = pieces[0]["contentId"].as_str().unwrap().to_owned();
    let records = feed.ask("GET", &format!("audit/{id}"));
    let oldest = list(&records)
        .iter()
        .map(|record| {
            let time = record["CreationTime"].as_str().unwrap();
            assert!(!time.ends_with('Z'), "classic records have no zone: {time}");
            format!("{time}Z").parse::<Timestamp>().unwrap()
        })
        .min()
        .unwrap();
    let back = begun.duration_since(oldest);
    assert!(back > SignedDuration::from_hours(20), "{back}");
    assert!(back < SignedDuration::from_hours(25), "{back}");
    assert_eq!(feed.ask("GET", "audit/nonsense").code(), "AF20052");
}

#[test]
fn windows_are_a_day_long_within_a_week_and_pages_go_on_in_a_header() {
    let mut feed = Feed::new(3);
    feed.ask("POST", "subscriptions/start?contentType=Audit.Exchange");
    feed.wait(6 * 60);
    let now = feed.story.now;
    let ago = |hours: i64| {
        now.checked_sub(SignedDuration::from_hours(hours))
            .unwrap()
            .strftime("%Y-%m-%dT%H:%M:%S")
            .to_string()
    };
    let ask = |start: i64, end: i64| {
        format!(
            "subscriptions/content?contentType=Audit.Exchange&startTime={}&endTime={}",
            ago(start),
            ago(end)
        )
    };
    assert_eq!(feed.ask("GET", &ask(25, 0)).code(), "AF20055");
    assert_eq!(feed.ask("GET", &ask(24 * 7 + 1, 24 * 7)).code(), "AF20055");
    let half = format!(
        "subscriptions/content?contentType=Audit.Exchange&startTime={}",
        ago(2)
    );
    assert_eq!(feed.ask("GET", &half).code(), "AF20030");
    let mut pieces: Vec<Value> = Vec::new();
    let mut next = Some(ask(10, 0));
    let mut pages = 0;
    while let Some(path) = next {
        let page = feed.ask("GET", &path);
        assert_eq!(page.status, 200, "{:?}", page.body);
        pages += 1;
        pieces.extend(list(&page));
        next = page.headers.get("nextpageuri").map(|link| {
            link.to_str()
                .unwrap()
                .split("/feed/")
                .nth(1)
                .unwrap()
                .to_owned()
        });
    }
    assert!(pages > 1);
    let created: Vec<&str> = pieces
        .iter()
        .map(|p| p["contentCreated"].as_str().unwrap())
        .collect();
    assert!(!created.is_sorted(), "pieces come in no order");
    // Events repeat between pieces: whoever reads them tells them by their id.
    let mut ids = Vec::new();
    for piece in &pieces {
        let id = piece["contentId"].as_str().unwrap();
        let records = feed.ask("GET", &format!("audit/{id}"));
        ids.extend(
            list(&records)
                .iter()
                .map(|r| r["Id"].as_str().unwrap().to_owned()),
        );
    }
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert!(ids.len() < all);
}

#[test]
fn without_its_permission_the_feed_is_refused() {
    let mut feed = Feed::new(3);
    feed.story.lab.set_permission("ActivityFeed.Read", false);
    feed.token = feed.story.app_token("https://manage.office.com/.default");
    let refused = feed.ask("GET", "subscriptions/list");
    assert_eq!((refused.status, refused.code()), (403, "AF10001"));
}
