//! Real events in their original forms. They are not in the repository: the
//! tests find them beside it, or say that they are absent.

use std::collections::BTreeSet;
use std::path::PathBuf;

use retake_hunt::readers::Form;
use retake_hunt::{Detections, Finding, Import, Imported, Severity};

pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("RETAKE_SHARED").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")),
        PathBuf::from,
    );
    let path = root.join("data").join(path);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {} is absent", path.display());
    None
}

fn import(path: &str) -> Option<Imported> {
    let mut import = Import::new();
    import.add_path(&shared(path)?).unwrap();
    Some(import.finish())
}

fn find(imported: &Imported) -> Vec<Finding> {
    let own: BTreeSet<String> = retake_hunt::detections::own_domains(&imported.events);
    Detections::builtin().unwrap().find(&imported.events, &own)
}

#[test]
fn each_recorded_technique_is_found_in_its_file() {
    for (file, form, records, expected) in [
        (
            "t1098.001_Add a user to company administrator role.csv",
            Form::SearchCsv,
            1,
            "D0401",
        ),
        (
            "t1098.002_Mail Account Delegation full access permissions.csv",
            Form::SearchCsv,
            1,
            "D0202",
        ),
        (
            "t1098.002_Mail Account Delegation full access permissions.json",
            Form::AuditJson,
            1,
            "D0201",
        ),
        (
            "t1098_Add a user to company administrator role.json",
            Form::AuditJson,
            1,
            "D0401",
        ),
        (
            "t1110.003_msolspray-powershell.json",
            Form::AuditJson,
            11,
            "D0701",
        ),
        (
            "t1110.003_msolspraywithsuccess_1.csv",
            Form::SearchCsv,
            9,
            "D0701",
        ),
        (
            "t1114.002_Enable_POP_IMAP_OWA.csv",
            Form::SearchCsv,
            2,
            "D0601",
        ),
        (
            "t1114.002_Enable_POP_IMAP_OWA.json",
            Form::AuditJson,
            1,
            "D0601",
        ),
        (
            "t1114.003_Forward_Rule_Multi_Users_Same_Forward_dest.json",
            Form::AuditJson,
            5,
            "D0109",
        ),
        (
            "t1114_Set-Mailbox-ForwardSMTPAddress.csv",
            Form::SearchCsv,
            1,
            "D0107",
        ),
        (
            "t1550.001_Allusers_consent_to_grant_permission_granted.json",
            Form::AuditJson,
            1,
            "D0303",
        ),
        (
            "t1556.006_Disable Strong Authentication.csv",
            Form::SearchCsv,
            3,
            "D0402",
        ),
        (
            "t1556_Disable _Strong_Authentication.json",
            Form::AuditJson,
            3,
            "D0402",
        ),
        (
            "t1562-UnifiedAuditlogIngestion-Stopped.json",
            Form::AuditJson,
            1,
            "D0501",
        ),
        (
            "t1562.001_Set-Mailbox-AuditLogAgeLimitoZero.csv",
            Form::SearchCsv,
            1,
            "D0502",
        ),
        (
            "t1562.008_Disable UAL ingestion.csv",
            Form::SearchCsv,
            1,
            "D0501",
        ),
        (
            "t1562_Set-Mailbox-AuditLogAgeLimitoZero.json",
            Form::AuditJson,
            1,
            "D0502",
        ),
        (
            "t1564.008_New inbox rule to delete email.csv",
            Form::SearchCsv,
            1,
            "D0102",
        ),
        (
            "t1564.008_markasread_delete_all_email.json",
            Form::AuditJson,
            1,
            "D0104",
        ),
        ("t1592.004_mfa_sweep.csv", Form::SearchCsv, 8, "D0703"),
    ] {
        let Some(imported) = import(&format!("det-eng-samples/{file}")) else {
            return;
        };
        // One of them repeats a record.
        assert_eq!(
            imported.counts.read, records,
            "{file}: {:?}",
            imported.damaged
        );
        assert_eq!(imported.counts.damaged, 0, "{file}");
        assert_eq!(imported.inputs[0].form, form, "{file}");
        let found = find(&imported);
        assert!(
            found.iter().any(|finding| finding.detection == expected),
            "{file}: {found:#?}"
        );
    }
}

