//! A bad day, on request.

use bytes::Bytes;
use http::Request;
use retake_lab::{Fault, FaultKind, Lab, Reply, Scenario, fault};
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

/// A request of each service, and what its kind of refusal looks like.
fn read(story: &Story, service: &str) -> Request<Bytes> {
    let user = story.user();
    let tenant = story.lab.briefing().tenant_id.clone();
    let (uri, token) = match service {
        "exchange" => (
            format!("https://outlook.office365.com/adminapi/beta/{tenant}/InvokeCommand"),
            &story.exchange,
        ),
        "mail" => (
            format!("https://graph.microsoft.com/v1.0/users/{user}/mailFolders/inbox/messageRules"),
            &story.graph,
        ),
        _ => (
            format!("https://graph.microsoft.com/v1.0/users/{user}"),
            &story.graph,
        ),
    };
    let body = match service {
        "exchange" => {
            json!({"CmdletInput": {"CmdletName": "Get-InboxRule", "Parameters": {"Mailbox": user}}})
                .to_string()
        }
        _ => String::new(),
    };
    let builder = if service == "exchange" {
        Request::post(uri)
    } else {
        Request::get(uri)
    };
    builder
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .body(Bytes::from(body))
        .unwrap()
}

#[test]
fn every_fault_of_the_table_meets_one_call_and_the_next_one_with_a_new_token_works() {
    // issue: the fault table
    for service in ["directory", "mail", "exchange"] {
        for (words, kind) in fault::TABLE {
            let mut story = Story::new(1);
            story.lab.inject(Fault::on_path("", kind).times(1));
            let request = read(&story, service);
            let status = match story.raw(request) {
                Reply::Answer { response, .. } => response.status().as_u16(),
                Reply::Hang | Reply::Reset => 0,
            };
            let right = match words {
                "429 with Retry-After" | "429 without Retry-After" => status == 429,
                "401 expired" | "401 with claims" => status == 401,
                "403" | "403 of a gateway" => status == 403,
                "404 while replicating" => status == 404,
                "409" => status == 409,
                "412" => status == 412,
                "500" | "applied, but an error was answered" => status == 500,
                "502" => status == 502,
                "503 with Retry-After" => status == 503,
                "504" => status == 504,
                "redirect to a regional host, port 446" | "redirect elsewhere" => status == 307,
                _ if words.starts_with("time-out") || words.starts_with("cut connection") => {
                    status == 0
                }
                _ => status == 200,
            };
            assert!(right, "{service}, {words}: {status}");
            assert!(story.lab.trace().last().unwrap().fault.is_some());
            story.graph = story.app_token("https://graph.microsoft.com/.default");
            story.exchange = story.app_token("https://outlook.office365.com/.default");
            let request = read(&story, service);
            assert_eq!(story.send(request).status, 200, "{service}, {words}");
        }
    }
}

#[test]
fn each_service_refuses_in_its_own_words() {
    // reference §6.5, §10.1
    let mut story = Story::new(1);
    let mut meet = |service: &str, kind: FaultKind| {
        story.lab.inject(Fault::on_path("", kind).times(1));
        let request = read(&story, service);
        story.send(request)
    };
    let none = FaultKind::Throttle { retry_after: None };
    let seen = meet("directory", none);
    assert!(!seen.headers.contains_key("retry-after"));
    assert!(
        seen.body["error"]["message"]
            .as_str()
            .unwrap()
            .contains("aadgraph.app.tenant_large")
    );
    assert_eq!(meet("mail", none).code(), "ApplicationThrottled");
    assert!(meet("exchange", none).body["error"]["details"][0]["message"].is_string());
    assert_eq!(
        meet("directory", FaultKind::Forbidden).code(),
        "Authorization_RequestDenied"
    );
    assert_eq!(
        meet("mail", FaultKind::Forbidden).code(),
        "ErrorAccessDenied"
    );
    let seen = meet("exchange", FaultKind::Forbidden);
    assert!(seen.raw.iter().all(|byte| *byte == 0) && !seen.raw.is_empty());
    assert_eq!(seen.headers["content-encoding"], "gzip");
    assert_eq!(
        meet("directory", FaultKind::NotYetReplicated).code(),
        "Request_ResourceNotFound"
    );
    assert!(
        meet("exchange", FaultKind::NotYetReplicated).body["error"]["details"][0]["message"]
            .as_str()
            .unwrap()
            .contains("ManagementObjectNotFoundException")
    );
    // A gateway is not Graph: no JSON.
    story
        .lab
        .inject(Fault::on_path("", FaultKind::GatewayForbidden).times(1));
    let request = read(&story, "directory");
    let Reply::Answer { response, .. } = story.raw(request) else {
        panic!()
    };
    assert_eq!(response.headers()["content-type"], "text/html");
    assert!(response.body().starts_with(b"<html>"));
}

