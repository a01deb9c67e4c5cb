//! The audit log alone: no devices, no networks, no places, and at the sign-in page nobody
//! can be told from a browser that brings its session.

use retake_hunt::{Analysis, Path, Verdict};
use serde_json::json;

use crate::tenant::{
    At, EDGE, FIREFOX, LAIR, OFFICE, Tenant, alert, by_record, hours_before, sign_in, subject,
};

const TAKEN: i64 = 30;

/// A sign-in as the audit log has it.
fn logged_in(
    tenant: &mut Tenant,
    hours: i64,
    from: At,
    agent: &str,
    session: &str,
    request: &str,
) -> String {
    let mut device = json!([{"Name": "OS", "Value": "Windows10"}]);
    if !session.is_empty() {
        device = json!([{"Name": "SessionId", "Value": session}]);
    }
    tenant.audit(
        hours_before(hours),
        "UserLoggedIn",
        from,
        "",
        "",
        json!({"RecordType": 15, "Workload": "AzureActiveDirectory", "ResultStatus": "Success",
            "ActorIpAddress": from.address, "ErrorNumber": "0",
            "ExtendedProperties": [{"Name": "UserAgent", "Value": agent}, {"Name": "RequestType", "Value": request}],
            "DeviceProperties": device}),
    )
}

/// Weeks in the office, a session for every week.
fn history(with_sessions: bool) -> Tenant {
    let mut tenant = Tenant::default();
    for day in 1..=28 {
        let session = if with_sessions {
            format!("week-{}", day / 7)
        } else {
            String::new()
        };
        for hour in [2, 5] {
            logged_in(
                &mut tenant,
                24 * day + hour,
                OFFICE,
                EDGE,
                &session,
                "OAuth2:Authorize",
            );
        }
    }
    tenant
}

/// Somebody else with another browser, who reads and leaves a rule.
fn taken(tenant: &mut Tenant, session: &str) -> String {
    logged_in(tenant, TAKEN, LAIR, FIREFOX, session, "OAuth2:Authorize");
    tenant.audit(
        hours_before(TAKEN - 1),
        "MailItemsAccessed",
        LAIR,
        session,
        "",
        json!({"RecordType": 50, "OperationProperties": [{"Name": "MailAccessType", "Value": "Bind"}],
            "Folders": [{"Path": "\\Inbox", "FolderItems": [{"InternetMessageId": "<looted@x>"}]}]}),
    );
    tenant.audit(
        hours_before(TAKEN - 2),
        "New-InboxRule",
        LAIR,
        session,
        "",
        Tenant::parameters(&[
            ("Name", "."),
            ("SubjectOrBodyContainsWords", "invoice;payment"),
            ("MoveToFolder", "RSS Feeds"),
            ("MarkAsRead", "True"),
        ]),
    )
}

fn analyse(tenant: &Tenant) -> Analysis {
    retake_hunt::analyse(&tenant.events(), &subject(), alert())
}

fn evidence(said: &Analysis, path: Path) -> Vec<&str> {
    said.path_evidence
        .iter()
        .filter(|one| one.path == path)
        .map(|one| one.text.as_str())
        .collect()
}

#[test]
fn whoever_brings_the_users_session_to_the_page_stole_it() {
    let mut tenant = history(true);
    let rule = taken(&mut tenant, "week-1");
    let said = analyse(&tenant);
    assert_eq!(said.verdict, Verdict::Compromised, "{:?}", said.reasons);
    assert_eq!(said.path, Path::TokenTheft, "{:#?}", said.path_evidence);
    assert_eq!(said.first_known_bad, Some(hours_before(TAKEN)));
    assert_eq!(by_record(&said, &rule).by, retake_hunt::By::Attacker);
}

#[test]
fn a_session_that_begins_elsewhere_was_signed_in_for() {
    let mut tenant = history(true);
    taken(&mut tenant, "new");
    let alone = analyse(&tenant);
    assert_eq!(alone.verdict, Verdict::Compromised);
    assert_eq!(alone.path, Path::CredentialPhishing);

    // The sign-in log knows more, and more is said.
    let mut tenant = Tenant::with_unregistered_history();
    tenant.add(sign_in(hours_before(TAKEN), LAIR, FIREFOX, "new"));
    taken(&mut tenant, "new");
    let both = tenant.analyse();
    assert_eq!(both.path, Path::CredentialPhishing);
    assert!(both.confidence > alone.confidence);
}

#[test]
fn where_nobody_can_tell_who_was_at_the_page_the_path_is_unknown() {
    let mut tenant = history(false);
    taken(&mut tenant, "");
    let said = analyse(&tenant);
    assert_eq!(said.verdict, Verdict::Compromised, "{:?}", said.reasons);
    assert_eq!(said.path, Path::Unknown, "{:#?}", said.path_evidence);
    assert!(
        evidence(&said, Path::CredentialPhishing)
            .iter()
            .any(|text| text.contains("without a sign-in log nobody can tell"))
    );
}

#[test]
fn a_code_that_the_user_entered_opens_the_session_that_somebody_else_uses() {
    let mut tenant = history(true);
    let code = logged_in(&mut tenant, TAKEN + 1, OFFICE, EDGE, "coded", "Cmsi:Cmsi");
    taken(&mut tenant, "coded");
    let said = analyse(&tenant);
    assert_eq!(said.verdict, Verdict::Compromised);
    assert_eq!(
        said.path,
        Path::DeviceCodePhishing,
        "{:#?}",
        said.path_evidence
    );
    assert!(
        said.path_evidence
            .iter()
            .any(|one| one.path == Path::DeviceCodePhishing && one.events.contains(&code))
    );
}

/// The user's usual browser, updated, in a session of their own, in another part of a provider's
/// addresses or in another provider's, and in the office between; with a change that an
/// attacker might make.
fn moved_to(address: &'static str) -> Analysis {
    let mut tenant = history(true);
    let there = At { address, ..OFFICE };
    for hours in [20, 17] {
        let updated = EDGE.replace("131.", "132.");
        logged_in(
            &mut tenant,
            hours,
            there,
            &updated,
            "week-0",
            "OAuth2:Token",
        );
    }
    logged_in(&mut tenant, 18, OFFICE, EDGE, "week-0", "OAuth2:Token");
    tenant.audit(
        hours_before(16),
        "Add-MailboxPermission",
        there,
        "week-0",
        "",
        Tenant::parameters(&[
            ("Identity", "shared@fabrikam.example"),
            ("User", "new@fabrikam.example"),
            ("AccessRights", "FullAccess"),
        ]),
    );
    analyse(&tenant)
}

#[test]
fn a_provider_that_moves_its_customer_makes_nobody_a_stranger() {
    let near = moved_to("198.51.7.20");
    assert_eq!(near.verdict, Verdict::Suspicious, "{:?}", near.reasons);
    let far = moved_to("203.0.113.20");
    assert_eq!(far.verdict, Verdict::Compromised, "{:?}", far.reasons);
}
