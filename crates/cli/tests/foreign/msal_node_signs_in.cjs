// `@azure/msal-node` signs in as an app and as a person, and what it got opens what it should.
"use strict";

const assert = require("node:assert/strict");
const { X509Certificate, createPrivateKey } = require("node:crypto");
const { lab, user, graph, atTheLabsTime, useTheLabsClock, done } = require("./lab.cjs");
const { msal, certified, confidential, byDeviceCode } = require("./msal_node.cjs");

useTheLabsClock();
const rulesOf = `/users/${user}/mailFolders/inbox/messageRules`;

function read(token, path) {
  return fetch(`${lab.base}/v1.0${path}`, { headers: { authorization: `Bearer ${token}` } });
}

async function signIns(token) {
  const account = await (await read(token, `/users/${user}`)).json();
  assert.equal(account.userPrincipalName, user);
  const { value } = await (await read(token, "/auditLogs/signIns?$top=3")).json();
  assert.ok(value.length > 0 && value.every((one) => one.ipAddress), value);
  return value.map((one) => one.id);
}

async function main() {
  const got = await confidential(lab.client_secret).acquireTokenByClientCredential({ scopes: [graph] });
  assert.ok(got.accessToken && got.expiresOn > new Date(), got);
  assert.equal((await read(got.accessToken, rulesOf)).status, 200);
  done("client secret", await signIns(got.accessToken));

  // PS256 and the SHA-256 of the certificate, and the older form with SHA-1.
  const pem = lab.certificate_pem;
  const certificate = new X509Certificate(pem);
  const hex = (print) => print.replaceAll(":", "").toLowerCase();
  const privateKey = createPrivateKey(pem).export({ type: "pkcs8", format: "pem" });
  for (const print of [
    { thumbprintSha256: hex(certificate.fingerprint256) },
    { thumbprint: hex(certificate.fingerprint) },
  ]) {
    const app = certified({ ...print, privateKey });
    const signed = await atTheLabsTime(() => app.acquireTokenByClientCredential({ scopes: [graph] }));
    done("certificate", await signIns(signed.accessToken));
  }

  const refused = await confidential("wrong")
    .acquireTokenByClientCredential({ scopes: [graph] })
    .then(() => assert.fail("a wrong secret was taken"), (error) => error);
  assert.ok(refused instanceof msal.ServerError, refused);
  assert.equal(refused.errorCode, "invalid_client");
  assert.match(refused.errorMessage, /7000215/);
  done("wrong secret", refused.errorCode);

  const { app, answer } = await byDeviceCode([graph]);
  assert.ok(answer.account && answer.account.username, answer);
  assert.equal(answer.tenantId, lab.tenant_id);
  done("device code", await signIns(answer.accessToken));
  assert.equal((await read(answer.accessToken, rulesOf)).status, 403);
  done("another's mailbox", 403);

  // From the refresh token in the library's own cache.
  const exchange = await app.acquireTokenSilent({
    account: answer.account,
    scopes: ["https://outlook.office365.com/.default"],
  });
  const rules = await fetch(`${lab.base}/adminapi/beta/${lab.tenant_id}/InvokeCommand`, {
    method: "POST",
    headers: { authorization: `Bearer ${exchange.accessToken}`, "content-type": "application/json" },
    body: JSON.stringify({
      CmdletInput: { CmdletName: "Get-InboxRule", Parameters: { Mailbox: user } },
    }),
  });
  assert.equal(rules.status, 200);
  const { value } = await rules.json();
  assert.ok(value.length > 0 && value.every((rule) => rule.Identity), value);
  done("rules through Exchange", value.length);
}

main();
