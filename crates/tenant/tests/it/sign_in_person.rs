//! A person's sign-in: in a browser with PKCE, their session and where it is
//! kept, claims challenges, and partners who enter customers' tenants.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use retake_tenant::edge::Means;
use retake_tenant::{Credential, Kind, Profile, SignInProblem};
use serde_json::{Value, json};

use crate::doubles::{Counting, FakeBrowser, FakeKeyring, PORT};
use crate::world::{CLIENT, Step, TENANT, UPN, USER, World, json_answer, page, profile, refusal};

const CUSTOMER: &str = "7b1c2d3e-0000-4a0e-9d4b-0d2f7a3c9e22";
const CP1: &str = r#"{"access_token":{"xms_cc":{"values":["cp1"]}}}"#;

fn account() -> Step {
    json_answer(200, &json!({"id": USER, "userPrincipalName": UPN}))
}

fn tokens(access: &str, refresh: &str) -> Step {
    json_answer(
        200,
        &json!({"token_type": "Bearer", "expires_in": 3599, "access_token": access, "refresh_token": refresh}),
    )
}

fn rejected(code: u64, error: &str) -> Step {
    json_answer(
        400,
        &json!({"error": error, "error_codes": [code],
            "error_description": format!("AADSTS{code}: What happened. Trace ID: 1")}),
    )
}

fn code() -> Step {
    json_answer(
        200,
        &json!({"device_code": "device-code-secret", "user_code": "ABCD-EFGH",
            "verification_uri": "https://microsoft.com/devicelogin", "expires_in": 900, "interval": 5,
            "message": "…"}),
    )
}

fn at_a_browser(
    browser: &FakeBrowser,
    keyring: Option<&FakeKeyring>,
    steps: Vec<Step>,
    token_steps: Vec<Step>,
) -> World {
    let (browser, keyring) = (browser.clone(), keyring.cloned());
    World::build(
        profile(Credential::Browser),
        move |_| Means {
            entropy: Some(Arc::new(Counting::default())),
            browser: Some(Arc::new(browser)),
            keyring: keyring.map(|keyring| Arc::new(keyring) as _),
            ..Means::default()
        },
        steps,
        token_steps,
    )
}

#[test]
fn a_person_signs_in_in_a_browser_with_a_code_that_only_we_can_redeem() {
    let browser =
        FakeBrowser::coming_back(&["/favicon.ico", "/?code=a-code&state=STATE&session_state=x"]);
    let world = at_a_browser(
        &browser,
        None,
        vec![account(), page(&json!([]), None)],
        vec![
            tokens("graph-1", "refresh-1"),
            tokens("exchange-1", "refresh-2"),
        ],
    );
    assert!(!world.run(world.tenant.resume()).unwrap());
    world.run(world.tenant.sign_in_in_browser()).unwrap();

    let opened = browser.opened.lock().unwrap()[0].clone();
    assert!(opened.starts_with(&format!(
        "https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/authorize?"
    )));
    let parameter = |name: &str| browser.parameter(name).unwrap();
    assert_eq!(parameter("response_type"), "code");
    assert_eq!(parameter("client_id"), CLIENT);
    assert_eq!(
        parameter("redirect_uri"),
        format!("http://localhost:{PORT}")
    );
    assert_eq!(
        parameter("scope"),
        "https://graph.microsoft.com/.default offline_access"
    );
    assert_eq!(parameter("code_challenge_method"), "S256");
    assert_eq!(parameter("claims"), CP1);
    assert_eq!(
        browser
            .shown
            .lock()
            .unwrap()
            .iter()
            .map(|(status, _)| *status)
            .collect::<Vec<_>>(),
        [400, 200]
    );

    let asked = &world.services.token_requests()[0];
    assert_eq!(asked.url, format!("/{TENANT}/oauth2/v2.0/token"));
    assert_eq!(asked.field("grant_type").unwrap(), "authorization_code");
    assert_eq!(asked.field("code").unwrap(), "a-code");
    assert_eq!(
        asked.field("redirect_uri").unwrap(),
        parameter("redirect_uri")
    );
    assert_eq!(asked.field("client_secret"), None);
    assert_eq!(asked.field("claims").unwrap(), CP1);
    // RFC 7636: 43 to 128 letters, and the challenge is their SHA-256.
    let verifier = asked.field("code_verifier").unwrap();
    assert!((43..=128).contains(&verifier.len()));
    let digest = ring::digest::digest(&ring::digest::SHA256, verifier.as_bytes());
    assert_eq!(parameter("code_challenge"), URL_SAFE_NO_PAD.encode(digest));
    assert_ne!(parameter("state"), verifier);
    assert!(!opened.contains(&verifier));

    // One session serves both services.
    world.run(world.tenant.user(UPN)).unwrap();
    world.run(world.tenant.get_inbox_rules(UPN, false)).unwrap();
    let refreshed = &world.services.token_requests()[1];
    assert_eq!(refreshed.field("refresh_token").unwrap(), "refresh-1");
    assert_eq!(
        refreshed.field("scope").unwrap(),
        "https://outlook.office365.com/.default offline_access"
    );
    world.assert_told();
}

