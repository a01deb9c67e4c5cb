//! Several reads in one request: each answer inside counts as if it had come alone.

use std::time::Duration;

use retake_tenant::{Kind, Pacer};
use serde_json::{Value, json};

use crate::world::{Seen, Step, World, json_answer, raw, refusal};

const APPS: [&str; 3] = ["app-a", "app-b", "app-c"];

/// An answer inside a batch.
fn part(id: &str, status: u16, headers: &[(&str, &str)], body: &Value) -> Value {
    let mut all = json!({"Content-Type": "application/json"});
    for (name, value) in headers {
        all[*name] = json!(value);
    }
    json!({"id": id, "status": status, "headers": all, "body": body})
}

fn app(id: &str) -> Value {
    json!({"id": id, "appId": format!("{id}-id"), "displayName": format!("The {id}")})
}

fn found(id: &str, app_id: &str) -> Value {
    part(id, 200, &[], &app(app_id))
}

fn error(code: &str) -> Value {
    json!({"error": {"code": code, "message": format!("{code} it is"),
        "innerError": {"date": "2026-03-02T08:00:00", "request-id": "r-in", "client-request-id": "c"}}})
}

fn batch(parts: &[Value]) -> Step {
    json_answer(200, &json!({"responses": parts})).with("request-id", "r-out")
}

fn alone(app_id: &str) -> Step {
    json_answer(200, &app(app_id))
}

/// The ids and addresses of what was asked in a batch.
fn asked(seen: &Seen) -> Vec<(String, String)> {
    assert_eq!(
        (seen.method.as_str(), seen.url.as_str()),
        ("POST", "/v1.0/$batch")
    );
    assert_eq!(seen.header("content-type"), Some("application/json"));
    seen.json()["requests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|request| {
            assert_eq!(request["method"], "GET");
            let text = |name: &str| request[name].as_str().unwrap().to_owned();
            (text("id"), text("url"))
        })
        .collect()
}

fn kinds(world: &World, ids: &[&str]) -> Vec<Result<String, Kind>> {
    world
        .run(world.tenant.service_principals(ids))
        .into_iter()
        .map(|app| match app {
            Ok(app) => Ok(app.value.id),
            Err(error) => {
                // Whatever happened, it happened to the call inside.
                assert_eq!(error.call.id, "graph.apps.read", "{error}");
                Err(error.kind.clone())
            }
        })
        .collect()
}

fn bad_answer() -> Result<String, Kind> {
    Err(Kind::BadAnswer {
        effect_unknown: false,
    })
}

#[test]
fn three_reads_are_one_request_whose_answers_come_in_any_order() {
    let world = World::new([batch(&[
        found("3", "app-c"),
        found("1", "app-a"),
        found("2", "app-b"),
    ])]);
    let apps = world.run(world.tenant.service_principals(&APPS));
    let seen = world.services.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(
        asked(&seen[0]),
        [
            ("1".to_owned(), "/servicePrincipals/app-a".to_owned()),
            ("2".to_owned(), "/servicePrincipals/app-b".to_owned()),
            ("3".to_owned(), "/servicePrincipals/app-c".to_owned()),
        ]
    );
    for (wanted, app) in APPS.iter().zip(apps) {
        let app = app.unwrap();
        assert_eq!(app.value.id, *wanted);
        // The evidence is the body inside, byte for byte, with the request that it answers.
        let [answer] = &app.answers[..] else {
            panic!("{:?}", app.answers);
        };
        assert_eq!(answer.request.method, "GET");
        assert_eq!(
            answer.request.url,
            format!("/v1.0/servicePrincipals/{wanted}")
        );
        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.body,
            crate::batch::app(wanted).to_string().as_bytes()
        );
        assert_eq!(answer.request_id.as_deref(), Some("r-out"));
    }
}

