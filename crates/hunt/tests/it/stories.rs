//! Cases: what happened, and what hunt must say of it.

use std::collections::BTreeSet;

use retake_hunt::answer::HowRead;
use retake_hunt::{By, ForOrAgainst, Path, Verdict, analyse};
use retake_playbook::ObjectKind;
use serde_json::json;

use crate::tenant::{
    EDGE, FIREFOX, HOME, HOTEL, ID, IPHONE, LAIR, LAPTOP, OFFICE, PROXY, SignIn, Tenant, alert,
    by_record, hours_before, minutes_before, sign_in, subject,
};

const TOOL: &str = "6f9c3b2a-1234-4bcd-9e8f-aabbccddeeff";
const MAIL_APP: &str = "c0ffee00-1234-4bcd-9e8f-001122334455";

/// The user's own doings, odd-looking and legitimate.
fn baits(tenant: &mut Tenant) -> Vec<String> {
    let own = |tenant: &mut Tenant, hours: i64, from| {
        tenant.add(SignIn {
            device: Some(LAPTOP),
            ..sign_in(hours_before(hours), from, EDGE, "own-bait")
        })
    };
    let at_home = own(tenant, 24 * 12, HOME);
    let at_work = own(tenant, 24 * 20, OFFICE);
    vec![
        tenant.audit(
            hours_before(24 * 12 - 1),
            "New-InboxRule",
            HOME,
            "own-bait",
            &at_home,
            Tenant::parameters(&[
                ("Name", "Invoices"),
                ("SubjectContainsWords", "invoice"),
                ("MoveToFolder", "Invoices"),
                ("MarkAsRead", "True"),
            ]),
        ),
        tenant.audit(
            hours_before(24 * 12 - 1),
            "New-InboxRule",
            HOME,
            "own-bait",
            &at_home,
            Tenant::parameters(&[
                ("Name", "To my own address"),
                ("ForwardTo", "dana@private.example"),
            ]),
        ),
        tenant.audit(
            hours_before(24 * 20 - 1),
            "Consent to application.",
            OFFICE,
            "own-bait",
            &at_work,
            Tenant::consent(MAIL_APP, "own-grant", "Mail.ReadWrite offline_access"),
        ),
    ]
}

/// The attacker's doings in a session, of which the last sign-in is given.
fn loot(tenant: &mut Tenant, session: &str, token: &str) -> Vec<String> {
    vec![
        tenant.audit(
            hours_before(26),
            "New-InboxRule",
            LAIR,
            session,
            token,
            Tenant::parameters(&[
                ("Name", "."),
                ("SubjectOrBodyContainsWords", "invoice;payment"),
                ("MoveToFolder", "RSS Feeds"),
                ("MarkAsRead", "True"),
            ]),
        ),
        tenant.audit(
            hours_before(25),
            "Set-Mailbox",
            LAIR,
            session,
            token,
            Tenant::parameters(&[
                ("Identity", "dana.reyes"),
                ("ForwardingSmtpAddress", "smtp:box@collector.example"),
                ("DeliverToMailboxAndForward", "True"),
            ]),
        ),
        tenant.audit(
            hours_before(24),
            "Consent to application.",
            LAIR,
            session,
            token,
            Tenant::consent(TOOL, "bad-grant", "Mail.Read offline_access"),
        ),
    ]
}

fn phished() -> (Tenant, Vec<String>, Vec<String>) {
    let mut tenant = Tenant::with_history();
    let own = baits(&mut tenant);
    tenant.add(sign_in(hours_before(30), PROXY, EDGE, "stolen"));
    let token = tenant.add(SignIn {
        interactive: false,
        ..sign_in(hours_before(29), LAIR, FIREFOX, "stolen")
    });
    let bad = loot(&mut tenant, "stolen", &token);
    (tenant, own, bad)
}

