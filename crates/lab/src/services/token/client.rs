//! Who asks at the token endpoint, and how it proves itself: a secret, an
//! assertion signed with a registered certificate, a token of a federated
//! issuer, or nothing (reference §1.3).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::Value;

use super::refused::{Refused, out_of_time, refused};
use super::{Form, base_of};
use crate::services::Ask;
use crate::unconfirmed::RS256_WITH_SHA256;
use crate::world::World;
use crate::world::registration::{Algorithm, AppRegistration, RegisteredCertificate};

/// The only kind of assertion there is.
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A client that is known here.
#[derive(Clone, Debug)]
pub(super) struct Client {
    /// Its id, in lower case.
    pub(super) id: String,
    /// It proved itself.
    pub(super) proven: bool,
}

/// The client of a request; what it sends as a proof must be right, and must be
/// there when `proof_needed`.
pub(super) fn client(ask: &Ask<'_>, form: &Form, proof_needed: bool) -> Result<Client, Refused> {
    let world = &*ask.world;
    let id = client_id(form).ok_or(refused(900_144))?;
    let registration = world.registrations.get(&id);
    if registration.is_none() && world.principal_of_app(&id).is_none() {
        return Err(refused(700_016));
    }
    let proven = match (form.get("client_secret"), form.get("client_assertion")) {
        (None, None) if proof_needed => return Err(refused(7_000_218)),
        (None, None) => false,
        (secret, assertion) => {
            let registration = registration
                .filter(|app| app.confidential())
                .ok_or(refused(700_025))?;
            if let Some(assertion) = assertion {
                if form.get("client_assertion_type").map(String::as_str) != Some(ASSERTION_TYPE) {
                    return Err(refused(900_144));
                }
                check_assertion(ask, &id, registration, assertion)?;
            } else if let Some(secret) = secret
                && registration.secret != Some(AppRegistration::digest(secret))
            {
                return Err(refused(7_000_215));
            }
            true
        }
    };
    if world
        .principal_of_app(&id)
        .is_some_and(|principal| !principal.enabled)
    {
        return Err(refused(7_000_112));
    }
    Ok(Client { id, proven })
}

/// The id in the form, or the issuer of the assertion.
pub(super) fn client_id(form: &Form) -> Option<String> {
    form.get("client_id").map(|id| id.to_lowercase())
}

/// A JWT in its parts.
struct Jwt<'a> {
    head: Value,
    claims: Value,
    signed: &'a [u8],
    signature: Vec<u8>,
}

impl<'a> Jwt<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (head, claims) = signed.split_once('.')?;
        let part = |part: &str| {
            let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
            serde_json::from_slice::<Value>(&bytes).ok()
        };
        Some(Self {
            head: part(head)?,
            claims: part(claims)?,
            signed: signed.as_bytes(),
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
        })
    }

    fn text(&self, claim: &str) -> &str {
        self.claims[claim].as_str().unwrap_or_default()
    }

    fn algorithm(&self) -> Option<Algorithm> {
        match self.head["alg"].as_str() {
            Some("PS256") => Some(Algorithm::Ps256),
            Some("RS256") => Some(Algorithm::Rs256),
            _ => None,
        }
    }

    /// Whether `now` is between the times that it names, give or take five
    /// minutes.
    fn in_time(&self, now: Timestamp) -> bool {
        const SKEW: i64 = 300;
        // A NumericDate may have a fraction (RFC 7519 §2); Microsoft's library for Python
        // dates its assertions so.
        let time = |claim: &str| {
            let date = &self.claims[claim];
            date.as_i64()
                .or_else(|| Some(date.as_f64()?.floor() as i64))
        };
        let now = now.as_second();
        time("exp").is_some_and(|exp| now < exp + SKEW)
            && time("nbf").is_none_or(|nbf| nbf - SKEW <= now)
    }
}

