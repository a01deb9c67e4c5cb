//! `--json`: one document on standard output, in the form that is written down.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::stranger::{Home, Ran, Served};

fn schemas() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/schemas")
}

fn schema(name: &str) -> Value {
    let text = std::fs::read_to_string(schemas().join(format!("{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Asserts that the document follows the form of this name, and that the form notices
/// when a key that it demands is not there or is of another type.
pub(crate) fn follows(name: &str, document: &Value) {
    let schema = schema(name);
    let validator = jsonschema::validator_for(&schema).unwrap();
    let wrong: Vec<String> = validator
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .take(5)
        .collect();
    assert!(wrong.is_empty(), "{name}: {wrong:#?}");
    for key in schema["required"].as_array().unwrap() {
        let key = key.as_str().unwrap();
        let mut without = document.clone();
        without.as_object_mut().unwrap().remove(key);
        assert!(!validator.is_valid(&without), "{name} without {key}");
        let mut other = document.clone();
        other[key] = serde_json::json!(-0.5);
        assert!(!validator.is_valid(&other), "{name} with another {key}");
    }
}

/// One document and nothing else, in ASCII: harmless wherever it is shown.
fn document(ran: &Ran) -> Value {
    assert_eq!(ran.stdout.lines().count(), 1, "{}", ran.session());
    assert!(
        ran.stdout
            .trim_end()
            .chars()
            .all(|c| (' '..='~').contains(&c)),
        "{}",
        ran.stdout
    );
    serde_json::from_str(&ran.stdout).unwrap()
}

#[test]
fn every_form_is_listed_with_its_schema_and_every_schema_is_listed() {
    let home = Home::new();
    let index = home.retake(&["docs", "schemas"]).stdout;
    let listed: BTreeSet<String> = index
        .split("](")
        .skip(1)
        .map(|rest| rest.split(')').next().unwrap().to_owned())
        .collect();
    let there: BTreeSet<String> = std::fs::read_dir(schemas())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "README.md")
        .collect();
    assert_eq!(listed, there);
    for name in there {
        let name = name.trim_end_matches(".json");
        let schema = schema(name);
        assert_eq!(schema["$id"], format!("retake.{name}/1"));
        jsonschema::meta::validate(&schema).unwrap();
    }
}

/// A form that somebody adds to a command has to be written down, too.
#[test]
fn every_form_that_the_program_names_is_written_down() {
    fn named(dir: &Path, forms: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                named(&path, forms);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let quoted = text.split("\"retake.").skip(1);
            forms.extend(
                quoted
                    .filter_map(|rest| rest.split('"').next()?.strip_suffix("/1"))
                    .filter(|name| name.bytes().all(|byte| byte.is_ascii_lowercase()))
                    .map(str::to_owned),
            );
        }
    }
    let mut forms = BTreeSet::new();
    named(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut forms,
    );
    assert!(forms.len() > 12, "{forms:?}");
    for form in forms {
        let file = schemas().join(format!("{form}.json"));
        assert!(file.is_file(), "retake.{form}/1 has no schema");
    }
}

#[test]
fn a_case_that_waits_speaks_json_and_so_do_plan_and_approval() {
    let home = Home::new();
    let served = Served::to(&home);
    let respond = [
        "respond",
        served.user(),
        "--tenant",
        "lab",
        "--as",
        "Robin",
        "--json",
    ];
    let waits = document(&home.retake(&respond));
    follows("outcome", &waits);
    assert_eq!(waits["outcome"], "waits");
    assert!(
        waits["code"].is_string() && waits["why"].is_string(),
        "{waits}"
    );
    let case = waits["case"].as_str().unwrap();
    let approved = home.retake(&["approve", case, "contain", "--as", "Robin", "--json"]);
    assert_eq!(approved.code, 0, "{}", approved.session());
    follows("answer", &document(&approved));
    let planned = document(&home.retake(&respond));
    assert_eq!(planned["outcome"], "waits", "{planned}");
    let plan = home.retake(&["plan", case, "--json"]);
    assert_eq!(plan.code, 0, "{}", plan.session());
    follows("plan", &document(&plan));
}

#[test]
fn a_whole_case_speaks_json_and_each_document_follows_its_form() {
    let home = Home::new();
    let served = Served::to(&home);
    let user = served.user();
    let run = |arguments: &[&str]| {
        let mut all = arguments.to_vec();
        all.push("--json");
        home.retake(&all)
    };
    let contained = run(&["contain", user, "--tenant", "lab", "--as", "Robin", "--yes"]);
    assert_eq!(contained.code, 0, "{}", contained.session());
    let contained = document(&contained);
    follows("outcome", &contained);
    assert_eq!(contained["outcome"], "contained");
    let closed = document(&run(&[
        "respond", user, "--tenant", "lab", "--as", "Robin", "--yes",
    ]));
    follows("outcome", &closed);
    assert_eq!(closed["outcome"], "closed");
    let case = closed["case"].as_str().unwrap();

    follows("cases", &document(&run(&["case", "list"])));
    follows("state", &document(&run(&["case", "show", case])));
    let log = run(&["case", "log", case]).stdout;
    for line in log.lines() {
        follows("record", &serde_json::from_str(line).unwrap());
    }
    let out = home.path().join("out");
    let tar = home.path().join("case.tar");
    let (out, tar) = (out.to_str().unwrap(), tar.to_str().unwrap());
    let exported = document(&run(&["case", "export", case, "--out", tar]));
    follows("export", &exported);
    let files = document(&run(&["case", "report", case, "--out", out]));
    follows("files", &files);
    let read = |ending: &str| -> (String, Value) {
        let path = files["files"]
            .as_array()
            .unwrap()
            .iter()
            .map(|file| file.as_str().unwrap())
            .find(|file| file.ends_with(ending))
            .unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.is_ascii(), "{path}");
        (path.to_owned(), serde_json::from_str(&text).unwrap())
    };
    follows("report", &read(&format!("{case}.json")).1);
    let (attestation, said) = read(".attestation.json");
    follows("attestation", &said);
    let key = exported["fingerprint"].as_str().unwrap();
    let verified = run(&[
        "case",
        "verify",
        tar,
        "--key",
        key,
        "--attestation",
        &attestation,
    ]);
    follows("verified", &document(&verified));
    assert_eq!(document(&verified)["attestation_records"], said["records"]);

    let undo = |more: &[&str]| {
        let mut all = vec!["undo", case, "--tenant", "lab"];
        all.extend(more);
        document(&run(&all))
    };
    let preview = undo(&["--all", "--dry-run"]);
    follows("undo", &preview);
    assert!(!preview["actions"].as_array().unwrap().is_empty());
    follows(
        "undo",
        &undo(&["--action", "1", "--as", "Robin", "--reason", "a rehearsal"]),
    );

    let checked = document(&run(&["tenant", "check", "lab"]));
    follows("check", &checked);
    let added = document(&run(&["tenant", "add", "practice", "--cloud", "lab"]));
    follows("tenant", &added);
    follows("check", &added["check"]);
    follows("tenants", &document(&run(&["tenant", "list"])));
    follows(
        "removed",
        &document(&run(&["teardown", "practice", "--yes"])),
    );

    // What the attacker wrote into the logs, from the evidence of the case.
    let logs = home.path().join("logs");
    std::fs::create_dir(&logs).unwrap();
    let bundle = retake_casefile::Bundle::from_bytes(std::fs::read(tar).unwrap(), None).unwrap();
    for record in bundle.records() {
        if let retake_playbook::Event::EvidenceKept(kept) = &record.event
            && let Some(bytes) = bundle.evidence(&kept.digest)
        {
            std::fs::write(logs.join(format!("{}.json", kept.digest)), bytes).unwrap();
        }
    }
    let hunted = run(&["hunt", logs.to_str().unwrap()]);
    follows("hunt", &document(&hunted));
}

/// The attestation is checked against the case: whatever is changed in it, added to it or
/// taken from it is found and named.
#[test]
fn an_altered_attestation_is_caught_wherever_it_is_altered() {
    let home = Home::new();
    let served = Served::to(&home);
    let contained = home.retake(&[
        "contain",
        served.user(),
        "--tenant",
        "lab",
        "--as",
        "Robin",
        "--yes",
    ]);
    assert_eq!(contained.code, 0, "{}", contained.session());
    let case = home.case();
    let dir = home.path().join("out");
    let tar = dir.join("case.tar");
    let reported = home.retake(&["case", "report", &case, "--out", dir.to_str().unwrap()]);
    assert_eq!(reported.code, 0, "{}", reported.session());
    let exported = home.retake(&["case", "export", &case, "--out", tar.to_str().unwrap()]);
    assert_eq!(exported.code, 0, "{}", exported.session());
    let file = dir.join(format!("{case}.attestation.json"));
    let said: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let verify = |document: &Value| {
        std::fs::write(&file, document.to_string()).unwrap();
        home.retake(&[
            "case",
            "verify",
            tar.to_str().unwrap(),
            "--attestation",
            file.to_str().unwrap(),
        ])
    };
    assert_eq!(verify(&said).code, 0);
    let mut places = Vec::new();
    leaves("", &said, &mut places);
    assert!(places.len() > 30, "{places:?}");
    for place in &places {
        let mut altered = said.clone();
        let value = altered.pointer_mut(place).unwrap();
        *value = match &*value {
            Value::String(text) => format!("{text}0").into(),
            Value::Number(number) => (number.as_u64().unwrap() + 1).into(),
            Value::Bool(so) => (!so).into(),
            _ => "something".into(),
        };
        let ran = verify(&altered);
        assert_eq!(ran.code, 5, "{place}: {}", ran.session());
        assert!(ran.stderr.contains("RT5004"), "{}", ran.session());
    }
    let mut less = said.clone();
    less["verified"].as_array_mut().unwrap().pop();
    assert!(
        verify(&less)
            .stderr
            .contains("/verified/1: it says nothing")
    );
    let mut more = said.clone();
    more["undone"] = serde_json::json!([{"what": "all of it"}]);
    assert!(verify(&more).stderr.contains("/undone/0"));
    // A case that went on since still holds the attestation of before.
    let released = home.retake(&[
        "release",
        served.user(),
        "--tenant",
        "lab",
        "--as",
        "Robin",
        "--reason",
        "a false alarm",
    ]);
    assert_eq!(released.code, 0, "{}", released.session());
    let again = home.retake(&[
        "case",
        "export",
        &case,
        "--out",
        tar.to_str().unwrap(),
        "--replace",
    ]);
    assert_eq!(again.code, 0, "{}", again.session());
    assert_eq!(verify(&said).code, 0);
}

fn leaves(at: &str, value: &Value, places: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                leaves(&format!("{at}/{key}"), value, places);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (index, value) in items.iter().enumerate() {
                leaves(&format!("{at}/{index}"), value, places);
            }
        }
        _ => places.push(at.to_owned()),
    }
}