#[test]
fn a_phished_session_is_told_from_the_users_own() {
    let (mut tenant, own, mut bad) = phished();
    bad.push(tenant.directory(
        hours_before(27),
        "User registered security info",
        LAIR,
        "User registered Authenticator App",
    ));
    let token = tenant.add(SignIn {
        interactive: false,
        ..sign_in(hours_before(20), LAIR, FIREFOX, "stolen")
    });
    let read = json!({"RecordType": 50, "MailboxOwnerUPN": "dana.reyes@fabrikam.example", "OperationProperties": [{"Name": "MailAccessType", "Value": "Bind"}, {"Name": "IsThrottled", "Value": "False"}],
        "Folders": [{"Path": "\\Inbox", "FolderItems": [{"InternetMessageId": "<a@x>"}, {"InternetMessageId": "<b@x>"}]}]});
    tenant.audit(
        hours_before(19),
        "MailItemsAccessed",
        LAIR,
        "stolen",
        &token,
        read.clone(),
    );
    tenant.audit(hours_before(18), "Send", LAIR, "stolen", &token, json!({"RecordType": 2, "Item": {"InternetMessageId": "<fraud@x>", "Subject": "RE: Invoice 4711"}}));
    tenant.trace(hours_before(18), "<fraud@x>", "Accounts@vendor.example");
    tenant.trace(hours_before(17), "<own@x>", "lee.park@fabrikam.example");
    // The user reads mail meanwhile, at work.
    let mine = tenant.add(SignIn {
        device: Some(LAPTOP),
        ..sign_in(hours_before(25), OFFICE, EDGE, "own-now")
    });
    tenant.audit(hours_before(25), "MailItemsAccessed", OFFICE, "own-now", &mine, json!({"Folders": [{"Path": "\\Inbox", "FolderItems": [{"InternetMessageId": "<mine@x>"}]}], "OperationProperties": [{"Name": "MailAccessType", "Value": "Bind"}]}));

    let said = tenant.analyse();
    assert_eq!(said.verdict, Verdict::Compromised);
    assert_eq!(
        said.path,
        Path::CredentialPhishing,
        "{:#?}",
        said.path_evidence
    );
    assert!(said.confidence >= 0.8, "{}", said.confidence);
    assert_eq!(said.first_known_bad, Some(hours_before(30)));
    for record in &bad {
        assert_eq!(
            by_record(&said, record).by,
            By::Attacker,
            "{:?}",
            by_record(&said, record)
        );
    }
    for record in &own {
        assert_eq!(
            by_record(&said, record).by,
            By::User,
            "{:?}",
            by_record(&said, record)
        );
    }
    assert_eq!(said.fingerprint.addresses, [LAIR.address, PROXY.address]);
    assert_eq!(said.fingerprint.networks, [PROXY.network, LAIR.network]);
    assert_eq!(said.fingerprint.sessions, ["stolen"]);
    assert_eq!(said.fingerprint.user_agents, [FIREFOX]);
    assert!(said.fingerprint.apps.contains(&TOOL.to_owned()));
    let read: Vec<_> = said
        .blast
        .read
        .iter()
        .map(|mail| (mail.message_id.as_deref().unwrap(), mail.how))
        .collect();
    assert_eq!(read, [("<a@x>", HowRead::Bind), ("<b@x>", HowRead::Bind)]);
    assert_eq!(said.blast.sent.len(), 1);
    assert_eq!(said.blast.sent[0].recipients, ["accounts@vendor.example"]);
    assert!(
        said.path_evidence
            .iter()
            .any(|e| e.path == Path::TokenTheft && e.for_or_against == ForOrAgainst::Against)
    );
    let grant = by_record(&said, &bad[2]);
    assert_eq!(grant.object_kind, ObjectKind::OauthGrant);
    for id in ["bad-grant", TOOL, "Mail Tool"] {
        assert!(
            grant.object_ids.iter().any(|have| have == id),
            "{id}: {:?}",
            grant.object_ids
        );
    }
    let forward = by_record(&said, &bad[1]);
    assert_eq!(forward.object_kind, ObjectKind::MailboxForwarding);
    assert!(forward.object_ids.iter().any(|have| have == ID));
}

#[test]
fn a_look_in_the_same_month_with_nothing_foreign_is_clean() {
    let mut tenant = Tenant::with_history();
    let own = baits(&mut tenant);
    let said = tenant.analyse();
    assert_eq!(said.verdict, Verdict::Clean, "{:#?}", said.reasons);
    assert_eq!(said.path, Path::None);
    assert!(said.fingerprint.is_empty());
    for record in &own {
        assert_eq!(by_record(&said, record).by, By::User);
    }
}

