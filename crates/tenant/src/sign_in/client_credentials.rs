//! The app as itself: `azure_identity` over our own transport, with a client
//! secret or an assertion (reference §1.3).

use std::fmt;
use std::sync::Arc;

use azure_core::cloud::{CloudConfiguration, CustomConfiguration};
use azure_core::credentials::{AccessToken, Secret, TokenCredential};
use azure_core::error::ErrorKind;
use azure_core::http::headers::Headers;
use azure_core::http::{
    AsyncRawResponse, Body, ClientMethodOptions, ClientOptions, HttpClient, Request, RetryOptions,
    StatusCode, Transport as AzureTransport,
};
use azure_identity::{
    ClientAssertion, ClientAssertionCredential, ClientAssertionCredentialOptions,
    ClientSecretCredential, ClientSecretCredentialOptions,
};
use bytes::Bytes;
use secrecy::{ExposeSecret as _, SecretString};

use super::token::{Fetched, cut};
use super::wire::Wire;
use crate::call::SIGN_IN;
use crate::edge::{BoxFuture, TransportError};
use crate::error::{Kind, TenantError};
use crate::profile::Profile;

/// How the app proves itself.
pub(super) enum Proof {
    /// A client secret.
    Secret(SecretString),
    /// A JWT that speaks for the app: signed by its certificate, or by another issuer.
    Assertion(SecretString),
}

impl Proof {
    fn secret(&self) -> &SecretString {
        match self {
            Self::Secret(secret) | Self::Assertion(secret) => secret,
        }
    }
}

/// Fetches one token. The credential is made anew each time, because its own
/// cache ends by the operating system's clock.
///
/// All arguments are owned: with references the compiler cannot show that the
/// library's future may move between threads.
pub(super) async fn fetch(
    profile: Profile,
    proof: Proof,
    scope: String,
    claims: Option<String>,
    wire: Arc<Wire>,
) -> Result<Fetched, TenantError> {
    let adapter = Arc::new(Adapter {
        wire: Arc::clone(&wire),
        claims,
    });
    let scrub = |text: &str| cut(text, proof.secret().expose_secret(), "<secret>");
    let credential = credential(&profile, &proof, &adapter).map_err(|error| {
        // Its checks are about tenant, client id and address; the text names only those.
        TenantError::new(
            Kind::BadInput,
            &SIGN_IN,
            &profile.tenant_id,
            error.to_string(),
        )
        .scrubbed(scrub)
    })?;
    let asking: BoxFuture<'static, _> =
        Box::pin(async move { credential.get_token(&[scope.as_str()], None).await });
    let outcome: azure_core::Result<AccessToken> = asking.await;
    let seen = wire.seen();
    match (outcome, seen.expires_in) {
        (Ok(token), Some(expires_in)) if !token.token.secret().is_empty() => Ok(Fetched {
            token: token.token.secret().to_owned().into(),
            expires_in,
        }),
        _ => Err(seen.into_error(&profile.tenant_id).scrubbed(scrub)),
    }
}

fn credential(
    profile: &Profile,
    proof: &Proof,
    adapter: &Arc<Adapter>,
) -> azure_core::Result<Arc<dyn TokenCredential>> {
    let mut cloud = CustomConfiguration::default();
    cloud.authority_host = profile.endpoints.authority.to_string();
    let client_options = ClientOptions {
        retry: RetryOptions::none(),
        transport: Some(AzureTransport::new(
            Arc::clone(adapter) as Arc<dyn HttpClient>
        )),
        cloud: Some(Arc::new(CloudConfiguration::Custom(cloud))),
        ..ClientOptions::default()
    };
    Ok(match proof {
        Proof::Secret(secret) => ClientSecretCredential::new(
            &profile.tenant_id,
            profile.client_id.clone(),
            Secret::new(secret.expose_secret().to_owned()),
            Some(ClientSecretCredentialOptions { client_options }),
        )?,
        Proof::Assertion(assertion) => ClientAssertionCredential::new(
            profile.tenant_id.clone(),
            profile.client_id.clone(),
            Given(assertion.clone()),
            Some(ClientAssertionCredentialOptions { client_options }),
        )?,
    })
}

/// An assertion that is there already.
struct Given(SecretString);

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Given(…)")
    }
}

#[async_trait::async_trait]
impl ClientAssertion for Given {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        Ok(self.0.expose_secret().to_owned())
    }
}

/// Lets the library speak through our transport and adds what it cannot send.
struct Adapter {
    wire: Arc<Wire>,
    claims: Option<String>,
}

impl fmt::Debug for Adapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adapter").finish_non_exhaustive()
    }
}

impl Adapter {
    /// The library's request as ours. The library cannot send claims, so they
    /// are put behind the form that it built.
    fn request(&self, request: &Request) -> Option<http::Request<Bytes>> {
        let Body::Bytes(form) = request.body() else {
            return None;
        };
        let body = match &self.claims {
            None => form.clone(),
            Some(claims) => {
                let mut form = form.to_vec();
                form.extend_from_slice(b"&claims=");
                form.extend_from_slice(crate::escape::query_value(claims).as_bytes());
                Bytes::from(form)
            }
        };
        let mut ours = http::Request::builder()
            .method(http::Method::POST)
            .uri(request.url().as_str());
        for (name, value) in request.headers().iter() {
            ours = ours.header(name.as_str(), value.as_str());
        }
        ours.body(body).ok()
    }
}

#[async_trait::async_trait]
impl HttpClient for Adapter {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let ours = self.request(request).ok_or_else(|| {
            azure_core::Error::with_message(ErrorKind::Other, "the request cannot be written")
        })?;
        let response = Arc::clone(&self.wire)
            .send(ours)
            .await
            .map_err(|failure| failed(&failure))?;
        let (parts, body) = response.into_parts();
        let mut headers = Headers::new();
        for (name, value) in &parts.headers {
            if let Ok(value) = value.to_str() {
                headers.insert(name.as_str().to_owned(), value.to_owned());
            }
        }
        let status = StatusCode::from(parts.status.as_u16());
        Ok(AsyncRawResponse::from_bytes(status, headers, body))
    }
}

fn failed(failure: &TransportError) -> azure_core::Error {
    azure_core::Error::with_message(ErrorKind::Io, failure.to_string())
}
