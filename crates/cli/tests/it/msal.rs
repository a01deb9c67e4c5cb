//! Microsoft's own client library for Python, unmodified, against the lab as
//! `retake lab serve` serves it.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::stranger::Home;

const SCRIPT: &str = r#"
import json, os, socket, sys
import msal, requests

lab = json.load(open(os.environ["LAB"]))
user = os.environ["AFFECTED"]
http = requests.Session()
http.verify = os.environ["CA"]
http.trust_env = False
scopes = ["https://graph.microsoft.com/.default"]
common = dict(authority=lab["base"] + "/" + lab["tenant_id"], http_client=http, instance_discovery=False)

def read(token, path):
    answer = http.get(lab["base"] + "/v1.0" + path, headers={"Authorization": "Bearer " + token})
    answer.raise_for_status()
    return answer.json()

def reads(token):
    assert read(token, "/users/" + user)["userPrincipalName"] == user
    sign_ins = read(token, "/auditLogs/signIns?$top=3")["value"]
    assert sign_ins and all("ipAddress" in one for one in sign_ins), sign_ins
    return [one["id"] for one in sign_ins]

rules_of = "/users/" + user + "/mailFolders/inbox/messageRules"

app = msal.ConfidentialClientApplication(lab["client_id"], client_credential=lab["client_secret"], **common)
got = app.acquire_token_for_client(scopes)
assert "access_token" in got, got
rules = read(got["access_token"], rules_of)["value"]
assert rules and all("displayName" in rule for rule in rules), rules
print("client secret:", reads(got["access_token"]))

wrong = msal.ConfidentialClientApplication(lab["client_id"], client_credential="wrong", **common)
refused = wrong.acquire_token_for_client(scopes)
assert refused.get("error") == "invalid_client" and 7000215 in refused["error_codes"], refused
print("wrong secret:", refused["error"])

public = msal.PublicClientApplication(lab["client_id"], **common)
flow = public.initiate_device_flow(scopes)
assert "user_code" in flow, flow
host, port = lab["control"].rsplit(":", 1)
with socket.create_connection((host, int(port))) as control:
    order = {"op": "approve_device_code", "user_code": flow["user_code"]}
    control.sendall((json.dumps(order) + "\n").encode())
    assert json.loads(control.makefile().readline())["approved"] is True
got = public.acquire_token_by_device_flow(flow)
assert "access_token" in got, got
print("device code:", reads(got["access_token"]))
# A person's token opens no other person's mailbox, whatever their role.
try:
    read(got["access_token"], rules_of)
    raise SystemExit("another person's rules were read")
except requests.HTTPError as refused:
    assert refused.response.status_code == 403, refused
# An administrator's token reads them where administrators do: through Exchange.
exchange = public.acquire_token_silent(["https://outlook.office365.com/.default"], account=public.get_accounts()[0])
assert exchange and "access_token" in exchange, exchange
answer = http.post(
    lab["base"] + "/adminapi/beta/" + lab["tenant_id"] + "/InvokeCommand",
    headers={"Authorization": "Bearer " + exchange["access_token"]},
    json={"CmdletInput": {"CmdletName": "Get-InboxRule", "Parameters": {"Mailbox": user}}},
)
answer.raise_for_status()
rules = answer.json()["value"]
assert rules and all("Identity" in rule for rule in rules), rules
print("device code, rules through Exchange:", len(rules))
"#;

/// An interpreter that has what the script needs: the one that is named, the one
/// that `cargo xtask test --install` makes, or the system's.
fn python() -> Option<PathBuf> {
    let made = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../target/python/bin/python"
    );
    std::env::var_os("RETAKE_PYTHON")
        .map(PathBuf::from)
        .into_iter()
        .chain([PathBuf::from(made), PathBuf::from("python3")])
        .find(|python| {
            Command::new(python)
                .args(["-c", "import msal, requests"])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success())
        })
}

#[test]
fn msal_signs_in_by_secret_and_by_device_code_and_reads_what_we_read() {
    let Some(python) = python() else {
        return retake_contract::skip("no Python with msal and requests (RETAKE_PYTHON)");
    };
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
    let done = Command::new(python)
        .args(["-c", SCRIPT])
        .env("LAB", &file)
        .env("CA", &ca)
        .env("AFFECTED", affected)
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
    let counts: Vec<&str> = said
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(_, what)| what)
        .collect();
    assert_eq!(counts.len(), 4, "{said}");
    assert_eq!(counts[0], counts[2], "the operator sees what the app sees");
    assert_eq!(counts[1], "invalid_client");
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
