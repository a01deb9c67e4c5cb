//! Secrets: nowhere but in the request that needs them.

use retake_tenant::Credential;
use retake_tenant::edge::TransportErrorKind;
use serde_json::json;

use crate::world::{SECRET, Step, USER, World, empty, json_answer, raw, refusal};

const PASSWORD: &str = "N3w-\"pass\\word\"/Tarn";

fn nowhere(text: &str) {
    for secret in [PASSWORD, SECRET, "access-token-1", "N3w-\\\"pass"] {
        assert!(!text.contains(secret), "`{secret}` stands in: {text}");
    }
}

#[test]
fn a_new_password_is_in_the_request_and_nowhere_else() {
    let world = World::new([empty(204)]);
    let reset = world
        .tenant
        .prepare_reset_password(USER, PASSWORD.to_owned().into(), true)
        .unwrap();
    nowhere(&format!("{reset:?} {reset:#?}"));
    let equivalent = reset.equivalent();
    nowhere(&format!("{} {}", equivalent.http, equivalent.powershell));
    assert!(equivalent.http.contains("<new password>"));
    assert!(equivalent.powershell.contains("<new password>"));
    assert_eq!(reset.body_json(), None);

    let change = world.run(world.tenant.submit(&reset)).unwrap();
    nowhere(&format!("{change:?}"));
    assert_eq!(
        world.services.seen()[0].json(),
        json!({"passwordProfile": {"forceChangePasswordNextSignIn": true, "password": PASSWORD}})
    );
}

#[test]
fn a_service_that_repeats_the_password_does_not_get_it_into_errors_or_evidence() {
    let world = World::new([
        refusal(
            400,
            PASSWORD,
            &format!("The password {PASSWORD} is too weak."),
        ),
        json_answer(
            400,
            &json!({"error": {"code": "x", "message": "long".repeat(94) + PASSWORD}}),
        ),
    ]);
    let reset = world
        .tenant
        .prepare_reset_password(USER, PASSWORD.to_owned().into(), true)
        .unwrap();
    for _ in 0..2 {
        let error = world.run(world.tenant.submit(&reset)).unwrap_err();
        nowhere(&format!("{error} {error:?} {}", error.hint()));
        let kept = error.answer.clone().unwrap();
        nowhere(&String::from_utf8_lossy(&kept.body));
        assert!(!error.message.contains("N3w"), "{}", error.message);
    }
}

#[test]
fn tokens_and_client_secret_are_in_no_debug_text_and_no_error() {
    let world = World::new([
        raw(400, b"<html>your header was: Bearer access-token-1</html>"),
        refusal(400, "x", "bad token access-token-1"),
        Step::Fail(TransportErrorKind::Tls),
    ]);
    let tenant = world
        .tenant
        .with_deadline(std::time::Duration::from_secs(1));
    nowhere(&format!("{tenant:?} {:?}", tenant.profile()));
    for _ in 0..3 {
        let error = world.run(tenant.user(USER)).unwrap_err();
        nowhere(&format!("{error} {error:?} {}", error.hint()));
        if let Some(answer) = &error.answer {
            nowhere(&String::from_utf8_lossy(&answer.body));
        }
    }
    let echo = json_answer(
        400,
        &json!({"error": "invalid_client", "error_codes": [7_000_215],
            "error_description": format!("AADSTS7000215: Invalid client secret '{SECRET}' provided.")}),
    );
    let world = World::with(
        Credential::ClientSecret(SECRET.to_owned().into()),
        [],
        [echo],
    );
    let error = world.run(world.tenant.sign_in()).unwrap_err();
    nowhere(&format!("{error} {error:?}"));
}

#[test]
fn what_an_attacker_named_cannot_command_a_terminal_through_an_error() {
    let world = World::new([refusal(
        400,
        "x\u{1b}[31m",
        "rule \u{1b}]0;owned\u{7} \u{202e}txt",
    )]);
    let error = world.run(world.tenant.user("\u{1b}[2J")).unwrap_err();
    let shown = format!("{error}");
    assert!(!shown.chars().any(char::is_control), "{shown:?}");
    assert!(!shown.contains('\u{202e}'));
}