#[test]
fn travel_with_the_own_laptop_and_a_new_phone_at_home_are_the_user() {
    let mut tenant = Tenant::with_history();
    baits(&mut tenant);
    for hours in [60, 50, 40] {
        let token = tenant.add(SignIn {
            device: Some(LAPTOP),
            ..sign_in(hours_before(hours), HOTEL, EDGE, "trip")
        });
        tenant.audit(
            hours_before(hours),
            "New-InboxRule",
            HOTEL,
            "trip",
            &token,
            Tenant::parameters(&[
                ("Name", "From the trip"),
                ("From", "hotel@hotel.example"),
                ("MoveToFolder", "Trip"),
            ]),
        );
    }
    tenant.add(SignIn {
        agent: FIREFOX,
        ..sign_in(hours_before(9), HOME, IPHONE, "new-phone")
    });
    let method = tenant.directory(
        hours_before(9),
        "User registered security info",
        HOME,
        "User registered Authenticator App",
    );
    let said = tenant.analyse();
    assert_eq!(said.verdict, Verdict::Clean, "{:#?}", said.reasons);
    assert_eq!(by_record(&said, &method).by, By::User);
    assert!(said.changes.iter().all(|change| change.by == By::User));
}

#[test]
fn travel_with_a_borrowed_computer_is_suspicious_at_most() {
    let mut tenant = Tenant::with_history();
    baits(&mut tenant);
    tenant.add(sign_in(hours_before(30), HOTEL, FIREFOX, "lobby"));
    let said = tenant.analyse();
    assert_ne!(said.verdict, Verdict::Compromised, "{:#?}", said.reasons);
}

#[test]
fn travel_with_an_unregistered_laptop_does_not_make_the_users_rules_an_attackers() {
    let mut tenant = Tenant::with_history();
    baits(&mut tenant);
    let mut rules = Vec::new();
    for hours in [9, 7, 5] {
        let token = tenant.add(sign_in(hours_before(hours), HOTEL, EDGE, "own-1-8"));
        rules.push(tenant.audit(
            hours_before(hours),
            "New-InboxRule",
            HOTEL,
            "own-1-8",
            &token,
            Tenant::parameters(&[
                ("Name", "Offers"),
                ("SubjectContainsWords", "offer"),
                ("DeleteMessage", "True"),
            ]),
        ));
    }
    let said = tenant.analyse();
    assert_ne!(said.verdict, Verdict::Compromised, "{:#?}", said.reasons);
    for rule in &rules {
        assert_ne!(by_record(&said, rule).by, By::Attacker);
    }
}

#[test]
fn one_act_that_two_logs_tell_of_is_one_change_and_two_acts_are_two() {
    let (mut tenant, _, bad) = phished();
    let twice = tenant.audit(
        hours_before(24),
        "Consent to application.",
        LAIR,
        "stolen",
        "",
        Tenant::consent(TOOL, "bad-grant", "Mail.Read offline_access"),
    );
    let said = tenant.analyse();
    let consents = said
        .changes
        .iter()
        .filter(|change| change.record_id == bad[2] || change.record_id == twice)
        .count();
    assert_eq!(consents, 2, "one log tells of an act once");
    let mut tenant = Tenant::with_history();
    let directory = tenant.directory(
        hours_before(9),
        "User registered security info",
        HOME,
        "User registered Authenticator App",
    );
    let audit = tenant.audit(hours_before(9), "User registered security info.", HOME, "", "", json!({"Workload": "AzureActiveDirectory", "RecordType": 8, "ResultStatus": "Success", "ExtendedProperties": [{"Name": "x", "Value": "User registered Authenticator App"}]}));
    let said = tenant.analyse();
    assert_eq!(said.changes.len(), 1);
    assert_eq!(by_record(&said, &directory), by_record(&said, &audit));
}

