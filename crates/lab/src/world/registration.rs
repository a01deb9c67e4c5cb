//! App registrations: what a client may prove itself with, and where answers
//! may be sent (reference §1.3, §5).

use std::collections::BTreeMap;

use jiff::Timestamp;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
use sha2::{Digest as _, Sha256};
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// An app that may ask the token endpoint.
#[derive(Clone, Debug, Default)]
pub(crate) struct AppRegistration {
    /// Client id.
    #[allow(dead_code, reason = "kept for whoever looks at the state")]
    pub(crate) app_id: String,
    /// SHA-256 of the client secret; `None` where there is none.
    pub(crate) secret: Option<[u8; 32]>,
    /// Certificates whose keys may sign a client assertion.
    pub(crate) certificates: Vec<RegisteredCertificate>,
    /// Outside issuers whose tokens stand for the app.
    pub(crate) federated: Vec<FederatedCredential>,
    /// Where a code may be sent to.
    pub(crate) redirect_uris: Vec<String>,
    /// Application permissions (app roles) that were consented, by resource
    /// app id: `("00000003-…", "User.Read.All")`.
    pub(crate) app_roles: Vec<(String, String)>,
    /// Whether the flows of public clients are allowed: without a credential
    /// the app acts for users only.
    pub(crate) public_client: bool,
}

impl AppRegistration {
    /// The digest under which a secret is kept.
    pub(crate) fn digest(secret: &str) -> [u8; 32] {
        Sha256::digest(secret.as_bytes()).into()
    }

    /// Whether it has anything to prove itself with.
    pub(crate) fn confidential(&self) -> bool {
        self.secret.is_some() || !self.certificates.is_empty() || !self.federated.is_empty()
    }

    /// Whether a code may be sent to this address. On the loopback the port
    /// counts for nothing, the path for everything; `[::1]` is not known.
    pub(crate) fn may_redirect_to(&self, address: &str) -> bool {
        let Ok(wanted) = url::Url::parse(address) else {
            return false;
        };
        self.redirect_uris.iter().any(|registered| {
            let Ok(held) = url::Url::parse(registered) else {
                return false;
            };
            let loopback = held.scheme() == "http"
                && matches!(held.host_str(), Some("localhost" | "127.0.0.1"));
            held.scheme() == wanted.scheme()
                && held.host_str() == wanted.host_str()
                && (loopback || held.port_or_known_default() == wanted.port_or_known_default())
                && held.path() == wanted.path()
        })
    }
}

/// How an assertion was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
}

/// The public half of an RSA key, as `RSAPublicKey` in DER.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublicKey(pub(crate) Vec<u8>);

impl PublicKey {
    /// Whether the signature over `message` is this key's.
    pub(crate) fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        match algorithm {
            Algorithm::Ps256 => UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, &self.0)
                .verify(message, signature)
                .is_ok(),
            Algorithm::Rs256 => UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.0)
                .verify(message, signature)
                .is_ok(),
        }
    }
}

/// A certificate that an administrator uploaded.
#[derive(Clone, Debug)]
pub(crate) struct RegisteredCertificate {
    /// SHA-1 over its DER, the older `x5t`.
    pub(crate) sha1: Vec<u8>,
    /// SHA-256 over its DER, `x5t#S256`.
    pub(crate) sha256: Vec<u8>,
    /// Its key.
    pub(crate) key: PublicKey,
    /// First moment of its life.
    pub(crate) not_before: Timestamp,
    /// Last moment of its life.
    pub(crate) not_after: Timestamp,
}

impl RegisteredCertificate {
    /// The certificate in these bytes; `None` when they are none.
    pub(crate) fn read(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let life = certificate.validity();
        Some(Self {
            sha1: digest(&SHA1_FOR_LEGACY_USE_ONLY, der).as_ref().to_vec(),
            sha256: Sha256::digest(der).to_vec(),
            key: PublicKey(
                certificate
                    .public_key()
                    .subject_public_key
                    .data
                    .clone()
                    .into_owned(),
            ),
            not_before: Timestamp::from_second(life.not_before.timestamp()).ok()?,
            not_after: Timestamp::from_second(life.not_after.timestamp()).ok()?,
        })
    }
}

/// A federated credential: tokens of this issuer about this subject stand for
/// the app.
#[derive(Clone, Debug)]
pub(crate) struct FederatedCredential {
    pub(crate) issuer: String,
    pub(crate) subject: String,
    pub(crate) audience: String,
    /// The issuer's key; the service would fetch it from the issuer's own
    /// discovery document.
    pub(crate) key: PublicKey,
}

/// Registrations by client id in lower case.
pub(crate) type Registrations = BTreeMap<String, AppRegistration>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loopback_address_is_matched_without_its_port_and_with_its_path() {
        // reference §1.3
        let app = AppRegistration {
            redirect_uris: vec!["http://localhost".into(), "https://app.example/done".into()],
            ..AppRegistration::default()
        };
        for (address, right) in [
            ("http://localhost", true),
            ("http://localhost:51234", true),
            ("http://localhost:51234/", true),
            ("http://localhost:51234/done", false),
            ("https://localhost:51234/", false),
            ("http://127.0.0.1:51234/", false),
            ("http://[::1]:51234/", false),
            ("https://app.example/done", true),
            ("https://app.example/Done", false),
            ("https://app.example:8443/done", false),
            ("not an address", false),
        ] {
            assert_eq!(app.may_redirect_to(address), right, "{address}");
        }
    }
}
