//! What lives how long, and what ends what (reference §9.1 to §9.3).

use jiff::SignedDuration;
use serde_json::json;

use crate::support::{Seen, Story};

const CP1: (&str, &str) = (
    "claims",
    r#"{"access_token":{"xms_cc":{"values":["cp1"]}}}"#,
);

fn redeem(story: &mut Story, refresh: &str) -> Seen {
    let id = story.lab.briefing().client_id.clone();
    story.token(
        "token",
        &[
            ("grant_type", "refresh_token"),
            ("client_id", &id),
            ("refresh_token", refresh),
        ],
    )
}

fn codes(seen: &Seen) -> u64 {
    seen.body["error_codes"][0].as_u64().unwrap_or_default()
}

/// What the operator holds after signing in.
fn held(story: &mut Story, extra: &[(&str, &str)]) -> (String, String, i64) {
    let got = story.operator_token(extra);
    assert_eq!(got.status, 200, "{:?}", got.body);
    let text = |name: &str| got.body[name].as_str().unwrap().to_owned();
    let life = got.body["expires_in"].as_i64().unwrap();
    (text("access_token"), text("refresh_token"), life)
}

#[test]
fn a_client_that_declares_cp1_gets_tokens_of_up_to_twenty_eight_hours() {
    // reference §9.1
    let mut story = Story::new(1);
    let (.., short) = held(&mut story, &[]);
    let (.., long) = held(&mut story, &[CP1]);
    assert!((3600..=5400).contains(&short), "{short}");
    assert!((24 * 3600..=28 * 3600).contains(&long), "{long}");
}

#[test]
fn a_refresh_token_lives_ninety_days_of_silence() {
    // reference §9.1
    let mut story = Story::new(1);
    let (_, refresh, _) = held(&mut story, &[]);
    story.now = story
        .now
        .checked_add(SignedDuration::from_hours(89 * 24))
        .unwrap();
    assert_eq!(redeem(&mut story, &refresh).status, 200);
    // Each use renews it.
    story.now = story
        .now
        .checked_add(SignedDuration::from_hours(89 * 24))
        .unwrap();
    assert_eq!(redeem(&mut story, &refresh).status, 200);
    story.now = story
        .now
        .checked_add(SignedDuration::from_hours(91 * 24))
        .unwrap();
    assert_eq!(codes(&redeem(&mut story, &refresh)), 700_082);
}

#[test]
fn a_device_code_lives_fifteen_minutes() {
    // reference §9.1
    let mut story = Story::new(1);
    let id = story.lab.briefing().client_id.clone();
    let scope = ("scope", "https://graph.microsoft.com/.default");
    let code = story.token("devicecode", &[("client_id", &id), scope]);
    assert_eq!(
        (
            code.body["expires_in"].as_i64(),
            code.body["interval"].as_i64()
        ),
        (Some(900), Some(5))
    );
    let device_code = code.body["device_code"].as_str().unwrap().to_owned();
    let poll = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("client_id", id.as_str()),
        ("device_code", device_code.as_str()),
    ];
    story.wait(SignedDuration::from_mins(14));
    assert_eq!(
        story.token("token", &poll).body["error"],
        "authorization_pending"
    );
    story.wait(SignedDuration::from_mins(2));
    assert_eq!(story.token("token", &poll).body["error"], "expired_token");
    let unknown = [poll[0], poll[1], ("device_code", "nonsense")];
    assert_eq!(
        story.token("token", &unknown).body["error"],
        "bad_verification_code"
    );
}

#[test]
fn a_block_ends_refreshing_at_once_and_cuts_long_tokens_within_minutes() {
    // reference §9.3 accountEnabled=false
    let mut story = Story::new(1);
    let (short, refresh, _) = held(&mut story, &[]);
    let (long, ..) = held(&mut story, &[CP1]);
    let operator = story.lab.briefing().operator.clone();
    let block = json!({"accountEnabled": false});
    let path = format!("/v1.0/users/{operator}");
    assert_eq!(story.graph("PATCH", &path, Some(block)).status, 204);
    assert_eq!(codes(&redeem(&mut story, &refresh)), 50_057);
    story.wait(SignedDuration::from_mins(15));
    let organization = "/v1.0/organization";
    let cut = story.graph_as(&long, "GET", organization, None);
    assert_eq!(cut.status, 401);
    assert!(
        cut.headers["www-authenticate"]
            .to_str()
            .unwrap()
            .contains("insufficient_claims")
    );
    assert_eq!(
        story.graph_as(&short, "GET", organization, None).status,
        200,
        "lives to its expiry"
    );
    // The app's own token is not the user's.
    assert_eq!(story.get(organization).status, 200);
}

#[test]
fn a_reset_ends_what_a_password_brought() {
    // reference §9.2: user, self-service and portal rows end password-based
    // refresh tokens
    let mut story = Story::new(1);
    let (_, refresh, _) = held(&mut story, &[]);
    let operator = story.lab.briefing().operator.clone();
    let reset = json!({"passwordProfile": {"password": "Kx81-hq!_Trp02-wz", "forceChangePasswordNextSignIn": false}});
    let path = format!("/v1.0/users/{operator}");
    assert_eq!(story.graph("PATCH", &path, Some(reset)).status, 204);
    story.wait(SignedDuration::from_mins(10));
    assert_eq!(codes(&redeem(&mut story, &refresh)), 50_133);
}

#[test]
fn a_deleted_grant_and_a_disabled_app_stop_new_tokens_only() {
    // reference §0.3, §9.3
    let mut story = Story::new(1);
    let (access, refresh, _) = held(&mut story, &[]);
    let id = story.lab.briefing().client_id.clone();
    let principal = story.get(&format!("/v1.0/servicePrincipals(appId='{id}')?$select=id"));
    let principal = principal.body["id"].as_str().unwrap().to_owned();
    let grants = story.get(&format!(
        "/v1.0/servicePrincipals/{principal}/oauth2PermissionGrants"
    ));
    for grant in grants.list().to_vec() {
        let path = format!(
            "/v1.0/oauth2PermissionGrants/{}",
            grant["id"].as_str().unwrap()
        );
        assert_eq!(story.graph("DELETE", &path, None).status, 204);
    }
    assert_eq!(codes(&redeem(&mut story, &refresh)), 65_001);
    assert_eq!(
        story
            .graph_as(&access, "GET", "/v1.0/organization", None)
            .status,
        200
    );
    let path = format!("/v1.0/servicePrincipals/{principal}");
    let off = json!({"accountEnabled": false});
    assert_eq!(story.graph("PATCH", &path, Some(off)).status, 204);
    assert_eq!(codes(&redeem(&mut story, &refresh)), 7_000_112);
    // Its app-only token is out, and lives: nothing declared cp1.
    assert_eq!(story.get("/v1.0/organization").status, 200);
    let secret = story.lab.briefing().client_secret.clone();
    let seen = story.token(
        "token",
        &[
            ("grant_type", "client_credentials"),
            ("client_id", &id),
            ("client_secret", &secret),
            ("scope", "https://graph.microsoft.com/.default"),
        ],
    );
    assert_eq!(codes(&seen), 7_000_112);
}
