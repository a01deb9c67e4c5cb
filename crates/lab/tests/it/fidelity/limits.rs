//! Limits, redirects and pages (reference §6.3, §10).

use bytes::Bytes;
use http::Request;
use jiff::SignedDuration;
use retake_lab::{Call, Reply};
use serde_json::{Value, json};

use crate::support::{Seen, Story};

/// Several reads of one path at the same moment.
fn at_once(story: &mut Story, path: &str, count: usize) -> Vec<u16> {
    story.wait(SignedDuration::from_secs(10));
    (0..count)
        .map(|_| {
            let request = Request::get(format!("https://graph.microsoft.com{path}"))
                .header("authorization", format!("Bearer {}", story.graph))
                .body(Bytes::new())
                .unwrap();
            match story.lab.handle(Call { request, round: 1 }, story.now) {
                Reply::Answer { response, .. } => response.status().as_u16(),
                _ => panic!(),
            }
        })
        .collect()
}

#[test]
fn four_requests_at_once_are_allowed_for_a_mailbox() {
    // reference §10 Outlook
    let mut story = Story::new(1);
    let user = story.user();
    let path = format!("/v1.0/users/{user}/mailFolders/inbox/messageRules");
    assert_eq!(at_once(&mut story, &path, 5), [200, 200, 200, 200, 429]);
    assert_eq!(story.get(&path).status, 200, "when the others are done");
    let settings = format!("/v1.0/users/{user}/mailboxSettings");
    at_once(&mut story, &path, 4);
    let refused = {
        let request = Request::get(format!("https://graph.microsoft.com{settings}"))
            .header("authorization", format!("Bearer {}", story.graph))
            .body(Bytes::new())
            .unwrap();
        let Reply::Answer { response, .. } =
            story.lab.handle(Call { request, round: 1 }, story.now)
        else {
            panic!()
        };
        response
    };
    let body: Value = serde_json::from_slice(refused.body()).unwrap();
    assert_eq!(body["error"]["code"], "ApplicationThrottled");
    assert!(refused.headers().contains_key("retry-after"));
}

#[test]
fn the_directory_counts_resource_units_and_says_when_they_run_low() {
    // reference §10 directory: 3,500 units in 10 s; subscribedSkus costs 3
    let mut story = Story::new(1);
    let first = story.get("/v1.0/subscribedSkus");
    assert_eq!(first.headers["x-ms-resource-unit"], "3");
    assert!(!first.headers.contains_key("x-ms-throttle-limit-percentage"));
    let statuses = at_once(&mut story, "/v1.0/subscribedSkus", 1200);
    let good = statuses.iter().take_while(|status| **status == 200).count();
    assert!((1160..=1167).contains(&good), "{good}");
    let refused = story.get("/v1.0/subscribedSkus");
    assert_eq!(refused.status, 429);
    assert_eq!(
        refused.headers["x-ms-throttle-information"],
        "ResourceUnitLimitExceeded"
    );
    assert!(refused.headers.contains_key("retry-after"));
    story.wait(SignedDuration::from_secs(11));
    at_once(&mut story, "/v1.0/subscribedSkus", 1000);
    let low = story.get("/v1.0/subscribedSkus");
    assert!(low.headers.contains_key("x-ms-throttle-limit-percentage"));
}

#[test]
fn writes_to_the_directory_are_counted_apart() {
    // reference §10 directory: 3,000 writes in 150 s
    let mut story = Story::new(1);
    let user = story.user();
    let path = format!("/v1.0/users/{user}");
    let mut last = None;
    for number in 0..3_001 {
        // Refused bodies count as well, and leave the tenant as it is.
        let seen = story.graph("PATCH", &path, Some(json!({"nonsense": 1})));
        last = Some((number, seen.status));
        if seen.status == 429 {
            assert_eq!(
                seen.headers["x-ms-throttle-information"],
                "WriteLimitExceeded"
            );
            break;
        }
        if number % 10 != 0 {
            // As fast as a client with many connections.
            story.now = story
                .now
                .checked_sub(SignedDuration::from_millis(150))
                .unwrap();
        }
    }
    assert_eq!(last, Some((3_000, 429)));
}

#[test]
fn message_trace_takes_a_hundred_requests_in_five_minutes() {
    // reference §10 message trace
    let mut story = Story::new(1);
    let path = "/v1.0/admin/exchange/tracing/messageTraces?$top=1";
    for number in 0..100 {
        assert_eq!(story.get(path).status, 200, "{number}");
    }
    assert_eq!(story.get(path).status, 429);
    story.wait(SignedDuration::from_mins(5));
    assert_eq!(story.get(path).status, 200);
}

#[test]
fn requests_in_a_batch_are_metered_one_by_one() {
    // reference §10 $batch: 200 overall, 429 with its own Retry-After inside
    let mut story = Story::new(1);
    let requests: Vec<Value> = (0..7)
        .map(|id| json!({"id": id.to_string(), "method": "GET", "url": "/auditLogs/directoryAudits?$top=1"}))
        .collect();
    let seen = story.graph("POST", "/v1.0/$batch", Some(json!({"requests": requests})));
    assert_eq!(seen.status, 200);
    let mut statuses = std::collections::BTreeMap::new();
    for one in seen.body["responses"].as_array().unwrap() {
        *statuses.entry(one["status"].as_u64().unwrap()).or_insert(0) += 1;
        assert_eq!(
            one["headers"]["Retry-After"].is_string(),
            one["status"] == 429
        );
    }
    assert_eq!(statuses, [(200, 5), (429, 2)].into());
}

