//! What the token endpoint gives and refuses, and what ends what.

use jiff::SignedDuration;
use serde_json::json;

use crate::support::Story;

#[test]
fn a_client_with_its_secret_gets_a_token_of_sixty_to_ninety_minutes() {
    // reference §1.3, §9.1
    let mut story = Story::new(1);
    let (id, secret) = {
        let briefing = story.lab.briefing();
        (briefing.client_id.clone(), briefing.client_secret.clone())
    };
    let mut lives = Vec::new();
    for _ in 0..5 {
        let seen = story.token(
            "token",
            &[
                ("grant_type", "client_credentials"),
                ("client_id", &id),
                ("client_secret", &secret),
                ("scope", "https://graph.microsoft.com/.default"),
            ],
        );
        assert_eq!(seen.body["token_type"], "Bearer");
        assert!(seen.body.get("refresh_token").is_none());
        lives.push(seen.body["expires_in"].as_i64().unwrap());
    }
    assert!(
        lives.iter().all(|life| (3600..=5400).contains(life)),
        "{lives:?}"
    );
    assert!(lives.windows(2).any(|pair| pair[0] != pair[1]));
}

#[test]
fn a_refused_client_is_told_in_the_services_words() {
    // reference §1.3: the body's shape, and the numbers to branch on
    let mut story = Story::new(1);
    let (id, secret) = {
        let briefing = story.lab.briefing();
        (briefing.client_id.clone(), briefing.client_secret.clone())
    };
    let scope = "https://graph.microsoft.com/.default";
    for (client, secret, scope, status, error, number) in [
        (
            id.as_str(),
            "wrong",
            scope,
            401,
            "invalid_client",
            7_000_215,
        ),
        (
            "00000000-1111-2222-3333-444444444444",
            "x",
            scope,
            400,
            "unauthorized_client",
            700_016,
        ),
        (
            &id,
            &secret,
            "https://graph.microsoft.com/Mail.Read",
            400,
            "invalid_scope",
            70_011,
        ),
        (
            &id,
            &secret,
            "https://nowhere.example/.default",
            400,
            "invalid_resource",
            500_011,
        ),
    ] {
        let seen = story.token(
            "token",
            &[
                ("grant_type", "client_credentials"),
                ("client_id", client),
                ("client_secret", secret),
                ("scope", scope),
            ],
        );
        assert_eq!(seen.status, status, "{:?}", seen.body);
        assert_eq!(seen.body["error"], error);
        assert_eq!(seen.body["error_codes"], json!([number]));
        let text = seen.body["error_description"].as_str().unwrap();
        assert!(text.starts_with(&format!("AADSTS{number}: ")), "{text}");
        assert!(seen.body["trace_id"].is_string() && seen.body["correlation_id"].is_string());
        assert!(!text.contains("wrong"), "the secret stays out of the error");
    }
}

#[test]
fn a_device_code_is_pending_until_the_operator_approves_it() {
    // reference §1.3
    let mut story = Story::new(2);
    let seen = story.operator_token(&[]);
    assert_eq!(seen.status, 200, "{:?}", seen.body);
    assert!(seen.body["id_token"].is_string() && seen.body["refresh_token"].is_string());
    let token = seen.body["access_token"].as_str().unwrap().to_owned();
    let me = story.graph_as(&token, "GET", "/v1.0/me", None);
    assert_eq!(
        me.body["userPrincipalName"],
        json!(story.lab.briefing().operator)
    );
    // A refresh gives new tokens and leaves the old one valid.
    let id = story.lab.briefing().client_id.clone();
    let refresh = seen.body["refresh_token"].as_str().unwrap().to_owned();
    for _ in 0..2 {
        let again = story.token(
            "token",
            &[
                ("grant_type", "refresh_token"),
                ("client_id", &id),
                ("refresh_token", &refresh),
            ],
        );
        assert_eq!(again.status, 200, "{:?}", again.body);
    }
}

#[test]
fn a_password_alone_is_not_enough_where_a_second_factor_is_registered() {
    // reference §1.3: 50126 for a wrong password
    let mut story = Story::new(2);
    let id = story.lab.briefing().client_id.clone();
    let user = story.user();
    let seen = story.token(
        "token",
        &[
            ("grant_type", "password"),
            ("client_id", &id),
            ("username", &user),
            ("password", "not-it"),
            ("scope", "https://graph.microsoft.com/.default"),
        ],
    );
    assert_eq!(seen.body["error_codes"], json!([50_126]));
}