fn check_assertion(
    ask: &Ask<'_>,
    id: &str,
    registration: &AppRegistration,
    assertion: &str,
) -> Result<(), Refused> {
    let jwt = Jwt::read(assertion).ok_or(refused(50_027))?;
    let algorithm = jwt.algorithm().ok_or(refused(50_027))?;
    if jwt.text("iss").eq_ignore_ascii_case(id) {
        by_certificate(ask, id, registration, &jwt, algorithm)
    } else if registration.federated.is_empty() {
        Err(refused(700_021))
    } else {
        by_federation(ask.world, registration, &jwt, algorithm, ask.now)
    }
}

/// `iss` and `sub` are the client, `aud` is the token endpoint, and the header
/// names the certificate: PS256 with `x5t#S256`, or the older RS256 with `x5t`.
fn by_certificate(
    ask: &Ask<'_>,
    id: &str,
    registration: &AppRegistration,
    jwt: &Jwt<'_>,
    algorithm: Algorithm,
) -> Result<(), Refused> {
    let thumb = |name: &str| {
        jwt.head[name]
            .as_str()
            // Microsoft's library for Python writes it padded.
            .and_then(|text| URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok())
    };
    let (new, old) = (thumb("x5t#S256"), thumb("x5t"));
    let certificate = registration
        .certificates
        .iter()
        .find(|held| match (&new, &old) {
            (Some(new), _) => *new == held.sha256,
            (None, Some(old)) => *old == held.sha1,
            (None, None) => false,
        })
        .ok_or(refused(700_027))?;
    // Sources disagree on the mixture of the two forms.
    let mixed = algorithm == Algorithm::Rs256 && new.is_some();
    let mixture_refused = ask.world.unconfirmed.variant(&RS256_WITH_SHA256) == "refused";
    if (mixed && mixture_refused)
        || !in_life(certificate, ask.now)
        || !certificate
            .key
            .verifies(algorithm, jwt.signed, &jwt.signature)
    {
        return Err(refused(700_027));
    }
    if !jwt.text("sub").eq_ignore_ascii_case(id) {
        return Err(refused(700_021));
    }
    if !is_token_endpoint(ask, jwt.text("aud")) {
        return Err(refused(700_023));
    }
    if jwt.in_time(ask.now) {
        Ok(())
    } else {
        Err(out_of_time(ask.world))
    }
}

fn in_life(certificate: &RegisteredCertificate, now: Timestamp) -> bool {
    certificate.not_before <= now && now <= certificate.not_after
}

/// Whether an audience is the token endpoint of this tenant, at Microsoft's
/// address or at this server's.
fn is_token_endpoint(ask: &Ask<'_>, audience: &str) -> bool {
    let bases = [
        String::from("https://login.microsoftonline.com"),
        base_of(ask),
    ];
    let Some(rest) = bases
        .iter()
        .find_map(|base| audience.strip_prefix(base.as_str()))
    else {
        return false;
    };
    let words: Vec<&str> = rest.trim_matches('/').split('/').collect();
    let (tenant, rest) = words.split_first().unwrap_or((&"", &[]));
    super::names_tenant(ask.world, tenant)
        && matches!(
            rest,
            ["oauth2", "v2.0", "token"] | ["v2.0"] | ["oauth2", "token"]
        )
}

/// Issuer, subject and audience of a token from outside must be those of one
/// credential, and its signature the issuer's.
fn by_federation(
    world: &World,
    registration: &AppRegistration,
    jwt: &Jwt<'_>,
    algorithm: Algorithm,
    now: Timestamp,
) -> Result<(), Refused> {
    let audiences = |jwt: &Jwt<'_>, wanted: &str| match &jwt.claims["aud"] {
        Value::Array(list) => list.iter().any(|one| one == wanted),
        one => one == wanted,
    };
    let credential = registration
        .federated
        .iter()
        .find(|held| {
            held.issuer == jwt.text("iss")
                && held.subject == jwt.text("sub")
                && audiences(jwt, &held.audience)
        })
        .ok_or(refused(70_021))?;
    if !credential
        .key
        .verifies(algorithm, jwt.signed, &jwt.signature)
    {
        return Err(refused(50_013));
    }
    if jwt.in_time(now) {
        Ok(())
    } else {
        Err(out_of_time(world))
    }
}
