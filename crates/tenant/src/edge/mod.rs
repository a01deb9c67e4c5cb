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
pub mod reqwest;
mod system;
mod waits;

pub use self::certificate::{Algorithm, CertificateError, ClientCertificate};
pub use self::means::{Browser, Files, Keyring, KeyringError, Loopback, Means, Programs, Ran};
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
    /// No connection: name not found, refused, no route. Nothing was sent.
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

impl fmt::Display for TransportErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "no connection",
            Self::Tls => "no secure connection",
            Self::Timeout => "no answer in time",
            Self::Reset => "the connection was cut",
            Self::Body => "the answer broke off",
        })
    }
}
