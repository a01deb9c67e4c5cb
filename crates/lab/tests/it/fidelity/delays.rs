//! What takes how long (reference §9.3, §2.1, §7.1, §7.2).

use jiff::SignedDuration;
use retake_lab::{Lab, Scenario};
use serde_json::json;

use crate::support::Story;

/// The default scenario with one line of its delays changed.
fn with_delay(name: &str, span: &str) -> Story {
    let text = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../scenarios/invoice-fraud/scenario.toml"
    ))
    .unwrap();
    let text: String = text
        .lines()
        .map(|line| {
            if line.starts_with(&format!("{name} = ")) {
                format!("{name} = \"{span}\"\n")
            } else {
                format!("{line}\n")
            }
        })
        .collect();
    let scenario = Scenario::parse(std::path::Path::new("given"), &text).unwrap();
    Story::with(Lab::new(&scenario, 1).unwrap())
}

#[test]
fn a_revocation_bites_after_minutes() {
    // reference §9.3: AADSTS50173, after a few minutes
    let mut story = with_delay("revocation", "3m");
    let got = story.operator_token(&[]);
    let refresh = got.body["refresh_token"].as_str().unwrap().to_owned();
    let (id, operator) = {
        let briefing = story.lab.briefing();
        (briefing.client_id.clone(), briefing.operator.clone())
    };
    let path = format!("/v1.0/users/{operator}/revokeSignInSessions");
    assert_eq!(story.graph("POST", &path, Some(json!({}))).status, 200);
    let redeem = |story: &mut Story| {
        let fields = [
            ("grant_type", "refresh_token"),
            ("client_id", id.as_str()),
            ("refresh_token", refresh.as_str()),
        ];
        story.token("token", &fields)
    };
    story.wait(SignedDuration::from_secs(150));
    assert_eq!(
        redeem(&mut story).status,
        200,
        "two and a half minutes later"
    );
    story.wait(SignedDuration::from_secs(60));
    assert_eq!(redeem(&mut story).body["error_codes"], json!([50_173]));
}

#[test]
fn a_read_after_a_write_may_show_the_old_state() {
    // reference §2.2 (lists lag), §10.1 (404 while replicating); lab.md: delays
    let mut story = with_delay("directory_reads", "90s");
    let path = format!("/v1.0/users/{}", story.user());
    let block = json!({"accountEnabled": false});
    assert_eq!(story.graph("PATCH", &path, Some(block)).status, 204);
    assert_eq!(story.account()["accountEnabled"], true, "stale");
    story.wait(SignedDuration::from_secs(91));
    assert_eq!(story.account()["accountEnabled"], false);
}

#[test]
fn a_lifted_block_leaves_the_mailbox_closed_for_a_while() {
    // reference §9.3: Exchange 35 to 40 min
    let mut story = with_delay("mailbox_reenabled", "35m..40m");
    let operator = story.lab.briefing().operator.clone();
    let user = story.user();
    let path = format!("/v1.0/users/{user}");
    for enabled in [false, true] {
        let body = json!({"accountEnabled": enabled});
        assert_eq!(story.graph("PATCH", &path, Some(body)).status, 204);
    }
    // The user signs in to the responder's app, for a mailbox of their own.
    let id = story.lab.briefing().client_id.clone();
    let code = story.token(
        "devicecode",
        &[
            ("client_id", &id),
            ("scope", "https://graph.microsoft.com/.default"),
        ],
    );
    let user_code = code.body["user_code"].as_str().unwrap().to_owned();
    assert!(
        story.lab.approve_device_code(&user_code, &user, story.now),
        "{operator}"
    );
    let got = story.token(
        "token",
        &[
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("client_id", &id),
            ("device_code", code.body["device_code"].as_str().unwrap()),
        ],
    );
    let token = got.body["access_token"].as_str().unwrap().to_owned();
    let rules = "/v1.0/me/mailFolders/inbox/messageRules";
    story.wait(SignedDuration::from_mins(30));
    assert_eq!(story.graph_as(&token, "GET", rules, None).status, 403);
    story.wait(SignedDuration::from_mins(11));
    assert_eq!(story.graph_as(&token, "GET", rules, None).status, 200);
}
