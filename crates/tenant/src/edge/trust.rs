//! Whom a TLS connection trusts: the system's certificate authorities and those
//! of the profile. A refusal says whose certificate it was and what is wrong
//! with it, because that decides what a person has to do.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, SignatureScheme,
};
use rustls_platform_verifier::Verifier;
use x509_parser::parse_x509_certificate;

/// The TLS settings of a client that trusts these certificates besides the system's.
pub(super) fn config(extra: Vec<CertificateDer<'static>>) -> Result<ClientConfig, Error> {
    // The provider is a setting of the process. If another is installed
    // already, that one serves.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let provider = CryptoProvider::get_default()
        .cloned()
        .unwrap_or_else(|| Arc::new(rustls::crypto::ring::default_provider()));
    let inner = Verifier::new_with_extra_roots(extra, Arc::clone(&provider))?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Explaining(inner)))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// The platform's verifier, which decides; a refusal gets words.
#[derive(Debug)]
struct Explaining(Verifier);

/// Why a server's certificate is not trusted.
#[derive(Debug)]
pub(super) struct Untrusted {
    host: String,
    issuer: String,
    validity: Option<(Timestamp, Timestamp)>,
    error: Error,
}

impl ServerCertVerifier for Explaining {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.0
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            .map_err(|error| {
                let untrusted = Untrusted::new(end_entity, server_name, error);
                Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(untrusted))))
            })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

impl Untrusted {
    fn new(certificate: &CertificateDer<'_>, server: &ServerName<'_>, error: Error) -> Self {
        let read = parse_x509_certificate(certificate).ok();
        let time = |seconds| Timestamp::from_second(seconds).ok();
        Self {
            host: server.to_str().into_owned(),
            issuer: read
                .as_ref()
                .map(|(_, read)| read.issuer().to_string())
                .unwrap_or_default(),
            validity: read.and_then(|(_, read)| {
                let validity = read.validity();
                let from = time(validity.not_before.timestamp())?;
                Some((from, time(validity.not_after.timestamp())?))
            }),
            error,
        }
    }
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Error::InvalidCertificate(error) = &self.error else {
            return write!(
                f,
                "the certificate of {} is not accepted: {}",
                self.host, self.error
            );
        };
        write!(f, "the certificate of {}", self.host)?;
        if !self.issuer.is_empty() {
            write!(f, ", issued by `{}`,", self.issuer)?;
        }
        match (error, self.validity) {
            (
                CertificateError::Expired | CertificateError::ExpiredContext { .. },
                Some((_, end)),
            ) => {
                write!(f, " has expired at {end} by this machine's clock")
            }
            (
                CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. },
                Some((start, _)),
            ) => write!(
                f,
                " is not valid before {start}: is this machine's clock right?"
            ),
            (
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
                _,
            ) => f.write_str(" is for another name"),
            // The second is an authority of the same name with another key.
            (CertificateError::UnknownIssuer | CertificateError::BadSignature, _) => {
                f.write_str(" comes from no authority that is trusted here")
            }
            (error, _) => write!(f, " is not accepted: {error}"),
        }
    }
}

impl std::error::Error for Untrusted {}
