//! Ways of signing in (reference §1.1 to §1.4).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::SignedDuration;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::{Seen, Story};

const GRAPH: &str = "https://graph.microsoft.com/.default";
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A client's certificate and key.
pub(super) struct Signer {
    certificate: CertificateDer<'static>,
    key: RsaKeyPair,
}

impl Signer {
    pub(super) fn of(pem: &str) -> Self {
        let key = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).unwrap();
        Self {
            certificate: CertificateDer::from_pem_slice(pem.as_bytes()).unwrap(),
            key: RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()).unwrap(),
        }
    }

    /// `x5t#S256` with PS256, or `x5t` with RS256, or the mixture.
    pub(super) fn sign(&self, form: &str, claims: &Value) -> String {
        let new = URL_SAFE_NO_PAD.encode(Sha256::digest(&self.certificate));
        let old = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, &self.certificate);
        let old = URL_SAFE_NO_PAD.encode(old);
        let head = match form {
            "PS256" => json!({"alg": "PS256", "typ": "JWT", "x5t#S256": new}),
            // As Microsoft's library for Python writes it.
            "padded" => json!({"alg": "RS256", "typ": "JWT", "x5t": format!("{old}=")}),
            "RS256" => json!({"alg": "RS256", "typ": "JWT", "x5t": old}),
            _ => json!({"alg": "RS256", "typ": "JWT", "x5t#S256": new}),
        };
        let text = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(head.to_string()),
            URL_SAFE_NO_PAD.encode(claims.to_string())
        );
        let mut signature = vec![0; self.key.public().modulus_len()];
        let rng = SystemRandom::new();
        if form == "PS256" {
            self.key
                .sign(&RSA_PSS_SHA256, &rng, text.as_bytes(), &mut signature)
                .unwrap();
        } else {
            self.key
                .sign(&RSA_PKCS1_SHA256, &rng, text.as_bytes(), &mut signature)
                .unwrap();
        }
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// What a good assertion says.
pub(super) fn claims(story: &Story) -> Value {
    let briefing = story.lab.briefing();
    let now = story.now.as_second();
    json!({
        "aud": format!("https://login.microsoftonline.com/{}/oauth2/v2.0/token", briefing.tenant_id),
        "iss": briefing.client_id,
        "sub": briefing.client_id,
        "jti": "0f7e3a0c-7c2f-4a38-9a4a-2f3f3b7a1c55",
        "nbf": now,
        "iat": now,
        "exp": now + 600,
    })
}

pub(super) fn with_assertion(story: &mut Story, assertion: &str) -> Seen {
    let id = story.lab.briefing().client_id.clone();
    story.token(
        "token",
        &[
            ("grant_type", "client_credentials"),
            ("client_id", &id),
            ("scope", GRAPH),
            ("client_assertion_type", ASSERTION),
            ("client_assertion", assertion),
        ],
    )
}

fn number(seen: &Seen) -> u64 {
    seen.body["error_codes"][0].as_u64().unwrap_or_default()
}

#[test]
fn a_registered_certificate_signs_in_in_both_forms() {
    // reference §1.3 certificate
    let mut story = Story::new(1);
    let signer = Signer::of(&story.lab.briefing().certificate_pem);
    for form in ["PS256", "RS256"] {
        let assertion = signer.sign(form, &claims(&story));
        let seen = with_assertion(&mut story, &assertion);
        assert_eq!(seen.status, 200, "{form}: {:?}", seen.body);
        let token = seen.body["access_token"].as_str().unwrap().to_owned();
        let user = story.user();
        let read = story.graph_as(&token, "GET", &format!("/v1.0/users/{user}"), None);
        assert_eq!(read.status, 200);
    }
}

#[test]
fn a_thumbprint_may_be_padded_and_a_date_have_a_fraction() {
    // reference §1.3 certificate; RFC 7519 §2. What `msal` for Python sends, and is taken.
    let mut story = Story::new(1);
    let signer = Signer::of(&story.lab.briefing().certificate_pem);
    let mut dated = claims(&story);
    dated["exp"] = json!(dated["exp"].as_i64().unwrap() as f64 + 0.5);
    let seen = with_assertion(&mut story, &signer.sign("padded", &dated));
    assert_eq!(seen.status, 200, "{:?}", seen.body);
    dated["exp"] = json!(story.now.as_second() as f64 - 400.5);
    let seen = with_assertion(&mut story, &signer.sign("padded", &dated));
    assert_eq!(number(&seen), 700_024, "{:?}", seen.body);
}

