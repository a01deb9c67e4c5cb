//! Signing in without a person: certificate, workload identity, managed
//! identity, and a borrowed session of the Azure command line.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use retake_tenant::edge::{
    CertificateError, ClientCertificate, Means, Transport, TransportErrorKind,
};
use retake_tenant::{Credential, Endpoints, IdentityHost, Kind, Profile, SignInProblem};
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaParameters, UnparsedPublicKey,
};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;

use crate::doubles::{Counting, FakeFiles, FakePrograms};
use crate::world::{
    CLIENT, Seen, Step, TENANT, UPN, USER, World, json_answer, page, profile, start,
};

const PEM: &str = include_str!("../fixtures/app-certificate.pem");
const ENCRYPTED: &str = include_str!("../fixtures/encrypted-key.pem");
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

fn account() -> Step {
    json_answer(200, &json!({"id": USER, "userPrincipalName": UPN}))
}

fn token(text: &str) -> Step {
    json_answer(
        200,
        &json!({"token_type": "Bearer", "expires_in": 3599, "access_token": text}),
    )
}

fn rejected(status: u16, code: u64, error: &str) -> Step {
    json_answer(
        status,
        &json!({"error": error, "error_codes": [code],
            "error_description": format!("AADSTS{code}: What happened. Trace ID: 1")}),
    )
}

fn with_certificate() -> Credential {
    let certificate = ClientCertificate::from_pem(&SecretString::from(PEM)).unwrap();
    Credential::Certificate(Arc::new(certificate))
}

fn entropy(_: Arc<dyn Transport>) -> Means {
    Means {
        entropy: Some(Arc::new(Counting::default())),
        ..Means::default()
    }
}

fn certified(token_steps: impl IntoIterator<Item = Step>) -> World {
    World::build(
        profile(with_certificate()),
        entropy,
        [account(), account()],
        token_steps,
    )
}

/// The assertion of a token request: header, claims, and whether the
/// certificate's public key confirms the signature under this algorithm.
fn assertion(asked: &Seen, algorithm: &'static RsaParameters) -> (Value, Value, bool) {
    assert_eq!(
        asked.field("client_assertion_type").unwrap(),
        ASSERTION_TYPE
    );
    assert_eq!(asked.field("client_secret"), None);
    let jwt = asked.field("client_assertion").unwrap();
    let (signed, signature) = jwt.rsplit_once('.').unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    let read = |part: &str| -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    let der = certificate_der();
    let (_, certificate) = x509_parser::parse_x509_certificate(&der).unwrap();
    let key = certificate.public_key().subject_public_key.data.to_vec();
    let confirmed = UnparsedPublicKey::new(algorithm, key)
        .verify(
            signed.as_bytes(),
            &URL_SAFE_NO_PAD.decode(signature).unwrap(),
        )
        .is_ok();
    (read(header), read(claims), confirmed)
}

fn certificate_der() -> Vec<u8> {
    CertificateDer::from_pem_slice(PEM.as_bytes())
        .unwrap()
        .to_vec()
}

#[test]
fn a_certificate_signs_an_assertion_as_documented() {
    let world = certified([]);
    world.run(world.tenant.user(UPN)).unwrap();
    let asked = &world.services.token_requests()[0];
    assert_eq!(asked.url, format!("/{TENANT}/oauth2/v2.0/token"));
    assert_eq!(asked.field("grant_type").unwrap(), "client_credentials");
    assert_eq!(asked.field("client_id").unwrap(), CLIENT);
    assert_eq!(
        asked.field("scope").unwrap(),
        "https://graph.microsoft.com/.default"
    );
    let (header, claims, confirmed) = assertion(asked, &RSA_PSS_2048_8192_SHA256);
    assert!(confirmed, "the signature is that of the certificate's key");
    let sha256 = ring::digest::digest(&ring::digest::SHA256, &certificate_der());
    assert_eq!(
        header,
        json!({"alg": "PS256", "typ": "JWT", "x5t#S256": URL_SAFE_NO_PAD.encode(sha256)})
    );
    let now = start().as_second();
    assert_eq!(
        claims["aud"],
        format!("https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token")
    );
    assert_eq!(
        (&claims["iss"], &claims["sub"]),
        (&json!(CLIENT), &json!(CLIENT))
    );
    assert_eq!((&claims["nbf"], &claims["iat"]), (&json!(now), &json!(now)));
    let life = claims["exp"].as_i64().unwrap() - now;
    assert!((300..=600).contains(&life), "{life}");

    // Another request, another id.
    world.clock.advance(Duration::from_hours(1));
    world.run(world.tenant.user(UPN)).unwrap();
    let (_, again, _) = assertion(
        &world.services.token_requests()[1],
        &RSA_PSS_2048_8192_SHA256,
    );
    assert_ne!(claims["jti"], again["jti"]);
}

