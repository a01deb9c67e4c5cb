//! `--record` and `replay`: a whole case on a tape, and what is done with it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::stranger::{Home, Served};

/// A whole case against a lab, recorded. Seed and scenario are the replay's default.
fn recorded(command: &str) -> (Home, Served, PathBuf) {
    let home = Home::new();
    let served = Served::to(&home);
    let file = home.path().join("case.tape");
    let user = served.user().to_owned();
    let ran = home.retake(&[
        command,
        &user,
        "--tenant",
        "lab",
        "--as",
        "Robin",
        "--yes",
        "--record",
        file.to_str().unwrap(),
    ]);
    assert!(ran.code < 2, "{}", ran.session());
    assert!(
        ran.stderr.contains("recorded, redacted: "),
        "{}",
        ran.session()
    );
    (home, served, file)
}

#[test]
fn a_whole_case_leaves_no_name_and_no_secret_on_its_tape_and_replays_without_difference() {
    let (home, served, file) = recorded("respond");
    let text = std::fs::read_to_string(&file).unwrap();
    let exchanges = text.lines().count() - 1;
    assert!(exchanges > 100, "{exchanges}");

    let named = names(&home, &served);
    assert!(named.len() > 500, "{}", named.len());
    let spellings: Vec<String> = named
        .iter()
        .flat_map(|name| {
            [
                name.clone(),
                name.replace(' ', "%20"),
                name.replace(' ', "+"),
                name.replace('@', "%40"),
                STANDARD.encode(name).trim_end_matches('=').to_owned(),
                URL_SAFE_NO_PAD.encode(name),
            ]
        })
        .collect();
    let left = aho_corasick::AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .build(&spellings)
        .unwrap()
        .find(&text)
        .map(|found| &spellings[found.pattern().as_usize()]);
    assert_eq!(left, None);

    let replayed = home.retake(&["replay", file.to_str().unwrap(), "--json"]);
    assert_eq!(
        replayed.code,
        0,
        "{}",
        home.retake(&["replay", file.to_str().unwrap()]).stdout
    );
    let all = replayed.json();
    assert_eq!(all["exchanges"], exchanges);
    // A request that nobody answered in time, on a busy machine, has no answer to be read.
    let unanswered = text.lines().skip(1).map(serde_json::from_str::<Value>);
    let unanswered = unanswered.filter(|exchange| exchange.as_ref().unwrap()["answer"].is_null());
    assert_eq!(all["client"]["passed_over"], unanswered.count());
    let compared = all["lab"]["compared"].as_u64().unwrap();
    assert!(
        compared as usize * 10 > exchanges * 8,
        "{compared} of {exchanges}"
    );
}

#[test]
fn a_check_is_recorded_too_and_its_tape_replays_without_difference() {
    let home = Home::new();
    let served = Served::to(&home);
    let file = home.path().join("check.tape");
    let file = file.to_str().unwrap();
    let checked = home.retake(&["tenant", "check", "lab", "--record", file]);
    assert_eq!(checked.code, 0, "{}", checked.session());
    assert!(
        checked.stderr.contains("recorded, redacted: "),
        "{}",
        checked.session()
    );

    let text = std::fs::read_to_string(file).unwrap();
    for part in [
        "/v1.0/organization",
        "/subscribedSkus",
        "Get-HostedOutboundSpamFilterPolicy",
    ] {
        assert!(text.contains(part), "{part} is not on the tape");
    }
    // No account, no tenant, no secret; and a check changes nothing.
    let user = served.user().to_lowercase();
    let (name, domain) = user.split_once('@').unwrap();
    for part in [
        user.as_str(),
        name,
        domain,
        "Bearer ",
        "client_secret\",\"l",
    ] {
        assert!(
            !text.to_lowercase().contains(&part.to_lowercase()),
            "{part}"
        );
    }
    assert_eq!(served.changes(), 0);

    let replayed = home.retake(&["replay", file, "--json"]);
    assert_eq!(replayed.code, 0, "{}", replayed.session());
    let all = replayed.json();
    assert_eq!(all["exchanges"], text.lines().count() - 1);
    assert!(all["lab"]["compared"].as_u64().unwrap() > 10, "{all}");
}

/// Everything in the case's evidence, which is kept as it came, that names somebody or something of
/// the tenant's, and the responder's own.
fn names(home: &Home, served: &Served) -> BTreeSet<String> {
    let mut found = BTreeSet::from([
        served.briefing.tenant_id.clone(),
        served.briefing.client_id.clone(),
        served.briefing.client_secret.clone(),
    ]);
    let exported = home.path().join("case.tar");
    let case = home.case();
    let ran = home.retake(&["case", "export", &case, "--out", exported.to_str().unwrap()]);
    assert_eq!(ran.code, 0, "{}", ran.session());
    for file in tar(&std::fs::read(&exported).unwrap()) {
        if let Ok(value) = serde_json::from_slice(file) {
            gather(&value, &mut found);
        }
    }
    // Ids that Microsoft publishes are nobody's.
    found.retain(|name| name.len() >= 5 && !name.ends_with("-0000-0000-c000-000000000000"));
    found
}

