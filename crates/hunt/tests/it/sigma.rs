//! Sigma rules: what runs, what is refused, what is found.

use std::collections::BTreeMap;

use retake_hunt::sigma::{Refusal, SERVICES, Sigma};
use retake_hunt::{Event, Import};

use crate::shared_data::shared;

fn events(records: &str) -> Vec<Event> {
    let mut import = Import::new();
    import.add_bytes("records", records.as_bytes());
    let imported = import.finish();
    assert_eq!(imported.counts.damaged, 0, "{:?}", imported.damaged);
    imported.events
}

fn rule(logsource: &str, detection: &str) -> String {
    format!(
        "title: A rule\nid: r1\nauthor: Somebody Else\nlevel: high\ntags:\n  - attack.t1098\nlogsource:\n{logsource}\ndetection:\n{detection}\n"
    )
}

const AUDIT: &str = "  product: m365\n  service: audit";
const DIRECTORY: &str = "  product: azure\n  service: auditlogs";
const SIGN_INS: &str = "  product: azure\n  service: signinlogs";

fn one(logsource: &str, detection: &str) -> Result<Sigma, Refusal> {
    let mut sigma = Sigma::default();
    sigma.add_text("rule.yml", &rule(logsource, detection));
    match sigma.refused() {
        [] => Ok(sigma),
        [refused, ..] => Err(refused.kind),
    }
}

const FORWARD: &str = r#"{"CreationTime": "2026-03-02T09:15:00", "Id": "a1", "Operation": "New-InboxRule", "RecordType": 1, "ResultStatus": "True", "UserId": "Dana@fabrikam.example", "Workload": "Exchange", "ClientIP": "198.51.100.20:443", "Parameters": [{"Name": "ForwardTo", "Value": "bo@mail.example"}]}"#;
const ROLE: &str = r#"{"id": "d1", "activityDateTime": "2026-03-02T09:15:00Z", "activityDisplayName": "Update application – Certificates and secrets management ", "category": "ApplicationManagement", "loggedByService": "Core Directory", "result": "success", "initiatedBy": {"user": {"userPrincipalName": "dana@fabrikam.example"}}, "targetResources": [{"type": "Application", "displayName": "x", "modifiedProperties": [{"displayName": "KeyDescription", "oldValue": "[]", "newValue": "[\"AsymmetricX509Cert\"]"}]}]}"#;
const SIGN_IN: &str = r#"{"id": "s1", "createdDateTime": "2026-03-02T09:15:00Z", "userPrincipalName": "dana@fabrikam.example", "appId": "x", "appDisplayName": "y", "ipAddress": "198.51.100.20", "isInteractive": true, "authenticationRequirement": "singleFactorAuthentication", "status": {"errorCode": 0}, "deviceDetail": {"deviceId": "", "trustType": null}}"#;