fn with_headers(
    story: &mut Story,
    host: &str,
    parameters: &Value,
    headers: &[(&str, &str)],
    query: &str,
) -> Seen {
    let tenant = story.lab.briefing().tenant_id.clone();
    let body = json!({"CmdletInput": {"CmdletName": "Get-Mailbox", "Parameters": parameters}});
    let mut request = Request::post(format!(
        "https://{host}/adminapi/beta/{tenant}/InvokeCommand{query}"
    ))
    .header("authorization", format!("Bearer {}", story.exchange))
    .header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    story.send(request.body(Bytes::from(body.to_string())).unwrap())
}

const FRONT: &str = "outlook.office365.com";

#[test]
fn exchange_sends_to_a_regional_host_which_answers() {
    // reference §6.3 redirect
    for (variant, place) in [
        (
            "redirects",
            "https://eurpr01.outlook.office365.com/adminapi/",
        ),
        (
            "redirects_446",
            "https://eurpr01.outlook.office365.com:446/adminapi/",
        ),
    ] {
        let mut story = Story::new(1);
        story
            .lab
            .set_unconfirmed("exchange_front_door", variant)
            .unwrap();
        let user = story.user();
        let parameters = json!({"Identity": user});
        let seen = with_headers(&mut story, FRONT, &parameters, &[], "");
        assert_eq!(seen.status, 307);
        assert!(
            seen.headers["location"]
                .to_str()
                .unwrap()
                .starts_with(place)
        );
        // The method, the body and the token are sent again there.
        let seen = with_headers(
            &mut story,
            "eurpr01.outlook.office365.com",
            &parameters,
            &[],
            "",
        );
        assert_eq!((seen.status, seen.list().len()), (200, 1));
    }
}

#[test]
fn exchange_gives_pages_of_the_preferred_size_to_whoever_posts_the_same_body() {
    // reference §6.3 paging
    let mut story = Story::new(1);
    let all = json!({"ResultSize": "Unlimited"});
    let whole = with_headers(&mut story, FRONT, &all, &[], "");
    let total = whole.list().len();
    assert!(total > 4 && whole.body.get("@odata.nextLink").is_none());
    let prefer = [("prefer", "odata.maxpagesize=2")];
    let (mut rows, mut query) = (Vec::new(), String::new());
    loop {
        let page = with_headers(&mut story, FRONT, &all, &prefer, &query);
        assert!(page.list().len() <= 2);
        rows.extend(page.list().to_vec());
        let Some(next) = page.body["@odata.nextLink"].as_str() else {
            break;
        };
        assert!(next.contains("InvokeCommand?%24skiptoken="), "{next}");
        query = format!("?{}", next.split_once('?').unwrap().1);
    }
    assert_eq!(rows, whole.list());
    // Another body, or half an hour later: refused.
    let page = with_headers(&mut story, FRONT, &all, &prefer, "");
    let next = page.body["@odata.nextLink"].as_str().unwrap();
    let query = format!("?{}", next.split_once('?').unwrap().1);
    let other = with_headers(&mut story, FRONT, &json!({}), &prefer, &query);
    assert_eq!((other.status, other.code()), (400, "BadRequest"));
    story.wait(SignedDuration::from_mins(31));
    let late = with_headers(&mut story, FRONT, &all, &prefer, &query);
    assert_eq!(late.status, 400);
    assert!(
        late.body["error"]["details"][0]["message"]
            .as_str()
            .unwrap()
            .contains("Expired or Invalid pagination request")
    );
}

#[test]
fn exchange_cuts_off_at_the_result_size_and_warns() {
    // reference §6.3 paging: ResultSize applies first
    let mut story = Story::new(1);
    let seen = with_headers(&mut story, FRONT, &json!({"ResultSize": 2}), &[], "");
    assert_eq!(seen.list().len(), 2);
    let warning = seen.body["@adminapi.warnings"][0].as_str().unwrap();
    assert!(warning.contains("increase the value for the ResultSize parameter"));
    let seen = with_headers(
        &mut story,
        FRONT,
        &json!({"ResultSize": 2}),
        &[],
        "?$select=Identity",
    );
    assert_eq!(seen.list()[0].as_object().unwrap().keys().count(), 1);
}

#[test]
fn a_request_in_an_exchange_batch_may_be_throttled_alone() {
    // reference §6.3 batch
    let mut story = Story::new(1);
    let user = story.user();
    let tenant = story.lab.briefing().tenant_id.clone();
    story.lab.inject(
        retake_lab::Fault::on_path(
            "/InvokeCommand",
            retake_lab::FaultKind::Throttle {
                retry_after: Some(5),
            },
        )
        .times(1)
        .inside_batches(),
    );
    let one = |id: &str| {
        json!({
            "id": id, "method": "POST", "url": "/InvokeCommand",
            "headers": {"Content-Type": "application/json"},
            "body": {"CmdletInput": {"CmdletName": "Get-Mailbox", "Parameters": {"Identity": user}}},
        })
    };
    let body = json!({"requests": [one("1"), one("2")]});
    let request = Request::post(format!("https://{FRONT}/adminapi/beta/{tenant}/$batch"))
        .header("authorization", format!("Bearer {}", story.exchange))
        .header("content-type", "application/json")
        .body(Bytes::from(body.to_string()))
        .unwrap();
    let seen = story.send(request);
    assert_eq!(seen.status, 200);
    let list = seen.body["responses"].as_array().unwrap();
    assert_eq!(
        (&list[0]["status"], &list[1]["status"]),
        (&json!(429), &json!(200))
    );
    assert_eq!(list[0]["headers"]["retry-after"], "5");
    assert_eq!(list[1]["body"]["value"].as_array().unwrap().len(), 1);
}
