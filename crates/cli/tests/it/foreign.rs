//! Microsoft's own client libraries for Python and Node, unmodified, against the lab as
//! `retake lab serve` serves it.
//!
//! What they do stands in the scripts under `tests/foreign`, which assert for themselves and print
//! a line for each thing done. Their exact versions stand beside them; `cargo xtask test --install`
//! brings them.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::stranger::Home;

/// One run of a script against a lab of its own: what it said it did, and what came of it.
struct Done(Vec<(String, String)>);

impl Done {
    /// What was done, in order.
    fn what(&self) -> Vec<&str> {
        self.0.iter().map(|(what, _)| what.as_str()).collect()
    }

    fn fact(&self, what: &str) -> &str {
        let found = self.0.iter().find(|(name, _)| name == what);
        &found.unwrap_or_else(|| panic!("{what}: {:?}", self.0)).1
    }
}

#[test]
fn msal_for_python_signs_in_and_reads_what_we_read() {
    let Some(python) = python("import msal, requests") else {
        return retake_contract::skip("no Python with msal and requests (RETAKE_PYTHON)");
    };
    signs_in(&ran(&python, "msal_signs_in.py"));
}

#[test]
fn msal_for_node_signs_in_and_reads_what_we_read() {
    let Some(node) = node("require('@azure/msal-node')") else {
        return retake_contract::skip("no Node with @azure/msal-node (RETAKE_NODE)");
    };
    signs_in(&ran(&node, "msal_node_signs_in.cjs"));
}

fn signs_in(done: &Done) {
    assert_eq!(
        done.what(),
        [
            "client secret",
            "certificate",
            "certificate",
            "wrong secret",
            "device code",
            "another's mailbox",
            "rules through Exchange"
        ]
    );
    let certificates = done.0.iter().filter(|(what, _)| what == "certificate");
    assert!(
        certificates
            .clone()
            .all(|(_, seen)| seen == done.fact("client secret")),
        "with a certificate the app sees the same, in both forms of the assertion"
    );
    assert_eq!(
        done.fact("client secret"),
        done.fact("device code"),
        "the operator sees what the app sees"
    );
    assert_eq!(done.fact("wrong secret"), "invalid_client");
}

#[test]
fn msgraph_sdk_for_python_pages_writes_and_understands_refusals() {
    let Some(python) = python("import msgraph, azure.identity") else {
        return retake_contract::skip("no Python with msgraph-sdk (RETAKE_PYTHON)");
    };
    reads_and_writes(&ran(&python, "msgraph_reads_and_writes.py"));
}

#[test]
fn the_graph_client_for_node_pages_writes_and_understands_refusals() {
    let Some(node) =
        node("require('@azure/msal-node'); require('@microsoft/microsoft-graph-client')")
    else {
        return retake_contract::skip("no Node with microsoft-graph-client (RETAKE_NODE)");
    };
    reads_and_writes(&ran(&node, "graph_client_reads_and_writes.cjs"));
}

fn reads_and_writes(done: &Done) {
    assert_eq!(
        done.what(),
        [
            "users",
            "rules",
            "sign-ins",
            "grants",
            "rule",
            "sessions",
            "403",
            "429",
            "device code"
        ]
    );
    assert!(
        done.fact("403").starts_with("Authorization_RequestDenied "),
        "{}",
        done.fact("403")
    );
    let waited = done.fact("429").replace(' ', "");
    assert_eq!(waited, "waited[7,2,2,2]");
}

/// An interpreter that can do this: the one that is named, the one that `cargo xtask test
/// --install` makes, or the system's.
fn python(import: &str) -> Option<PathBuf> {
    first("RETAKE_PYTHON", "target/python/bin/python", "python3")
        .into_iter()
        .find(|python| works(Command::new(python).args(["-c", import])))
}

fn node(require: &str) -> Option<PathBuf> {
    first("RETAKE_NODE", "target/node/node", "node")
        .into_iter()
        .find(|node| {
            works(
                Command::new(node)
                    .args(["-e", require])
                    .env("NODE_PATH", modules()),
            )
        })
}

fn first(named: &str, made: &str, system: &str) -> Vec<PathBuf> {
    std::env::var_os(named)
        .map(PathBuf::from)
        .into_iter()
        .chain([root().join(made), PathBuf::from(system)])
        .collect()
}

/// Where the libraries for Node are: where they are brought to, unless somebody says otherwise.
fn modules() -> PathBuf {
    std::env::var_os("NODE_PATH")
        .map_or_else(|| root().join("target/node/node_modules"), PathBuf::from)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn works(command: &mut Command) -> bool {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn ran(program: &Path, script: &str) -> Done {
    let home = Home::new();
    let mut lab = home
        .command(&["lab", "serve", "--clock", "stepped"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let affected = affected(&mut lab);
    let file = home.path().join("lab.json");
    let address: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let ca = home.path().join("ca.pem");
    std::fs::write(&ca, address["ca_pem"].as_str().unwrap()).unwrap();
    let done = Command::new(program)
        .arg(
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("tests/foreign")
                .join(script),
        )
        .envs([
            ("LAB", file.as_os_str()),
            ("CA", ca.as_os_str()),
            ("NODE_EXTRA_CA_CERTS", ca.as_os_str()),
            ("NODE_PATH", modules().as_os_str()),
            ("AFFECTED", OsStr::new(&affected)),
            // Nothing is written beside the scripts.
            ("PYTHONDONTWRITEBYTECODE", OsStr::new("1")),
        ])
        .output();
    lab.kill().unwrap();
    lab.wait().unwrap();
    let done = done.unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(
        done.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&done.stderr)
    );
    Done(
        said.lines()
            .filter_map(|line| line.split_once(": "))
            .map(|(what, fact)| (what.to_owned(), fact.to_owned()))
            .collect(),
    )
}

/// The account that the lab names when it is ready.
fn affected(lab: &mut std::process::Child) -> String {
    use std::io::BufRead as _;
    let lines = std::io::BufReader::new(lab.stderr.take().unwrap()).lines();
    let (tell, told) = std::sync::mpsc::channel();
    // The pipe is read to its end, so that the lab never waits for a reader.
    std::thread::spawn(move || {
        let mut account = None;
        for line in lines.map_while(Result::ok) {
            if let Some(named) = line.strip_prefix("  account ") {
                account = Some(named.trim().to_owned());
            }
            if line.contains("The attacker is in")
                && let Some(account) = account.take()
            {
                let _ = tell.send(account);
            }
        }
    });
    told.recv_timeout(Duration::from_mins(1)).unwrap()
}