#[test]
fn days_of_ordinary_work_raise_nothing_serious() {
    for (file, records) in [("office_activity.csv", 266), ("sign-in_adelete.csv", 56)] {
        let Some(imported) = import(&format!("sentinel-training-lab/{file}")) else {
            return;
        };
        assert_eq!(
            imported.counts.damaged,
            0,
            "{file}: {:?}",
            imported.damaged.first()
        );
        assert_eq!(imported.counts.read, records, "{file}");
        assert_eq!(imported.inputs[0].form, Form::LogAnalytics, "{file}");
        let serious: Vec<Finding> = find(&imported)
            .into_iter()
            .filter(|finding| finding.severity >= Severity::Medium)
            .collect();
        assert!(serious.is_empty(), "{file}: {serious:#?}");
    }
}

#[test]
fn a_whole_folder_of_every_form_adds_up() {
    let Some(imported) = import("") else { return };
    let counts = imported.counts;
    assert_eq!(counts.read, counts.kept + counts.repeats + counts.damaged);
    for (path, form, kept) in [
        (
            "otrf-golden-saml/AADAuditEvents.Zip!",
            Form::LogAnalytics,
            4,
        ),
        (
            "otrf-golden-saml/OfficeActivityEvents.Zip!",
            Form::LogAnalytics,
            1,
        ),
        ("splunk-data-sources/azure.raw.ndjson", Form::Diagnostics, 8),
        (
            "sentinel-training-lab/disable_accounts.csv",
            Form::LogAnalytics,
            4,
        ),
        (
            "graph-docs-responses/beta_signin-list_1.json",
            Form::SignInsJson,
            1,
        ),
        (
            "graph-docs-responses/v1.0_directoryaudit-list_1.json",
            Form::DirectoryAuditsJson,
            1,
        ),
        (
            "graph-docs-responses/beta_messagetraces-list.json",
            Form::MessageTrace,
            1,
        ),
    ] {
        let input = imported
            .inputs
            .iter()
            .find(|input| input.path.contains(path))
            .unwrap_or_else(|| panic!("{path}"));
        assert_eq!(
            input.form,
            form,
            "{path} {:?}",
            imported.damaged.iter().find(|d| d.path == input.path)
        );
        assert_eq!(input.counts.kept + input.counts.repeats, kept, "{path}");
    }
}

#[test]
fn a_real_sign_in_carries_the_token_id_that_is_computed_from_its_id() {
    let Some(imported) = import("splunk-data-sources/azure.raw.ndjson") else {
        return;
    };
    let checked = imported
        .events
        .iter()
        .filter(|event| event.original.contains("uniqueTokenIdentifier"))
        .map(|event| {
            assert_eq!(
                retake_hunt::token::token_id(&event.record_id),
                event.token_id
            );
        })
        .count();
    assert_eq!(checked, 1);
}

#[test]
fn the_sprayed_account_is_named_and_ordinary_users_are_not() {
    let now = "2026-01-01T00:00:00Z".parse().unwrap();
    let options = retake_hunt::Options::new(now).unwrap();
    for (file, user) in [
        (
            "t1110.003_msolspraywithsuccess_1.csv",
            "miriam@contoso.onmicrosoft.com",
        ),
        (
            "t1110.003_msolspray-powershell.json",
            "lidia@contoso.onmicrosoft.com",
        ),
    ] {
        let Some(path) = shared(&format!("det-eng-samples/{file}")) else {
            return;
        };
        let report = retake_hunt::run(&[path], &options).unwrap();
        let worst = &report.users[0];
        assert_eq!(worst.user, user);
        assert_eq!(
            worst.analysis.verdict,
            retake_hunt::Verdict::Compromised,
            "{:#?}",
            worst.analysis.reasons
        );
        assert_eq!(
            worst.analysis.path,
            retake_hunt::Path::PasswordAttack,
            "{:#?}",
            worst.analysis.path_evidence
        );
        let others = report.users.iter().skip(1);
        assert!(
            others
                .into_iter()
                .all(|answer| answer.analysis.verdict != retake_hunt::Verdict::Compromised)
        );
    }
    let Some(path) = shared("sentinel-training-lab") else {
        return;
    };
    let report = retake_hunt::run(&[path], &options).unwrap();
    for answer in &report.users {
        assert!(
            answer.analysis.verdict != retake_hunt::Verdict::Compromised,
            "{}: {:#?}",
            answer.user,
            answer.analysis.reasons
        );
    }
}