#[test]
fn errors_are_documents_too_and_say_what_is_still_safe() {
    let home = Home::new();
    let served = Served::to(&home);
    let cases: [(&[&str], i32, &str, Option<&str>); 8] = [
        (
            &["case", "show", "nothing-there", "--json"],
            2,
            "RT2005",
            Some("nothing-there"),
        ),
        (&["respond", "--json"], 2, "RT2002", None),
        (&["--json", "nonsense"], 2, "RT2002", None),
        (
            &["explain", "RT9999", "--json"],
            2,
            "RT2002",
            Some("RT9999"),
        ),
        (&["drill", "no-such-scenario", "--json"], 2, "RT2009", None),
        (
            &["tenant", "check", "nobody", "--json"],
            2,
            "RT2003",
            Some("nobody"),
        ),
        (
            &["case", "verify", "nowhere.tar", "--json"],
            2,
            "RT2006",
            Some("nowhere.tar"),
        ),
        (
            &[
                "contain",
                "nobody@nowhere.example",
                "--tenant",
                "lab",
                "--json",
            ],
            2,
            "RT2001",
            Some("nobody@nowhere.example"),
        ),
    ];
    for (arguments, code, id, object) in cases {
        let ran = home.retake(arguments);
        assert_eq!(ran.code, code, "{}", ran.session());
        let error = document(&ran);
        follows("error", &error);
        assert_eq!(error["code"], id, "{error}");
        assert_eq!(error["exit"], code);
        assert_eq!(error["object"].as_str(), object, "{error}");
        for key in ["what", "still_safe", "next"] {
            assert!(!error[key].as_str().unwrap().is_empty(), "{key}: {error}");
        }
        assert!(!ran.stderr.contains("hint:"), "{}", ran.stderr);
    }
    drop(served);
}

