//! The edge over real sockets: reqwest with rustls and the ring provider.

use std::error::Error;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, NoProxy, Proxy};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::trust::{self, Untrusted};
use super::{BoxFuture, ProxyRoute, Transport, TransportError, TransportErrorKind};

/// How long a connection may take to be made, handshake included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The same on the way to this machine's own identity service.
const METADATA_TIMEOUT: Duration = Duration::from_secs(3);

/// A [`Transport`] over TCP and TLS. Must be polled inside a tokio runtime.
///
/// It trusts the system's certificate authorities, and one more if told so.
/// It follows no redirects and decodes no content encoding (reqwest is built
/// without either decoder), because Exchange labels bodies gzip that are not
/// (reference §0.14). It uses a proxy only if it is told which.
#[derive(Debug, Clone)]
pub struct ReqwestTransport {
    client: Client,
    /// The proxy as it may be shown.
    proxy: Option<String>,
}

impl ReqwestTransport {
    /// A transport that trusts the certificates of `ca_pem` besides the system's.
    ///
    /// Fails with [`TransportErrorKind::Tls`] if `ca_pem` is not a list of PEM certificates, or
    /// if there is no certificate authority to trust at all.
    pub fn new(ca_pem: Option<&str>) -> Result<Self, TransportError> {
        Self::through(None, ca_pem)
    }

    /// As [`ReqwestTransport::new`], through a proxy.
    pub fn through(
        proxy: Option<&ProxyRoute>,
        ca_pem: Option<&str>,
    ) -> Result<Self, TransportError> {
        let extra = ca_pem.map(certificates).transpose()?.unwrap_or_default();
        let tls = trust::config(extra)
            .map_err(|error| TransportError::new(TransportErrorKind::Tls, error.to_string()))?;
        let mut builder = Client::builder()
            .https_only(true)
            .connect_timeout(CONNECT_TIMEOUT)
            .tls_backend_preconfigured(tls);
        if let Some(proxy) = proxy {
            let except = NoProxy::from_string(&proxy.exceptions());
            let through = Proxy::https(proxy.address()).map_err(|error| {
                TransportError::new(TransportErrorKind::Proxy, words(&error.without_url()))
            })?;
            builder = builder.proxy(through.no_proxy(except));
        }
        Self::build(builder, proxy.map(ProxyRoute::shown))
    }

    /// The way to this machine's own identity service in Azure: plain HTTP,
    /// and never through a proxy (reference §1.3).
    pub fn metadata() -> Result<Self, TransportError> {
        let builder =
            Client::builder()
                .connect_timeout(METADATA_TIMEOUT)
                .tls_backend_preconfigured(trust::config(Vec::new()).map_err(|error| {
                    TransportError::new(TransportErrorKind::Tls, error.to_string())
                })?)
                .no_proxy();
        Self::build(builder, None)
    }

    fn build(builder: ClientBuilder, proxy: Option<String>) -> Result<Self, TransportError> {
        let builder = if proxy.is_some() {
            builder
        } else {
            builder.no_proxy()
        };
        let client = builder
            .redirect(Policy::none())
            .user_agent(concat!("retake/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| {
                TransportError::new(TransportErrorKind::Tls, words(&error.without_url()))
            })?;
        Ok(Self { client, proxy })
    }
}

/// The certificates of a PEM text, at least one.
fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, TransportError> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .unwrap_or_default();
    if found.is_empty() {
        return Err(TransportError::new(
            TransportErrorKind::Tls,
            "the file of certificate authorities holds no certificate",
        ));
    }
    Ok(found)
}

