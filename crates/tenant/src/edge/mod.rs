//! The edge: the only things that the client wants from its surroundings.
//!
//! A [`Transport`] carries HTTP, a [`Clock`] tells and waits for the time, an
//! [`Entropy`] gives unpredictable bytes; single ways of signing in want some
//! [`Means`] besides. Client code takes them as arguments and uses nothing of
//! the operating system itself, so that it runs equally on real sockets and in
//! virtual time.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;

mod certificate;
mod means;
mod proxy;
pub mod reqwest;
mod system;
mod trust;
mod waits;

pub use self::certificate::{Algorithm, CertificateError, ClientCertificate};
pub use self::means::{Browser, Files, Keyring, KeyringError, Loopback, Means, Programs, Ran};
pub use self::proxy::ProxyRoute;
pub use self::reqwest::ReqwestTransport;
pub use self::system::{SystemClock, SystemEntropy, SystemFiles};
pub use self::waits::SharedWaits;

/// A future on the heap that may move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Carries one HTTP request to its host and brings the answer back.
///
/// An implementation follows no redirects, decodes no content encoding and
/// repeats nothing: those decisions are the client's.
pub trait Transport: Send + Sync {
    /// Sends the request; its URI is absolute. Any status is an `Ok`.
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>>;
}

/// What time it is, and waiting.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> jiff::Timestamp;

    /// Completes once this much time has passed.
    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()>;
}

/// Unpredictable bytes.
pub trait Entropy: Send + Sync {
    /// Overwrites all of `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

/// Why no complete answer came back.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{kind}: {message}")]
pub struct TransportError {
    /// At which stage it failed, which decides whether the request can have
    /// had an effect.
    pub kind: TransportErrorKind,
    /// What the layer below said, without URL, headers or body.
    pub message: String,
}

impl TransportError {
    /// An error of this kind with these words.
    pub fn new(kind: TransportErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }
}

/// The stage at which a request failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransportErrorKind {
    /// The host's name cannot be resolved. Nothing was sent.
    Name,
    /// No network leads there. Nothing was sent.
    Route,
    /// The proxy is not reached, or lets nothing through. Nothing was sent.
    Proxy,
    /// No connection for another reason, such as a refusal. Nothing was sent.
    Connect,
    /// The TLS handshake failed: certificate, name, version. Nothing was sent.
    Tls,
    /// No answer in time. The request may have been carried out.
    Timeout,
    /// The connection ended before the answer. The request may have been carried out.
    Reset,
    /// The answer's body broke off. The request was carried out or refused; which is unknown.
    Body,
}

impl TransportErrorKind {
    /// Whether the service may have acted on the request although no answer came.
    pub const fn effect_possible(self) -> bool {
        matches!(self, Self::Timeout | Self::Reset | Self::Body)
    }
}

impl TransportErrorKind {
    /// What to do about it, if that is known.
    pub const fn hint(self) -> Option<&'static str> {
        Some(match self {
            Self::Name => {
                "The name could not be looked up: check that this machine is online and its name server answers. \
                 Where only a proxy leads out, set `proxy` in the profile or HTTPS_PROXY."
            }
            Self::Route => {
                "This machine has no network that leads there: it is offline, or has IPv6 only and the service was \
                 found under an IPv4 address (or the other way round). Connect it, use NAT64 with DNS64, or a proxy \
                 that this machine can reach (`proxy` in the profile, or HTTPS_PROXY)."
            }
            Self::Proxy => {
                "Check the proxy: `proxy` in the profile, else HTTPS_PROXY or ALL_PROXY; hosts to reach without it \
                 stand in NO_PROXY. A proxy that wants a name and password gets them from HTTPS_PROXY."
            }
            Self::Tls => {
                "The message says whose certificate it is. If that is your company's own (a proxy that looks into \
                 connections), name its authority with `ca_file` in the profile. If you do not know the issuer, do \
                 not go on from this network. A clock that is wrong by months has the same effect."
            }
            Self::Connect => {
                "The host answers, and takes no connection: a firewall, or a proxy that must be used (`proxy` in the \
                 profile, or HTTPS_PROXY)."
            }
            Self::Timeout | Self::Reset | Self::Body => return None,
        })
    }
}

impl fmt::Display for TransportErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "the name is not known",
            Self::Route => "no network leads there",
            Self::Proxy => "no way through the proxy",
            Self::Connect => "no connection",
            Self::Tls => "no secure connection",
            Self::Timeout => "no answer in time",
            Self::Reset => "the connection was cut",
            Self::Body => "the answer broke off",
        })
    }
}
