//! The assertion that an app's certificate signs (reference §1.3): a JWT that
//! names the app as issuer and subject and the token endpoint as audience.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde_json::json;

use crate::call::SIGN_IN;
use crate::edge::{Algorithm, ClientCertificate, Entropy};
use crate::error::{Kind, TenantError};
use crate::profile::Profile;

/// How long an assertion may be used: documented are five to ten minutes.
const LIFE: SignedDuration = SignedDuration::from_mins(10);

/// An assertion for one token request.
pub(super) fn signed(
    profile: &Profile,
    certificate: &ClientCertificate,
    algorithm: Algorithm,
    entropy: &dyn Entropy,
    now: Timestamp,
) -> Result<SecretString, TenantError> {
    let header = match algorithm {
        Algorithm::Ps256 => {
            json!({"alg": "PS256", "typ": "JWT", "x5t#S256": certificate.thumbprint_sha256()})
        }
        Algorithm::Rs256 => {
            json!({"alg": "RS256", "typ": "JWT", "x5t": certificate.thumbprint_sha1()})
        }
    };
    let mut id = [0_u8; 16];
    entropy.fill(&mut id);
    let from = now.as_second();
    let payload = json!({
        "aud": super::token_endpoint(profile, &profile.tenant_id),
        "iss": profile.client_id,
        "sub": profile.client_id,
        "jti": URL_SAFE_NO_PAD.encode(id),
        "nbf": from,
        "iat": from,
        "exp": from.saturating_add(LIFE.as_secs()),
    });
    let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let mut jwt = format!("{}.{}", part(&header), part(&payload));
    let signature = certificate.sign(algorithm, jwt.as_bytes()).ok_or_else(|| {
        TenantError::new(
            Kind::BadInput,
            &SIGN_IN,
            &profile.tenant_id,
            "the certificate's key cannot sign",
        )
    })?;
    jwt.push('.');
    jwt.push_str(&URL_SAFE_NO_PAD.encode(signature));
    Ok(jwt.into())
}
