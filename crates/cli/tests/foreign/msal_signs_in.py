"""`msal` signs in as an app and as a person, and what it got opens what it should."""

import msal
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from lab import BASE, CA, GRAPH, LAB, USER, approve, at_the_labs_time, done

http = requests.Session()
http.verify = CA
http.trust_env = False
common = {
    "authority": f"{BASE}/{LAB['tenant_id']}",
    "http_client": http,
    "instance_discovery": False,
}
RULES = f"/users/{USER}/mailFolders/inbox/messageRules"


def read(token, path):
    answer = http.get(f"{BASE}/v1.0{path}", headers={"Authorization": f"Bearer {token}"})
    answer.raise_for_status()
    return answer.json()


def sign_ins(token):
    assert read(token, f"/users/{USER}")["userPrincipalName"] == USER
    found = read(token, "/auditLogs/signIns?$top=3")["value"]
    assert found and all("ipAddress" in one for one in found), found
    return [one["id"] for one in found]


app = msal.ConfidentialClientApplication(
    LAB["client_id"], client_credential=LAB["client_secret"], **common
)
got = app.acquire_token_for_client([GRAPH])
assert "access_token" in got, got
rules = read(got["access_token"], RULES)["value"]
assert rules and all("displayName" in rule for rule in rules), rules
done("client secret", sign_ins(got["access_token"]))

# With a certificate the library signs an assertion itself: PS256 and the SHA-256 of the certificate,
# or where a SHA-1 thumbprint is given, the older form.
PEM = LAB["certificate_pem"]
thumbprint = x509.load_pem_x509_certificate(PEM.encode()).fingerprint(hashes.SHA1()).hex()
for proof in (
    {"private_key": PEM, "public_certificate": PEM},
    {"private_key": PEM, "thumbprint": thumbprint},
):
    app = msal.ConfidentialClientApplication(
        LAB["client_id"], client_credential=proof, **common
    )
    with at_the_labs_time():
        got = app.acquire_token_for_client([GRAPH])
    assert "access_token" in got, got
    done("certificate", sign_ins(got["access_token"]))

wrong = msal.ConfidentialClientApplication(LAB["client_id"], client_credential="wrong", **common)
refused = wrong.acquire_token_for_client([GRAPH])
assert refused.get("error") == "invalid_client" and 7000215 in refused["error_codes"], refused
done("wrong secret", refused["error"])

public = msal.PublicClientApplication(LAB["client_id"], **common)
flow = public.initiate_device_flow([GRAPH])
assert "user_code" in flow, flow
approve(flow["user_code"])
got = public.acquire_token_by_device_flow(flow)
assert "access_token" in got, got
done("device code", sign_ins(got["access_token"]))

# A person's token opens no other person's mailbox, whatever their role.
try:
    read(got["access_token"], RULES)
    raise SystemExit("another person's rules were read")
except requests.HTTPError as refused:
    assert refused.response.status_code == 403, refused
done("another's mailbox", 403)

# An administrator's token reads them where administrators do: through Exchange. It comes from the
# refresh token in the library's own cache.
exchange = public.acquire_token_silent(
    ["https://outlook.office365.com/.default"], account=public.get_accounts()[0]
)
assert exchange and "access_token" in exchange, exchange
answer = http.post(
    f"{BASE}/adminapi/beta/{LAB['tenant_id']}/InvokeCommand",
    headers={"Authorization": f"Bearer {exchange['access_token']}"},
    json={"CmdletInput": {"CmdletName": "Get-InboxRule", "Parameters": {"Mailbox": USER}}},
)
answer.raise_for_status()
rules = answer.json()["value"]
assert rules and all("Identity" in rule for rule in rules), rules
done("rules through Exchange", len(rules))