#[test]
fn the_older_form_is_tried_when_the_signature_is_not_taken_and_kept_when_it_is() {
    let refused = rejected(401, 700_027, "invalid_client");
    let world = certified([refused, token("one"), token("two")]);
    world.run(world.tenant.user(UPN)).unwrap();
    world.clock.advance(Duration::from_hours(1));
    world.run(world.tenant.user(UPN)).unwrap();
    let asked = world.services.token_requests();
    assert!(assertion(&asked[0], &RSA_PSS_2048_8192_SHA256).2);
    for asked in &asked[1..] {
        let (header, _, confirmed) = assertion(asked, &RSA_PKCS1_2048_8192_SHA256);
        assert!(confirmed);
        let sha1 =
            ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, &certificate_der());
        assert_eq!(
            header,
            json!({"alg": "RS256", "typ": "JWT", "x5t": URL_SAFE_NO_PAD.encode(sha1)})
        );
    }
    world.assert_told();
}

#[test]
fn a_certificate_that_is_not_the_apps_is_named_with_its_dates() {
    let refused = || rejected(401, 700_027, "invalid_client");
    let world = certified([refused(), refused()]);
    let error = world.run(world.tenant.sign_in()).unwrap_err();
    assert_eq!(error.kind, Kind::SignIn(SignInProblem::BadSignature));
    let text = error.to_string();
    assert!(
        text.contains("51DDB26176074697A2E29534AB5A07A1CC7228C3"),
        "{text}"
    );
    assert!(text.contains("until 2036-"), "{text}");
    assert_eq!(world.services.token_requests().len(), 2, "both forms");
}

#[test]
fn a_clock_that_is_ten_minutes_off_is_named_with_its_amount() {
    // The service's own time stands in its answer.
    for (date, words) in [
        ("Mon, 02 Mar 2026 08:10:00 GMT", "behind"),
        ("Mon, 02 Mar 2026 07:50:00 GMT", "ahead of"),
    ] {
        let refused = rejected(401, 700_024, "invalid_client").with("date", date);
        let world = certified([refused]);
        let error = world.run(world.tenant.sign_in()).unwrap_err();
        assert_eq!(error.kind, Kind::SignIn(SignInProblem::ClockSkew));
        let text = error.to_string();
        assert!(
            text.contains(&format!("{words} the token service's")),
            "{text}"
        );
        assert!(
            text.contains("10 min") || text.contains("9 min 59 s"),
            "{text}"
        );
        assert!(error.hint().contains("Set the clock"), "{}", error.hint());
        let skew = world.tenant.clock_skew().unwrap();
        assert_eq!(
            (skew.as_secs() + if skew.is_negative() { -30 } else { 30 }) / 60,
            if words == "behind" { 10 } else { -10 }
        );
    }
}

