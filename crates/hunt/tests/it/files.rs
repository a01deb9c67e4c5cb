//! Files as analysts hand them over, read by content.

use std::io::Write as _;

use retake_hunt::readers::{Form, Imported};
use retake_hunt::{Import, Options, run};

use crate::tenant::alert;

const RECORD: &str = r#"{"CreationTime":"2026-03-02T09:10:00","Id":"11111111-0000-4000-8000-000000000001","Operation":"Set-Mailbox","OrganizationId":"t","RecordType":1,"ResultStatus":"True","UserType":2,"Workload":"Exchange","ClientIP":"[2001:db8::7]:50111","UserId":"Dana.Reyes@fabrikam.example","Parameters":[{"Name":"Identity","Value":"dana"},{"Name":"ForwardingSmtpAddress","Value":"smtp:x@mailbox.example"}]}"#;

fn import(bytes: &[u8]) -> Imported {
    let mut import = Import::new();
    import.add_bytes("file", bytes);
    import.finish()
}

fn quoted() -> String {
    RECORD.replace('"', "\"\"")
}

#[test]
fn one_record_in_every_form_is_the_same_event() {
    let json = serde_json::Value::from(RECORD).to_string();
    let forms: Vec<(Form, String)> = vec![
        (Form::AuditJson, RECORD.to_owned()),
        (Form::AuditJson, format!("[{RECORD}]")),
        (
            Form::PurviewCsv,
            format!(
                "RecordId,CreationDate,RecordType,Operation,UserId,AuditData,AssociatedAdminUnits,AssociatedAdminUnitsNames\r\n11111111-0000-4000-8000-000000000001,\"2026-03-02T09:10:00.0000000Z \",1,Set-Mailbox,dana,\"{}\",,\r\n",
                quoted()
            ),
        ),
        (
            Form::PurviewCsv,
            format!(
                "CreationDate,UserIds,Operations,AuditData\n3/2/2026 9:10:00 AM,dana,Set-Mailbox,\"{}\"\n",
                quoted()
            ),
        ),
        (
            Form::SearchCsv,
            format!(
                "#TYPE Selected.System.Management.Automation.PSCustomObject\n\"CreationDate\";\"AuditData\";\"ResultIndex\"\n\"x\";\"{}\";\"1\"\n",
                quoted()
            ),
        ),
        (
            Form::SearchJson,
            format!(
                r#"[{{"RecordType":"ExchangeAdmin","CreationDate":"\/Date(1772442600000)\/","UserIds":"dana","Operations":"Set-Mailbox","AuditData":{json}}}]"#
            ),
        ),
        (
            Form::SearchJson,
            format!(
                r#"{{"CreationDate":{{"value":"\/Date(1772442600000)\/","DateTime":"x"}},"AuditData":{RECORD}}}"#
            ),
        ),
        (
            Form::GraphAuditRecords,
            format!(
                r#"{{"@odata.context":"x","value":[{{"id":"11111111-0000-4000-8000-000000000001","createdDateTime":"2026-03-02T09:10:00Z","auditLogRecordType":"ExchangeAdmin","operation":"Set-Mailbox","userId":"key","userPrincipalName":"dana","clientIp":null,"auditData":{}}}]}}"#,
                RECORD.replacen(
                    '{',
                    r##"{"@odata.type":"#microsoft.graph.security.defaultAuditData","##,
                    1
                )
            ),
        ),
        (
            Form::AuditJson,
            format!("preview,offset,_raw\n0,1,\"{}\"\n", quoted()),
        ),
        (
            Form::AuditJson,
            format!(r#"{{"preview":false,"result":{{"_raw":{json}}}}}"#),
        ),
    ];
    for (form, text) in forms {
        for bytes in [
            text.clone().into_bytes(),
            [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            [
                &b"\xff\xfe"[..],
                &text
                    .encode_utf16()
                    .flat_map(u16::to_le_bytes)
                    .collect::<Vec<_>>(),
            ]
            .concat(),
            text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        ] {
            let imported = import(&bytes);
            assert_eq!(imported.counts.kept, 1, "{text}: {:?}", imported.damaged);
            assert_eq!(imported.inputs[0].form, form, "{text}");
            let event = &imported.events[0];
            assert_eq!(event.time.to_string(), "2026-03-02T09:10:00Z", "{text}");
            assert_eq!(
                event.record_id, "11111111-0000-4000-8000-000000000001",
                "{text}"
            );
            assert_eq!(
                event.user.as_deref(),
                Some("dana.reyes@fabrikam.example"),
                "{text}"
            );
            assert_eq!(event.address.unwrap().to_string(), "2001:db8::7", "{text}");
            assert_eq!(
                event.parameter("ForwardingSmtpAddress"),
                Some("smtp:x@mailbox.example"),
                "{text}"
            );
        }
    }
}

#[test]
fn the_portals_sign_in_table_is_read_by_its_columns() {
    let text = "Date (UTC),Request ID,User agent,Correlation ID,User ID,User,Username,Authentication Protocol,Unique token identifier,Application,Application ID ,IP address,Location,Status,Sign-in error code,Failure reason,Client app,Device ID,Browser,Operating System,Compliant,Managed,Join Type,Multifactor authentication result,Authentication requirement,Session ID,Autonomous system  number,Incoming token type,Incoming token type\n\
2026-01-24T06:54:24Z,00112233-4455-6677-8899-aabbccddeeff,Mozilla,c,u,Dana,Dana.Reyes@fabrikam.example,Device Code,MyIRAFVEd2aImaq7zN3u_w,App,a-1,198.51.100.20,\"Utrecht, Utrecht, NL\",Success,0,Other.,Browser,d-1,Edge 131,Windows,No,Yes,Azure AD joined,MFA completed in Azure AD,Multifactor authentication,s-1,64500,none,none\n";
    let imported = import(text.as_bytes());
    assert_eq!(
        imported.inputs[0].form,
        Form::SignInsCsv,
        "{:?}",
        imported.damaged
    );
    let event = &imported.events[0];
    let said = format!(
        "{:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
        event.user,
        event.app_id,
        event.network,
        event.place.country,
        event.protocol,
        event.device.managed,
        event.mfa,
        event.session_id
    );
    insta::assert_snapshot!(said, @r#"Some("dana.reyes@fabrikam.example") Some("a-1") Some(64500) Some("NL") Some("deviceCode") Some(true) Given Some("s-1")"#);
    assert_eq!(
        retake_hunt::token::token_id(&event.record_id),
        event.token_id
    );
    assert!(
        event
            .original
            .contains("\"Autonomous system number\":\"64500\""),
        "{}",
        event.original
    );
}

#[test]
fn overlapping_exports_do_not_count_twice_and_the_fuller_record_stays() {
    let mut import = Import::new();
    import.add_bytes("b.json", format!("[{RECORD}]").as_bytes());
    let poorer = RECORD.replace(r#","ClientIP":"[2001:db8::7]:50111""#, "");
    import.add_bytes("a.json", format!("{poorer}\n{poorer}\n").as_bytes());
    let imported = import.finish();
    let said: Vec<_> = imported
        .inputs
        .iter()
        .map(|i| {
            (
                i.path.as_str(),
                i.counts.read,
                i.counts.kept,
                i.counts.repeats,
            )
        })
        .collect();
    assert_eq!(said, [("a.json", 2, 1, 1), ("b.json", 1, 0, 1)]);
    assert!(imported.events[0].address.is_some());
}

#[test]
fn archives_are_opened_and_a_cut_one_gives_what_it_has() {
    let lines: String = (0..2000)
        .map(|n| RECORD.replace("000000000001", &format!("{n:012}")) + "\n")
        .collect();
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for name in ["one.json", "two.json"] {
        zip.start_file(name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(lines.as_bytes()).unwrap();
    }
    let zipped = zip.finish().unwrap().into_inner();
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(lines.as_bytes()).unwrap();
    let gz = gz.finish().unwrap();

    let imported = import(&zipped);
    assert_eq!(
        (imported.counts.kept, imported.counts.repeats),
        (2000, 2000)
    );
    assert_eq!(imported.inputs[1].path, "file!two.json");
    assert_eq!(import(&gz).counts.kept, 2000);

    let cut = import(&gz[..gz.len() / 2]);
    assert!(
        cut.counts.kept > 100 && cut.counts.kept < 2000,
        "{:?}",
        cut.counts
    );
    assert!(!cut.inputs[0].notes.is_empty());
    let cut = import(&zipped[..zipped.len() * 3 / 4]);
    assert!(
        cut.counts.kept == 2000 && cut.counts.repeats > 100,
        "{:?} {:?}",
        cut.counts,
        cut.inputs
    );
    assert!(cut.inputs.iter().any(|input| !input.notes.is_empty()));
}

#[test]
fn damage_is_told_by_file_and_line_and_what_is_left_is_salvaged() {
    let text = format!(
        "{RECORD}\n{}\n{}\nnonsense\n",
        &RECORD[..200],
        RECORD.replace("000000000001", "000000000002")
    );
    let imported = import(text.as_bytes());
    assert_eq!(imported.counts.kept, 2, "{:?}", imported.damaged);
    let said: Vec<String> = imported
        .damaged
        .iter()
        .map(|d| {
            format!(
                "{}:{} {} | {:?} {:?}",
                d.path,
                d.line,
                d.reason,
                d.salvaged.operation,
                d.salvaged.time.map(|t| t.to_string())
            )
        })
        .collect();
    insta::assert_snapshot!(said.join("\n"), @r#"
    file:2 the next record begins before this one ends | Some("Set-Mailbox") Some("2026-03-02T09:10:00Z")
    file:4 not a JSON record | None None
    "#);
}

#[test]
fn what_is_no_log_is_said_not_to_be_one() {
    for text in [
        "just some words\nand more\n",
        "a,b,c\n1,2,3\n",
        "{\"displayName\":\"a rule\",\"actions\":{}}",
        "\u{1}\u{2}\u{3}",
    ] {
        let imported = import(text.as_bytes());
        assert_eq!(
            (imported.counts.read, imported.counts.damaged),
            (1, 1),
            "{text}"
        );
        assert_eq!(imported.inputs[0].form, Form::Unknown, "{text}");
    }
    assert_eq!(import(b"").inputs[0].form, Form::Empty);
}

#[test]
fn a_folder_is_answered_in_the_documents_shape() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("audit.json"),
        format!("{RECORD}\nbroken\u{1b}[2J\n"),
    )
    .unwrap();
    let report = run(&[folder.path().to_owned()], &Options::new(alert()).unwrap()).unwrap();
    let mut document = retake_hunt::json::document(
        &report,
        &retake_hunt::Retrace::of(&report, &[], &report.imported.events),
    );
    document["inputs"][0]["path"] = "PATH".into();
    document["damaged"][0]["path"] = "PATH".into();
    let keys: Vec<&String> = document.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "changes",
            "counts",
            "coverage",
            "damaged",
            "findings",
            "inputs",
            "schema",
            "timelines",
            "users"
        ]
    );
    insta::assert_snapshot!(document["inputs"][0], @r#"{"damaged":1,"form":"audit-json","kept":1,"notes":[],"path":"PATH","read":2,"repeats":0}"#);
    insta::assert_snapshot!(document["damaged"][0], @r#"{"line":2,"path":"PATH","reason":"not a JSON record","salvaged":{"operation":null,"time":null,"user":null}}"#);
    assert_eq!(document["findings"][0]["detection"], "D0107");
    assert_eq!(document["users"][0]["user"], "dana.reyes@fabrikam.example");
    assert_eq!(document["users"][0]["verdict"], "suspicious");
}

#[test]
fn a_path_that_is_not_there_is_an_error_and_so_is_nothing() {
    let error = run(&["/no/such/file".into()], &Options::new(alert()).unwrap()).unwrap_err();
    assert!(error.to_string().starts_with("/no/such/file: "), "{error}");
    assert_eq!(
        run(&[], &Options::new(alert()).unwrap())
            .unwrap_err()
            .to_string(),
        "there is no file to read"
    );
}
