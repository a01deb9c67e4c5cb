//! An app's certificate with its private key.
//!
//! It stands at the edge because signing takes random bytes of the operating
//! system (the salt of RSA-PSS), which `ring` takes from nobody else.

use std::fmt::{self, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair};
use rustls::pki_types::pem::{PemObject as _, SectionKind};
use secrecy::{ExposeSecret as _, SecretString};
use x509_parser::parse_x509_certificate;
use zeroize::Zeroizing;

/// A certificate and its RSA private key. [`fmt::Debug`] shows the thumbprint only.
pub struct ClientCertificate {
    der: Vec<u8>,
    key: RsaKeyPair,
    not_before: Timestamp,
    not_after: Timestamp,
}

/// How an assertion is signed, by its name in the header of a JWT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// RSA-PSS with SHA-256, which Microsoft documents.
    Ps256,
    /// RSA PKCS#1 v1.5 with SHA-256, the older form.
    Rs256,
}

/// Why a file cannot serve as an app's certificate. Its text holds nothing of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// Not PEM at all.
    #[error("it is not a PEM file")]
    NotPem,
    /// No certificate section.
    #[error("it holds no certificate")]
    NoCertificate,
    /// The certificate section is no certificate.
    #[error("its certificate cannot be read")]
    BadCertificate,
    /// No key section.
    #[error("it holds no private key")]
    NoKey,
    /// A key behind a password.
    #[error("its private key is encrypted with a password")]
    EncryptedKey,
    /// Not RSA, too short, or damaged.
    #[error("its private key is no RSA key of 2048 bits or more")]
    BadKey,
    /// Two that do not belong together.
    #[error("its private key belongs to another certificate")]
    KeyMismatch,
}

impl CertificateError {
    /// What to do next.
    pub const fn hint(self) -> &'static str {
        match self {
            Self::EncryptedKey => {
                "Write the key without a password into a file that only you can read: `openssl pkcs8 -in KEY -out PLAIN.pem`."
            }
            Self::BadKey => {
                "The token service takes RSA keys only. Make a new certificate with an RSA key and upload it to the app registration."
            }
            _ => {
                "The file needs the app's certificate and its private key (PKCS#8), one after the other, both as PEM."
            }
        }
    }
}

impl ClientCertificate {
    /// Reads the first certificate and the first private key of a PEM text
    /// (PKCS#8 or PKCS#1) and checks that they belong together.
    pub fn from_pem(pem: &SecretString) -> Result<Self, CertificateError> {
        let mut certificate = None;
        let mut key = None;
        for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(pem.expose_secret().as_bytes()) {
            let (kind, der) = section.map_err(|_| CertificateError::NotPem)?;
            match kind {
                SectionKind::Certificate => {
                    certificate.get_or_insert(der);
                }
                SectionKind::PrivateKey | SectionKind::RsaPrivateKey => {
                    key.get_or_insert((kind, Zeroizing::new(der)));
                }
                SectionKind::EcPrivateKey => return Err(CertificateError::BadKey),
                _ => {}
            }
        }
        let Some((kind, key)) = key else {
            let encrypted = pem.expose_secret().contains("BEGIN ENCRYPTED PRIVATE KEY");
            return Err(match (&certificate, encrypted) {
                (_, true) => CertificateError::EncryptedKey,
                (Some(_), _) => CertificateError::NoKey,
                (None, _) => CertificateError::NotPem,
            });
        };
        let der = certificate.ok_or(CertificateError::NoCertificate)?;
        let key = if kind == SectionKind::PrivateKey {
            RsaKeyPair::from_pkcs8(&key)
        } else {
            RsaKeyPair::from_der(&key)
        }
        .map_err(|_| CertificateError::BadKey)?;
        let (not_before, not_after) = {
            let (_, read) =
                parse_x509_certificate(&der).map_err(|_| CertificateError::BadCertificate)?;
            if read.public_key().subject_public_key.data.as_ref() != key.public().as_ref() {
                return Err(CertificateError::KeyMismatch);
            }
            let validity = read.validity();
            let time = |seconds| {
                Timestamp::from_second(seconds).map_err(|_| CertificateError::BadCertificate)
            };
            (
                time(validity.not_before.timestamp())?,
                time(validity.not_after.timestamp())?,
            )
        };
        Ok(Self {
            der,
            key,
            not_before,
            not_after,
        })
    }

    /// SHA-256 over the certificate's DER, base64url: `x5t#S256`.
    pub fn thumbprint_sha256(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest(&SHA256, &self.der))
    }

    /// SHA-1 over the certificate's DER, base64url: `x5t`.
    pub fn thumbprint_sha1(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &self.der))
    }

    /// The thumbprint as the Entra portal shows it: SHA-1 in capital hex.
    pub fn thumbprint_shown(&self) -> String {
        let bytes = digest(&SHA1_FOR_LEGACY_USE_ONLY, &self.der);
        bytes.as_ref().iter().fold(String::new(), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02X}");
            text
        })
    }

    /// From when until when it is valid.
    pub const fn validity(&self) -> (Timestamp, Timestamp) {
        (self.not_before, self.not_after)
    }

    /// The signature over `message`; `None` if the system has no random bytes to give.
    pub fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Option<Vec<u8>> {
        let mut signature = vec![0; self.key.public().modulus_len()];
        let padding: &'static dyn ring::signature::RsaEncoding = match algorithm {
            Algorithm::Ps256 => &RSA_PSS_SHA256,
            Algorithm::Rs256 => &RSA_PKCS1_SHA256,
        };
        self.key
            .sign(padding, &SystemRandom::new(), message, &mut signature)
            .ok()?;
        Some(signature)
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCertificate")
            .field("thumbprint", &self.thumbprint_shown())
            .finish_non_exhaustive()
    }
}
