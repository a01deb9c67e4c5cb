//! A batch on the tape: what is in it is redacted and read again as if it had gone alone.

use bytes::Bytes;
use retake_lab::{Lab, Scenario};
use retake_tape::{compare, read, replay};
use serde_json::{Value, json};

use crate::world::recorded;

const APPS: [&str; 2] = [
    "9d41c1be-5c6a-4f0e-8b7b-3f2a5f1c7e55",
    "1f41c1be-5c6a-4f0e-8b7b-3f2a5f1c7e66",
];

fn request() -> http::Request<Bytes> {
    let requests: Vec<Value> = APPS
        .iter()
        .zip(["1", "2"])
        .map(|(app, id)| json!({"id": id, "method": "GET", "url": format!("/servicePrincipals/{app}")}))
        .collect();
    http::Request::post("https://graph.microsoft.com/v1.0/$batch")
        .header("content-type", "application/json")
        .body(Bytes::from(json!({"requests": requests}).to_string()))
        .unwrap()
}

/// The second is answered first, and turned away.
fn answer() -> Value {
    json!({"responses": [
        {"id": "2", "status": 429, "headers": {"Retry-After": "7", "Content-Type": "application/json", "x-secret": "Plimborg"},
            "body": {"error": {"code": "TooManyRequests", "message": "Too many requests.",
                "innerError": {"date": "2026-03-02T08:00:00", "request-id": APPS[1], "client-request-id": APPS[1]}}}},
        {"id": "1", "status": 200, "headers": {"Content-Type": "application/json"},
            "body": {"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#servicePrincipals/$entity",
                "id": APPS[0], "appId": "7d41c1be-5c6a-4f0e-8b7b-3f2a5f1c7e77", "displayName": "Zyxwquorn Plimborg",
                "accountEnabled": true, "servicePrincipalType": "Application"}},
    ]})
}

async fn tape(answer: &Value) -> (tempfile::TempDir, String) {
    let answer = http::Response::builder()
        .header("content-type", "application/json")
        .body(Bytes::from(answer.to_string()))
        .unwrap();
    recorded(request(), answer).await
}

#[tokio::test]
async fn what_is_in_a_batch_is_redacted_as_if_it_had_gone_alone() {
    let (_dir, text) = tape(&answer()).await;
    for part in ["Zyxwquorn", "Plimborg", APPS[0], APPS[1], "x-secret"] {
        assert!(!text.contains(part), "{part}: {text}");
    }
    let line: Value = serde_json::from_str(text.lines().nth(1).unwrap()).unwrap();
    assert_eq!(line["request"]["url"], "/v1.0/$batch");
    let asked = &line["request"]["body"]["json"]["requests"][0];
    assert_eq!(
        (&asked["id"], &asked["method"]),
        (&json!("1"), &json!("GET"))
    );
    let said = &line["answer"]["body"]["json"]["responses"];
    assert_eq!(said[0]["headers"]["Retry-After"], "7");
    assert_eq!(said[0]["body"]["error"]["code"], "TooManyRequests");
    assert_eq!(said[1]["body"]["servicePrincipalType"], "Application");
    // The same id is the same everywhere.
    let id = said[1]["body"]["id"].as_str().unwrap();
    assert_eq!(asked["url"], format!("/servicePrincipals/{id}"));
}

#[tokio::test]
async fn the_client_reads_each_answer_of_a_batch_and_the_lab_is_asked_for_each() {
    let (dir, _) = tape(&answer()).await;
    let tape = read(&dir.path().join("tape.jsonl")).unwrap();
    let reading = replay(&tape).await;
    assert_eq!((reading.read, reading.unread.len()), (2, 0), "{reading:?}");
    let lab = Lab::new(&Scenario::find("invoice-fraud").unwrap(), 1).unwrap();
    let found = compare(&tape, lab);
    // The one that was turned away has the lab's form; the lab has no such app for the other.
    assert_eq!(found.compared + found.left_out.len(), 2, "{found:?}");
    assert!(found.compared >= 1, "{found:?}");
    assert_eq!(found.differences, []);
}

#[tokio::test]
async fn a_batch_that_does_not_answer_everything_cannot_be_read() {
    let mut short = answer();
    short["responses"].as_array_mut().unwrap().pop();
    let (dir, _) = tape(&short).await;
    let tape = read(&dir.path().join("tape.jsonl")).unwrap();
    let reading = replay(&tape).await;
    assert_eq!((reading.read, reading.unread.len()), (0, 1), "{reading:?}");
    assert!(reading.unread[0].reason.contains("does not answer"));
}