#[test]
fn a_file_that_is_no_certificate_with_its_key_says_what_it_lacks() {
    let read = |text: &str| ClientCertificate::from_pem(&SecretString::from(text)).unwrap_err();
    let (certificate, key) = PEM.split_at(PEM.find("-----BEGIN PRIVATE KEY").unwrap());
    let other = rcgen::generate_simple_self_signed(vec!["other.example".to_owned()]).unwrap();
    for (text, expected) in [
        (String::new(), CertificateError::NotPem),
        ("hello".into(), CertificateError::NotPem),
        (certificate.into(), CertificateError::NoKey),
        (key.into(), CertificateError::NoCertificate),
        (
            format!("{certificate}{ENCRYPTED}"),
            CertificateError::EncryptedKey,
        ),
        (
            format!("{}{}", other.cert.pem(), other.signing_key.serialize_pem()),
            CertificateError::BadKey,
        ),
        (
            format!("{}{key}", other.cert.pem()),
            CertificateError::KeyMismatch,
        ),
    ] {
        assert_eq!(read(&text), expected);
        assert!(!expected.hint().is_empty());
    }
    let shown = format!("{:?}", with_certificate());
    assert_eq!(
        shown,
        "Certificate(ClientCertificate { thumbprint: \"51DDB26176074697A2E29534AB5A07A1CC7228C3\", .. })"
    );
}

#[test]
fn a_workload_identity_sends_what_its_file_holds_at_that_time() {
    let files = FakeFiles::default();
    let given = files.clone();
    let world = World::build(
        profile(Credential::WorkloadIdentity {
            token_file: "/var/run/token".into(),
        }),
        move |_| Means {
            files: Some(Arc::new(given)),
            ..Means::default()
        },
        [account(), account()],
        [],
    );
    let error = world.run(world.tenant.sign_in()).unwrap_err();
    assert_eq!(error.kind, Kind::SignIn(SignInProblem::NoTokenFile));
    assert!(error.to_string().contains("/var/run/token"), "{error}");
    files.write("/var/run/token", " \n");
    let error = world.run(world.tenant.sign_in()).unwrap_err();
    assert_eq!(error.kind, Kind::SignIn(SignInProblem::NoTokenFile));

    files.write("/var/run/token", "issuers.first.jwt\n");
    world.run(world.tenant.user(UPN)).unwrap();
    files.write("/var/run/token", "issuers.second.jwt\n");
    world.clock.advance(Duration::from_hours(1));
    world.run(world.tenant.user(UPN)).unwrap();
    let asked = world.services.token_requests();
    let sent: Vec<_> = asked
        .iter()
        .map(|asked| {
            assert_eq!(
                asked.field("client_assertion_type").unwrap(),
                ASSERTION_TYPE
            );
            asked.field("client_assertion").unwrap()
        })
        .collect();
    assert_eq!(sent, ["issuers.first.jwt", "issuers.second.jwt"]);
}

#[test]
fn a_federated_token_that_is_refused_stands_in_no_error() {
    let files = FakeFiles::default();
    files.write("/t", "issuers.secret.jwt");
    let world = World::build(
        profile(Credential::WorkloadIdentity {
            token_file: "/t".into(),
        }),
        move |_| Means {
            files: Some(Arc::new(files)),
            ..Means::default()
        },
        [],
        [json_answer(
            400,
            &json!({"error": "invalid_client", "error_codes": [700_212],
                "error_description": "AADSTS700212: No match for issuers.secret.jwt"}),
        )],
    );
    let error = world.run(world.tenant.sign_in()).unwrap_err();
    assert_eq!(error.kind, Kind::SignIn(SignInProblem::BadAssertion));
    assert!(!format!("{error:?} {error}").contains("issuers.secret.jwt"));
}

fn managed(host: IdentityHost, identity: Option<&str>, token_steps: Vec<Step>) -> World {
    World::build(
        profile(Credential::ManagedIdentity {
            identity: identity.map(str::to_owned),
            host,
        }),
        |metadata| Means {
            metadata: Some(metadata),
            ..Means::default()
        },
        [account(), page(&json!([]), None)],
        token_steps,
    )
}

fn machine_token() -> Step {
    json_answer(
        200,
        &json!({"access_token": "machine-token", "refresh_token": "", "expires_in": "3599",
            "expires_on": "1772442000", "not_before": "1772438400",
            "resource": "https://graph.microsoft.com/", "token_type": "Bearer"}),
    )
}

