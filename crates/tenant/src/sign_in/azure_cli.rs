//! Whoever is signed in to the Azure command line: `az account get-access-token`.

use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::token::Fetched;
use crate::call::SIGN_IN;
use crate::edge::{Clock, Programs};
use crate::error::{Kind, SignInProblem, TenantError};
use crate::profile::Profile;
use crate::send::within;

/// It is a slow starter.
const LIMIT: Duration = Duration::from_mins(1);

/// What a token lives at least where the program does not say it: versions
/// before 2.54 tell the end in local time only.
const SHORTEST: Duration = Duration::from_mins(5);

/// Gets a token from it.
pub(super) async fn fetch(
    profile: &Profile,
    resource: &str,
    claims: Option<&str>,
    programs: &dyn Programs,
    clock: &dyn Clock,
) -> Result<Fetched, TenantError> {
    let tenant = profile.tenant_id.as_str();
    let error = |kind: Kind, text: &str| TenantError::new(kind, &SIGN_IN, tenant, text);
    if claims.is_some() {
        // The program has no way to pass them on, and would hand out the same token again.
        return Err(error(
            Kind::SignIn(SignInProblem::AzureCliSignedOut),
            "the service wants a new sign-in of the person (claims challenge)",
        ));
    }
    // It becomes an argument, on Windows of a shell: nothing but a GUID or a domain.
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    if tenant.is_empty() || tenant.starts_with('-') || !tenant.chars().all(plain) {
        return Err(error(
            Kind::BadInput,
            "the tenant id is neither a GUID nor a domain",
        ));
    }
    let arguments = [
        "account",
        "get-access-token",
        "--resource",
        resource,
        "--tenant",
        tenant,
        "--output",
        "json",
    ];
    let ran = match within(clock, LIMIT, programs.run("az", &arguments)).await {
        None => {
            return Err(error(
                Kind::TimedOut {
                    effect_unknown: false,
                },
                "the Azure command line did not answer within a minute",
            ));
        }
        Some(Err(failure)) => {
            return Err(error(
                Kind::SignIn(SignInProblem::NoAzureCli),
                &format!("`az` cannot be started: {failure}"),
            ));
        }
        Some(Ok(ran)) => ran,
    };
    if !ran.success {
        return Err(error(
            Kind::SignIn(SignInProblem::AzureCliSignedOut),
            &format!("`az` said: {}", what_it_said(&ran.stderr)),
        ));
    }
    read(&ran.stdout, clock.now()).ok_or_else(|| {
        error(
            Kind::BadAnswer {
                effect_unknown: false,
            },
            "`az` gave no token in a known form",
        )
    })
}

fn read(stdout: &SecretString, now: Timestamp) -> Option<Fetched> {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(rename = "accessToken")]
        token: SecretString,
        expires_on: Option<i64>,
    }
    let answer: Answer = serde_json::from_str(stdout.expose_secret()).ok()?;
    let left = answer
        .expires_on
        .map(|end| end.saturating_sub(now.as_second()));
    let expires_in = left.map_or(SHORTEST, |left| {
        Duration::from_secs(u64::try_from(left).unwrap_or(0))
    });
    (!answer.token.expose_secret().is_empty()).then_some(Fetched {
        token: answer.token,
        expires_in,
    })
}

/// Its first error line, or its last line.
fn what_it_said(stderr: &str) -> &str {
    let mut lines = stderr.lines().filter(|line| !line.trim().is_empty());
    lines
        .find(|line| line.starts_with("ERROR"))
        .or_else(|| stderr.lines().last())
        .unwrap_or("nothing")
}
