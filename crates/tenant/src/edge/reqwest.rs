//! The edge over real sockets: reqwest with rustls and the ring provider.

use std::error::Error as _;
use std::time::Duration;

use bytes::Bytes;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, NoProxy, Proxy};

use super::{BoxFuture, Transport, TransportError, TransportErrorKind};

/// How long a connection may take to be made, handshake included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A [`Transport`] over TCP and TLS. Must be polled inside a tokio runtime.
///
/// It trusts the system's certificate authorities, and one more if told so.
/// It follows no redirects and decodes no content encoding (reqwest is built
/// without either decoder), because Exchange labels bodies gzip that are not
/// (reference §0.14). It uses a proxy only if it is told which.
#[derive(Debug, Clone)]
pub struct ReqwestTransport {
    client: Client,
}

impl ReqwestTransport {
    /// A transport that trusts the certificates of `ca_pem` besides the system's.
    ///
    /// Fails with [`TransportErrorKind::Tls`] if `ca_pem` is not a list of PEM certificates, or
    /// if there is no certificate authority to trust at all.
    pub fn new(ca_pem: Option<&str>) -> Result<Self, TransportError> {
        Self::through(None, ca_pem)
    }

    /// As [`ReqwestTransport::new`], through the HTTP proxy at this address,
    /// for all but this machine itself.
    ///
    /// Fails with [`TransportErrorKind::Connect`] if `proxy` is not an address.
    pub fn through(proxy: Option<&str>, ca_pem: Option<&str>) -> Result<Self, TransportError> {
        let tls = |error: ::reqwest::Error| {
            TransportError::new(TransportErrorKind::Tls, chain(&error.without_url()))
        };
        let extra = match ca_pem {
            Some(pem) => Certificate::from_pem_bundle(pem.as_bytes()).map_err(tls)?,
            None => Vec::new(),
        };
        if ca_pem.is_some() && extra.is_empty() {
            return Err(TransportError::new(
                TransportErrorKind::Tls,
                "the file of certificate authorities holds no certificate",
            ));
        }
        // The provider is a setting of the process. If another is installed
        // already, that one serves.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .https_only(true)
            .no_proxy()
            .tls_certs_merge(extra)
            .user_agent(concat!("retake/", env!("CARGO_PKG_VERSION")));
        if let Some(proxy) = proxy {
            let proxy = Proxy::https(proxy).map_err(|error| {
                let text = chain(&error.without_url());
                TransportError::new(TransportErrorKind::Connect, text)
            })?;
            builder =
                builder.proxy(proxy.no_proxy(NoProxy::from_string("localhost,127.0.0.1,::1")));
        }
        Ok(Self {
            client: builder.build().map_err(tls)?,
        })
    }
}

impl Transport for ReqwestTransport {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let request =
                ::reqwest::Request::try_from(request.map(::reqwest::Body::from)).map_err(failed)?;
            let response = self.client.execute(request).await.map_err(failed)?;
            let mut answer = http::Response::builder().status(response.status());
            if let Some(headers) = answer.headers_mut() {
                headers.clone_from(response.headers());
            }
            let body = response.bytes().await.map_err(broke_off)?;
            answer
                .body(body)
                .map_err(|error| TransportError::new(TransportErrorKind::Body, error.to_string()))
        })
    }
}

fn failed(error: ::reqwest::Error) -> TransportError {
    let error = error.without_url();
    let text = chain(&error);
    let kind = if error.is_connect() {
        if mentions_tls(&text) {
            TransportErrorKind::Tls
        } else {
            TransportErrorKind::Connect
        }
    } else if error.is_timeout() {
        TransportErrorKind::Timeout
    } else if error.is_builder() {
        TransportErrorKind::Connect
    } else {
        TransportErrorKind::Reset
    };
    TransportError::new(kind, text)
}

fn broke_off(error: ::reqwest::Error) -> TransportError {
    let error = error.without_url();
    let kind = if error.is_timeout() {
        TransportErrorKind::Timeout
    } else {
        TransportErrorKind::Body
    };
    TransportError::new(kind, chain(&error))
}

/// reqwest does not say whether a connect error came from TLS; rustls does, in words.
fn mentions_tls(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["certificate", "tls", "handshake"]
        .iter()
        .any(|word| text.contains(word))
}

/// The error and its causes in one line: reqwest's own text says only that sending failed.
fn chain(error: &::reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        cause = inner.source();
    }
    text
}