#[test]
fn a_live_token_without_cae_outlives_block_and_revoke_and_nothing_else_does() {
    // reference §0.2, §9.3: the access token lives to its expiry; refresh
    // tokens end at the block, and after the revocation bites
    let mut story = Story::new(3);
    let user = story.user();
    let block = story.graph(
        "PATCH",
        &format!("/v1.0/users/{user}"),
        Some(json!({"accountEnabled": false})),
    );
    assert_eq!(block.status, 204);
    let revoke = story.graph(
        "POST",
        &format!("/v1.0/users/{user}/revokeSignInSessions"),
        Some(json!({})),
    );
    assert_eq!((revoke.status, &revoke.body["value"]), (200, &json!(true)));
    story.wait(SignedDuration::from_hours(3));
    let tried = |artefact: &str| story.attempts(artefact);
    assert!(
        tried("A01").iter().all(|(_, got)| got == "\"nothing\""),
        "{:?}",
        tried("A01")
    );
    assert!(tried("A02").iter().all(|(_, got)| got == "\"nothing\""));
    let live = tried("A03");
    let last = live
        .iter()
        .filter(|(_, got)| got == "\"data\"")
        .map(|(at, _)| *at)
        .max();
    let last = last.expect("the live token still reads after the block");
    assert!(last.duration_since(story.lab.start()) <= SignedDuration::from_mins(90));
    assert!(
        live.iter()
            .any(|(at, got)| *at > last && got == "\"nothing\"")
    );
}

#[test]
fn a_token_that_declares_cp1_is_cut_within_a_quarter_of_an_hour() {
    // reference §1.4, §9.3: 401 with a claims challenge
    let mut story = Story::new(4);
    let seen = story.operator_token(&[(
        "claims",
        r#"{"access_token":{"xms_cc":{"values":["cp1"]}}}"#,
    )]);
    assert!(seen.body["expires_in"].as_i64().unwrap() >= 24 * 3600);
    let token = seen.body["access_token"].as_str().unwrap().to_owned();
    let operator = story.lab.briefing().operator.clone();
    assert_eq!(story.graph_as(&token, "GET", "/v1.0/me", None).status, 200);
    let revoke = story.graph(
        "POST",
        &format!("/v1.0/users/{operator}/revokeSignInSessions"),
        Some(json!({})),
    );
    assert_eq!(revoke.status, 200, "{:?}", revoke.body);
    story.wait(SignedDuration::from_mins(15));
    let cut = story.graph_as(&token, "GET", "/v1.0/me", None);
    assert_eq!(
        (cut.status, cut.code()),
        (401, "InvalidAuthenticationToken")
    );
    let challenge = cut.headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains("insufficient_claims") && challenge.contains("claims=\""));
}

#[test]
fn what_is_done_to_the_user_leaves_app_only_tokens_alone() {
    // reference §9.3, last column but one
    let mut story = Story::new(3);
    let user = story.user();
    story.graph(
        "PATCH",
        &format!("/v1.0/users/{user}"),
        Some(json!({"accountEnabled": false})),
    );
    story.wait(SignedDuration::from_mins(30));
    assert_eq!(story.get(&format!("/v1.0/users/{user}")).status, 200);
    // After ninety minutes it is over all the same.
    story.wait(SignedDuration::from_mins(61));
    let late = story.get(&format!("/v1.0/users/{user}"));
    assert_eq!(
        (late.status, late.code()),
        (401, "InvalidAuthenticationToken")
    );
}

#[test]
fn a_permission_taken_away_is_missing_from_the_next_token_only() {
    // reference §1.2: a token carries what was granted when it was issued
    let mut story = Story::new(1);
    let user = story.user();
    let read = format!("/v1.0/users/{user}/mailFolders/inbox/messageRules");
    assert!(story.lab.set_permission("MailboxSettings.ReadWrite", false));
    assert!(!story.lab.set_permission("MailboxSettings.ReadWrite", false));
    assert_eq!(story.get(&read).status, 200);
    story.graph = story.app_token("https://graph.microsoft.com/.default");
    let refused = story.get(&read);
    assert_eq!((refused.status, refused.code()), (403, "ErrorAccessDenied"));
    assert!(story.lab.set_permission("MailboxSettings.ReadWrite", true));
    story.graph = story.app_token("https://graph.microsoft.com/.default");
    assert_eq!(story.get(&read).status, 200);
}