#[test]
fn what_comes_back_without_our_state_is_not_believed() {
    let browser = FakeBrowser::coming_back(&[
        "/?code=planted&state=guessed",
        "/?code=planted",
        "/?error=access_denied&state=guessed",
        "/other?code=planted&state=STATE",
        "/?code=ours&state=STATE",
    ]);
    let world = at_a_browser(&browser, None, vec![], vec![tokens("a", "r")]);
    world.run(world.tenant.sign_in_in_browser()).unwrap();
    assert_eq!(
        world.services.token_requests()[0].field("code").unwrap(),
        "ours"
    );
    let shown = browser.shown.lock().unwrap();
    assert_eq!(shown.iter().filter(|(status, _)| *status == 400).count(), 4);

    let nobody = FakeBrowser::coming_back(&["/?code=planted&state=guessed"]);
    let world = at_a_browser(&nobody, None, vec![], vec![]);
    let error = world.run(world.tenant.sign_in_in_browser()).unwrap_err();
    assert_eq!(error.kind, Kind::SignIn(SignInProblem::CodeExpired));
    assert!(world.services.token_requests().is_empty());
}

#[test]
fn a_sign_in_that_is_declined_or_spoiled_says_why() {
    for (back, token_steps, problem) in [
        (
            "/?error=access_denied&error_description=AADSTS65004%3a+declined&state=STATE",
            vec![],
            SignInProblem::ConsentMissing,
        ),
        (
            "/?error=access_denied&state=STATE",
            vec![],
            SignInProblem::Declined,
        ),
        (
            "/?code=c&state=STATE",
            vec![rejected(501_481, "invalid_grant")],
            SignInProblem::CodeSpoiled,
        ),
        (
            "/?code=c&state=STATE",
            vec![rejected(54_005, "invalid_grant")],
            SignInProblem::CodeSpoiled,
        ),
        (
            "/?code=c&state=STATE",
            vec![rejected(7_000_218, "invalid_client")],
            SignInProblem::NotAPublicClient,
        ),
    ] {
        let browser = FakeBrowser::coming_back(&[back]);
        let world = at_a_browser(&browser, None, vec![], token_steps);
        let error = world.run(world.tenant.sign_in_in_browser()).unwrap_err();
        assert_eq!(error.kind, Kind::SignIn(problem), "{back}");
        world.assert_told();
    }
}