/// The files of an archive: a block of 512 bytes before each says its length in octal.
fn tar(mut archive: &[u8]) -> Vec<&[u8]> {
    let mut files = Vec::new();
    while archive.len() > 512 && archive[0] != 0 {
        let size = std::str::from_utf8(&archive[124..135]).unwrap();
        let size = usize::from_str_radix(size.trim_matches(['\0', ' ']), 8).unwrap();
        files.push(&archive[512..512 + size]);
        archive = &archive[(512 + size.div_ceil(512) * 512).min(archive.len())..];
    }
    files
}

const TELLING: [&str; 14] = [
    "userprincipalname",
    "userid",
    "mail",
    "address",
    "ipaddress",
    "clientip",
    "clientipaddress",
    "givenname",
    "surname",
    "subject",
    "bodypreview",
    "phonenumber",
    "mobilephone",
    "internetmessageid",
];

fn gather(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| gather(item, found)),
        Value::Object(object) => {
            // People's names; other things are called like what the protocol knows, too.
            let person = ["userPrincipalName", "address"]
                .iter()
                .any(|key| object.contains_key(*key));
            for (key, item) in object {
                let key = key.to_lowercase();
                if let Value::String(text) = item {
                    let name = person && (key == "displayname" || key == "name");
                    // A built-in role's id is Microsoft's, the same in every tenant.
                    let built_in = object.get("isBuiltIn") == Some(&Value::Bool(true));
                    let id = key == "id" && text.len() >= 16 && !built_in;
                    if name || id || TELLING.contains(&key.as_str()) {
                        found.insert(text.clone());
                    }
                }
                gather(item, found);
            }
        }
        _ => {}
    }
}

#[test]
fn a_tape_on_which_something_was_altered_is_told_with_its_place() {
    let (home, _served, file) = recorded("contain");
    let whole = std::fs::read_to_string(&file).unwrap();
    let clean = home.retake(&["replay", file.to_str().unwrap()]);
    assert_eq!(clean.code, 0, "{}", clean.session());
    let line = |text: &str, part: &str| text.lines().position(|line| line.contains(part)).unwrap();
    let user = line(&whole, "signInSessionsValidFromDateTime");

    // A key that the lab does not have.
    let more = altered(&whole, user, |exchange| {
        exchange["answer"]["body"]["json"]["brandNew"] = Value::from(true);
    });
    expect(&home, &file, &more, 1, "brandNew: tape there, lab missing");
    // A key that the lab has and the tape has not; the client wants it.
    let missing = altered(&whole, user, |exchange| {
        let body = exchange["answer"]["body"]["json"].as_object_mut().unwrap();
        body.remove("id").unwrap();
    });
    expect(&home, &file, &missing, 1, "id: tape missing, lab there");
    expect(&home, &file, &missing, 1, "client: ");
    // Another type, which the client cannot read.
    let kind = altered(&whole, user, |exchange| {
        exchange["answer"]["body"]["json"]["userPrincipalName"] = Value::from(7);
    });
    expect(
        &home,
        &file,
        &kind,
        1,
        "userPrincipalName: tape a number, lab a text",
    );
    expect(&home, &file, &kind, 1, "graph.user.read: ");
    // Another status.
    let status = altered(&whole, line(&whole, "revokeSignInSessions"), |exchange| {
        exchange["answer"]["status"] = Value::from(404);
    });
    expect(&home, &file, &status, 1, "status: tape 404, lab 200");
    // No tape at all.
    let broken = format!("{whole}{{\"n\":");
    let at = whole.lines().count() + 1;
    expect(
        &home,
        &file,
        &broken,
        2,
        &format!("line {at}: the line is cut off"),
    );
}

fn altered(whole: &str, line: usize, change: impl FnOnce(&mut Value)) -> String {
    let mut lines: Vec<String> = whole.lines().map(str::to_owned).collect();
    let mut exchange: Value = serde_json::from_str(&lines[line]).unwrap();
    change(&mut exchange);
    lines[line] = exchange.to_string();
    lines.join("\n") + "\n"
}

fn expect(home: &Home, file: &Path, tape: &str, code: i32, said: &str) {
    std::fs::write(file, tape).unwrap();
    let ran = home.retake(&["replay", file.to_str().unwrap()]);
    assert_eq!(ran.code, code, "{}", ran.session());
    assert!(ran.session().contains(said), "{said}\n{}", ran.session());
}

#[test]
fn a_tape_that_is_there_is_not_replaced_and_nothing_is_sent() {
    let home = Home::new();
    let served = Served::to(&home);
    let file = home.path().join("case.tape");
    std::fs::write(&file, "somebody's").unwrap();
    let arguments = |more: &[&'static str]| -> Vec<String> {
        [
            "contain",
            served.user(),
            "--tenant",
            "lab",
            "--as",
            "Robin",
            "--yes",
            "--record",
            file.to_str().unwrap(),
        ]
        .iter()
        .chain(more)
        .map(|one| (*one).to_owned())
        .collect()
    };
    let run = |more: &[&'static str]| {
        let arguments = arguments(more);
        home.retake(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let refused = run(&[]);
    assert_eq!(refused.code, 2, "{}", refused.session());
    assert!(
        refused
            .stderr
            .contains("is there already. Nothing was sent."),
        "{}",
        refused.session()
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "somebody's");
    assert_eq!(served.changes(), 0);
    let done = run(&["--replace-record"]);
    assert_eq!(done.code, 0, "{}", done.session());
    assert!(
        std::fs::read_to_string(&file)
            .unwrap()
            .starts_with("{\"schema\":\"retake.tape/1\"")
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
