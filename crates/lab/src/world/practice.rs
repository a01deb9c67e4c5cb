//! Keys to practise with: the certificate of the responder's app, and the
//! outside issuer whose tokens stand for it.
//!
//! There is one key for all labs, as no cryptography below makes RSA keys from
//! a seed; the certificate around it is each lab's own.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use rcgen::{CertificateParams, DnType, KeyPair, SerialNumber, date_time_ymd};
use ring::rand::SystemRandom;
use ring::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};

use super::registration::PublicKey;
use crate::chance::Chance;

/// PKCS#8 in PEM.
const KEY: &str = include_str!("practice-key.pem");

/// The audience of a token that is exchanged for one of Entra's.
pub(crate) const EXCHANGE_AUDIENCE: &str = "api://AzureADTokenExchange";

/// A certificate and its key.
#[derive(Clone, Debug)]
pub(crate) struct Practice {
    /// The certificate.
    pub(crate) der: Vec<u8>,
    /// Certificate and private key, as a client wants them in one file.
    pub(crate) pem: String,
}

impl Practice {
    /// The certificate of a lab: the same for the same seed.
    pub(crate) fn of(chance: Chance) -> Option<Self> {
        let key = KeyPair::from_pem(KEY).ok()?;
        let mut params = CertificateParams::new(Vec::new()).ok()?;
        params
            .distinguished_name
            .push(DnType::CommonName, "Incident response, to practise with");
        params.serial_number = Some(SerialNumber::from_slice(
            &chance.draw("responder", "certificate", 0).bytes()[..8],
        ));
        params.not_before = date_time_ymd(2026, 1, 1);
        params.not_after = date_time_ymd(2029, 1, 1);
        let certificate = params.self_signed(&key).ok()?;
        Some(Self {
            der: certificate.der().to_vec(),
            pem: format!("{}{}", certificate.pem(), key.serialize_pem()),
        })
    }
}

/// The public half of the practice key.
pub(crate) fn public_key() -> Option<PublicKey> {
    signing_key().map(|key| PublicKey(key.public_key().as_ref().to_vec()))
}

/// A token of the outside issuer, as a platform puts it into a workload's
/// token file: an hour long.
pub(crate) fn outside_token(issuer: &str, subject: &str, now: Timestamp) -> Option<String> {
    sign(&json!({
        "iss": issuer,
        "sub": subject,
        "aud": EXCHANGE_AUDIENCE,
        "iat": now.as_second(),
        "nbf": now.as_second(),
        "exp": now.as_second() + 3600,
    }))
}

/// A JWT signed with RS256.
fn sign(claims: &Value) -> Option<String> {
    let key = signing_key()?;
    let head = URL_SAFE_NO_PAD.encode(r#"{"typ":"JWT","alg":"RS256","kid":"practice"}"#);
    let text = format!("{head}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
    let mut signature = vec![0; key.public().modulus_len()];
    // This padding has no randomness in it: the same claims, the same bytes.
    key.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        text.as_bytes(),
        &mut signature,
    )
    .ok()?;
    Some(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

fn signing_key() -> Option<RsaKeyPair> {
    let key = KeyPair::from_pem(KEY).ok()?;
    RsaKeyPair::from_pkcs8(&key.serialize_der()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::registration::{Algorithm, RegisteredCertificate};

    #[test]
    fn a_seed_has_its_certificate_and_the_key_belongs_to_it() {
        let (one, again, other) = (
            Practice::of(Chance::new(1)).unwrap(),
            Practice::of(Chance::new(1)).unwrap(),
            Practice::of(Chance::new(2)).unwrap(),
        );
        assert_eq!(one.der, again.der);
        assert_ne!(one.der, other.der);
        let read = RegisteredCertificate::read(&one.der).unwrap();
        assert_eq!(read.key, public_key().unwrap());
        assert!(one.pem.contains("BEGIN CERTIFICATE") && one.pem.contains("BEGIN PRIVATE KEY"));
        let token = outside_token("https://i.example", "s", Timestamp::UNIX_EPOCH).unwrap();
        let (text, signature) = token.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        assert!(
            read.key
                .verifies(Algorithm::Rs256, text.as_bytes(), &signature)
        );
        assert!(
            !read
                .key
                .verifies(Algorithm::Ps256, text.as_bytes(), &signature)
        );
        assert!(!read.key.verifies(Algorithm::Rs256, b"another", &signature));
    }
}
