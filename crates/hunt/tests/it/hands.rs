//! In whose hands a session was: what the user carries from place to place,
//! and what somebody else carries away.

use retake_hunt::{Analysis, By, Path, Verdict};
use serde_json::{Value, json};

use crate::tenant::{
    ABROAD, At, CARRIER, EDGE, FIREFOX, HOME, HOTEL, IPHONE, LAIR, LAPTOP, OFFICE, PROXY, SignIn,
    Tenant, by_record, hours_before, minutes_before, sign_in,
};

/// A day at home begins in a session of the day before.
const AT_HOME: i64 = 24 * 9;
/// A journey; the attack falls into its last hours.
const AWAY: i64 = 50;
const PHISHED: i64 = 30;

fn silent(tenant: &mut Tenant, hours: i64, from: At, agent: &'static str, session: &str) -> String {
    tenant.add(SignIn {
        interactive: false,
        ..sign_in(hours_before(hours), from, agent, session)
    })
}

fn read(message: &str) -> Value {
    json!({"RecordType": 50, "OperationProperties": [{"Name": "MailAccessType", "Value": "Bind"}],
        "Folders": [{"Path": "\\Inbox", "FolderItems": [{"InternetMessageId": message}]}]})
}

/// The audit log's own record of a sign-in, which names no place.
fn repeated(tenant: &mut Tenant, hours: i64, from: At, session: &str, token: &str) {
    tenant.audit(
        hours_before(hours),
        "UserLoggedIn",
        from,
        session,
        token,
        json!({"RecordType": 15, "Workload": "AzureActiveDirectory", "ResultStatus": "Success",
            "ActorIpAddress": from.address, "ErrorNumber": "0",
            "ExtendedProperties": [{"Name": "UserAgent", "Value": EDGE}, {"Name": "RequestType", "Value": "OAuth2:Token"}],
            "DeviceProperties": [{"Name": "SessionId", "Value": session}]}),
    );
}

fn sent(message: &str) -> Value {
    json!({"RecordType": 2, "Item": {"InternetMessageId": message, "Subject": "x"}})
}

fn rule() -> Value {
    Tenant::parameters(&[
        ("Name", "."),
        ("SubjectOrBodyContainsWords", "invoice;payment"),
        ("MoveToFolder", "RSS Feeds"),
        ("MarkAsRead", "True"),
    ])
}

/// Somebody in the middle passes the user's own browser on; the session then
/// goes on in another one, and reads and sends.
fn phish(tenant: &mut Tenant) -> String {
    tenant.add(sign_in(hours_before(PHISHED), PROXY, EDGE, "stolen"));
    let token = silent(tenant, PHISHED - 1, LAIR, FIREFOX, "stolen");
    let rule = tenant.audit(
        hours_before(PHISHED - 2),
        "New-InboxRule",
        LAIR,
        "stolen",
        &token,
        rule(),
    );
    tenant.audit(
        hours_before(PHISHED - 3),
        "MailItemsAccessed",
        LAIR,
        "stolen",
        &token,
        read("<looted@x>"),
    );
    tenant.audit(
        hours_before(PHISHED - 4),
        "Send",
        LAIR,
        "stolen",
        &token,
        sent("<fraud@x>"),
    );
    rule
}

/// The attacker's part of the account: nothing of the user's in it.
fn tells_the_phish_apart(said: &Analysis, rule: &str) {
    assert_eq!(said.verdict, Verdict::Compromised);
    assert_eq!(said.path, Path::CredentialPhishing);
    assert!(said.confidence >= 0.8, "{}", said.confidence);
    assert_eq!(said.first_known_bad, Some(hours_before(PHISHED)));
    assert_eq!(said.fingerprint.sessions, ["stolen"]);
    assert_eq!(said.fingerprint.addresses, [LAIR.address, PROXY.address]);
    assert_eq!(by_record(said, rule).by, By::Attacker);
    let sent: Vec<_> = said
        .blast
        .sent
        .iter()
        .map(|mail| mail.message_id.as_deref())
        .collect();
    assert_eq!(sent, [Some("<fraud@x>")]);
    let read: Vec<_> = said
        .blast
        .read
        .iter()
        .map(|mail| mail.message_id.as_deref())
        .collect();
    assert_eq!(read, [Some("<looted@x>")]);
}

