//! The directions between the crates, as docs and ARCHITECTURE.md draw them.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Which of our crates each of our crates may name, tests included.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("retake-playbook", &[]),
    ("retake-tenant", &["retake-playbook"]),
    ("retake-casefile", &["retake-playbook"]),
    ("retake-hunt", &["retake-playbook"]),
    // The corpus only in its soak and bench, which are no part of the program.
    ("retake-events", &["retake-hunt", "retake-corpus"]),
    // Only to lay a hunt's answers beside the truth; what it writes, it writes from the
    // documentation.
    ("retake-corpus", &["retake-hunt"]),
    // Writes the wire formats from the documentation by itself; see `LAB_MAY_SAY`.
    ("retake-lab", &["retake-playbook"]),
    (
        "retake-responder",
        &[
            "retake-playbook",
            "retake-tenant",
            "retake-casefile",
            "retake-hunt",
        ],
    ),
    (
        "retake-report",
        &[
            "retake-playbook",
            "retake-casefile",
            "retake-hunt",
            "retake-responder",
        ],
    ),
    // It knows the client and the lab, to compare them, and nothing of a case.
    ("retake-tape", &["retake-tenant", "retake-lab"]),
    // These two alone know both the responder and the lab.
    (
        "retake-drill",
        &[
            "retake-playbook",
            "retake-tenant",
            "retake-casefile",
            "retake-hunt",
            "retake-responder",
            "retake-report",
            "retake-lab",
        ],
    ),
    (
        "retake-cli",
        &[
            "retake-playbook",
            "retake-tenant",
            "retake-casefile",
            "retake-hunt",
            "retake-events",
            "retake-responder",
            "retake-report",
            "retake-lab",
            "retake-drill",
            "retake-tape",
        ],
    ),
    ("retake-contract", &[]),
    ("xtask", &[]),
];

/// For development only: every crate's tests may use it, no crate may ship it.
const DEVELOPMENT: &str = "retake-contract";

/// The playbook's words that the lab may use. Anything more and a mistake in the client's
/// understanding could hide behind the lab's sharing of it.
// A `Digest` is the form of a SHA-256 in words; the lab computes its own.
const LAB_MAY_SAY: [&str; 4] = ["ArtefactId", "Digest", "ObjectKind", "ObjectRef"];

#[test]
fn crates_know_only_whom_they_may_know() {
    let metadata = metadata();
    let allowed: BTreeMap<&str, &[&str]> = MAY_KNOW.iter().copied().collect();
    let ours: BTreeSet<&str> = packages(&metadata)
        .iter()
        .filter_map(|package| package["name"].as_str())
        .collect();
    let mut wrong = Vec::new();
    for package in packages(&metadata) {
        let name = package["name"].as_str().unwrap();
        let Some(may_know) = allowed.get(name) else {
            wrong.push(format!(
                "{name} has no place in the directions of this test"
            ));
            continue;
        };
        for dependency in package["dependencies"].as_array().unwrap() {
            let known = dependency["name"].as_str().unwrap();
            let in_tests = dependency["kind"] == "dev";
            let fine = may_know.contains(&known) || (in_tests && known == DEVELOPMENT);
            if ours.contains(known) && !fine {
                wrong.push(format!("{name} must not know {known}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_lab_says_only_the_names_of_artefacts() {
    let mut wrong = Vec::new();
    for file in rust_files(&root().join("crates/lab")) {
        let text = fs::read_to_string(&file).unwrap();
        for word in words_after(&text, "retake_playbook::") {
            if !LAB_MAY_SAY.contains(&word.as_str()) {
                wrong.push(format!("{}: retake_playbook::{word}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn words_are_found_in_paths_and_in_lists() {
    let text = "use retake_playbook::{ArtefactId, words::ObjectKind as Kind};\n\
                let state = retake_playbook::State::new();\nuse retake_playbook::*;";
    let found = words_after(text, "retake_playbook::");
    assert_eq!(found, ["ArtefactId", "words", "State", "*"]);
}

/// The first word of each path that begins with `prefix`, lists taken apart.
fn words_after(text: &str, prefix: &str) -> Vec<String> {
    let first_word = |path: &str| -> String {
        let path = path.trim();
        if path.starts_with('*') {
            return "*".to_owned();
        }
        path.chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect()
    };
    text.split(prefix)
        .skip(1)
        .flat_map(|rest| match rest.strip_prefix('{') {
            Some(list) => {
                let list = list.split('}').next().unwrap_or_default();
                list.split(',')
                    .map(first_word)
                    .filter(|word| !word.is_empty())
                    .collect()
            }
            None => vec![first_word(rest)],
        })
        .collect()
}

fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn packages(metadata: &Value) -> &Vec<Value> {
    metadata["packages"].as_array().unwrap()
}

fn metadata() -> Value {
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}