#[test]
fn the_token_endpoint_has_its_own_words_too() {
    // reference §1.3
    let mut story = Story::new(1);
    let (id, secret) = {
        let briefing = story.lab.briefing();
        (briefing.client_id.clone(), briefing.client_secret.clone())
    };
    for (kind, status, number) in [
        (
            FaultKind::Throttle {
                retry_after: Some(2),
            },
            429,
            90_055,
        ),
        (FaultKind::Expired, 401, 7_000_222),
        (FaultKind::Forbidden, 400, 7_000_112),
        (FaultKind::Status(503), 503, 90_033),
        (FaultKind::ClaimsChallenge, 400, 50_076),
    ] {
        story.lab.inject(Fault::on_path("/token", kind).times(1));
        let seen = story.token(
            "token",
            &[
                ("grant_type", "client_credentials"),
                ("client_id", &id),
                ("client_secret", &secret),
                ("scope", "https://graph.microsoft.com/.default"),
            ],
        );
        assert_eq!(
            (seen.status, &seen.body["error_codes"]),
            (status, &json!([number]))
        );
    }
}

#[test]
fn a_token_that_was_refused_once_stays_refused() {
    // reference §1.4: a client that keeps serving the cached token fails until
    // it asks for another
    for kind in [FaultKind::Expired, FaultKind::ClaimsChallenge] {
        let mut story = Story::new(1);
        story.lab.inject(Fault::on_path("/users/", kind).times(1));
        let path = format!("/v1.0/users/{}", story.user());
        let first = story.get(&path);
        assert_eq!(
            (first.status, first.code()),
            (401, "InvalidAuthenticationToken")
        );
        let challenge = first.headers["www-authenticate"].to_str().unwrap();
        assert_eq!(
            challenge.contains("insufficient_claims"),
            kind == FaultKind::ClaimsChallenge
        );
        assert_eq!(story.get(&path).status, 401, "the same token again");
        story.graph = story.app_token("https://graph.microsoft.com/.default");
        assert_eq!(story.get(&path).status, 200);
    }
}

#[test]
fn a_redirect_names_the_regional_host_and_nothing_was_done() {
    // reference §6.3
    let mut story = Story::new(1);
    story.lab.inject(
        Fault::on_path(
            "/InvokeCommand",
            FaultKind::Redirect {
                status: 307,
                port: Some(446),
            },
        )
        .times(1),
    );
    let request = read(&story, "exchange");
    let seen = story.send(request);
    let to = seen.headers["location"].to_str().unwrap();
    assert!(
        to.starts_with("https://eurpr01.outlook.office365.com:446/adminapi/beta/"),
        "{to}"
    );
    assert_eq!(story.lab.trace().last().unwrap().shows.len(), 0);
}