#[test]
fn an_assertion_must_be_signed_by_the_registered_key() {
    // reference §1.3: AADSTS700027
    let mut story = Story::new(1);
    let signer = Signer::of(&story.lab.briefing().certificate_pem);
    let good = signer.sign("PS256", &claims(&story));
    let (text, signature) = good.rsplit_once('.').unwrap();
    let mut bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    bytes[7] ^= 1;
    let forged = format!("{text}.{}", URL_SAFE_NO_PAD.encode(bytes));
    assert_eq!(number(&with_assertion(&mut story, &forged)), 700_027);
    // Another seed's certificate has the same key and is not registered here.
    let strange = Signer::of(&Story::new(2).lab.briefing().certificate_pem);
    let assertion = strange.sign("PS256", &claims(&story));
    let seen = with_assertion(&mut story, &assertion);
    assert_eq!((seen.status, number(&seen)), (401, 700_027));
    assert_eq!(seen.body["error"], "invalid_client");
    assert!(story.lab.register_certificate(&strange.certificate));
    assert_eq!(with_assertion(&mut story, &assertion).status, 200);
    assert!(!story.lab.register_certificate(b"no certificate"));
}

#[test]
fn a_certificate_past_its_end_signs_nobody_in() {
    // reference §1.3: AADSTS700027
    let mut story = Story::new(1);
    let key = rcgen::KeyPair::from_pem(
        story
            .lab
            .briefing()
            .certificate_pem
            .split_once("-----END CERTIFICATE-----")
            .unwrap()
            .1,
    )
    .unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    let old = params.self_signed(&key).unwrap();
    let signer = Signer::of(&format!("{}{}", old.pem(), key.serialize_pem()));
    assert!(story.lab.register_certificate(old.pem().as_bytes()));
    let assertion = signer.sign("PS256", &claims(&story));
    assert_eq!(number(&with_assertion(&mut story, &assertion)), 700_027);
}

#[test]
fn what_an_assertion_says_must_be_true() {
    // reference §1.3: aud is the token endpoint, iss = sub = client id, between
    // nbf and exp
    let mut story = Story::new(1);
    let signer = Signer::of(&story.lab.briefing().certificate_pem);
    let now = story.now.as_second();
    for (claim, value, code) in [
        (
            "aud",
            json!("https://login.microsoftonline.com/common/oauth2/v2.0/token"),
            700_023,
        ),
        ("aud", json!("https://graph.microsoft.com"), 700_023),
        (
            "sub",
            json!("00000000-1111-2222-3333-444444444444"),
            700_021,
        ),
        ("exp", json!(now - 3600), 700_024),
        ("nbf", json!(now + 3600), 700_024),
    ] {
        let mut claims = claims(&story);
        claims[claim] = value;
        let assertion = signer.sign("PS256", &claims);
        let seen = with_assertion(&mut story, &assertion);
        assert_eq!(number(&seen), code, "{claim}: {:?}", seen.body);
    }
    assert_eq!(number(&with_assertion(&mut story, "no.jwt")), 50_027);
    // Five minutes of skew are let through, and ten minutes are not.
    for (skew, status) in [(240, 200), (600, 401)] {
        let mut claims = claims(&story);
        claims["nbf"] = json!(story.now.as_second() + skew);
        claims["exp"] = json!(story.now.as_second() + skew + 600);
        let assertion = signer.sign("PS256", &claims);
        assert_eq!(
            with_assertion(&mut story, &assertion).status,
            status,
            "{skew}"
        );
    }
}

#[test]
fn a_token_of_a_federated_issuer_stands_for_the_app() {
    // reference §1.3: workload identity
    let mut story = Story::new(1);
    let token = story.lab.workload_token(story.now).unwrap();
    assert_eq!(with_assertion(&mut story, &token).status, 200);
    // Of another subject, or past its end.
    let strange = Story::new(2).lab.workload_token(story.now).unwrap();
    assert_eq!(number(&with_assertion(&mut story, &strange)), 70_021);
    story.wait(SignedDuration::from_hours(2));
    assert_eq!(number(&with_assertion(&mut story, &token)), 700_024);
}