#[test]
fn a_drill_a_lab_and_an_explanation_speak_json() {
    let home = Home::new();
    let scores = document(&home.retake(&["drill", "--json", "--sequence", "none"]));
    follows("score", &scores);
    let one = document(&home.retake(&["explain", "a09", "--json"]));
    follows("explain", &one);
    assert_eq!(one["entries"][0]["kind"], "artefact");
    let all = document(&home.retake(&["explain", "--json"]));
    follows("explain", &all);
    let kinds: BTreeSet<&str> = all["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds.len(), 4);
    let pages = home.path().join("man");
    let written = document(&home.retake(&["man", "--out", pages.to_str().unwrap(), "--json"]));
    follows("files", &written);

    let mut lab = home
        .command(&["lab", "serve", "--json"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(
        &mut std::io::BufReader::new(lab.stdout.take().unwrap()),
        &mut line,
    )
    .unwrap();
    lab.kill().unwrap();
    lab.wait().unwrap();
    let served: Value = serde_json::from_str(&line).unwrap();
    follows("lab", &served);
    assert!(!line.contains("secret"), "{line}");
}

#[test]
fn completions_and_manual_pages_know_every_command() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = home.retake(&["completions", shell]);
        assert_eq!(script.code, 0, "{}", script.stderr);
        for word in ["respond", "attestation", "teardown"] {
            assert!(script.stdout.contains(word), "{shell}: {word}");
        }
    }
    let page = home.retake(&["man", "case", "verify"]);
    assert!(
        page.stdout.contains("retake\\-case\\-verify"),
        "{}",
        page.stdout
    );
    assert!(page.stdout.contains("attestation"));
    let root = home.retake(&["man"]).stdout;
    assert!(
        root.contains("RETAKE_HOME") && root.contains("EXIT STATUS"),
        "{root}"
    );
    assert_eq!(home.retake(&["man", "nonsense"]).code, 2);
    let dir = home.path().join("man");
    let written = home.retake(&["man", "--out", dir.to_str().unwrap()]);
    let names: Vec<&str> = written
        .stdout
        .lines()
        .map(|line| line.rsplit('/').next().unwrap())
        .collect();
    assert!(
        names.contains(&"retake.1") && names.contains(&"retake-tenant-add.1"),
        "{names:?}"
    );
    assert!(!names.iter().any(|name| name.contains("docs")), "{names:?}");
    if cfg!(unix) {
        // Where there is a shell, it accepts what it is given.
        let script = home.retake(&["completions", "bash"]).stdout;
        let file = home.path().join("retake.bash");
        std::fs::write(&file, script).unwrap();
        let said = std::process::Command::new("bash")
            .arg("-n")
            .arg(&file)
            .output();
        if let Ok(said) = said {
            assert!(said.status.success(), "{said:?}");
        }
    }
}
