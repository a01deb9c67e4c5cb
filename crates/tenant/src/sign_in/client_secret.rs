//! Client secret: `azure_identity` over our own transport.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use azure_core::cloud::{CloudConfiguration, CustomConfiguration};
use azure_core::credentials::{Secret, TokenCredential as _};
use azure_core::error::ErrorKind;
use azure_core::http::headers::Headers;
use azure_core::http::{
    AsyncRawResponse, Body, ClientOptions, HttpClient, Request, RetryOptions, StatusCode,
    Transport as AzureTransport,
};
use azure_identity::{ClientSecretCredential, ClientSecretCredentialOptions};
use bytes::Bytes;
use secrecy::{ExposeSecret as _, SecretString};

use super::{Fetched, Seen, TRY_LIMIT, cut};
use crate::call::SIGN_IN;
use crate::edge::{BoxFuture, Clock, Transport, TransportError, TransportErrorKind};
use crate::error::{Kind, TenantError};
use crate::profile::Profile;
use crate::send::within;

/// Fetches one token. The credential is made anew each time, because its own
/// cache ends by the operating system's clock.
///
/// All arguments are owned: with references the compiler cannot show that the
/// library's future may move between threads.
pub(super) async fn fetch(
    profile: Profile,
    secret: SecretString,
    scope: String,
    claims: Option<String>,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
) -> Result<Fetched, TenantError> {
    let adapter = Arc::new(Adapter {
        transport,
        clock,
        claims,
        seen: Mutex::default(),
    });
    let mut cloud = CustomConfiguration::default();
    cloud.authority_host = profile.endpoints.authority.to_string();
    let options = ClientSecretCredentialOptions {
        client_options: ClientOptions {
            retry: RetryOptions::none(),
            transport: Some(AzureTransport::new(
                Arc::clone(&adapter) as Arc<dyn HttpClient>
            )),
            cloud: Some(Arc::new(CloudConfiguration::Custom(cloud))),
            ..ClientOptions::default()
        },
    };
    let credential = ClientSecretCredential::new(
        &profile.tenant_id,
        profile.client_id.clone(),
        Secret::new(secret.expose_secret().to_owned()),
        Some(options),
    )
    .map_err(|error| {
        // Its checks are about tenant, client id and address; the text names only those.
        TenantError::new(
            Kind::BadInput,
            &SIGN_IN,
            &profile.tenant_id,
            error.to_string(),
        )
        .scrubbed(|text| cut(text, secret.expose_secret(), "<secret>"))
    })?;
    let asking: BoxFuture<'static, _> =
        Box::pin(async move { credential.get_token(&[scope.as_str()], None).await });
    let outcome = asking.await;
    let seen = std::mem::take(&mut *adapter.seen.lock().unwrap_or_else(PoisonError::into_inner));
    match (outcome, seen.expires_in) {
        (Ok(token), Some(expires_in)) if !token.token.secret().is_empty() => Ok(Fetched {
            token: token.token.secret().to_owned().into(),
            expires_in,
        }),
        _ => Err(seen
            .into_error(&profile.tenant_id)
            .scrubbed(|text| cut(text, secret.expose_secret(), "<secret>"))),
    }
}

/// Lets the library speak through our transport and notes what it does not pass on.
struct Adapter {
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    claims: Option<String>,
    seen: Mutex<Seen>,
}

impl fmt::Debug for Adapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adapter").finish_non_exhaustive()
    }
}

impl Adapter {
    fn note(&self, seen: Seen) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = seen;
    }

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
        let outcome = within(&*self.clock, TRY_LIMIT, self.transport.send(ours))
            .await
            .unwrap_or_else(|| {
                Err(TransportError::new(
                    TransportErrorKind::Timeout,
                    "the token service did not answer",
                ))
            });
        match outcome {
            Ok(response) => {
                self.note(Seen::of(&response, self.clock.now()));
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
            Err(failure) => {
                let said = failed(&failure);
                self.note(Seen {
                    failure: Some(failure),
                    ..Seen::default()
                });
                Err(said)
            }
        }
    }
}

fn failed(failure: &TransportError) -> azure_core::Error {
    azure_core::Error::with_message(ErrorKind::Io, failure.to_string())
}