#[test]
fn a_machine_in_azure_asks_its_own_address_for_a_resource() {
    let world = managed(
        IdentityHost::VirtualMachine,
        Some("7a1d-client"),
        vec![machine_token(), machine_token()],
    );
    world.run(world.tenant.user(UPN)).unwrap();
    world.run(world.tenant.get_inbox_rules(UPN, true)).unwrap();
    let asked = world.services.token_requests();
    assert_eq!(
        (asked[0].method.as_str(), asked[0].host.as_str()),
        ("GET", "169.254.169.254")
    );
    assert_eq!(asked[0].header("metadata"), Some("true"));
    assert_eq!(
        asked[0].url,
        "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https:%2F%2Fgraph.microsoft.com&client_id=7a1d-client"
    );
    assert!(
        asked[1]
            .url
            .contains("resource=https:%2F%2Foutlook.office365.com&")
    );
    assert_eq!(
        world.services.seen()[0].header("authorization"),
        Some("Bearer machine-token")
    );
}

#[test]
fn app_service_is_asked_where_its_environment_says() {
    let host = || IdentityHost::AppService {
        endpoint: "http://127.0.0.1:41741/oauth2/msi/token/".parse().unwrap(),
        header: "853b9a84-secret".to_owned().into(),
    };
    // Only the end, as Unix time in a string.
    let answer = json_answer(
        200,
        &json!({"access_token": "service-token", "expires_on": "1772442000", "resource": "r",
            "token_type": "Bearer", "client_id": "c"}),
    );
    let world = managed(host(), None, vec![answer]);
    world.run(world.tenant.user(UPN)).unwrap();
    let asked = &world.services.token_requests()[0];
    assert_eq!(asked.header("x-identity-header"), Some("853b9a84-secret"));
    assert_eq!(asked.header("metadata"), None);
    assert!(
        asked
            .url
            .ends_with("?api-version=2019-08-01&resource=https:%2F%2Fgraph.microsoft.com")
    );

    let refused = json_answer(
        400,
        &json!({"statusCode": 400, "message": "No identity for 853b9a84-secret"}),
    );
    let world = managed(host(), None, vec![refused]);
    let error = world.run(world.tenant.sign_in()).unwrap_err();
    assert_eq!(error.kind, Kind::SignIn(SignInProblem::NoManagedIdentity));
    assert!(
        error.to_string().contains("No identity for <header>"),
        "{error}"
    );
}

#[test]
fn a_machines_identity_service_is_asked_again_as_it_wants_and_no_more() {
    // 404, 429 and failures: again, with growing waits; five times in all.
    let world = managed(
        IdentityHost::VirtualMachine,
        None,
        vec![
            json_answer(404, &json!({})),
            json_answer(
                429,
                &json!({"error": "too_many", "error_description": "slow"}),
            ),
            json_answer(500, &json!({})),
            machine_token(),
        ],
    );
    world.run(world.tenant.sign_in()).unwrap();
    assert_eq!(world.services.token_requests().len(), 4);
    let failing = (0..5).map(|_| json_answer(503, &json!({}))).collect();
    let world = managed(IdentityHost::VirtualMachine, None, failing);
    let error = world.run(world.tenant.sign_in()).unwrap_err();
    assert!(matches!(error.kind, Kind::Server { .. }), "{error}");
    assert_eq!(world.services.token_requests().len(), 5);
    assert!(world.clock.since_start() >= Duration::from_secs(30));

    // 410: it is being updated, and back within 70 seconds.
    let gone = (0..5).map(|_| json_answer(410, &json!({})));
    let world = managed(
        IdentityHost::VirtualMachine,
        None,
        gone.chain([machine_token()]).collect(),
    );
    world.run(world.tenant.sign_in()).unwrap();
    let gone = (0..60).map(|_| json_answer(410, &json!({}))).collect();
    let world = managed(IdentityHost::VirtualMachine, None, gone);
    world.run(world.tenant.sign_in()).unwrap_err();
    let waited = world.clock.since_start();
    assert!((70..90).contains(&waited.as_secs()), "{waited:?}");

    // Another refusal is final.
    let world = managed(
        IdentityHost::VirtualMachine,
        None,
        vec![json_answer(
            400,
            &json!({"error": "invalid_request", "error_description": "Identity not found"}),
        )],
    );
    let error = world.run(world.tenant.sign_in()).unwrap_err();
    assert_eq!(error.kind, Kind::SignIn(SignInProblem::NoManagedIdentity));
    assert!(error.to_string().contains("Identity not found"), "{error}");
    assert_eq!(world.services.token_requests().len(), 1);
}