#[test]
fn a_day_at_home_before_a_phish_is_the_users() {
    let mut tenant = Tenant::with_unregistered_history();
    // Home is across the border. Once in the month, too seldom to establish
    // the network; the session
    // comes from the office, and the phone goes on in it meanwhile.
    tenant.add(sign_in(hours_before(AT_HOME + 18), OFFICE, EDGE, "home"));
    let token = silent(&mut tenant, AT_HOME, ABROAD, EDGE, "home");
    repeated(&mut tenant, AT_HOME, ABROAD, "home", &token);
    silent(&mut tenant, AT_HOME - 1, CARRIER, IPHONE, "home");
    let token = silent(&mut tenant, AT_HOME - 2, ABROAD, EDGE, "home");
    repeated(&mut tenant, AT_HOME - 2, ABROAD, "home", &token);
    // Records of what was done there name the session and a place where it
    // was, also when the user is back.
    for hours in [1, 2, 49] {
        tenant.audit(
            hours_before(AT_HOME - hours),
            "Send",
            ABROAD,
            "home",
            "",
            sent("<own@x>"),
        );
    }
    let own = tenant.audit(
        hours_before(AT_HOME - 50),
        "New-InboxRule",
        ABROAD,
        "home",
        "",
        Tenant::parameters(&[
            ("Name", "Trains"),
            ("From", "tickets@trains.example"),
            ("MoveToFolder", "Trains"),
        ]),
    );
    let rule = phish(&mut tenant);
    let said = tenant.analyse();
    tells_the_phish_apart(&said, &rule);
    assert_eq!(by_record(&said, &own).by, By::User);
}

#[test]
fn a_journey_that_the_attack_falls_into_is_the_users() {
    let mut tenant = Tenant::with_unregistered_history();
    // Signed in at the hotel; the phone goes on in that session over its
    // carrier at home, whose exit does not travel.
    tenant.add(sign_in(hours_before(AWAY), HOTEL, EDGE, "away"));
    for hours in [48, 46, 32, 29, 28] {
        silent(&mut tenant, hours, HOTEL, EDGE, "away");
        silent(&mut tenant, hours - 1, CARRIER, IPHONE, "away");
    }
    for hours in [47, 31, 3] {
        tenant.audit(
            hours_before(hours),
            "MailItemsAccessed",
            HOTEL,
            "away",
            "",
            read("<own@x>"),
        );
    }
    tenant.audit(
        hours_before(28),
        "Send",
        HOTEL,
        "away",
        "",
        sent("<own-too@x>"),
    );
    let rule = phish(&mut tenant);
    tells_the_phish_apart(&tenant.analyse(), &rule);
}

#[test]
fn a_token_of_the_user_that_the_attacker_uses_is_the_attackers() {
    let mut tenant = Tenant::with_unregistered_history();
    let rule = phish(&mut tenant);
    // The session is the user's own and was nowhere but in the office and on
    // the phone; the record is from the attacker's place.
    tenant.audit(
        hours_before(25),
        "MailItemsAccessed",
        LAIR,
        "own-2",
        "",
        read("<too@x>"),
    );
    let said = tenant.analyse();
    assert_eq!(by_record(&said, &rule).by, By::Attacker);
    assert!(
        said.blast
            .read
            .iter()
            .any(|mail| mail.message_id.as_deref() == Some("<too@x>"))
    );
}

/// Whether anything is said against a session that the user began in the
/// office, if these things happened in it.
fn is_doubted(story: impl FnOnce(&mut Tenant)) -> bool {
    let mut tenant = Tenant::with_unregistered_history();
    tenant.add(sign_in(hours_before(34), OFFICE, EDGE, "taken"));
    story(&mut tenant);
    let said = tenant.analyse();
    matches!(said.verdict, Verdict::Compromised | Verdict::Suspicious)
}

#[test]
fn a_session_in_the_same_browser_is_the_users_until_something_speaks_against_it() {
    // Carried to the hotel for an evening, where the user also began another.
    assert!(!is_doubted(|tenant| {
        silent(tenant, 14, HOTEL, EDGE, "taken");
        silent(tenant, 13, CARRIER, IPHONE, "taken");
        tenant.add(sign_in(hours_before(13), HOTEL, EDGE, "short"));
    }));
    // Copied with its browser's name, while the user works on in the office.
    assert!(is_doubted(|tenant| {
        for minutes in [31 * 60, 30 * 60, 29 * 60] {
            tenant.add(SignIn {
                interactive: false,
                ..sign_in(minutes_before(minutes), OFFICE, EDGE, "taken")
            });
            tenant.add(SignIn {
                interactive: false,
                ..sign_in(minutes_before(minutes - 20), HOTEL, EDGE, "taken")
            });
        }
    }));
    // Copied to a place near by, and to and fro all day.
    assert!(is_doubted(|tenant| {
        for hours in [33, 31, 29] {
            silent(tenant, hours, ABROAD, EDGE, "taken");
            silent(tenant, hours - 1, OFFICE, EDGE, "taken");
        }
    }));
    // Copied at night, and a rule made that hides money mail.
    assert!(is_doubted(|tenant| {
        let token = silent(tenant, 14, HOTEL, EDGE, "taken");
        tenant.audit(
            hours_before(14),
            "New-InboxRule",
            HOTEL,
            "taken",
            &token,
            rule(),
        );
    }));
    // Copied at night, and a forward set, of which the record names no session.
    assert!(is_doubted(|tenant| {
        silent(tenant, 14, HOTEL, EDGE, "taken");
        tenant.audit(
            hours_before(14),
            "Set-Mailbox",
            HOTEL,
            "",
            "",
            Tenant::parameters(&[
                ("Identity", "dana.reyes"),
                ("ForwardingSmtpAddress", "smtp:box@collector.example"),
            ]),
        );
    }));
    // Handed over: another program goes on with it.
    assert!(is_doubted(|tenant| {
        silent(tenant, 14, HOTEL, EDGE, "taken");
        silent(tenant, 13, HOTEL, FIREFOX, "taken");
    }));
}