#[test]
fn a_session_in_the_keyring_outlives_the_program_and_is_renewed_there() {
    let keyring = FakeKeyring::default();
    let browser = FakeBrowser::coming_back(&["/?code=c&state=STATE"]);
    let world = at_a_browser(
        &browser,
        Some(&keyring),
        vec![],
        vec![tokens("a", "refresh-1")],
    );
    world.run(world.tenant.sign_in_in_browser()).unwrap();
    let (name, kept) = keyring.only().unwrap();
    assert_eq!(kept, "refresh-1");
    assert_eq!(name, format!("login.microsoftonline.com/{TENANT}/{CLIENT}"));

    // Tomorrow.
    let world = at_a_browser(
        &browser,
        Some(&keyring),
        vec![account()],
        vec![tokens("b", "refresh-2")],
    );
    assert!(world.run(world.tenant.resume()).unwrap());
    world.run(world.tenant.user(UPN)).unwrap();
    assert_eq!(
        world.services.token_requests()[0]
            .field("refresh_token")
            .unwrap(),
        "refresh-1"
    );
    assert_eq!(keyring.only().unwrap().1, "refresh-2");
    assert!(world.tenant.keyring_trouble().is_none());

    // Then somebody revokes it: it is forgotten there too, and a person is wanted.
    let world = at_a_browser(
        &browser,
        Some(&keyring),
        vec![],
        vec![rejected(50_173, "invalid_grant")],
    );
    assert!(!world.run(world.tenant.resume()).unwrap());
    assert_eq!(keyring.only(), None);
    let error = world.run(world.tenant.user(UPN)).unwrap_err();
    assert_eq!(error.kind, Kind::Unauthenticated);
    assert!(error.needs_a_person());
    assert_eq!(
        world.services.token_requests().len(),
        1,
        "not asked in vain"
    );
}

#[test]
fn a_keyring_that_fails_leaves_the_session_in_memory_and_says_so() {
    let keyring = FakeKeyring {
        broken: Some("no such thing on this machine"),
        ..FakeKeyring::default()
    };
    let browser = FakeBrowser::coming_back(&["/?code=c&state=STATE"]);
    let world = at_a_browser(
        &browser,
        Some(&keyring),
        vec![account(), page(&json!([]), None)],
        vec![tokens("a", "refresh-1"), tokens("b", "refresh-2")],
    );
    assert!(!world.run(world.tenant.resume()).unwrap());
    world.run(world.tenant.sign_in_in_browser()).unwrap();
    world.run(world.tenant.user(UPN)).unwrap();
    world.run(world.tenant.get_inbox_rules(UPN, false)).unwrap();
    let trouble = world.tenant.keyring_trouble().unwrap().to_string();
    assert!(trouble.contains("no such thing"), "{trouble}");
}

#[test]
fn the_newest_refresh_token_is_used_and_an_answer_without_one_keeps_the_old() {
    let browser = FakeBrowser::coming_back(&["/?code=c&state=STATE"]);
    let without = json_answer(
        200,
        &json!({"token_type": "Bearer", "expires_in": 3599, "access_token": "c"}),
    );
    let world = at_a_browser(
        &browser,
        None,
        vec![account(), account(), account()],
        vec![
            tokens("a", "refresh-1"),
            tokens("b", "refresh-2"),
            without,
            tokens("d", "refresh-3"),
        ],
    );
    world.run(world.tenant.sign_in_in_browser()).unwrap();
    for _ in 0..3 {
        world.clock.advance(Duration::from_hours(1));
        world.run(world.tenant.user(UPN)).unwrap();
    }
    let used: Vec<_> = world.services.token_requests()[1..]
        .iter()
        .map(|asked| asked.field("refresh_token").unwrap())
        .collect();
    assert_eq!(used, ["refresh-1", "refresh-2", "refresh-2"]);
}