#[test]
fn a_consent_in_the_own_session_that_is_misused_is_consent_phishing() {
    let mut tenant = Tenant::with_history();
    baits(&mut tenant);
    let token = tenant.add(SignIn {
        device: Some(LAPTOP),
        ..sign_in(hours_before(30), OFFICE, EDGE, "own-click")
    });
    let consent = tenant.audit(
        hours_before(30),
        "Consent to application.",
        OFFICE,
        "own-click",
        &token,
        Tenant::consent(TOOL, "bad-grant", "Mail.Read offline_access"),
    );
    tenant.audit(hours_before(28), "MailItemsAccessed", LAIR, "", "", json!({"AppAccessContext": {"ClientAppId": TOOL}, "MailboxOwnerUPN": "dana.reyes@fabrikam.example",
        "OperationProperties": [{"Name": "MailAccessType", "Value": "Bind"}], "Folders": [{"Path": "\\Inbox", "FolderItems": [{"InternetMessageId": "<a@x>"}]}]}));
    let said = tenant.analyse();
    assert_eq!(said.verdict, Verdict::Compromised, "{:#?}", said.reasons);
    assert_eq!(
        said.path,
        Path::ConsentPhishing,
        "{:#?}",
        said.path_evidence
    );
    // By the user's hand, and whose doing it was.
    let change = by_record(&said, &consent);
    assert_eq!(change.by, By::Attacker);
    assert!(
        change
            .reasons
            .iter()
            .any(|reason| reason.contains("in person")),
        "{:?}",
        change.reasons
    );
    assert_eq!(said.first_known_bad, Some(hours_before(30)));
    assert_eq!(said.blast.read.len(), 1);
}

#[test]
fn a_session_of_the_user_used_elsewhere_without_a_sign_in_is_token_theft() {
    let mut tenant = Tenant::with_history();
    baits(&mut tenant);
    tenant.add(SignIn {
        device: Some(LAPTOP),
        ..sign_in(hours_before(34), OFFICE, EDGE, "taken")
    });
    let token = tenant.add(SignIn {
        interactive: false,
        ..sign_in(hours_before(30), LAIR, FIREFOX, "taken")
    });
    let bad = loot(&mut tenant, "taken", &token);
    let said = tenant.analyse();
    assert_eq!(said.verdict, Verdict::Compromised);
    assert_eq!(said.path, Path::TokenTheft, "{:#?}", said.path_evidence);
    assert_eq!(by_record(&said, &bad[0]).by, By::Attacker);
    assert_eq!(said.first_known_bad, Some(hours_before(30)));
    assert!(
        !said
            .fingerprint
            .addresses
            .contains(&OFFICE.address.to_owned())
    );
}

#[test]
fn passwords_tried_on_many_then_one_that_fits_is_a_password_attack() {
    let mut tenant = Tenant::with_history();
    baits(&mut tenant);
    for (minute, user) in [
        "a@fabrikam.example",
        "b@fabrikam.example",
        "c@fabrikam.example",
        "d@fabrikam.example",
        "e@fabrikam.example",
    ]
    .into_iter()
    .enumerate()
    {
        let at = minutes_before(30 * 60 + 10 - i64::try_from(minute).unwrap());
        tenant.add(SignIn {
            user,
            code: 50126,
            protocol: "ropc",
            ..sign_in(at, LAIR, FIREFOX, "")
        });
    }
    let token = tenant.add(SignIn {
        protocol: "ropc",
        mfa: false,
        ..sign_in(hours_before(30), LAIR, FIREFOX, "ropc")
    });
    loot(&mut tenant, "ropc", &token);
    let said = tenant.analyse();
    assert_eq!(said.verdict, Verdict::Compromised);
    assert_eq!(said.path, Path::PasswordAttack, "{:#?}", said.path_evidence);
    let knocked: Vec<_> = said
        .blast
        .accounts
        .iter()
        .map(|account| (account.user.as_str(), account.entered))
        .collect();
    assert_eq!(knocked.len(), 5);
    assert!(knocked.iter().all(|(_, entered)| !entered));
}