#[test]
fn a_stranger_under_the_name_of_the_users_browser_has_no_tie_to_the_user() {
    assert!(is_doubted(|tenant| {
        tenant.add(sign_in(hours_before(36), PROXY, EDGE, "cloned"));
        silent(tenant, 35, LAIR, EDGE, "cloned");
        silent(tenant, 34, LAIR, EDGE, "cloned");
    }));
}

#[test]
fn a_session_of_a_registered_device_does_not_travel_without_it() {
    let doubted = |device: Option<&'static str>| {
        let mut tenant = Tenant::with_history();
        tenant.add(SignIn {
            device: Some(LAPTOP),
            ..sign_in(hours_before(34), OFFICE, EDGE, "taken")
        });
        for hours in [20, 19, 18] {
            tenant.add(SignIn {
                device,
                interactive: false,
                ..sign_in(hours_before(hours), HOTEL, EDGE, "taken")
            });
        }
        matches!(
            tenant.analyse().verdict,
            Verdict::Compromised | Verdict::Suspicious
        )
    };
    assert!(!doubted(Some(LAPTOP)));
    assert!(doubted(None));
}

/// A journey of a laptop that is shown at the page alone, in two networks; the user
/// consents there to an app, and somebody else carries a session on from `lair`.
fn consented_on_a_journey(lair: Option<At>) -> (Analysis, String) {
    const TOOL: &str = "6f9c3b2a-1234-4bcd-9e8f-aabbccddeeff";
    let mut tenant = Tenant::with_a_laptop_shown_at_the_page();
    let page = |tenant: &mut Tenant, hours, from, session: &str| {
        tenant.add(SignIn {
            device: Some(LAPTOP),
            ..sign_in(hours_before(hours), from, EDGE, session)
        })
    };
    page(&mut tenant, 24 * 5, HOTEL, "away");
    silent(&mut tenant, 24 * 5 - 2, HOTEL, EDGE, "away");
    silent(&mut tenant, 24 * 5 - 3, CARRIER, IPHONE, "away");
    // Taken on to the next place, where it is a day before the laptop is shown again.
    silent(&mut tenant, 24 * 4, ABROAD, EDGE, "away");
    let token = page(&mut tenant, 24 * 3 - 2, ABROAD, "further");
    silent(&mut tenant, 24 * 3 - 20, ABROAD, EDGE, "further");
    let consent = tenant.audit(
        hours_before(24 * 2 - 8),
        "Consent to application.",
        ABROAD,
        "further",
        &token,
        Tenant::consent(TOOL, "bad-grant", "Mail.Read offline_access"),
    );
    tenant.audit(hours_before(20), "MailItemsAccessed", LAIR, "", "", json!({"AppAccessContext": {"ClientAppId": TOOL}, "MailboxOwnerUPN": "dana.reyes@fabrikam.example",
        "OperationProperties": [{"Name": "MailAccessType", "Value": "Bind"}], "Folders": [{"Path": "\\Inbox", "FolderItems": [{"InternetMessageId": "<a@x>"}]}]}));
    if let Some(lair) = lair {
        for hours in [20, 18, 16] {
            silent(&mut tenant, hours, lair, FIREFOX, "further");
        }
    }
    (tenant.analyse(), consent)
}

#[test]
fn a_consent_on_a_journey_of_the_users_laptop_is_consent_phishing() {
    let (said, consent) = consented_on_a_journey(None);
    assert_eq!(said.verdict, Verdict::Compromised, "{:#?}", said.reasons);
    assert_eq!(
        said.path,
        Path::ConsentPhishing,
        "{:#?}",
        said.path_evidence
    );
    let reasons = &by_record(&said, &consent).reasons;
    assert!(
        reasons.iter().any(|reason| reason.contains("in person")),
        "{reasons:?}"
    );
}