#[test]
fn claims_that_a_service_asks_for_join_the_declaration() {
    let asked = r#"{"access_token":{"nbf":{"essential":true,"value":"17"}}}"#;
    let challenge = format!(
        r#"PoP realm="", nonce="x=", Bearer realm="", error="insufficient_claims", claims="{}""#,
        STANDARD.encode(asked)
    );
    let refused = || {
        refusal(
            401,
            "InvalidAuthenticationToken",
            "Continuous access evaluation …",
        )
        .with("www-authenticate", &challenge)
    };
    let browser = FakeBrowser::coming_back(&["/?code=c&state=STATE", "/?code=d&state=STATE"]);
    let world = at_a_browser(
        &browser,
        None,
        vec![refused(), account(), refused(), account()],
        vec![
            tokens("a", "refresh-1"),
            tokens("b", "refresh-2"),
            rejected(50_076, "interaction_required"),
            tokens("c", "refresh-3"),
        ],
    );
    world.run(world.tenant.sign_in_in_browser()).unwrap();
    world.run(world.tenant.user(UPN)).unwrap();
    let sent: Value =
        serde_json::from_str(&world.services.token_requests()[1].field("claims").unwrap()).unwrap();
    assert_eq!(
        sent,
        json!({"access_token": {"nbf": {"essential": true, "value": "17"}, "xms_cc": {"values": ["cp1"]}}})
    );

    // Where only a person can satisfy them, that is said, and the next sign-in names them.
    let error = world.run(world.tenant.user(UPN)).unwrap_err();
    assert_eq!(error.kind, Kind::SignIn(SignInProblem::MfaNeeded));
    assert!(error.needs_a_person());
    assert!(
        error.hint().contains("person must sign in again"),
        "{}",
        error.hint()
    );
    world.run(world.tenant.sign_in_in_browser()).unwrap();
    assert!(browser.parameter("claims").unwrap().contains(r#""nbf""#));
    world.run(world.tenant.user(UPN)).unwrap();
    world.assert_told();
}

#[test]
fn a_partner_signs_in_once_at_home_and_enters_each_customer() {
    let home = "0a0b0c0d-1111-4a0e-9d4b-0d2f7a3c9e00";
    let partner = Profile {
        tenant_id: home.into(),
        ..profile(Credential::DeviceCode)
    };
    // {"tid":"7b1c…","idp":"https://sts.windows.net/0a0b…/"}
    let facts = json!({"tid": CUSTOMER, "idp": format!("https://sts.windows.net/{home}/")});
    let customers = format!("e30.{}.s", URL_SAFE_NO_PAD.encode(facts.to_string()));
    let world = World::build(
        partner,
        |_| Means::default(),
        [account(), account(), account()],
        [
            code(),
            tokens("home-1", "refresh-1"),
            tokens(&customers, "refresh-2"),
            tokens("other-1", "refresh-3"),
            tokens(&customers, "refresh-4"),
        ],
    );
    let prompt = world.run(world.tenant.begin_device_code()).unwrap();
    world.run(world.tenant.finish_device_code(&prompt)).unwrap();
    let customer = world.tenant.customer("kunde", CUSTOMER);
    world.run(customer.user(UPN)).unwrap();
    world
        .run(world.tenant.customer("other", TENANT).user(UPN))
        .unwrap();
    let asked = world.services.token_requests();
    assert!(asked[0].url.starts_with(&format!("/{home}/")));
    assert!(asked[1].url.starts_with(&format!("/{home}/")));
    assert_eq!(asked[2].url, format!("/{CUSTOMER}/oauth2/v2.0/token"));
    assert_eq!(asked[2].field("refresh_token").unwrap(), "refresh-1");
    assert_eq!(asked[3].url, format!("/{TENANT}/oauth2/v2.0/token"));
    assert_eq!(asked[3].field("refresh_token").unwrap(), "refresh-2");
    assert_eq!(
        world.services.seen()[0].header("authorization"),
        Some(format!("Bearer {customers}").as_str())
    );
    let facts = world
        .run(customer.token_facts(retake_tenant::Service::Graph))
        .unwrap()
        .unwrap();
    assert_eq!(facts.tenant_id.as_deref(), Some(CUSTOMER));
    assert_eq!(facts.foreign_home(), Some(home));

    // A token of another customer than the one that was asked for goes nowhere.
    let wrong = world
        .tenant
        .customer("wrong", "ffffffff-0000-4a0e-9d4b-0d2f7a3c9e22");
    let error = world.run(wrong.user(UPN)).unwrap_err();
    assert_eq!(error.kind, Kind::WrongTenant);
    assert_eq!(world.services.seen().len(), 2);
}

#[test]
fn a_customers_profile_signs_in_at_the_partners_home() {
    let customer = Profile {
        tenant_id: CUSTOMER.into(),
        home_tenant_id: Some(TENANT.into()),
        ..profile(Credential::DeviceCode)
    };
    let world = World::build(
        customer,
        |_| Means::default(),
        [account()],
        [
            code(),
            tokens("home", "refresh-1"),
            tokens("customers", "refresh-2"),
        ],
    );
    let prompt = world.run(world.tenant.begin_device_code()).unwrap();
    world.run(world.tenant.finish_device_code(&prompt)).unwrap();
    world.run(world.tenant.user(UPN)).unwrap();
    let urls: Vec<_> = world
        .services
        .token_requests()
        .iter()
        .map(|asked| asked.url.clone())
        .collect();
    assert_eq!(
        urls,
        [
            format!("/{TENANT}/oauth2/v2.0/devicecode"),
            format!("/{TENANT}/oauth2/v2.0/token"),
            format!("/{CUSTOMER}/oauth2/v2.0/token"),
        ]
    );
    assert_eq!(
        world.services.seen()[0].header("authorization"),
        Some("Bearer customers"),
        "the home token goes to no customer"
    );
}

#[test]
fn a_partner_that_the_customer_did_not_let_in_is_told_which_relationship_to_check() {
    let customer = Profile {
        tenant_id: CUSTOMER.into(),
        home_tenant_id: Some(TENANT.into()),
        ..profile(Credential::DeviceCode)
    };
    let world = World::build(
        customer,
        |_| Means::default(),
        [],
        [
            code(),
            tokens("home", "refresh-1"),
            rejected(50_020, "invalid_grant"),
        ],
    );
    let prompt = world.run(world.tenant.begin_device_code()).unwrap();
    world.run(world.tenant.finish_device_code(&prompt)).unwrap();
    let error = world.run(world.tenant.user(UPN)).unwrap_err();
    assert_eq!(error.kind, Kind::SignIn(SignInProblem::ForeignAccount));
    assert!(error.hint().contains("delegated administration"));
    assert!(error.to_string().contains(CUSTOMER));
}

#[test]
fn refresh_token_and_code_stand_in_no_error() {
    let echo = |secret: &str| {
        json_answer(
            400,
            &json!({"error": "invalid_grant", "error_codes": [70_000],
                "error_description": format!("AADSTS70000: The grant {secret} is bad.")}),
        )
    };
    let browser = FakeBrowser::coming_back(&[
        "/?code=code-secret-1&state=STATE",
        "/?code=code-secret-2&state=STATE",
    ]);
    let world = at_a_browser(
        &browser,
        None,
        vec![],
        vec![
            echo("code-secret-1"),
            tokens("a", "refresh-secret"),
            echo("refresh-secret"),
        ],
    );
    let error = world.run(world.tenant.sign_in_in_browser()).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("code-secret-1"));
    world.run(world.tenant.sign_in_in_browser()).unwrap();
    world.clock.advance(Duration::from_hours(1));
    let error = world.run(world.tenant.user(UPN)).unwrap_err();
    assert_eq!(error.kind, Kind::SignIn(SignInProblem::SessionEnded));
    assert!(!format!("{error} {error:?}").contains("refresh-secret"));
    assert!(!format!("{:?}", world.tenant).contains("refresh-secret"));
}