#[test]
fn a_client_that_follows_a_redirect_out_of_the_tenant_is_seen() {
    let mut story = Story::new(1);
    let request = Request::patch(format!("https://{}/v1.0/users/x", fault::ELSEWHERE))
        .header("authorization", "Bearer something")
        .body(Bytes::new())
        .unwrap();
    let seen = story.send(request);
    assert_eq!(seen.status, 200);
    let line = story.lab.trace().last().unwrap();
    assert_eq!(line.fault.as_deref(), Some("redirect_away_with_token"));
    assert!(line.effect.is_none());
}

#[test]
fn pages_with_new_addresses_never_end() {
    let mut story = Story::new(1);
    story
        .lab
        .inject(Fault::on_path("/v1.0/users?", FaultKind::EndlessPages));
    let mut path = String::from("/v1.0/users?$select=id");
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..40 {
        let page = story.get(&path);
        assert_eq!(page.status, 200);
        let next = page.body["@odata.nextLink"].as_str().unwrap().to_owned();
        assert!(seen.insert(next.clone()), "{next} came before");
        next.strip_prefix("https://graph.microsoft.com")
            .unwrap()
            .clone_into(&mut path);
    }
}

#[test]
fn a_request_inside_a_batch_is_throttled_alone() {
    // reference §10: 200 overall, a 429 with its own Retry-After inside
    let mut story = Story::new(1);
    let user = story.user();
    story.lab.inject(
        Fault::on_path(
            "/revokeSignInSessions",
            FaultKind::Throttle {
                retry_after: Some(7),
            },
        )
        .times(1)
        .inside_batches(),
    );
    let batch = json!({"requests": [
        {"id": "1", "method": "GET", "url": format!("/users/{user}?$select=id")},
        {"id": "2", "method": "POST", "url": format!("/users/{user}/revokeSignInSessions"), "headers": {"Content-Type": "application/json"}, "body": {}},
    ]});
    let before = story.account()["signInSessionsValidFromDateTime"].clone();
    for (round, status) in [(1, 429), (2, 200)] {
        let seen = story.graph("POST", "/v1.0/$batch", Some(batch.clone()));
        assert_eq!(seen.status, 200);
        let inside = |id: &str| {
            let list = seen.body["responses"].as_array().unwrap();
            list.iter().find(|one| one["id"] == id).unwrap().clone()
        };
        assert_eq!(inside("1")["status"], 200);
        assert_eq!(inside("2")["status"], status, "round {round}");
        if status == 429 {
            assert_eq!(inside("2")["headers"]["Retry-After"], "7");
            assert!(!seen.headers.contains_key("retry-after"));
            assert_eq!(story.account()["signInSessionsValidFromDateTime"], before);
        }
    }
}

#[test]
fn a_scenario_orders_faults_and_chooses_between_unconfirmed_ways() {
    let folder = std::path::Path::new("given/scenario.toml");
    let plain = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../scenarios/invoice-fraud/scenario.toml"
    ))
    .unwrap();
    let text = format!(
        "{plain}\n[[fault]]\npath = \"/organization\"\ntimes = 1\nkind = {{ throttle = {{ retry_after = 4 }} }}\n\n[unconfirmed]\nexchange_missing = \"internal_error\"\n"
    );
    let lab = Lab::new(&Scenario::parse(folder, &text).unwrap(), 1).unwrap();
    let mut story = Story::with(lab);
    let seen = story.get("/v1.0/organization");
    assert_eq!(
        (seen.status, &seen.headers["retry-after"]),
        (429, &"4".parse().unwrap())
    );
    assert_eq!(story.get("/v1.0/organization").status, 200);
    let seen = story.cmdlet("Get-Mailbox", json!({"Identity": "nobody@nowhere.example"}));
    assert_eq!((seen.status, seen.code()), (500, "InternalServerError"));
    let wrong = text.replace("\"internal_error\"", "\"whatever\"");
    let error = Scenario::parse(folder, &wrong).unwrap_err().to_string();
    assert!(error.contains("exchange_missing = whatever"), "{error}");
    let line = wrong.lines().count();
    assert!(
        error.starts_with(&format!("given/scenario.toml:{line}:")),
        "{error}"
    );
}