#[test]
fn a_rule_matches_by_columns_and_by_the_records_own_fields() {
    for (logsource, detection, record, expected) in [
        (
            AUDIT,
            "  selection:\n    Operation: New-InboxRule\n    Parameters|contains: ForwardTo\n  condition: selection",
            FORWARD,
            true,
        ),
        (
            AUDIT,
            "  selection:\n    Operation|startswith: [Set-, Remove-]\n  condition: selection",
            FORWARD,
            false,
        ),
        (
            AUDIT,
            "  selection:\n    ClientIP|cidr: 198.51.100.0/24\n  condition: selection",
            FORWARD,
            true,
        ),
        (
            AUDIT,
            "  selection:\n    Parameters|contains|all: [forwardto, mail.example]\n  condition: selection",
            FORWARD,
            true,
        ),
        (
            AUDIT,
            "  selection:\n    Parameters|contains|all: [forwardto, other]\n  condition: selection",
            FORWARD,
            false,
        ),
        (
            AUDIT,
            "  keywords:\n    - bo@MAIL.example\n  condition: keywords",
            FORWARD,
            true,
        ),
        (
            AUDIT,
            "  keywords:\n    '|all':\n      - mail.example\n      - nowhere\n  condition: keywords",
            FORWARD,
            false,
        ),
        (
            AUDIT,
            "  a:\n    Operation: New-InboxRule\n  filter:\n    UserId|endswith: '@fabrikam.example'\n  condition: a and not filter",
            FORWARD,
            false,
        ),
        (
            AUDIT,
            "  sel_a:\n    - Operation: x\n    - Workload: exchange\n  condition: 1 of sel_*",
            FORWARD,
            true,
        ),
        (
            AUDIT,
            "  sel:\n    ObjectId: null\n  condition: sel",
            FORWARD,
            true,
        ),
        (
            AUDIT,
            "  sel:\n    UserAgent|exists: false\n  condition: sel",
            FORWARD,
            true,
        ),
        // The rule's spelling of an operation is folded like the log's.
        (
            DIRECTORY,
            "  selection:\n    properties.message: Update application - Certificates and secrets management\n  condition: selection",
            ROLE,
            true,
        ),
        (
            DIRECTORY,
            "  selection:\n    TargetResources.ModifiedProperties.NewValue|contains: X509\n  condition: selection",
            ROLE,
            true,
        ),
        (
            DIRECTORY,
            "  selection:\n    targetResources.type: Application\n    Status: Success\n  condition: all of them",
            ROLE,
            true,
        ),
        // The right fields in another log are none of the rule's.
        (
            AUDIT,
            "  selection:\n    Operation|contains: Update\n  condition: selection",
            ROLE,
            false,
        ),
        (
            SIGN_INS,
            "  selection:\n    ResultType: 0\n    AuthenticationRequirement: singleFactorAuthentication\n  condition: selection",
            SIGN_IN,
            true,
        ),
        (
            SIGN_INS,
            "  selection:\n    DeviceDetail.deviceId: ''\n  condition: selection",
            SIGN_IN,
            true,
        ),
        (
            SIGN_INS,
            "  selection:\n    ResultType|gte: 1\n  condition: selection",
            SIGN_IN,
            false,
        ),
    ] {
        let sigma = one(logsource, detection).unwrap_or_else(|kind| panic!("{kind:?} {detection}"));
        let answer = sigma.find(&events(record));
        assert_eq!(!answer.findings.is_empty(), expected, "{detection}");
        if let Some(finding) = answer.findings.first() {
            assert_eq!(finding.author, "Somebody Else");
            assert_eq!(finding.tags, ["attack.t1098"]);
            assert_eq!(finding.count, 1);
        }
    }
}

#[test]
fn what_cannot_be_run_whole_is_refused_with_the_reason() {
    let ok = "  selection:\n    Operation: x\n  condition: selection";
    for (logsource, detection, kind) in [
        (
            "  product: azure\n  service: activitylogs",
            ok,
            Refusal::Log,
        ),
        ("  product: windows\n  service: security", ok, Refusal::Log),
        ("  category: process_creation", ok, Refusal::Log),
        (
            AUDIT,
            "  selection:\n    Operation: x\n    NoSuchField: y\n  condition: selection",
            Refusal::Field,
        ),
        (
            AUDIT,
            "  selection:\n    Operation|base64offset: x\n  condition: selection",
            Refusal::Modifier,
        ),
        (
            AUDIT,
            "  selection:\n    Operation|expand: '%x%'\n  condition: selection",
            Refusal::Placeholder,
        ),
        (
            AUDIT,
            "  selection:\n    Operation: x\n  condition: selection | count() > 5",
            Refusal::Aggregation,
        ),
        (
            AUDIT,
            "  selection:\n    Operation: x\n  timeframe: 1h\n  condition: selection",
            Refusal::Aggregation,
        ),
        (
            AUDIT,
            "  selection:\n    Operation: x\n  condition: selektion",
            Refusal::Condition,
        ),
        (AUDIT, "  selection:\n    Operation: x", Refusal::Condition),
        (
            AUDIT,
            "  selection:\n    Operation|re: '('\n  condition: selection",
            Refusal::Value,
        ),
        (
            AUDIT,
            "  selection: {}\n  condition: selection",
            Refusal::Value,
        ),
        (
            AUDIT,
            "  selection: &a\n    Operation: x\n  other: *a\n  condition: selection",
            Refusal::NotARule,
        ),
        (
            AUDIT,
            "  selection:\n    Operation: x\n    Operation: y\n  condition: selection",
            Refusal::NotARule,
        ),
    ] {
        assert_eq!(
            one(logsource, detection).err(),
            Some(kind),
            "{logsource} {detection}"
        );
    }
    let deep = format!("detection: {}", "[".repeat(10_000));
    let mut sigma = Sigma::default();
    sigma.add_text("deep.yml", &deep);
    sigma.add_text("binary.yml", "\u{0}\u{1}: [");
    assert_eq!(sigma.refused().len(), 2);
}