#[test]
fn a_secret_may_come_in_the_basic_header_and_must_be_right() {
    // reference §1.3 client secret
    let mut story = Story::new(1);
    let (id, secret, tenant) = {
        let briefing = story.lab.briefing();
        (
            briefing.client_id.clone(),
            briefing.client_secret.clone(),
            briefing.tenant_id.clone(),
        )
    };
    for (secret, status) in [(secret.as_str(), 200), ("wrong", 401)] {
        let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let header = format!("Basic {}", STANDARD.encode(format!("{id}:{encoded}")));
        let request = http::Request::post(format!(
            "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"
        ))
        .header("authorization", header)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(bytes::Bytes::from(crate::support::form(&[
            ("grant_type", "client_credentials"),
            ("scope", GRAPH),
        ])))
        .unwrap();
        assert_eq!(story.send(request).status, status);
    }
}

#[test]
fn an_app_signs_in_to_a_real_tenant_only_and_a_user_also_through_organizations() {
    // reference §1.3: the tenant must be a real tenant
    let mut story = Story::new(1);
    let (id, secret) = {
        let briefing = story.lab.briefing();
        (briefing.client_id.clone(), briefing.client_secret.clone())
    };
    for tenant in ["common", "organizations"] {
        let seen = story.form_to(
            &format!("{tenant}/oauth2/v2.0/token"),
            &[
                ("grant_type", "client_credentials"),
                ("client_id", &id),
                ("client_secret", &secret),
                ("scope", GRAPH),
            ],
        );
        assert_eq!((seen.status, number(&seen)), (400, 50_059), "{tenant}");
        let seen = story.form_to(
            &format!("{tenant}/oauth2/v2.0/devicecode"),
            &[("client_id", &id), ("scope", GRAPH)],
        );
        assert_eq!(seen.status, 200);
    }
    let nobody = "aaaaaaaa-0000-4000-8000-000000000000";
    let seen = story.form_to(
        &format!("{nobody}/oauth2/v2.0/devicecode"),
        &[("client_id", &id), ("scope", GRAPH)],
    );
    assert_eq!(number(&seen), 90_002);
}

#[test]
fn a_client_finds_every_endpoint_by_discovery() {
    // reference §1.1, §1.3
    let mut story = Story::new(1);
    let base = "https://login.microsoftonline.com";
    let tenant = story.lab.briefing().tenant_id.clone();
    for (name, issuer) in [
        (tenant.as_str(), tenant.as_str()),
        ("common", "{tenantid}"),
        ("organizations", "{tenantid}"),
    ] {
        let seen = story.fetch(
            &format!("{base}/{name}/v2.0/.well-known/openid-configuration"),
            &[],
        );
        assert_eq!(seen.body["issuer"], format!("{base}/{issuer}/v2.0"));
        for (field, end) in [
            ("authorization_endpoint", "authorize"),
            ("token_endpoint", "token"),
            ("device_authorization_endpoint", "devicecode"),
        ] {
            assert_eq!(seen.body[field], format!("{base}/{name}/oauth2/v2.0/{end}"));
        }
    }
    let seen = story.fetch(
        &format!("{base}/common/discovery/instance?api-version=1.1&authorization_endpoint=x"),
        &[],
    );
    assert!(
        seen.body["metadata"][0]["aliases"]
            .as_array()
            .unwrap()
            .len()
            >= 4
    );
    assert!(seen.body["tenant_discovery_endpoint"].is_string());
}

/// The start of a browser sign-in.
struct Browser {
    verifier: &'static str,
    redirect: &'static str,
    cookie: Option<String>,
}

impl Browser {
    fn new(story: &mut Story) -> Self {
        let operator = story.lab.briefing().operator.clone();
        Self {
            verifier: "0123456789-0123456789-0123456789-0123456789",
            redirect: "http://localhost:53127",
            cookie: story.lab.browser_session(&operator, story.now),
        }
    }

    fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier))
    }

    fn open(&self, story: &mut Story, more: &[(&str, &str)]) -> Seen {
        let (tenant, id) = {
            let briefing = story.lab.briefing();
            (briefing.tenant_id.clone(), briefing.client_id.clone())
        };
        let challenge = self.challenge();
        let mut fields = vec![
            ("client_id", id.as_str()),
            ("response_type", "code"),
            ("redirect_uri", self.redirect),
            (
                "scope",
                "https://graph.microsoft.com/.default openid offline_access",
            ),
            ("state", "s-1"),
            ("nonce", "n-1"),
            ("code_challenge_method", "S256"),
        ];
        if !more.iter().any(|(name, _)| *name == "code_challenge") {
            fields.push(("code_challenge", &challenge));
        }
        for (name, value) in more {
            fields.retain(|(held, _)| held != name);
            fields.push((name, value));
        }
        let uri = format!(
            "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize?{}",
            crate::support::form(&fields)
        );
        match &self.cookie {
            Some(cookie) => story.fetch(&uri, &[("cookie", cookie)]),
            None => story.fetch(&uri, &[]),
        }
    }

    fn code(&self, story: &mut Story) -> String {
        let seen = self.open(story, &[]);
        assert_eq!(seen.status, 302, "{}", String::from_utf8_lossy(&seen.raw));
        field(&seen, "code")
    }

    fn redeem(&self, story: &mut Story, code: &str, more: &[(&str, &str)]) -> Seen {
        let id = story.lab.briefing().client_id.clone();
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("client_id", id.as_str()),
            ("code", code),
            ("redirect_uri", self.redirect),
            ("code_verifier", self.verifier),
        ];
        for (name, value) in more {
            fields.retain(|(held, _)| held != name);
            fields.push((name, value));
        }
        story.token("token", &fields)
    }
}

