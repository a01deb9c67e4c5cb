//! The claims challenge of continuous access evaluation, in every spelling that
//! was captured (reference §1.4).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::json;

use super::Answer;
use crate::unconfirmed::{CHALLENGE_BODY, CHALLENGE_HEADER};
use crate::world::{Resource, World};

/// Where a user would authorize, as the header says it.
const AUTHORIZE: &str = "https://login.microsoftonline.com/common/oauth2/authorize";

/// 401: the token was issued before `at`, and something happened then.
pub(crate) fn challenge(world: &World, resource: Resource, at: Timestamp) -> Answer {
    let claims =
        json!({"access_token": {"nbf": {"essential": true, "value": at.as_second().to_string()}}});
    let claims = STANDARD.encode(claims.to_string());
    let client = resource.app_id();
    let code = "TokenIssuedBeforeRevocationTimestamp";
    let told = |word: &str| {
        format!(
            "Continuous access evaluation resulted in {word}challenge with result: InteractionRequired and code: {code}"
        )
    };
    let message = match world.unconfirmed.variant(&CHALLENGE_BODY) {
        "exception" => String::from(
            "Exception of type 'Microsoft.Graph.AGS.Contracts.ClaimsChallengeRequiredException' was thrown.",
        ),
        _ => told(""),
    };
    let answer = Answer::graph_error(401, "InvalidAuthenticationToken", &message);
    let pop = "PoP realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", client_id=\"00000003-0000-0000-c000-000000000000\", nonce=\"ZXhhbXBsZQ==\"";
    let later = format!(
        "Bearer realm=\"\", authorization_uri=\"{AUTHORIZE}\", client_id=\"{client}\", error=\"insufficient_claims\", claims=\"{claims}\", error_description=\"{}\"",
        told("")
    );
    match world.unconfirmed.variant(&CHALLENGE_HEADER) {
        "captured_2022" => answer.header(
            "www-authenticate",
            format!(
                "Bearer realm=\"\", authorization_uri={AUTHORIZE}, client_id=\"{client}\", error=\"insufficient_claims\", claims=\"{claims}\", errorDescription=\"{}\"",
                told("claims ")
            ),
        ),
        "after_pop" => answer.header("www-authenticate", format!("{pop}, {later}")),
        "two_headers" => answer.header("www-authenticate", pop).header(
            "www-authenticate",
            format!(
                "Bearer claims=\"{claims}\", error=\"insufficient_claims\", error_description=\"{}\", client_id=\"{client}\", authorization_uri=\"{AUTHORIZE}\", realm=\"\"",
                told("")
            ),
        ),
        _ => answer.header("www-authenticate", later),
    }
}
