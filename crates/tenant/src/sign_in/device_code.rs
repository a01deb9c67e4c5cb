//! Device code: the person enters a code in a browser, on whatever device
//! (reference §1.3).

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};
use oauth2::StandardDeviceAuthorizationResponse;
use oauth2::basic::BasicTokenResponse;

use super::claims;
use super::person::{Asking, Granted, Http, client, granted, scopes};
use super::token::cut;
use super::wire::Wire;
use crate::error::TenantError;
use crate::profile::Profile;

/// What to show to the person who signs in. The device code itself stays inside.
pub struct DeviceCodePrompt {
    /// The code to enter.
    pub user_code: String,
    /// Where to enter it.
    pub verification_uri: String,
    /// Until when.
    pub expires_at: Timestamp,
    details: StandardDeviceAuthorizationResponse,
}

impl fmt::Debug for DeviceCodePrompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceCodePrompt")
            .field("user_code", &self.user_code)
            .field("verification_uri", &self.verification_uri)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// Asks for a code.
pub(super) async fn begin(
    profile: &Profile,
    scope: &str,
    wire: Arc<Wire>,
) -> Result<DeviceCodePrompt, TenantError> {
    let client = client(profile, profile.sign_in_tenant())?;
    let scopes = scopes(scope);
    let asker = Arc::clone(&wire);
    let asking: Asking<StandardDeviceAuthorizationResponse> = Box::pin(async move {
        let http = Http(Arc::clone(&asker));
        let request = client.exchange_device_code().add_scopes(scopes);
        request.request_async(&http).await.ok()
    });
    let details = asking
        .await
        .ok_or_else(|| wire.error(profile.sign_in_tenant()))?;
    let life = SignedDuration::try_from(details.expires_in()).unwrap_or(SignedDuration::ZERO);
    Ok(DeviceCodePrompt {
        user_code: crate::escape::message(details.user_code().secret()),
        verification_uri: crate::escape::message(details.verification_uri().as_str()),
        expires_at: wire
            .clock
            .now()
            .saturating_add(life)
            .unwrap_or(Timestamp::MAX),
        details,
    })
}

/// Polls until the code is entered, declined or too old.
pub(super) async fn finish(
    profile: &Profile,
    prompt: &DeviceCodePrompt,
    asked: Option<&str>,
    wire: Arc<Wire>,
) -> Result<Granted, TenantError> {
    let client = client(profile, profile.sign_in_tenant())?;
    let life = prompt.expires_at.duration_since(wire.clock.now());
    let life = Duration::try_from(life).unwrap_or_default();
    let details = prompt.details.clone();
    let claims = claims::of_a_person(asked);
    let asker = Arc::clone(&wire);
    let asking: Asking<BasicTokenResponse> = Box::pin(async move {
        let http = Http(Arc::clone(&asker));
        let time = Arc::clone(&asker.clock);
        client
            .exchange_device_access_token(&details)
            .add_extra_param("claims", claims)
            .set_time_fn(move || SystemTime::from(time.now()).into())
            .request_async(&http, |wait| Arc::clone(&asker).sleep(wait), Some(life))
            .await
            .ok()
    });
    let token = asking.await;
    let hide = |text: &str| cut(text, prompt.details.device_code().secret(), "<code>");
    granted(profile.sign_in_tenant(), &wire, token).map_err(|error| error.scrubbed(hide))
}
