//! Signing in: renewing, being cut off, being refused, and codes for people.

use std::time::Duration;

use retake_tenant::{Credential, Kind, Service, SignInProblem, call};
use serde_json::json;

use crate::world::{SECRET, Step, TENANT, UPN, USER, World, json_answer, page, refusal};

fn account() -> Step {
    json_answer(200, &json!({"id": USER, "userPrincipalName": UPN}))
}

fn rejected(code: u64, error: &str) -> Step {
    json_answer(
        400,
        &json!({"error": error, "error_codes": [code], "timestamp": "2026-03-02 08:00:00Z",
            "error_description": format!("AADSTS{code}: What happened. Trace ID: 1 Correlation ID: 2 Timestamp: 3"),
            "trace_id": "1", "correlation_id": "2"}),
    )
}

#[test]
fn a_client_secret_is_sent_to_the_tenants_own_token_endpoint() {
    let world = World::new([account()]);
    world.run(world.tenant.user(UPN)).unwrap();
    let asked = &world.services.token_requests()[0];
    assert_eq!(asked.host, "login.microsoftonline.com");
    assert_eq!(asked.url, format!("/{TENANT}/oauth2/v2.0/token"));
    let form: Vec<(String, String)> = url::form_urlencoded::parse(asked.body.as_bytes())
        .into_owned()
        .collect();
    let field = |name: &str| {
        form.iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    assert_eq!(field("grant_type"), Some("client_credentials"));
    assert_eq!(field("scope"), Some("https://graph.microsoft.com/.default"));
    assert_eq!(field("client_secret"), Some(SECRET));
}

#[test]
fn a_token_is_renewed_five_minutes_before_its_end_by_our_own_clock() {
    let world = World::new([account(), account(), account()]);
    world.run(world.tenant.user(UPN)).unwrap();
    world.clock.advance(Duration::from_secs(3599 - 310));
    world.run(world.tenant.user(UPN)).unwrap();
    assert_eq!(world.services.token_requests().len(), 1);
    world.clock.advance(Duration::from_secs(20));
    world.run(world.tenant.user(UPN)).unwrap();
    assert_eq!(world.services.token_requests().len(), 2);
    assert_eq!(
        world.services.seen()[2].header("authorization"),
        Some("Bearer access-token-2")
    );
}

#[test]
fn a_token_that_is_refused_in_the_middle_of_a_run_is_replaced_once() {
    let expired = || {
        refusal(
            401,
            "InvalidAuthenticationToken",
            "Access token has expired.",
        )
    };
    let world = World::new([expired(), account()]);
    world.run(world.tenant.user(UPN)).unwrap();
    assert_eq!(world.services.token_requests().len(), 2);

    let world = World::new([expired(), expired()]);
    let error = world.run(world.tenant.user(UPN)).unwrap_err();
    assert_eq!(error.kind, Kind::Expired);
    world.assert_told();
}

#[test]
fn a_claims_challenge_is_answered_with_the_claims() {
    let challenge = r#"Bearer realm="", authorization_uri=https://login.microsoftonline.com/common/oauth2/authorize, client_id="00000003-0000-0000-c000-000000000000", error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwidmFsdWUiOiIxNyJ9fX0=""#;
    let world = World::new([
        refusal(
            401,
            "InvalidAuthenticationToken",
            "Continuous access evaluation resulted in challenge",
        )
        .with("www-authenticate", challenge),
        account(),
        account(),
    ]);
    world.run(world.tenant.user(UPN)).unwrap();
    let asked = world.services.token_requests();
    assert!(!asked[0].body.contains("claims="));
    let claims = url::form_urlencoded::parse(asked[1].body.as_bytes())
        .find(|(name, _)| name == "claims")
        .unwrap()
        .1
        .into_owned();
    assert_eq!(
        claims,
        r#"{"access_token":{"nbf":{"essential":true,"value":"17"}}}"#
    );
}

#[test]
fn refusals_of_the_token_service_say_what_to_do() {
    for (code, problem, word) in [
        (7_000_215, SignInProblem::BadSecret, "secret"),
        (7_000_222, SignInProblem::ExpiredSecret, "expired"),
        (90_002, SignInProblem::TenantNotFound, "tenant"),
        (700_016, SignInProblem::AppNotFound, "app"),
        (65_001, SignInProblem::ConsentMissing, "consent"),
        (7_000_112, SignInProblem::AppDisabled, "disabled"),
        (53_003, SignInProblem::ConditionalAccess, "policy"),
        (99_999, SignInProblem::Other, "code"),
    ] {
        let world = World::with(
            Credential::ClientSecret(SECRET.to_owned().into()),
            [],
            [rejected(code, "invalid_client")],
        );
        let error = world.run(world.tenant.sign_in()).unwrap_err();
        assert_eq!(error.kind, Kind::SignIn(problem), "{code}");
        assert_eq!(error.code, Some(format!("AADSTS{code}")));
        let said = format!("{error} {}", error.hint()).to_lowercase();
        assert!(said.contains(word), "{code}: {said}");
        assert!(!error.to_string().contains("Trace ID"));
        assert_eq!(world.services.token_requests().len(), 1, "not tried again");
    }
}

#[test]
fn a_token_service_that_stumbles_is_asked_again() {
    let token = json_answer(
        200,
        &json!({"token_type": "Bearer", "expires_in": "3599", "access_token": "t"}),
    );
    let world = World::with(
        Credential::ClientSecret(SECRET.to_owned().into()),
        [],
        [
            json_answer(503, &json!({})),
            json_answer(429, &json!({})).with("retry-after", "3"),
            token,
        ],
    );
    // `expires_in` as text is refused by the library, which is a failed sign-in and no panic.
    let outcome = world.run(world.tenant.sign_in());
    assert_eq!(world.services.token_requests().len(), 3);
    assert!(matches!(outcome.unwrap_err().kind, Kind::BadAnswer { .. }));
}

#[test]
fn each_service_has_its_own_token() {
    let world = World::new([account(), page(&json!([]), None)]);
    world.run(world.tenant.user(UPN)).unwrap();
    world.run(world.tenant.get_inbox_rules(UPN, true)).unwrap();
    let asked = world.services.token_requests();
    assert_eq!(asked.len(), 2);
    assert!(asked[1].body.contains("outlook.office365.com%2F.default"));
}

#[test]
fn a_token_that_tells_about_itself_helps_a_preflight() {
    // {"tid":"t","oid":"o","appid":"a","roles":["User.Read.All"]}
    let token =
        "e30.eyJ0aWQiOiJ0Iiwib2lkIjoibyIsImFwcGlkIjoiYSIsInJvbGVzIjpbIlVzZXIuUmVhZC5BbGwiXX0.sig";
    let world = World::with(
        Credential::ClientSecret(SECRET.to_owned().into()),
        [],
        [json_answer(
            200,
            &json!({"token_type": "Bearer", "expires_in": 3599, "access_token": token}),
        )],
    );
    let facts = world
        .run(world.tenant.token_facts(Service::Graph))
        .unwrap()
        .unwrap();
    assert!(facts.has("User.Read.All"));
    assert!(!facts.has("Mail.Send"));
    assert!(facts.allows(&call::USER));
    assert!(!facts.allows(&call::USER_BLOCK));

    let opaque = World::new([]);
    assert_eq!(
        opaque
            .run(opaque.tenant.token_facts(Service::Graph))
            .unwrap(),
        None
    );
}

fn code() -> Step {
    json_answer(
        200,
        &json!({"device_code": "device-code-secret", "user_code": "ABCD-EFGH",
            "verification_uri": "https://microsoft.com/devicelogin", "expires_in": 900, "interval": 5,
            "message": "To sign in, …"}),
    )
}

#[test]
fn a_person_enters_the_code_and_every_service_follows_from_it() {
    let pending = || rejected(70_016, "authorization_pending");
    let tokens = json_answer(
        200,
        &json!({"token_type": "Bearer", "expires_in": 3599, "access_token": "graph-1", "refresh_token": "refresh-1"}),
    );
    let exchange = json_answer(
        200,
        &json!({"token_type": "Bearer", "expires_in": 3599, "access_token": "exchange-1", "refresh_token": "refresh-2"}),
    );
    let world = World::with(
        Credential::DeviceCode,
        [account(), page(&json!([]), None)],
        [code(), pending(), pending(), tokens, exchange],
    );
    let error = world.run(world.tenant.user(UPN)).unwrap_err();
    assert_eq!(error.kind, Kind::Unauthenticated);

    let prompt = world.run(world.tenant.begin_device_code()).unwrap();
    assert_eq!(prompt.user_code, "ABCD-EFGH");
    assert!(!format!("{prompt:?}").contains("device-code-secret"));
    world.run(world.tenant.finish_device_code(&prompt)).unwrap();
    // Three polls, five seconds apart.
    let asked = world.services.token_requests();
    assert_eq!(asked.len(), 4);
    assert_eq!(
        asked[3].at.saturating_sub(asked[2].at),
        Duration::from_millis(5_150)
    );
    assert!(asked[0].url.ends_with("/devicecode"));
    assert!(asked[0].body.contains("offline_access"));

    world.run(world.tenant.user(UPN)).unwrap();
    assert_eq!(
        world.services.seen()[0].header("authorization"),
        Some("Bearer graph-1")
    );
    world.run(world.tenant.get_inbox_rules(UPN, false)).unwrap();
    assert_eq!(
        world.services.seen()[1].header("authorization"),
        Some("Bearer exchange-1")
    );
    let refreshed = &world.services.token_requests()[4];
    assert!(refreshed.body.contains("grant_type=refresh_token"));
    assert!(refreshed.body.contains("refresh-1"));
    world.assert_told();
}

#[test]
fn a_code_that_is_declined_or_forgotten_ends_the_waiting() {
    let world = World::with(
        Credential::DeviceCode,
        [],
        [code(), rejected(70_020, "authorization_declined")],
    );
    let prompt = world.run(world.tenant.begin_device_code()).unwrap();
    let error = world
        .run(world.tenant.finish_device_code(&prompt))
        .unwrap_err();
    assert_eq!(error.kind, Kind::SignIn(SignInProblem::Declined));

    let pending = (0..300).map(|_| rejected(70_016, "authorization_pending"));
    let world = World::with(
        Credential::DeviceCode,
        [],
        std::iter::once(code()).chain(pending),
    );
    let prompt = world.run(world.tenant.begin_device_code()).unwrap();
    let error = world
        .run(world.tenant.finish_device_code(&prompt))
        .unwrap_err();
    assert_eq!(error.kind, Kind::SignIn(SignInProblem::CodeExpired));
    assert!(world.clock.since_start() < Duration::from_mins(16));
}
