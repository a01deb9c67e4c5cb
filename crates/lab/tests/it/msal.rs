//! Microsoft's own client library for Python, unmodified, over TLS.
//!
//! `RETAKE_PYTHON` names an interpreter that has `msal` and `requests`;
//! without it `python3` is tried, and where neither has them the story says so
//! and is skipped.

use std::process::{Command, Stdio};

use retake_lab::serve::{ClockMode, Options, Server};
use retake_lab::{Lab, Scenario};

const SCRIPT: &str = r#"
import json, os, sys, socket
import msal, requests
base, tenant, client, secret = (os.environ[k] for k in ("BASE", "TENANT", "CLIENT", "SECRET"))
user, control = os.environ["AFFECTED"], int(os.environ["CONTROL"])
http = requests.Session(); http.verify = os.environ["CA"]; http.trust_env = False

def read(token, path):
    answer = http.get(base + path, headers={"Authorization": "Bearer " + token})
    answer.raise_for_status()
    return answer.json()

app = msal.ConfidentialClientApplication(client, authority=f"{base}/{tenant}",
    client_credential=secret, http_client=http, instance_discovery=False)
got = app.acquire_token_for_client(["https://graph.microsoft.com/.default"])
assert "access_token" in got, got
token = got["access_token"]
assert read(token, f"/v1.0/users/{user}")["userPrincipalName"] == user
rules = read(token, f"/v1.0/users/{user}/mailFolders/inbox/messageRules")["value"]
sign_ins = read(token, "/v1.0/auditLogs/signIns?$top=5")["value"]
assert rules and sign_ins

public = msal.PublicClientApplication(client, authority=f"{base}/{tenant}",
    http_client=http, instance_discovery=False)
flow = public.initiate_device_flow(["https://graph.microsoft.com/.default"])
assert "user_code" in flow, flow
with socket.create_connection(("127.0.0.1", control)) as line:
    line.sendall((json.dumps({"op": "approve_device_code", "user_code": flow["user_code"]}) + "\n").encode())
    assert json.loads(line.makefile().readline())["approved"] is True
got = public.acquire_token_by_device_flow(flow)
assert "access_token" in got, got
assert got["id_token_claims"]["tid"] == tenant
assert read(got["access_token"], "/v1.0/me")["id"] == got["id_token_claims"]["oid"]
assert read(got["access_token"], f"/v1.0/users/{user}/authentication/methods")["value"]
account = public.get_accounts()[0]
again = public.acquire_token_silent(["https://graph.microsoft.com/.default"], account, force_refresh=True)
assert again and "access_token" in again, again
print("ok")
"#;

#[test]
fn msal_signs_in_by_secret_and_by_device_code_and_reads() {
    // issue: `msal` from PyPI, unmodified, over TLS
    let python = std::env::var("RETAKE_PYTHON").unwrap_or_else(|_| String::from("python3"));
    let there = Command::new(&python)
        .args(["-c", "import msal, requests"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !there {
        retake_contract::skip(&format!(
            "{python} has no msal and requests (set RETAKE_PYTHON)"
        ));
        return;
    }
    let lab = Lab::new(&Scenario::find("invoice-fraud").unwrap(), 1).unwrap();
    let briefing = lab.briefing().clone();
    let server = Server::start(
        lab,
        Options {
            clock: ClockMode::Stepped,
            ..Options::default()
        },
    )
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, server.ca_pem()).unwrap();
    let done = Command::new(&python)
        .args(["-c", SCRIPT])
        .env(
            "BASE",
            format!("https://localhost:{}", server.addr().port()),
        )
        .env("TENANT", &briefing.tenant_id)
        .env("CLIENT", &briefing.client_id)
        .env("SECRET", &briefing.client_secret)
        .env("AFFECTED", &briefing.affected)
        .env("CONTROL", server.control_addr().port().to_string())
        .env("CA", &ca)
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr),
    );
    assert!(done.status.success(), "{out}\n{err}");
    server.shutdown();
}