#[test]
fn a_machine_that_is_not_in_azure_says_so_at_once() {
    let world = managed(
        IdentityHost::VirtualMachine,
        None,
        vec![Step::Fail(TransportErrorKind::Route)],
    );
    let error = world.run(world.tenant.sign_in()).unwrap_err();
    assert_eq!(error.kind, Kind::SignIn(SignInProblem::NoManagedIdentity));
    assert!(error.hint().contains("another way"), "{}", error.hint());
    assert_eq!(world.services.token_requests().len(), 1);
}

#[test]
fn a_token_of_another_tenant_is_not_used() {
    // {"tid":"11111111-1111-1111-1111-111111111111"}
    let foreign = "e30.eyJ0aWQiOiIxMTExMTExMS0xMTExLTExMTEtMTExMS0xMTExMTExMTExMTEifQ.s";
    let answer = json_answer(
        200,
        &json!({"access_token": foreign, "expires_in": "3599", "token_type": "Bearer"}),
    );
    let world = managed(IdentityHost::VirtualMachine, None, vec![answer]);
    let error = world.run(world.tenant.user(UPN)).unwrap_err();
    assert_eq!(error.kind, Kind::WrongTenant);
    assert!(error.to_string().contains("11111111-1111"), "{error}");
    assert!(world.services.seen().is_empty(), "the token went nowhere");
}

type Ends = Vec<Option<(bool, String, String)>>;

fn azure_cli(profile: Profile, ends: Ends, steps: Vec<Step>) -> (World, Arc<FakePrograms>) {
    let programs = Arc::new(FakePrograms {
        ends: Mutex::new(ends.into()),
        ran: Mutex::default(),
    });
    let given = Arc::clone(&programs);
    let world = World::build(
        profile,
        move |_| Means {
            programs: Some(given),
            ..Means::default()
        },
        steps,
        [],
    );
    (world, programs)
}

fn printed(text: &Value) -> Option<(bool, String, String)> {
    Some((true, text.to_string(), String::new()))
}

#[test]
fn the_azure_command_line_lends_its_session() {
    let end = start().as_second() + 3600;
    let (world, programs) = azure_cli(
        profile(Credential::AzureCli),
        vec![
            printed(
                &json!({"accessToken": "cli-token", "expiresOn": "2026-03-02 10:00:00.000000",
                "expires_on": end, "subscription": "s", "tenant": TENANT, "tokenType": "Bearer"}),
            ),
            printed(
                &json!({"accessToken": "cli-token-2", "expiresOn": "2026-03-02 10:00:00.000000",
                "tenant": TENANT, "tokenType": "Bearer"}),
            ),
        ],
        vec![account(), account(), account()],
    );
    world.run(world.tenant.user(UPN)).unwrap();
    world.run(world.tenant.user(UPN)).unwrap();
    assert_eq!(
        *programs.ran.lock().unwrap(),
        [format!(
            "az account get-access-token --resource https://graph.microsoft.com --tenant {TENANT} --output json"
        )]
    );
    assert_eq!(
        world.services.seen()[0].header("authorization"),
        Some("Bearer cli-token")
    );
    // A version that tells the end in local time only: asked again soon.
    world.clock.advance(Duration::from_hours(1));
    world.run(world.tenant.user(UPN)).unwrap();
    assert_eq!(programs.ran.lock().unwrap().len(), 2);
}