/// A field of the address that a redirect names.
fn field(seen: &Seen, name: &str) -> String {
    let to = url::Url::parse(seen.headers["location"].to_str().unwrap()).unwrap();
    to.query_pairs()
        .find(|(held, _)| held == name)
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

#[test]
fn a_person_signs_in_by_browser_and_the_code_is_redeemed_once() {
    // reference §1.3 auth code + PKCE
    let mut story = Story::new(1);
    let browser = Browser::new(&mut story);
    let seen = browser.open(&mut story, &[]);
    let to = seen.headers["location"].to_str().unwrap().to_owned();
    assert!(to.starts_with("http://localhost:53127/?code="), "{to}");
    assert_eq!(field(&seen, "state"), "s-1");
    let code = field(&seen, "code");
    let got = browser.redeem(&mut story, &code, &[]);
    assert_eq!(got.status, 200, "{:?}", got.body);
    let claims = got.body["id_token"]
        .as_str()
        .unwrap()
        .split('.')
        .nth(1)
        .unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    assert_eq!(claims["nonce"], "n-1");
    assert!(got.body["refresh_token"].is_string());
    let token = got.body["access_token"].as_str().unwrap().to_owned();
    let me = story.graph_as(&token, "GET", "/v1.0/me", None);
    assert_eq!(
        me.body["userPrincipalName"],
        json!(story.lab.briefing().operator)
    );
    assert_eq!(number(&browser.redeem(&mut story, &code, &[])), 54_005);
}

#[test]
fn a_code_needs_its_verifier_its_address_and_its_time() {
    // reference §1.3: AADSTS501481, AADSTS50147
    let mut story = Story::new(1);
    let browser = Browser::new(&mut story);
    let code = browser.code(&mut story);
    let seen = browser.redeem(
        &mut story,
        &code,
        &[(
            "code_verifier",
            "another-verifier-another-verifier-another-v",
        )],
    );
    assert_eq!(number(&seen), 501_481);
    let seen = browser.redeem(&mut story, &code, &[("redirect_uri", "http://localhost:1")]);
    assert_eq!(number(&seen), 500_112);
    story.wait(SignedDuration::from_mins(11));
    assert_eq!(number(&browser.redeem(&mut story, &code, &[])), 70_008);
    assert_eq!(number(&browser.redeem(&mut story, "nonsense", &[])), 70_000);
    let browser = Browser::new(&mut story);
    let seen = browser.open(&mut story, &[("code_challenge", "short")]);
    assert_eq!(field(&seen, "error"), "invalid_request");
    assert!(field(&seen, "error_description").starts_with("AADSTS50147"));
}

#[test]
fn an_answer_goes_only_to_a_registered_address() {
    // reference §1.3: the port is ignored, the path is not, [::1] is not known
    let mut story = Story::new(1);
    let browser = Browser::new(&mut story);
    for (address, good) in [
        ("http://localhost:9", true),
        ("http://127.0.0.1:9/", true),
        ("http://localhost:9/callback", false),
        ("http://[::1]:9/", false),
        ("https://localhost:9/", false),
        ("http://elsewhere.example/", false),
    ] {
        let seen = browser.open(&mut story, &[("redirect_uri", address)]);
        assert_eq!(seen.headers.contains_key("location"), good, "{address}");
        if !good {
            assert_eq!(seen.status, 400);
            assert!(String::from_utf8_lossy(&seen.raw).contains("AADSTS50011"));
        }
    }
}

#[test]
fn without_a_session_there_is_a_page_and_no_code() {
    // reference §9.1: the browser's cookie is what the page knows a person by
    let mut story = Story::new(1);
    let mut browser = Browser::new(&mut story);
    let cookie = browser.cookie.take();
    let seen = browser.open(&mut story, &[]);
    assert_eq!(seen.status, 200);
    assert!(String::from_utf8_lossy(&seen.raw).contains("<form"));
    let seen = browser.open(&mut story, &[("prompt", "none")]);
    assert_eq!(field(&seen, "error"), "login_required");
    // A revocation ends the cookie, after minutes.
    browser.cookie = cookie;
    assert_eq!(browser.open(&mut story, &[]).status, 302);
    let operator = story.lab.briefing().operator.clone();
    let path = format!("/v1.0/users/{operator}/revokeSignInSessions");
    assert_eq!(story.graph("POST", &path, Some(json!({}))).status, 200);
    story.wait(SignedDuration::from_mins(5));
    assert_eq!(browser.open(&mut story, &[]).status, 200, "the page again");
}

#[test]
fn a_refresh_token_is_for_every_resource_and_the_old_one_stays() {
    // reference §1.3 refresh, §9.1
    let mut story = Story::new(1);
    let browser = Browser::new(&mut story);
    let code = browser.code(&mut story);
    let first = browser.redeem(&mut story, &code, &[]);
    let refresh = first.body["refresh_token"].as_str().unwrap().to_owned();
    let id = story.lab.briefing().client_id.clone();
    for (tenant, scope) in [
        (
            "organizations",
            "https://outlook.office365.com/.default offline_access",
        ),
        (
            "common",
            "https://graph.microsoft.com/.default offline_access",
        ),
        ("organizations", "https://manage.office.com/.default"),
    ] {
        let seen = story.form_to(
            &format!("{tenant}/oauth2/v2.0/token"),
            &[
                ("grant_type", "refresh_token"),
                ("client_id", &id),
                ("refresh_token", &refresh),
                ("scope", scope),
            ],
        );
        assert_eq!(seen.status, 200, "{scope}: {:?}", seen.body);
        assert_eq!(
            seen.body["refresh_token"].is_string(),
            scope.contains("offline_access")
        );
    }
}

#[test]
fn a_machine_gets_a_token_in_texts_and_keeps_it() {
    // reference §1.3 managed identity
    let mut story = Story::new(1);
    let base = "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01";
    let uri = format!("{base}&resource=https://graph.microsoft.com");
    let seen = story.fetch(&uri, &[("metadata", "true")]);
    assert_eq!(seen.status, 200, "{:?}", seen.body);
    for name in ["expires_in", "expires_on", "not_before"] {
        let text = seen.body[name].as_str().unwrap();
        assert!(text.parse::<i64>().is_ok(), "{name}: {text}");
    }
    assert_eq!(seen.body["refresh_token"], "");
    // A permission that is granted later shows only in a new token.
    assert!(story.lab.set_permission("User.Read.All", false));
    let again = story.fetch(&uri, &[("metadata", "true")]);
    assert_eq!(again.body["access_token"], seen.body["access_token"]);
    story.wait(SignedDuration::from_mins(91));
    let later = story.fetch(&uri, &[("metadata", "true")]);
    assert_ne!(later.body["access_token"], seen.body["access_token"]);
    let user = story.user();
    for (token, status) in [(seen, 401), (later, 200)] {
        let token = token.body["access_token"].as_str().unwrap().to_owned();
        let path = format!("/v1.0/users/{user}/mailFolders/inbox/messageRules");
        assert_eq!(story.graph_as(&token, "GET", &path, None).status, status);
    }
}

#[test]
fn a_machines_endpoint_refuses_in_its_own_words() {
    // reference §1.3: bad_request_102
    let mut story = Story::new(1);
    let base = "http://169.254.169.254/metadata/identity/oauth2/token";
    let good = format!("{base}?api-version=2018-02-01&resource=https://graph.microsoft.com");
    for (uri, headers, error) in [
        (good.clone(), vec![], "bad_request_102"),
        (good.clone(), vec![("metadata", "True")], "bad_request_102"),
        (
            good.clone(),
            vec![("metadata", "true"), ("x-forwarded-for", "192.0.2.1")],
            "invalid_request",
        ),
        (
            format!("{base}?api-version=2018-02-01&resource=https://nowhere.example"),
            vec![("metadata", "true")],
            "invalid_resource",
        ),
        (
            format!("{base}?api-version=2018-02-01"),
            vec![("metadata", "true")],
            "invalid_request",
        ),
        (
            format!("{good}&client_id=00000000-1111-2222-3333-444444444444"),
            vec![("metadata", "true")],
            "invalid_request",
        ),
    ] {
        let seen = story.fetch(&uri, &headers);
        assert_eq!(
            (seen.status, &seen.body["error"]),
            (400, &json!(error)),
            "{uri}"
        );
        assert!(seen.body["error_description"].is_string());
    }
    let header = story.lab.briefing().identity_header.clone();
    let uri = "http://localhost:4141/msi/token?api-version=2019-08-01&resource=https://graph.microsoft.com";
    assert_eq!(
        story.fetch(uri, &[("x-identity-header", &header)]).status,
        200
    );
    assert_eq!(story.fetch(uri, &[("x-identity-header", "no")]).status, 401);
}

#[test]
fn an_administrator_consents_at_a_page() {
    // reference §1.3 admin consent
    let mut story = Story::new(1);
    let browser = Browser::new(&mut story);
    let (tenant, id) = {
        let briefing = story.lab.briefing();
        (briefing.tenant_id.clone(), briefing.client_id.clone())
    };
    let uri = format!(
        "https://login.microsoftonline.com/{tenant}/adminconsent?client_id={id}&redirect_uri=http://localhost:7/&state=s-2"
    );
    let cookie = browser.cookie.clone().unwrap();
    let seen = story.fetch(&uri, &[("cookie", &cookie)]);
    assert_eq!(field(&seen, "error"), "permission_denied");
    assert!(story.lab.set_role("Global Administrator", true));
    let seen = story.fetch(&uri, &[("cookie", &cookie)]);
    assert_eq!(field(&seen, "admin_consent"), "True");
    assert_eq!(
        (field(&seen, "tenant"), field(&seen, "state")),
        (tenant, "s-2".into())
    );
}

#[test]
fn a_partners_app_signs_in_where_it_was_consented_to() {
    // reference §1.3, §5: one app, a principal in each tenant
    let partner = Story::new(2).lab.briefing().clone();
    let mut story = Story::new(1);
    let ask = |story: &mut Story| {
        story.token(
            "token",
            &[
                ("grant_type", "client_credentials"),
                ("client_id", &partner.client_id),
                ("client_secret", &partner.client_secret),
                ("scope", GRAPH),
            ],
        )
    };
    assert_eq!(number(&ask(&mut story)), 700_016);
    assert!(story.lab.consent_partner(&partner, story.now));
    assert!(!story.lab.consent_partner(&partner, story.now));
    let got = ask(&mut story);
    assert_eq!(got.status, 200, "{:?}", got.body);
    let token = got.body["access_token"].as_str().unwrap().to_owned();
    let path = format!("/v1.0/users/{}", story.user());
    let block = json!({"accountEnabled": false});
    let seen = story.graph_as(&token, "PATCH", &path, Some(block));
    assert_eq!(seen.status, 204);
}