#[test]
fn a_code_entered_for_somebody_else_is_device_code_phishing() {
    let mut tenant = Tenant::with_history();
    baits(&mut tenant);
    let token = tenant.add(SignIn {
        protocol: "deviceCode",
        ..sign_in(hours_before(30), LAIR, FIREFOX, "code")
    });
    loot(&mut tenant, "code", &token);
    let said = tenant.analyse();
    assert_eq!(
        said.path,
        Path::DeviceCodePhishing,
        "{:#?}",
        said.path_evidence
    );
}

#[test]
fn what_the_responder_does_is_nobodys_crime() {
    let (mut tenant, _, _) = phished();
    let mut cut = Tenant::parameters(&[("Identity", "dana.reyes"), ("ForwardingSmtpAddress", "")]);
    cut["AppAccessContext"] = json!({"ClientAppId": "7e57ab1e-0000-4000-8000-000000000001"});
    cut["UserId"] = json!("responder@fabrikam.example");
    let record = tenant.audit(hours_before(0), "Set-Mailbox", OFFICE, "", "", cut);
    let said = tenant.analyse();
    assert_eq!(by_record(&said, &record).by, By::Responder);
}

#[test]
fn a_neighbour_on_a_shared_exit_is_no_victim_but_a_second_account_is() {
    let (mut tenant, _, _) = phished();
    for day in 1..6 {
        tenant.add(SignIn {
            user: "old.hand@fabrikam.example",
            ..sign_in(hours_before(24 * day), LAIR, EDGE, "theirs")
        });
    }
    tenant.add(SignIn {
        user: "second@fabrikam.example",
        ..sign_in(hours_before(12), LAIR, FIREFOX, "other")
    });
    let said = tenant.analyse();
    let reached: Vec<_> = said
        .blast
        .accounts
        .iter()
        .filter(|account| account.entered)
        .map(|account| account.user.as_str())
        .collect();
    assert_eq!(reached, ["second@fabrikam.example"]);
}

#[test]
fn background_knocking_is_no_takeover() {
    let mut tenant = Tenant::with_history();
    baits(&mut tenant);
    for hours in 20..40 {
        tenant.add(SignIn {
            code: 50126,
            ..sign_in(hours_before(hours), LAIR, FIREFOX, "")
        });
    }
    let said = tenant.analyse();
    assert_eq!(said.verdict, Verdict::Clean, "{:#?}", said.reasons);
}

#[test]
fn without_history_nothing_is_claimed() {
    let mut tenant = Tenant::default();
    tenant.add(sign_in(hours_before(3), PROXY, EDGE, "s"));
    let said = tenant.analyse();
    assert_eq!(said.verdict, Verdict::Unknown);
    assert_eq!(said.path, Path::Unknown);
    assert!(
        said.coverage
            .iter()
            .any(|line| line.gaps.iter().any(|gap| gap.why.contains("mail read")))
    );
    let nothing = analyse(&[], &subject(), alert());
    assert_eq!(nothing.verdict, Verdict::Unknown);
}

#[test]
fn names_and_addresses_decide_nothing_and_nor_does_the_order_of_events() {
    let (tenant, _, _) = phished();
    let events = tenant.events();
    let said = analyse(&events, &subject(), alert());
    let mut reversed = events.clone();
    reversed.reverse();
    assert_eq!(analyse(&reversed, &subject(), alert()), said);
    // The same case in another world: every address and network renamed.
    let mut import = retake_hunt::Import::new();
    let renamed: Vec<String> = events
        .iter()
        .map(|event| {
            event
                .original
                .replace("203.0.113.", "2001:db8:5::")
                .replace("198.51.100.20", "203.0.113.200")
                .replace("192.0.2.", "198.51.100.")
                .replace("6466", "3950")
                .replace("collector.example", "other.example")
        })
        .collect();
    import.add_bytes("renamed", renamed.join("\n").as_bytes());
    let again = analyse(&import.finish().events, &subject(), alert());
    assert_eq!(
        (again.verdict, again.path, again.score),
        (said.verdict, said.path, said.score)
    );
    let authors = |analysis: &retake_hunt::Analysis| -> BTreeSet<(String, By)> {
        analysis
            .changes
            .iter()
            .map(|change| (change.record_id.clone(), change.by))
            .collect()
    };
    assert_eq!(authors(&again), authors(&said));
}