impl Transport for ReqwestTransport {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let host = request.uri().host().unwrap_or_default().to_owned();
            let failed = |error| failed(error, &host, self.proxy.as_deref());
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

fn failed(error: ::reqwest::Error, host: &str, proxy: Option<&str>) -> TransportError {
    let error = error.without_url();
    let text = words(&error);
    let kind = if error.is_timeout() && !error.is_connect() {
        TransportErrorKind::Timeout
    } else if error.is_connect() {
        connecting(&error)
    } else if error.is_builder() {
        TransportErrorKind::Connect
    } else {
        TransportErrorKind::Reset
    };
    let text = match (kind, proxy) {
        (TransportErrorKind::Proxy, Some(proxy)) => format!("{proxy} for {host}: {text}"),
        (TransportErrorKind::Name | TransportErrorKind::Route | TransportErrorKind::Connect, _) => {
            format!("{host}: {text}")
        }
        _ => text,
    };
    TransportError::new(kind, text)
}

/// Which stage of connecting it was. reqwest does not say it; the causes below do.
fn connecting(error: &(dyn Error + 'static)) -> TransportErrorKind {
    let mut kind = TransportErrorKind::Connect;
    for cause in causes(error) {
        let text = cause.to_string();
        if text.starts_with("tunnel error") {
            return TransportErrorKind::Proxy;
        }
        if cause.is::<rustls::Error>() {
            return TransportErrorKind::Tls;
        }
        if text.starts_with("dns error") {
            kind = TransportErrorKind::Name;
        }
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            match io.kind() {
                io::ErrorKind::NetworkUnreachable
                | io::ErrorKind::HostUnreachable
                | io::ErrorKind::AddrNotAvailable
                | io::ErrorKind::NetworkDown => return TransportErrorKind::Route,
                _ => {}
            }
        }
    }
    kind
}

/// The error and everything below it. An I/O error keeps what it is made of to itself.
fn causes<'e>(error: &'e (dyn Error + 'static)) -> Vec<&'e (dyn Error + 'static)> {
    let mut found = vec![error];
    let mut next = Some(error);
    while let Some(error) = next {
        let inner: Option<&(dyn Error + 'static)> = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
            .map(|inner| -> &(dyn Error + 'static) { inner });
        next = inner.or_else(|| error.source());
        found.extend(next);
    }
    found
}

/// What the lowest layer that knows has to say: reqwest's own text says only
/// that sending failed.
fn words(error: &::reqwest::Error) -> String {
    let all = causes(error);
    for cause in &all {
        if let Some(rustls::Error::InvalidCertificate(rustls::CertificateError::Other(other))) =
            cause.downcast_ref::<rustls::Error>()
            && let Some(untrusted) = other.0.downcast_ref::<Untrusted>()
        {
            return untrusted.to_string();
        }
    }
    let mut text = String::new();
    for cause in all {
        let said = cause.to_string();
        // The upper layers say only that they have layers below.
        let empty = said.starts_with("error sending request") || said.starts_with("client error (");
        if !empty && !text.contains(&said) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&said);
        }
    }
    if text.is_empty() {
        error.to_string()
    } else {
        text
    }
}

fn broke_off(error: ::reqwest::Error) -> TransportError {
    let error = error.without_url();
    let kind = if error.is_timeout() {
        TransportErrorKind::Timeout
    } else {
        TransportErrorKind::Body
    };
    TransportError::new(kind, words(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Layer(&'static str, #[source] io::Error);

    #[test]
    fn a_network_that_leads_nowhere_is_told_from_a_name_and_a_refusal() {
        // What an IPv6-only machine meets at an IPv4 address, and the other way round.
        for (io, kind) in [
            (io::ErrorKind::NetworkUnreachable, TransportErrorKind::Route),
            (io::ErrorKind::HostUnreachable, TransportErrorKind::Route),
            (io::ErrorKind::AddrNotAvailable, TransportErrorKind::Route),
            (
                io::ErrorKind::ConnectionRefused,
                TransportErrorKind::Connect,
            ),
        ] {
            let error = Layer("tcp connect error", io.into());
            assert_eq!(connecting(&error), kind);
            let error = Layer("client error (Connect)", io::Error::other(error));
            assert_eq!(connecting(&error), kind, "one layer more");
        }
        let error = Layer(
            "dns error",
            io::Error::other("failed to lookup address information"),
        );
        assert_eq!(connecting(&error), TransportErrorKind::Name);
        let error = Layer(
            "tunnel error: failed to create underlying connection",
            io::ErrorKind::NetworkUnreachable.into(),
        );
        assert_eq!(connecting(&error), TransportErrorKind::Proxy);
    }
}
