//! The identity of the machine in Azure that this runs on (reference §1.3). Its
//! token service is the machine's own: plain HTTP, and never through a proxy.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use jiff::SignedDuration;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::token::{Fetched, cut};
use super::wire::{Seen, Wire};
use crate::call::SIGN_IN;
use crate::error::{Kind, SignInProblem, TenantError};
use crate::escape::query_value;
use crate::profile::{IdentityHost, Profile};

/// A virtual machine's own token service.
const METADATA: &str = "http://169.254.169.254/metadata/identity/oauth2/token";

/// How often it is asked, and the waits between.
const WAITS: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(9),
    Duration::from_secs(17),
];

/// After 410 it is back within 70 seconds.
const BEING_UPDATED: SignedDuration = SignedDuration::from_secs(70);
const UPDATE_WAIT: Duration = Duration::from_secs(10);

/// Gets a token, with the waits that this service asks for.
pub(super) async fn fetch(
    profile: &Profile,
    identity: Option<&str>,
    host: &IdentityHost,
    resource: &str,
    wire: Arc<Wire>,
) -> Result<Fetched, TenantError> {
    let start = wire.clock.now();
    let mut waits = WAITS.iter();
    loop {
        let request = request(identity, host, resource).ok_or_else(|| {
            TenantError::new(
                Kind::BadInput,
                &SIGN_IN,
                &profile.tenant_id,
                "the address of the machine's identity service cannot be written",
            )
        })?;
        let response = Arc::clone(&wire).send(request).await;
        let seen = wire.seen();
        let Ok(response) = response else {
            return Err(not_there(profile, seen));
        };
        let status = response.status().as_u16();
        if status == 200 {
            return fetched(profile, host, response.body(), &seen);
        }
        let wait = match status {
            410 if wire.clock.now().duration_since(start) < BEING_UPDATED => Some(UPDATE_WAIT),
            404 | 429 | 500.. => waits.next().copied(),
            _ => None,
        };
        match wait {
            Some(wait) => wire.clock.sleep(wait).await,
            None => return Err(refused(profile, host, response.body(), seen)),
        }
    }
}

fn request(
    identity: Option<&str>,
    host: &IdentityHost,
    resource: &str,
) -> Option<http::Request<Bytes>> {
    let (address, version, name, value) = match host {
        IdentityHost::VirtualMachine => (
            METADATA.to_owned(),
            "2018-02-01",
            "metadata",
            HeaderValue::from_static("true"),
        ),
        IdentityHost::AppService { endpoint, header } => {
            let mut value = HeaderValue::from_str(header.expose_secret()).ok()?;
            value.set_sensitive(true);
            (
                endpoint.to_string(),
                "2019-08-01",
                "x-identity-header",
                value,
            )
        }
    };
    let mut url = format!(
        "{address}?api-version={version}&resource={}",
        query_value(resource)
    );
    if let Some(identity) = identity {
        url.push_str("&client_id=");
        url.push_str(&query_value(identity));
    }
    http::Request::get(url)
        .header(name, value)
        .body(Bytes::new())
        .ok()
}

fn fetched(
    profile: &Profile,
    host: &IdentityHost,
    body: &[u8],
    seen: &Seen,
) -> Result<Fetched, TenantError> {
    #[derive(Deserialize)]
    struct Answer {
        access_token: SecretString,
    }
    let read = serde_json::from_slice::<Answer>(body).ok();
    match (read, seen.expires_in) {
        (Some(answer), Some(expires_in)) if !answer.access_token.expose_secret().is_empty() => {
            Ok(Fetched {
                token: answer.access_token,
                expires_in,
            })
        }
        _ => Err(scrubbed(seen.clone().into_error(&profile.tenant_id), host)),
    }
}

/// Nothing listens where a machine in Azure has its identity.
fn not_there(profile: &Profile, seen: Seen) -> TenantError {
    let error = seen.into_error(&profile.tenant_id);
    TenantError::new(
        Kind::SignIn(SignInProblem::NoManagedIdentity),
        &SIGN_IN,
        &profile.tenant_id,
        format!(
            "this machine's identity service does not answer: {}",
            error.message
        ),
    )
}

fn refused(profile: &Profile, host: &IdentityHost, body: &[u8], seen: Seen) -> TenantError {
    /// App Service has a form of its own.
    #[derive(Deserialize)]
    struct Said {
        message: String,
    }
    let status = seen.status;
    let refusal = seen.refusal.clone();
    let error = seen.into_error(&profile.tenant_id);
    let error = if (400..500).contains(&status) && status != 429 {
        let said = match refusal {
            Some(refusal) => refusal.error_description,
            None => serde_json::from_slice::<Said>(body)
                .map(|said| said.message)
                .unwrap_or_default(),
        };
        TenantError::new(
            Kind::SignIn(SignInProblem::NoManagedIdentity),
            &SIGN_IN,
            &profile.tenant_id,
            format!("this machine's identity service answered {status}: {said}"),
        )
    } else {
        error
    };
    scrubbed(error, host)
}

fn scrubbed(error: TenantError, host: &IdentityHost) -> TenantError {
    match host {
        IdentityHost::VirtualMachine => error,
        IdentityHost::AppService { header, .. } => {
            error.scrubbed(|text| cut(text, header.expose_secret(), "<header>"))
        }
    }
}
