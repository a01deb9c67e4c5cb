//! What the token endpoint refuses, in OAuth's word and Entra's number
//! (reference §1.3).

use jiff::Timestamp;
use serde_json::json;

use crate::services::answer::Answer;
use crate::unconfirmed::{ASSERTION_TIME, INTERACTION_DETAILS};
use crate::world::World;

/// A refusal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refused {
    pub(crate) code: u32,
    pub(crate) error: &'static str,
    pub(crate) status: u16,
    pub(crate) text: &'static str,
}

/// Number, word, status and text.
const TABLE: [(u32, &str, u16, &str); 46] = [
    (50_013, "invalid_grant", 400, "Assertion is not valid."),
    (
        50_020,
        "invalid_grant",
        400,
        "The user account does not exist in the tenant and cannot access the application in it.",
    ),
    (50_027, "invalid_request", 400, "Invalid JWT token."),
    (
        50_034,
        "invalid_grant",
        400,
        "The user account does not exist in this directory.",
    ),
    (50_055, "invalid_grant", 400, "The password is expired."),
    (
        50_057,
        "invalid_grant",
        400,
        "The user account is disabled.",
    ),
    (
        50_058,
        "login_required",
        400,
        "A silent sign-in request was sent but no user is signed in.",
    ),
    (
        50_059,
        "invalid_request",
        400,
        "No tenant-identifying information was found in the request or implied by the credentials.",
    ),
    (
        50_072,
        "interaction_required",
        400,
        "The user must register a second factor.",
    ),
    (
        50_074,
        "interaction_required",
        400,
        "Strong authentication is required.",
    ),
    (
        50_076,
        "interaction_required",
        400,
        "Multi-factor authentication is required to access this resource.",
    ),
    (
        50_126,
        "invalid_grant",
        400,
        "Invalid username or password.",
    ),
    (
        50_132,
        "invalid_grant",
        400,
        "The session is not valid due to password expiration or a recent password change.",
    ),
    (
        50_133,
        "invalid_grant",
        400,
        "The session is not valid due to a recent password change.",
    ),
    (
        50_147,
        "invalid_request",
        400,
        "The size of the code challenge parameter is not valid.",
    ),
    (
        50_173,
        "invalid_grant",
        400,
        "The provided grant has expired due to it being revoked, a fresh auth token is needed.",
    ),
    (
        50_194,
        "unauthorized_client",
        400,
        "The application is not configured as a multi-tenant application; the /common endpoint is not supported for it.",
    ),
    (
        54_005,
        "invalid_grant",
        400,
        "The authorization code was already redeemed.",
    ),
    (
        65_001,
        "invalid_grant",
        400,
        "The user or administrator has not consented to use the application.",
    ),
    (
        65_004,
        "authorization_declined",
        400,
        "The user declined the request.",
    ),
    (
        70_000,
        "invalid_grant",
        400,
        "The provided value for the input parameter is not valid: the grant is malformed or unknown.",
    ),
    (
        70_002,
        "invalid_client",
        401,
        "The client's credential could not be validated.",
    ),
    (
        70_003,
        "unsupported_grant_type",
        400,
        "The app requested an unsupported grant type.",
    ),
    (
        70_008,
        "invalid_grant",
        400,
        "The provided authorization code or refresh token has expired.",
    ),
    (
        70_011,
        "invalid_scope",
        400,
        "The provided value for the input parameter 'scope' is not valid.",
    ),
    (
        70_016,
        "authorization_pending",
        400,
        "OAuth 2.0 device flow error. Authorization is pending.",
    ),
    (
        70_018,
        "bad_verification_code",
        400,
        "The device code is not known.",
    ),
    (70_019, "expired_token", 400, "The device code has expired."),
    (
        70_021,
        "invalid_client",
        401,
        "No matching federated identity record was found for the presented assertion.",
    ),
    (
        90_002,
        "invalid_request",
        400,
        "Tenant not found. Check that the tenant id is correct.",
    ),
    (
        500_011,
        "invalid_resource",
        400,
        "The resource principal was not found in the tenant.",
    ),
    (
        500_112,
        "invalid_client",
        400,
        "The reply address does not match the one given when the code was requested.",
    ),
    (
        500_133,
        "invalid_client",
        401,
        "Assertion is not within its valid time range.",
    ),
    (
        501_481,
        "invalid_grant",
        400,
        "The code verifier does not match the code challenge of the authorization request.",
    ),
    (
        700_016,
        "unauthorized_client",
        400,
        "The application was not found in the directory.",
    ),
    (
        700_021,
        "invalid_client",
        401,
        "The assertion's application identifier does not match the 'client_id' parameter.",
    ),
    (
        700_023,
        "invalid_client",
        401,
        "The assertion's audience is not this token endpoint.",
    ),
    (
        700_024,
        "invalid_client",
        401,
        "Client assertion is not within its valid time range.",
    ),
    (
        700_025,
        "invalid_client",
        401,
        "The client is public, so neither 'client_assertion' nor 'client_secret' should be presented.",
    ),
    (
        700_027,
        "invalid_client",
        401,
        "The certificate with identifier used to sign the client assertion is not registered on application, or the signature is not its key's.",
    ),
    (
        700_082,
        "invalid_grant",
        400,
        "The refresh token has expired due to inactivity.",
    ),
    (
        900_144,
        "invalid_request",
        400,
        "The request body must contain a required parameter that is missing.",
    ),
    (
        7_000_112,
        "unauthorized_client",
        400,
        "The application is disabled.",
    ),
    (
        7_000_215,
        "invalid_client",
        401,
        "Invalid client secret provided.",
    ),
    (
        7_000_218,
        "invalid_client",
        401,
        "The request body must contain 'client_assertion' or 'client_secret'.",
    ),
    (
        7_000_222,
        "invalid_client",
        401,
        "The provided client secret keys or certificates are expired.",
    ),
];