#[test]
fn one_read_is_no_batch_and_none_is_nothing() {
    let world = World::new([alone("app-a")]);
    assert_eq!(kinds(&world, &["app-a"]), [Ok("app-a".to_owned())]);
    assert_eq!(kinds(&world, &[]), []);
    let seen = world.services.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].method, "GET");
}

#[test]
fn more_than_twenty_go_in_batches_of_twenty_side_by_side() {
    let ids: Vec<String> = (0..45).map(|number| format!("app-{number}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let answer = |places: std::ops::Range<usize>| {
        let parts: Vec<Value> = places
            .map(|place| found(&(place + 1).to_string(), &format!("app-{place}")))
            .collect();
        batch(&parts)
    };
    let world = World::new([answer(0..20), answer(20..40), answer(40..45)]);
    let apps = kinds(&world, &ids);
    assert_eq!(
        apps,
        ids.iter()
            .map(|id| Ok((*id).to_owned()))
            .collect::<Vec<_>>()
    );
    let seen = world.services.seen();
    let sizes: Vec<usize> = seen.iter().map(|seen| asked(seen).len()).collect();
    assert_eq!(sizes, [20, 20, 5]);
    assert!(seen.iter().all(|one| one.at == seen[0].at));
}

#[test]
fn what_is_turned_away_inside_is_sent_again_alone_after_the_wait() {
    let world = World::new([
        batch(&[
            part("2", 429, &[("Retry-After", "7")], &error("TooManyRequests")),
            part("3", 429, &[("retry-after", "4")], &error("TooManyRequests")),
            found("1", "app-a"),
        ]),
        batch(&[found("2", "app-b"), found("3", "app-c")]),
    ]);
    assert_eq!(kinds(&world, &APPS), APPS.map(|id| Ok(id.to_owned())));
    let seen = world.services.seen();
    assert_eq!(seen.len(), 2);
    let again: Vec<String> = asked(&seen[1]).into_iter().map(|(id, _)| id).collect();
    assert_eq!(again, ["2", "3"]);
    assert!(seen[1].at >= seen[0].at + Duration::from_secs(7));
}

#[test]
fn without_a_time_to_wait_it_backs_off_and_gives_up_with_the_words_of_the_service() {
    let refused = || part("2", 429, &[], &error("TooManyRequests"));
    let mut steps = vec![batch(&[found("1", "app-a"), refused()])];
    // The one that is left goes by itself.
    steps.extend((0..5).map(|_| refusal(429, "TooManyRequests", "x")));
    let world = World::new(steps);
    let apps = kinds(&world, &APPS[..2]);
    assert_eq!(apps, [Ok("app-a".to_owned()), Err(Kind::Throttled)]);
    let seen = world.services.seen();
    assert!(seen[1].at >= seen[0].at + Duration::from_secs(1));
    assert!(seen[1..].iter().all(|seen| seen.method == "GET"));
}

#[test]
fn other_cases_of_the_tenant_keep_a_wait_that_one_was_told_inside_a_batch() {
    let world = World::new([
        batch(&[
            found("1", "app-a"),
            part(
                "2",
                429,
                &[("Retry-After", "20")],
                &error("TooManyRequests"),
            ),
        ]),
        alone("app-b"),
        alone("app-c"),
    ]);
    let pacer = Pacer::default();
    let first = world.tenant.with_pacer(pacer.clone());
    let second = world.tenant.with_pacer(pacer);
    let clock = world.clock.clone();
    let (apps, other) = world.run(async {
        let later = async {
            retake_tenant::edge::Clock::sleep(&clock, Duration::from_secs(2)).await;
            second.service_principal("app-c").await
        };
        futures_util::future::join(first.service_principals(&APPS[..2]), later).await
    });
    assert!(apps.iter().all(Result::is_ok));
    assert!(other.is_ok());
    for seen in &world.services.seen()[1..] {
        assert!(seen.at >= Duration::from_secs(20), "{:?}", seen.at);
    }
}

#[test]
fn each_request_of_a_batch_counts_against_the_limit() {
    // 700 in ten seconds: 35 batches of 20; one more read waits.
    let ids: Vec<String> = (0..700).map(|number| format!("app-{number}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let steps = (0..35).map(|chunk| {
        let parts: Vec<Value> = (chunk * 20..chunk * 20 + 20)
            .map(|place| found(&(place + 1).to_string(), &format!("app-{place}")))
            .collect();
        batch(&parts)
    });
    let world = World::new(steps.chain([alone("app-a")]));
    assert!(kinds(&world, &ids).iter().all(Result::is_ok));
    world.run(world.tenant.service_principal("app-a")).unwrap();
    let seen = world.services.seen();
    assert_eq!(seen.len(), 36);
    assert!(seen[34].at < Duration::from_secs(1), "{:?}", seen[34].at);
    assert!(seen[35].at >= Duration::from_secs(10), "{:?}", seen[35].at);
}

#[test]
fn each_answer_inside_has_its_own_status_words_and_code() {
    let world = World::new([batch(&[
        part("1", 404, &[], &error("Request_ResourceNotFound")),
        part(
            "2",
            403,
            &[("request-id", "r-own")],
            &error("Authorization_RequestDenied"),
        ),
        found("3", "app-c"),
    ])]);
    let apps = world.run(world.tenant.service_principals(&APPS));
    let [Err(gone), Err(denied), Ok(app)] = &apps[..] else {
        panic!("{apps:?}");
    };
    assert_eq!(gone.kind, Kind::NotFound);
    assert_eq!((gone.status, gone.target.as_str()), (Some(404), "app-a"));
    assert!(
        gone.to_string().contains("Request_ResourceNotFound"),
        "{gone}"
    );
    let missing = Kind::PermissionMissing {
        permission: "Application.Read.All".into(),
        role: String::new(),
    };
    assert_eq!(denied.kind, missing);
    assert_eq!(denied.request_id.as_deref(), Some("r-own"));
    // The refusal is kept with the request that it answers.
    let kept = denied.answer.as_ref().unwrap();
    assert_eq!(kept.request.url, "/v1.0/servicePrincipals/app-b");
    assert_eq!(app.value.id, "app-c");
}

#[test]
fn a_token_that_is_refused_inside_is_renewed_once_with_the_claims_that_are_asked_for() {
    let challenge = "Bearer realm=\"\", error=\"insufficient_claims\", claims=\"eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwidmFsdWUiOiIxNzcyNDM4NDAwIn19fQ==\"";
    let refused = |id: &str| {
        let headers = [("WWW-Authenticate", challenge)];
        part(id, 401, &headers, &error("InvalidAuthenticationToken"))
    };
    let world = World::new([
        batch(&[refused("1"), refused("2")]),
        batch(&[found("2", "app-b"), found("1", "app-a")]),
    ]);
    assert!(kinds(&world, &APPS[..2]).iter().all(Result::is_ok));
    let tokens = world.services.token_requests();
    assert_eq!(tokens.len(), 2);
    assert!(tokens[1].field("claims").unwrap().contains("1772438400"));

    let world = World::new([
        batch(&[refused("1"), refused("2")]),
        batch(&[refused("1"), refused("2")]),
    ]);
    assert_eq!(
        kinds(&world, &APPS[..2]),
        [Err(Kind::Expired), Err(Kind::Expired)]
    );
}

#[test]
fn a_failure_inside_is_asked_for_again_and_the_rest_is_kept() {
    let world = World::new([
        batch(&[
            found("1", "app-a"),
            part("2", 503, &[], &error("UnknownError")),
        ]),
        alone("app-b"),
    ]);
    assert!(kinds(&world, &APPS[..2]).iter().all(Result::is_ok));
    assert_eq!(world.services.seen().len(), 2);
}

#[test]
fn a_redirect_inside_is_no_answer_and_is_asked_for_alone() {
    let moved = [(
        "Location",
        "https://graph.microsoft.com/v1.0/servicePrincipals/app-b",
    )];
    let world = World::new([
        batch(&[found("1", "app-a"), part("2", 307, &moved, &Value::Null)]),
        alone("app-b"),
    ]);
    assert!(kinds(&world, &APPS[..2]).iter().all(Result::is_ok));
    let seen = world.services.seen();
    assert_eq!(seen[1].method, "GET");
}

#[test]
fn an_answer_that_is_not_there_cannot_be_read_and_is_never_not_found() {
    let world = World::new([batch(&[found("3", "app-c"), found("1", "app-a")])]);
    assert_eq!(
        kinds(&world, &APPS),
        [Ok("app-a".into()), bad_answer(), Ok("app-c".into())]
    );
    // Twice is as bad: which of the two would it be?
    let world = World::new([batch(&[
        found("1", "app-a"),
        found("2", "app-b"),
        part("2", 404, &[], &error("Request_ResourceNotFound")),
        found("3", "app-c"),
    ])]);
    assert_eq!(
        kinds(&world, &APPS),
        [Ok("app-a".into()), bad_answer(), Ok("app-c".into())]
    );
    // Without a status, or without a body.
    let world = World::new([batch(&[
        json!({"id": "1", "body": app("app-a")}),
        json!({"id": "2", "status": 200, "headers": {}}),
        found("3", "app-c"),
    ])]);
    assert_eq!(
        kinds(&world, &APPS),
        [bad_answer(), bad_answer(), Ok("app-c".into())]
    );
}

#[test]
fn an_answer_to_something_else_makes_the_whole_batch_unreadable() {
    for step in [
        batch(&[found("1", "app-a"), found("9", "app-x")]),
        raw(200, b"{\"responses\":[{\"id\":\"1\",\"status\":200,"),
        raw(200, b"<html>sign in</html>"),
        json_answer(200, &json!({"value": []})),
    ] {
        let world = World::new([step]);
        assert_eq!(kinds(&world, &APPS[..2]), [bad_answer(), bad_answer()]);
    }
}

#[test]
fn a_batch_that_is_refused_as_a_whole_is_asked_for_piece_by_piece() {
    for step in [
        raw(403, b"<html>blocked by policy</html>"),
        refusal(400, "BadRequest", "Invalid batch payload format."),
        refusal(404, "ResourceNotFound", "no such segment"),
    ] {
        let world = World::new([
            step,
            alone("app-a"),
            refusal(404, "Request_ResourceNotFound", "x"),
        ]);
        assert_eq!(
            kinds(&world, &APPS[..2]),
            [Ok("app-a".to_owned()), Err(Kind::NotFound)]
        );
        assert_eq!(world.services.seen().len(), 3);
    }
}

#[test]
fn a_batch_that_nobody_answers_is_told_to_each_and_not_made_into_more_requests() {
    let world = World::new((0..5).map(|_| refusal(500, "UnknownError", "")));
    let failed = || {
        Err(Kind::Server {
            effect_unknown: false,
        })
    };
    assert_eq!(kinds(&world, &APPS[..2]), [failed(), failed()]);
    assert!(
        world
            .services
            .seen()
            .iter()
            .all(|seen| seen.method == "POST")
    );

    let world = World::new((0..5).map(|_| Step::Hang));
    let tenant = world.tenant.with_deadline(Duration::from_secs(10));
    for app in world.run(tenant.service_principals(&APPS[..2])) {
        let kind = app.unwrap_err().kind.clone();
        assert!(matches!(kind, Kind::TimedOut { .. }), "{kind:?}");
    }
    assert!(world.clock.since_start() <= Duration::from_secs(11));
}

#[test]
fn an_id_that_cannot_be_asked_for_is_not_sent_and_the_rest_is() {
    let world = World::new([batch(&[found("1", "app-a"), found("2", "app-b")])]);
    assert_eq!(
        kinds(&world, &["app-a", "..", "app-b"]),
        [Ok("app-a".into()), Err(Kind::BadInput), Ok("app-b".into())]
    );
}
