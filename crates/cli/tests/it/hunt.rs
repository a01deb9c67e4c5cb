//! Exported logs, as analysts hand them over.

use std::path::{Path, PathBuf};

use retake_contract::{shared_dir, skip_without_shared};
use serde_json::{Value, json};

use crate::stranger::{Home, Ran};

fn hunt(home: &Home, files: &[&Path]) -> Ran {
    let mut arguments = vec!["hunt", "--json"];
    arguments.extend(files.iter().map(|file| file.to_str().unwrap()));
    home.retake(&arguments)
}

/// Whether somebody has to look: a finding that is more than a note, or an
/// account that is not clean.
fn alarms(document: &Value) -> bool {
    let any = |list: &str, key: &str, values: &[&str]| {
        document[list]
            .as_array()
            .unwrap()
            .iter()
            .any(|item| values.contains(&item[key].as_str().unwrap()))
    };
    any("findings", "severity", &["medium", "high", "critical"])
        || any("users", "verdict", &["compromised", "suspicious"])
}

fn adds_up(counts: &Value) -> u64 {
    let number = |name: &str| counts[name].as_u64().unwrap();
    assert_eq!(
        number("read"),
        number("kept") + number("repeats") + number("damaged"),
        "{counts}"
    );
    number("read")
}

#[test]
fn each_sample_adds_up_and_its_technique_is_found() {
    let Some(shared) = shared_dir() else {
        return skip_without_shared("data/det-eng-samples");
    };
    let home = Home::new();
    let mut files: Vec<PathBuf> = std::fs::read_dir(shared.join("data/det-eng-samples"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(files.len() >= 20);
    let mut read = 0;
    for file in &files {
        let ran = hunt(&home, &[file]);
        let document = ran.json();
        assert_eq!(document["inputs"].as_array().unwrap().len(), 1);
        read += adds_up(&document["counts"]);
        assert_eq!(document["counts"]["damaged"], 0, "{}", file.display());
        // The samples are named after the technique; its parent is near enough.
        let name = file.file_name().unwrap().to_str().unwrap();
        let technique = name[..5].to_uppercase();
        let found = document["findings"].as_array().unwrap();
        let named = found.iter().any(|finding| {
            finding["technique"]
                .as_array()
                .unwrap()
                .iter()
                .any(|id| id.as_str().unwrap().starts_with(&technique))
        });
        assert!(named, "{name}: {found:#?}");
        assert_eq!(ran.code, i32::from(alarms(&document)), "{name}");
    }

    let forwards: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    let backwards: Vec<&Path> = files.iter().rev().map(PathBuf::as_path).collect();
    let (forwards, backwards) = (hunt(&home, &forwards), hunt(&home, &backwards));
    assert_eq!(
        forwards.stdout, backwards.stdout,
        "the order of files is nothing"
    );
    let all = forwards.json();
    assert_eq!(adds_up(&all["counts"]), read);
    let inputs: u64 = all["inputs"].as_array().unwrap().iter().map(adds_up).sum();
    assert_eq!(inputs, read);
}

/// One takeover, as the audit log tells it: a rule, a forward, a delegation, a
/// consent, a role.
fn takeover() -> Vec<Value> {
    let user = "dana.reyes@fabrikam.example";
    let stranger = "203.0.113.77";
    let mut records = Vec::new();
    let mut add = |minute: u32, workload: &str, operation: &str, address: &str, more: Value| {
        let number = records.len() + 1;
        let mut record = json!({
            "CreationTime": format!("2026-03-02T09:{minute:02}:00"),
            "Id": format!("11111111-0000-4000-8000-{number:012}"),
            "OrganizationId": "33333333-0000-4000-8000-000000000001",
            "Operation": operation, "Workload": workload, "UserId": user, "UserType": 0,
            "RecordType": if workload == "Exchange" { 1 } else { 8 },
            "ResultStatus": "True", "ClientIP": address,
        });
        for (key, value) in more.as_object().unwrap() {
            record[key] = value.clone();
        }
        records.push(record);
    };
    let parameters = |pairs: &[(&str, &str)]| {
        let list: Vec<Value> = pairs
            .iter()
            .map(|(name, value)| json!({"Name": name, "Value": value}))
            .collect();
        json!({"Parameters": list, "ObjectId": "dana.reyes"})
    };
    add(
        10,
        "Exchange",
        "New-InboxRule",
        stranger,
        parameters(&[
            ("Name", "."),
            ("SubjectOrBodyContainsWords", "invoice;payment"),
            ("MoveToFolder", "RSS Feeds"),
            ("MarkAsRead", "True"),
        ]),
    );
    add(
        12,
        "Exchange",
        "Set-Mailbox",
        stranger,
        parameters(&[
            ("Identity", "dana.reyes"),
            ("ForwardingSmtpAddress", "smtp:drop@outside.example"),
            ("DeliverToMailboxAndForward", "True"),
        ]),
    );
    add(
        14,
        "Exchange",
        "Add-MailboxPermission",
        stranger,
        parameters(&[
            ("Identity", "dana.reyes"),
            ("User", "temp@fabrikam.example"),
            ("AccessRights", "FullAccess"),
        ]),
    );
    add(
        16,
        "AzureActiveDirectory",
        "Consent to application.",
        stranger,
        json!({
            "ResultStatus": "Success", "ObjectId": "Mail Sync Tool",
            "Target": [{"ID": "ServicePrincipal_44444444-0000-4000-8000-000000000001", "Type": 2},
                       {"ID": "Mail Sync Tool", "Type": 1}],
            "ModifiedProperties": [{"Name": "ConsentAction.Permissions", "OldValue": "",
                "NewValue": "[] => [[Id: x, ClientId: y, PrincipalId: z, ResourceId: r, ConsentType: Principal, Scope: Mail.ReadWrite offline_access, CreatedDateTime: , LastModifiedDateTime ]];"}],
        }),
    );
    add(
        18,
        "AzureActiveDirectory",
        "Add member to role.",
        stranger,
        json!({
            "ResultStatus": "Success", "ObjectId": user,
            "Target": [{"ID": user, "Type": 5}],
            "ModifiedProperties": [{"Name": "Role.DisplayName", "OldValue": "",
                "NewValue": "Exchange Administrator"}],
        }),
    );
    records
}

fn quoted(record: &Value) -> String {
    record.to_string().replace('"', "\"\"")
}

fn as_purview(records: &[Value]) -> String {
    let head = "\u{feff}RecordId,CreationDate,RecordType,Operation,UserId,AuditData,AssociatedAdminUnits,AssociatedAdminUnitsNames\r\n";
    let rows: Vec<String> = records
        .iter()
        .map(|record| {
            let field = |name: &str| record[name].as_str().unwrap().to_owned();
            format!(
                "{},{}.0000000Z,{},{},{},\"{}\",,\r\n",
                field("Id"),
                field("CreationTime"),
                record["RecordType"],
                field("Operation"),
                field("UserId"),
                quoted(record)
            )
        })
        .collect();
    head.to_owned() + &rows.concat()
}

fn as_search(records: &[Value]) -> String {
    let head = "#TYPE Selected.System.Management.Automation.PSCustomObject\n\"RecordType\",\"CreationDate\",\"UserIds\",\"Operations\",\"AuditData\",\"ResultIndex\",\"ResultCount\",\"Identity\",\"IsValid\",\"ObjectState\"\n";
    let rows: Vec<String> = records.iter().map(|record| {
        format!(
            "\"x\",\"3/2/2026 9:10:00 AM\",\"{}\",\"{}\",\"{}\",\"1\",\"5\",\"i\",\"True\",\"Unchanged\"\n",
            record["UserId"].as_str().unwrap(),
            record["Operation"].as_str().unwrap(),
            quoted(record)
        )
    }).collect();
    head.to_owned() + &rows.concat()
}

fn as_lines(records: &[Value]) -> String {
    let lines: Vec<String> = records.iter().map(|record| format!("{record}\n")).collect();
    lines.concat()
}

#[test]
fn one_takeover_is_the_same_in_every_form_of_export() {
    let home = Home::new();
    let records = takeover();
    let mut told = Vec::new();
    for (name, form, text) in [
        ("purview.csv", "purview", as_purview(&records)),
        ("search.csv", "search", as_search(&records)),
        ("lines.jsonl", "audit", as_lines(&records)),
    ] {
        let path = home.path().join(name);
        std::fs::write(&path, text).unwrap();
        let ran = hunt(&home, &[&path]);
        assert_eq!(ran.code, 1, "{name}");
        let document = ran.json();
        assert_eq!(adds_up(&document["counts"]), 5, "{name}");
        assert_eq!(document["counts"]["kept"], 5, "{name}");
        let recognised = document["inputs"][0]["form"].as_str().unwrap();
        assert!(
            recognised.contains(form),
            "{name} is taken for {recognised}"
        );
        let operations: Vec<&str> = document["timelines"][0]["events"]
            .as_array()
            .unwrap()
            .iter()
            .map(|event| event["operation"].as_str().unwrap())
            .collect();
        assert_eq!(operations.len(), 5, "{name}: {operations:?}");
        let kinds: Vec<&str> = document["changes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|change| change["object_kind"].as_str().unwrap())
            .collect();
        for kind in ["inbox_rule", "mailbox_forwarding", "oauth_grant"] {
            assert!(kinds.contains(&kind), "{name}: {kinds:?}");
        }
        assert_eq!(kinds.len(), 5, "a delegation and a role besides: {kinds:?}");
        told.push(json!([
            document["findings"],
            document["users"],
            document["changes"],
            document["timelines"]
        ]));
    }
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0], told[2]);

    // Overlapping exports count once.
    let paths = ["purview.csv", "search.csv", "lines.jsonl"].map(|name| home.path().join(name));
    let all = hunt(&home, &[&paths[0], &paths[1], &paths[2]]).json();
    assert_eq!(adds_up(&all["counts"]), 15);
    assert_eq!(
        (&all["counts"]["kept"], &all["counts"]["repeats"]),
        (&json!(5), &json!(10))
    );
    let screen = home.retake(&["hunt", paths[0].to_str().unwrap()]);
    for word in ["dana.reyes@fabrikam.example", "inbox rule", "5 kept"] {
        assert!(
            screen.stdout.to_lowercase().contains(word),
            "{}",
            screen.stdout
        );
    }
}

#[test]
fn a_cut_file_says_where_and_keeps_what_is_whole() {
    let home = Home::new();
    let text = as_lines(&takeover());
    let path = home.path().join("cut.jsonl");
    std::fs::write(&path, &text[..text.len() - 200]).unwrap();
    let ran = hunt(&home, &[&path]);
    assert_eq!(ran.code, 1);
    let document = ran.json();
    adds_up(&document["counts"]);
    assert_eq!(document["counts"]["kept"], 4);
    assert_eq!(document["counts"]["damaged"], 1);
    let damaged = &document["damaged"][0];
    assert_eq!(damaged["line"], 5, "{damaged}");
    assert!(!damaged["reason"].as_str().unwrap().is_empty());
}

#[test]
fn a_binary_file_is_no_log_and_says_so() {
    let home = Home::new();
    let path = home.path().join("picture.png");
    let bytes: Vec<u8> = b"\x89PNG\r\n\x1a\n"
        .iter()
        .copied()
        .chain((0..5000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8))
        .collect();
    std::fs::write(&path, bytes).unwrap();
    let ran = hunt(&home, &[&path]);
    let document = ran.json();
    adds_up(&document["counts"]);
    assert_eq!(document["counts"]["kept"], 0);
    let said = format!("{}{}", document["damaged"], document["inputs"][0]["notes"]);
    assert!(said.len() > 10, "it says why: {document}");
    assert_ne!(ran.code, 0, "nothing was read, and that is not all well");
    let missing = hunt(&home, &[&home.path().join("missing.csv")]);
    assert_eq!(missing.code, 2);
}

#[test]
fn an_ordinary_day_ends_with_0() {
    let home = Home::new();
    let record = json!({
        "CreationTime": "2026-03-02T09:10:00", "Id": "22222222-0000-4000-8000-000000000001",
        "OrganizationId": "33333333-0000-4000-8000-000000000001", "Operation": "FileAccessed",
        "RecordType": 6, "UserType": 0, "Workload": "SharePoint", "ClientIP": "198.51.100.4",
        "UserId": "dana.reyes@fabrikam.example", "ObjectId": "https://fabrikam.example/plan.docx",
    });
    let path = home.path().join("day.jsonl");
    std::fs::write(&path, format!("{record}\n")).unwrap();
    let ran = hunt(&home, &[&path]);
    assert_eq!(ran.code, 0, "{}", ran.session());
    assert_eq!(ran.json()["counts"]["kept"], 1);
}

#[test]
fn detections_and_sigma_rules_of_ones_own_are_run_beside_the_built_in_ones() {
    let home = Home::new();
    let logs = home.path().join("logs.jsonl");
    std::fs::write(&logs, as_lines(&takeover())).unwrap();
    let rule = |name: &str, service: &str| {
        let path = home.path().join(name);
        std::fs::write(
            &path,
            format!(
                "title: Any act in Exchange\nid: r1\nauthor: A. Writer\nlevel: low\nlogsource:\n  product: m365\n  \
                 service: {service}\ndetection:\n  s:\n    Operation|contains: inbox\n  condition: s\n"
            ),
        )
        .unwrap();
        path
    };
    let good = rule("good.yml", "audit");
    let other = rule("other.yml", "nowhere");
    let run = |arguments: &[&str]| {
        let mut all = vec!["hunt"];
        all.extend(arguments);
        all.push(logs.to_str().unwrap());
        home.retake(&all)
    };
    let document = run(&[
        "--json",
        "--sigma",
        good.to_str().unwrap(),
        "--sigma",
        other.to_str().unwrap(),
    ])
    .json();
    assert_eq!(document["sigma"]["rules"], 1, "{}", document["sigma"]);
    assert_eq!(document["sigma"]["findings"][0]["author"], "A. Writer");
    assert_eq!(document["sigma"]["refused"][0]["kind"], "log");
    assert!(run(&["--json"]).json()["sigma"].is_null());
    let screen = run(&["--sigma", good.to_str().unwrap()]);
    assert!(screen.stdout.contains("A. Writer"), "{}", screen.stdout);

    // A detection that is none stops before anything is read.
    let broken = home.path().join("broken.toml");
    std::fs::write(&broken, "id = \"D9000\"").unwrap();
    let refused = run(&["--detections", broken.to_str().unwrap()]);
    assert_ne!(refused.code, 0);
    assert!(refused.stderr.contains("broken.toml"), "{}", refused.stderr);
}

/// The takeover's log in a home, and what is typed there.
fn with_takeover() -> (Home, String) {
    let home = Home::new();
    let logs = home.path().join("logs.jsonl");
    std::fs::write(&logs, as_lines(&takeover())).unwrap();
    let logs = logs.to_str().unwrap().to_owned();
    (home, logs)
}

#[test]
fn report_and_timelines_are_written_whole_and_never_over_what_is_there() {
    let (home, logs) = with_takeover();
    let out = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    for (name, begin) in [
        ("report.html", "<!doctype html>"),
        ("all.csv", "timestamp,rule.id,retake.whose,"),
        ("all.jsonl", "{\"event.action\":\"New-InboxRule\""),
        ("all.txt", "time (UTC)"),
    ] {
        let option = if name == "report.html" {
            "--report"
        } else {
            "--timeline"
        };
        let path = out(name);
        let ran = home.retake(&["hunt", &logs, option, &path]);
        assert_eq!(ran.code, 1, "{}", ran.session());
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with(begin), "{name}: {}", &text[..80]);
        assert!(ran.stderr.contains(name), "it says where: {}", ran.stderr);

        std::fs::write(&path, "mine").unwrap();
        let refused = home.retake(&["hunt", &logs, option, &path]);
        assert_eq!(refused.code, 2, "{}", refused.session());
        assert!(refused.stdout.is_empty() && refused.stderr.contains("--replace"));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
        let replaced = home.retake(&["hunt", &logs, option, &path, "--replace"]);
        assert_eq!(replaced.code, 1);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
    assert!(
        home.names().iter().all(|name| !name.contains(".part")),
        "{:?}",
        home.names()
    );
}

#[cfg(unix)]
#[test]
fn what_is_written_only_its_owner_can_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let (home, logs) = with_takeover();
    let path = home.path().join("r.html");
    home.retake(&["hunt", &logs, "--report", path.to_str().unwrap()]);
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn where_nothing_can_be_written_is_told_before_anything_is_read() {
    let (home, _) = with_takeover();
    let inside = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    // The logs are not there either; what cannot be written is said first.
    let missing = inside("missing.jsonl");
    let there = home.path().to_str().unwrap().to_owned();
    for (arguments, code, word) in [
        (vec!["--report", "/proc/nowhere/r.html"], 70, "r.html"),
        (vec!["--report", &there], 2, "directory"),
        (vec!["--timeline", "events.xlsx"], 2, "--timeline-form"),
        (
            vec!["--timeline", "events.txt", "--timeline-form", "timesketch"],
            2,
            ".csv",
        ),
        (vec!["--timeline", "x.csv", "--report", "x.csv"], 2, "both"),
    ] {
        let mut typed = vec!["hunt", &missing];
        typed.extend(arguments);
        let ran = home.retake(&typed);
        assert_eq!(ran.code, code, "{}", ran.session());
        assert!(ran.stderr.contains(word), "{}", ran.session());
    }
    // And where the logs cannot be read, nothing is left beside.
    let ran = home.retake(&["hunt", &missing, "--report", &inside("r.html")]);
    assert_eq!(ran.code, 2);
    assert_eq!(home.names(), ["logs.jsonl"]);
}

#[test]
fn timesketchs_two_forms_go_by_the_ending() {
    let (home, logs) = with_takeover();
    for name in ["sketch.jsonl", "sketch.csv"] {
        let path = home.path().join(name);
        home.retake(&[
            "hunt",
            &logs,
            "--timeline",
            path.to_str().unwrap(),
            "--timeline-form",
            "timesketch",
        ]);
        let text = std::fs::read_to_string(&path).unwrap();
        let (first, rows) = text.split_once('\n').unwrap();
        for column in ["message", "datetime", "timestamp_desc"] {
            assert!(first.contains(column), "{first}");
        }
        assert!(first.contains("2026-03-02T09:10:00+00:00") || rows.contains("T09:10:00+00:00"));
    }
}

#[test]
fn one_account_on_request_and_nobody_else() {
    let (home, logs) = with_takeover();
    let user = "Dana.Reyes@fabrikam.example";
    let path = home.path().join("dana.csv");
    let ran = home.retake(&[
        "hunt",
        &logs,
        "--user",
        user,
        "--timeline",
        path.to_str().unwrap(),
    ]);
    for part in ["Reasons", "5 changes", "Timeline", "New-InboxRule"] {
        assert!(ran.stdout.contains(part), "{part}: {}", ran.stdout);
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 6);
    let brief = home.retake(&["hunt", &logs]);
    assert!(!brief.stdout.contains("Timeline"), "{}", brief.stdout);
    let details = home.retake(&["hunt", &logs, "--details"]);
    assert!(details.stdout.contains("Timeline"), "{}", details.stdout);
    let nobody = home.retake(&["hunt", &logs, "--user", "x\u{1b}[2J@fabrikam.example"]);
    assert!(
        nobody.stderr.contains("name no account"),
        "{}",
        nobody.stderr
    );
    assert!(!nobody.stderr.contains('\u{1b}'));
}

#[test]
fn a_program_gets_one_document_and_is_told_of_the_files() {
    let (home, logs) = with_takeover();
    let path = home.path().join("r.html");
    let ran = home.retake(&["hunt", &logs, "--json", "--report", path.to_str().unwrap()]);
    assert_eq!(ran.stdout.lines().count(), 1);
    assert_eq!(ran.stderr, "", "no progress, no talk");
    let document = ran.json();
    assert_eq!(document["files"], json!([path.to_str().unwrap()]));
    let user = &document["users"][0];
    for part in ["read", "sent", "changed", "deleted", "shared", "reached"] {
        let part = &user["blast"][part];
        let items = part["items"].as_array().unwrap().len() as u64;
        assert_eq!(part["count"].as_u64().unwrap(), items, "{part}");
    }
    assert_eq!(document["timelines"][0]["omitted"], 0);
}

#[test]
fn hostile_names_go_out_by_no_exit() {
    let home = Home::new();
    let evil = "=cmd|x\u{1b}[2J\u{9b}31m\u{202e}</title><script>\r\n@SUM";
    let mut records = takeover();
    for record in &mut records {
        record["ObjectId"] = json!(evil);
        record["UserAgent"] = json!(evil);
        for parameter in record["Parameters"].as_array_mut().into_iter().flatten() {
            parameter["Value"] = json!(evil);
        }
    }
    let logs = home.path().join("a\u{1b}[2Jb\u{202e}.jsonl");
    std::fs::write(&logs, as_lines(&records) + "broken \u{1b}[2J\n").unwrap();
    let logs = logs.to_str().unwrap();
    let exit = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    let harmless = |what: &str, text: &str| {
        let bad = text.replace("\r\n", "\n").chars().any(|c| {
            (c.is_control() && c != '\n')
                || matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        });
        assert!(!bad, "{what}: {text:?}");
        assert!(
            !text.contains("<script>") || !what.ends_with("html"),
            "{what}"
        );
    };
    let ran = home.retake(&["hunt", logs, "--details", "--report", &exit("r.html")]);
    assert_eq!(ran.code, 1);
    harmless("screen", &ran.stdout);
    harmless("talk", &ran.stderr);
    harmless("json", &hunt(&home, &[Path::new(logs)]).stdout);
    for name in ["t.csv", "t.jsonl", "t.txt"] {
        home.retake(&["hunt", logs, "--timeline", &exit(name)]);
    }
    for name in ["r.html", "t.csv", "t.jsonl", "t.txt"] {
        harmless(name, &std::fs::read_to_string(exit(name)).unwrap());
    }
    let csv = std::fs::read_to_string(exit("t.csv")).unwrap();
    assert!(
        csv.contains("'=cmd|x"),
        "recognisable, and no formula: {csv}"
    );
    assert!(!csv.contains(",=cmd") && !csv.contains("\"=cmd"));
}