/// The refusal of this number.
pub(crate) fn refused(code: u32) -> Refused {
    let row = TABLE.iter().find(|(held, ..)| *held == code);
    let (_, error, status, text) = row.copied().unwrap_or((
        code,
        "invalid_request",
        400,
        "The request is malformed or a required parameter is missing.",
    ));
    Refused {
        code,
        error,
        status,
        text,
    }
}

/// The service is busy or broken; the status says how.
pub(crate) const fn busy(status: u16) -> Refused {
    Refused {
        code: if status == 429 { 90_055 } else { 90_033 },
        error: "temporarily_unavailable",
        status,
        text: "A transient error has occurred. Please try again.",
    }
}

/// An assertion outside its time; two numbers are possible.
pub(super) fn out_of_time(world: &World) -> Refused {
    refused(match world.unconfirmed.variant(&ASSERTION_TIME) {
        "500133" => 500_133,
        _ => 700_024,
    })
}

impl Refused {
    /// `AADSTS…: text`, as descriptions begin.
    pub(super) fn words(self) -> String {
        format!("AADSTS{}: {}", self.code, self.text)
    }

    /// The error body of the token endpoint.
    pub(crate) fn answer(self, world: &mut World, now: Timestamp) -> Answer {
        let trace = world.new_id("token trace");
        let correlation = world.new_id("token correlation");
        let stamp = now.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
        let mut body = json!({
            "error": self.error,
            "error_description": format!(
                "{} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {stamp}",
                self.words()
            ),
            "error_codes": [self.code],
            "timestamp": stamp,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("https://login.microsoftonline.com/error?code={}", self.code),
        });
        // Not confirmed: what comes with `interaction_required`.
        if self.error == "interaction_required"
            && world.unconfirmed.variant(&INTERACTION_DETAILS) == "suberror_and_claims"
            && let Some(body) = body.as_object_mut()
        {
            body.insert("suberror".into(), json!("basic_action"));
            body.insert(
                "claims".into(),
                json!(r#"{"access_token":{"capolids":{"essential":true,"values":["00000000-0000-0000-0000-000000000000"]}}}"#),
            );
        }
        Answer::json(self.status, body)
            .header("cache-control", "no-store")
            .header("pragma", "no-cache")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_stands_once_and_in_order() {
        assert!(TABLE.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