#[test]
fn an_azure_command_line_that_cannot_help_says_what_to_do() {
    let signed_out = "ERROR: Please run 'az login' to setup account.\n";
    let (world, _) = azure_cli(
        profile(Credential::AzureCli),
        vec![
            None,
            Some((false, String::new(), signed_out.into())),
            Some((true, "no JSON".into(), String::new())),
        ],
        vec![],
    );
    let error = world.run(world.tenant.sign_in()).unwrap_err();
    assert_eq!(error.kind, Kind::SignIn(SignInProblem::NoAzureCli));
    let error = world.run(world.tenant.sign_in()).unwrap_err();
    assert_eq!(error.kind, Kind::SignIn(SignInProblem::AzureCliSignedOut));
    assert!(
        error.to_string().contains("Please run 'az login'"),
        "{error}"
    );
    let error = world.run(world.tenant.sign_in()).unwrap_err();
    assert!(matches!(error.kind, Kind::BadAnswer { .. }), "{error}");

    // A tenant that would be an option or a command is never passed on.
    for tenant in ["--debug", "x&calc", "a b", ""] {
        let hostile = Profile {
            tenant_id: tenant.into(),
            ..profile(Credential::AzureCli)
        };
        let (world, programs) = azure_cli(hostile, vec![], vec![]);
        let error = world.run(world.tenant.sign_in()).unwrap_err();
        assert_eq!(error.kind, Kind::BadInput, "{tenant}");
        assert!(programs.ran.lock().unwrap().is_empty());
    }
}

#[test]
fn each_cloud_has_its_own_authority_and_resources() {
    for (endpoints, authority, resource) in [
        (
            Endpoints::worldwide(),
            "login.microsoftonline.com",
            "https://graph.microsoft.com",
        ),
        (
            Endpoints::gcc(),
            "login.microsoftonline.com",
            "https://graph.microsoft.com",
        ),
        (
            Endpoints::gcc_high(),
            "login.microsoftonline.us",
            "https://graph.microsoft.us",
        ),
        (
            Endpoints::dod(),
            "login.microsoftonline.us",
            "https://dod-graph.microsoft.us",
        ),
        (
            Endpoints::china(),
            "login.partner.microsoftonline.cn",
            "https://microsoftgraph.chinacloudapi.cn",
        ),
        (
            Endpoints::china().with_authority("https://login.chinacloudapi.cn".parse().unwrap()),
            "login.chinacloudapi.cn",
            "https://microsoftgraph.chinacloudapi.cn",
        ),
    ] {
        let profile = Profile {
            endpoints,
            ..profile(with_certificate())
        };
        let world = World::build(profile, entropy, [account()], []);
        world.run(world.tenant.user(UPN)).unwrap();
        let asked = &world.services.token_requests()[0];
        assert_eq!(asked.host, authority);
        assert_eq!(
            asked.field("scope").unwrap(),
            format!("{resource}/.default")
        );
        let (_, claims, _) = assertion(asked, &RSA_PSS_2048_8192_SHA256);
        assert_eq!(
            claims["aud"],
            format!("https://{authority}/{TENANT}/oauth2/v2.0/token")
        );
        assert_eq!(
            format!("https://{}", world.services.seen()[0].host),
            resource
        );
    }
}

#[test]
fn a_way_of_signing_in_without_its_means_sends_nothing() {
    for credential in [
        with_certificate(),
        Credential::WorkloadIdentity {
            token_file: "/t".into(),
        },
        Credential::ManagedIdentity {
            identity: None,
            host: IdentityHost::VirtualMachine,
        },
        Credential::AzureCli,
    ] {
        let name = credential.name();
        let world = World::with(credential, [], []);
        let error = world.run(world.tenant.sign_in()).unwrap_err();
        assert_eq!(error.kind, Kind::BadInput);
        assert!(error.to_string().contains(name), "{error}");
        assert!(world.services.token_requests().is_empty());
    }
}
