//! Microsoft's own documented answers pass the checker, apart from where they depart from
//! Microsoft's own metadata; each such place is listed with what is off.

use std::collections::BTreeMap;
use std::fs;

use retake_contract::{Contract, Exchange, Verdict, Version, shared_dir, skip_without_shared};
use serde_json::Value;

/// Page of the documentation → the request it is about.
const PAGES: &[(&str, &str, &str, u16)] = &[
    (
        "authentication-list-methods",
        "GET",
        "/users/x/authentication/methods",
        200,
    ),
    (
        "directoryaudit-get",
        "GET",
        "/auditLogs/directoryAudits/x",
        200,
    ),
    (
        "directoryaudit-list",
        "GET",
        "/auditLogs/directoryAudits",
        200,
    ),
    (
        "mailfolder-list-messagerules",
        "GET",
        "/users/x/mailFolders/inbox/messageRules",
        200,
    ),
    (
        "messagerule-get",
        "GET",
        "/users/x/mailFolders/inbox/messageRules/x",
        200,
    ),
    (
        "oauth2permissiongrant-list",
        "GET",
        "/oauth2PermissionGrants",
        200,
    ),
    (
        "riskdetection-list",
        "GET",
        "/identityProtection/riskDetections",
        200,
    ),
    (
        "riskyuser-list-history",
        "GET",
        "/identityProtection/riskyUsers/x/history",
        200,
    ),
    (
        "riskyuser-list",
        "GET",
        "/identityProtection/riskyUsers",
        200,
    ),
    (
        "serviceprincipal-list-approleassignments",
        "GET",
        "/servicePrincipals/x/appRoleAssignments",
        200,
    ),
    ("serviceprincipal-list", "GET", "/servicePrincipals", 200),
    ("signin-get", "GET", "/auditLogs/signIns/x", 200),
    ("signin-list", "GET", "/auditLogs/signIns", 200),
    (
        "subscription-post-subscriptions",
        "POST",
        "/subscriptions",
        201,
    ),
    (
        "user-get-mailboxsettings",
        "GET",
        "/users/x/mailboxSettings",
        200,
    ),
];

/// Samples that are no answer to the request of their page.
const NOT_JUDGED: &[(&str, &str)] = &[
    (
        "beta_oauth2permissiongrant-list_1",
        "placeholders instead of times",
    ),
    (
        "v1.0_riskyuser-list-history_2",
        "names of types instead of values",
    ),
    ("v1.0_riskyuser-list_2", "names of types instead of values"),
    (
        "beta_user-get-mailboxsettings_3",
        "answers …/automaticRepliesSetting",
    ),
    ("beta_user-get-mailboxsettings_5", "answers …/workingHours"),
    ("beta_user-get-mailboxsettings_6", "answers …/userPurpose"),
    (
        "v1.0_user-get-mailboxsettings_3",
        "answers …/automaticRepliesSetting",
    ),
    ("v1.0_user-get-mailboxsettings_4", "answers …/workingHours"),
];

/// What is off in the remaining ones: sample → complaints, in order.
const KNOWN: &[(&str, &[&str])] = &[
    (
        "beta_authentication-list-methods_1",
        &[
            "/0: \"@odata.type\"",
            "/1: \"@odata.type\"",
            "/2: \"@odata.type\"",
        ],
    ),
    // Both pages print a list where one object is asked for.
    ("beta_directoryaudit-get_1", &["'value' was unexpected"]),
    ("v1.0_directoryaudit-get_1", &["'value' was unexpected"]),
    ("v1.0_signin-get_1", &["'value' was unexpected"]),
    // Names of types that the metadata no longer has.
    (
        "beta_directoryaudit-list_1",
        &[
            "/0/targetResources/0/@odata.type",
            "/0/targetResources/1/@odata.type",
        ],
    ),
    (
        "v1.0_directoryaudit-list_1",
        &["'Type' was unexpected", "'Type' was unexpected"],
    ),
    ("beta_riskdetection-list_1", &["/tokenIssuerType"]),
    ("beta_riskdetection-list_2", &["/tokenIssuerType"]),
    ("beta_riskdetection-list_3", &["/tokenIssuerType"]),
    ("v1.0_riskdetection-list_2", &["/tokenIssuerType"]),
    (
        "beta_riskyuser-list-history_1",
        &["'isGuest'", "'isGuest'", "'isGuest'"],
    ),
    (
        "beta_signin-list_2",
        &["/conditionalAccessStatus", "'riskLevelDuringsignIn'"],
    ),
    (
        "beta_user-get-mailboxsettings_2",
        &["/externalAudience", "/status"],
    ),
    (
        "v1.0_user-get-mailboxsettings_2",
        &["/externalAudience", "/status"],
    ),
    (
        "v1.0_authentication-list-methods_1",
        &["'creationDateTime'"],
    ),
    (
        "v1.0_subscription-post-subscriptions_2",
        &["'notificationContentType'"],
    ),
];

#[test]
fn documented_answers_pass() {
    let samples = shared_dir().map(|shared| (shared.join("data/graph-docs-responses"), shared));
    let Some((samples, shared)) = samples.filter(|(samples, _)| samples.is_dir()) else {
        skip_without_shared("Microsoft's documented answers");
        return;
    };
    let contract = Contract::load(&shared).unwrap();
    let mut known: BTreeMap<&str, &[&str]> = KNOWN.iter().copied().collect();
    let mut judged = 0;
    let mut surprises = Vec::new();
    let mut files: Vec<_> = fs::read_dir(samples)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    for file in files {
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        if NOT_JUDGED.iter().any(|(sample, _why)| *sample == name) {
            continue;
        }
        let Some(exchange) = exchange_of(&name, &fs::read_to_string(&file).unwrap()) else {
            continue;
        };
        judged += 1;
        let complaints = match contract.check(&exchange) {
            Verdict::Valid => Vec::new(),
            Verdict::Unknown => vec!["unknown".to_owned()],
            Verdict::Invalid(wrong) => wrong,
        };
        let expected = known.remove(name.as_str()).unwrap_or_default();
        let as_expected = complaints.len() == expected.len()
            && complaints
                .iter()
                .zip(expected)
                .all(|(it, part)| it.contains(part));
        if !as_expected {
            surprises.push((name, complaints));
        }
    }
    assert!(surprises.is_empty(), "{surprises:#?}");
    assert!(known.is_empty(), "listed and not found: {known:?}");
    assert!(judged >= 30, "only {judged} samples judged");
}

fn exchange_of(sample: &str, text: &str) -> Option<Exchange> {
    let version = Version::ALL
        .into_iter()
        .find(|version| sample.starts_with(version.segment()))?;
    let page = sample[version.segment().len() + 1..].rsplit_once('_')?.0;
    let (_, method, path, status) = PAGES.iter().find(|(name, ..)| *name == page)?;
    Some(Exchange {
        version,
        method: (*method).to_owned(),
        path: (*path).to_owned(),
        // The samples are answers; a request that needs a body gets an empty object.
        request_body: (*method == "POST").then(|| Value::Object(serde_json::Map::default())),
        status: *status,
        response_body: Some(serde_json::from_str(text).unwrap()),
    })
}