#[test]
fn order_repetition_and_threads_change_nothing() {
    let sigma = one(AUDIT, "  s:\n    Workload: Exchange\n  condition: s").unwrap();
    let records: Vec<String> = (0..20)
        .map(|n| FORWARD.replace("a1", &format!("a{n}")))
        .collect();
    let forward = events(&records.join("\n"));
    let mut once = sigma.matcher();
    for event in &forward {
        once.feed(0, event);
    }
    let mut parts = (sigma.matcher(), sigma.matcher().fork());
    for (number, event) in forward.iter().rev().chain(&forward).enumerate() {
        if number % 3 == 0 {
            parts.0.feed(0, event);
        } else {
            parts.1.feed(0, event);
        }
    }
    parts.0.merge(parts.1);
    assert_eq!(once.finish(), parts.0.finish());
}

#[test]
fn the_page_about_sigma_has_the_field_map() {
    let page = std::fs::read_to_string(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/hunt-sigma.md"),
    )
    .unwrap();
    for service in SERVICES {
        let heading = format!("### `{}` / `{}`", service.product, service.service);
        let (_, part) = page
            .split_once(&heading)
            .unwrap_or_else(|| panic!("{heading} is missing"));
        let part = part.split("\n##").next().unwrap();
        for (field, columns) in service.fields {
            let columns: Vec<String> = columns.iter().map(|name| format!("`{name}`")).collect();
            let row = format!("| `{field}` | {} |", columns.join(", "));
            assert!(part.contains(&row), "{heading}: {row}");
        }
    }
}

#[test]
fn every_published_rule_runs_or_is_refused_with_a_reason() {
    let Some(path) = shared("sigma") else { return };
    let mut sigma = Sigma::default();
    sigma.add_path(&path).unwrap();
    let mut kinds: BTreeMap<Refusal, usize> = BTreeMap::new();
    for refused in sigma.refused() {
        assert!(!refused.reason.is_empty());
        *kinds.entry(refused.kind).or_default() += 1;
        eprintln!(
            "{:?}  {}  {}",
            refused.kind,
            refused.path.rsplit('/').next().unwrap(),
            refused.reason
        );
    }
    assert_eq!(sigma.rules().len() + sigma.refused().len(), 152);
    assert_eq!(
        (sigma.rules().len(), kinds),
        (
            99,
            BTreeMap::from([
                (Refusal::Log, 42),
                (Refusal::Field, 4),
                (Refusal::Placeholder, 7),
            ])
        )
    );
    assert!(sigma.rules().iter().all(|rule| !rule.author.is_empty()));
}

#[test]
fn published_rules_find_what_they_are_about_in_real_events() {
    let (Some(rules), Some(logs)) = (shared("sigma"), shared("")) else {
        return;
    };
    let mut sigma = Sigma::default();
    sigma.add_path(&rules).unwrap();
    let mut import = Import::new();
    import.add_path(&logs).unwrap();
    let answer = sigma.find(&import.finish().events);
    let titles: Vec<&str> = answer.findings.iter().map(|f| f.title.as_str()).collect();
    eprintln!("{titles:#?}");
    assert!(titles.len() > 3, "{titles:?}");
}