#[test]
fn a_session_that_another_program_carries_on_is_stolen_on_a_journey_too() {
    let (said, _) = consented_on_a_journey(Some(PROXY));
    assert!(
        said.reasons
            .iter()
            .any(|reason| reason.text.contains("with another client")),
        "{:#?}",
        said.reasons
    );
    assert!(said.fingerprint.sessions.contains(&"further".to_owned()));
}

/// A journey without any registered device, on which the user consents to an app that is
/// then used from elsewhere; the phone is along, or is not.
fn consented_without_a_device(phone: bool) -> Analysis {
    const TOOL: &str = "6f9c3b2a-1234-4bcd-9e8f-aabbccddeeff";
    let mut tenant = Tenant::with_unregistered_history();
    for (session, agent, from) in [("laptop", EDGE, OFFICE), ("phone", IPHONE, CARRIER)] {
        tenant.add(sign_in(hours_before(60), from, agent, session));
        silent(&mut tenant, 56, from, agent, session);
    }
    silent(&mut tenant, 34, HOTEL, EDGE, "laptop");
    if phone {
        silent(&mut tenant, 32, HOTEL, IPHONE, "phone");
    }
    silent(&mut tenant, 30, HOTEL, EDGE, "laptop");
    tenant.audit(
        hours_before(29),
        "Consent to application.",
        HOTEL,
        "",
        "",
        Tenant::consent(TOOL, "bad-grant", "Mail.Read offline_access"),
    );
    tenant.audit(hours_before(20), "MailItemsAccessed", LAIR, "", "", json!({"AppAccessContext": {"ClientAppId": TOOL}, "MailboxOwnerUPN": "dana.reyes@fabrikam.example",
        "OperationProperties": [{"Name": "MailAccessType", "Value": "Bind"}], "Folders": [{"Path": "\\Inbox", "FolderItems": [{"InternetMessageId": "<a@x>"}]}]}));
    tenant.analyse()
}

#[test]
fn laptop_and_phone_together_are_the_user_on_a_journey() {
    let said = consented_without_a_device(true);
    assert_eq!(
        said.path,
        Path::ConsentPhishing,
        "{:#?}",
        said.path_evidence
    );
    // Of the laptop's session alone nobody can tell who carried it there.
    let alone = consented_without_a_device(false);
    assert_ne!(
        alone.path,
        Path::ConsentPhishing,
        "{:#?}",
        alone.path_evidence
    );
}

#[test]
fn what_the_audit_log_repeats_of_a_sign_in_is_in_the_same_place() {
    let mut tenant = Tenant::with_unregistered_history();
    // A new network in the usual country, in a session of its own; the audit
    // log repeats the sign-in without its place.
    let token = tenant.add(sign_in(hours_before(45), HOME, EDGE, "new"));
    repeated(&mut tenant, 45, HOME, "new", &token);
    let said = tenant.analyse();
    assert_eq!(said.verdict, Verdict::Clean, "{:#?}", said.reasons);
}

/// What is said of the user who came anew from an address, where so many colleagues take
/// their sessions to and fro between the office and that address.
fn at_an_exit_of(colleagues: &[&'static str]) -> Analysis {
    let mut tenant = Tenant::with_unregistered_history();
    for user in colleagues {
        for day in 1..=30 {
            let session = format!("{user}-{day}");
            for (hour, from) in [(26, OFFICE), (20, OFFICE), (17, PROXY)] {
                if hour == 17 && day % 6 != 0 {
                    continue;
                }
                tenant.add(SignIn {
                    user,
                    interactive: hour == 26,
                    ..sign_in(hours_before(24 * (day - 1) + hour), from, EDGE, &session)
                });
            }
        }
    }
    tenant.add(sign_in(hours_before(30), PROXY, FIREFOX, "anew"));
    let options = retake_hunt::Options::new(crate::tenant::alert()).unwrap();
    let report = retake_hunt::report(tenant.imported(), &options);
    let mut users = report.users.into_iter();
    let answer = users.find(|answer| answer.user == crate::tenant::UPN);
    answer.unwrap().analysis
}

#[test]
fn an_address_that_several_people_work_from_makes_nobody_a_stranger() {
    let many = [
        "ann@fabrikam.example",
        "ben@fabrikam.example",
        "cleo@fabrikam.example",
    ];
    let is_stranger = |said: &Analysis| {
        let mut reasons = said.reasons.iter();
        reasons.any(|reason| reason.text.contains("the user never used"))
    };
    let few = at_an_exit_of(&many[..2]);
    assert!(is_stranger(&few), "{:#?}", few.reasons);
    let several = at_an_exit_of(&many);
    assert!(!is_stranger(&several), "{:#?}", several.reasons);
    assert_ne!(several.verdict, Verdict::Compromised);
}
