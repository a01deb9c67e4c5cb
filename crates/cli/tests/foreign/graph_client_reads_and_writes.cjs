// `@microsoft/microsoft-graph-client` with tokens of `@azure/msal-node`: pages, a rule, a
// revocation, a 403 and a 429.
"use strict";

const assert = require("node:assert/strict");
const { Client, GraphError, PageIterator } = require("@microsoft/microsoft-graph-client");
const { lab, user, graph, control, slept, useTheLabsClock, throttle, requestsTo, forbid, done } = require("./lab.cjs");
const { confidential, byDeviceCode } = require("./msal_node.cjs");

useTheLabsClock();

function clientOf(getAccessToken) {
  return Client.initWithMiddleware({
    authProvider: { getAccessToken },
    baseUrl: `${lab.base}/`,
    customHosts: new Set([new URL(lab.base).hostname]),
  });
}

function asApp() {
  const app = confidential(lab.client_secret);
  return clientOf(
    async () => (await app.acquireTokenByClientCredential({ scopes: [graph] })).accessToken,
  );
}

/** Everything in a list through the library's own iterator; more than one page. */
async function pages(client, path, top) {
  const first = await client.api(path).top(top).get();
  assert.ok(first["@odata.nextLink"], "everything came in one page");
  const found = [];
  const iterator = new PageIterator(client, first, (one) => found.push(one) > 0);
  await iterator.iterate();
  assert.ok(iterator.isComplete());
  assert.ok(found.length > top, String(found.length));
  assert.equal(new Set(found.map((one) => one.id)).size, found.length, "an object came twice");
  return found;
}

/** The library's error for a request that is to fail. */
async function failed(request) {
  const error = await request.then(() => assert.fail("it was answered"), (error) => error);
  assert.ok(error instanceof GraphError, error);
  return error;
}

const ids = (found) => found.map((one) => one.id).sort();

async function main() {
  const client = asApp();

  const me = await client.api(`/users/${user}`).select("id,signInSessionsValidFromDateTime").get();
  const users = await pages(client, "/users", 5);
  assert.ok(users.every((one) => one.userPrincipalName) && ids(users).includes(me.id));
  done("users", ids(users));

  const inbox = `/users/${user}/mailFolders/inbox/messageRules`;
  const rules = await pages(client, inbox, 1);
  assert.ok(rules.every((rule) => rule.displayName && rule.actions), rules);
  done("rules", ids(rules));

  // The reports' limit is five calls in ten seconds: the pages run into it, and what the library
  // waits for is what it was told.
  slept.length = 0;
  const signIns = await pages(client, "/auditLogs/signIns", 15);
  assert.ok(signIns.every((one) => one.ipAddress && one.createdDateTime));
  assert.ok(slept.length > 0 && slept.every((seconds) => seconds === 10), String(slept));
  const refusals = (await requestsTo("/auditLogs/signIns")).filter((one) => one === "GET 429");
  assert.equal(refusals.length, slept.length);
  done("sign-ins", ids(signIns));

  const grants = await pages(client, "/oauth2PermissionGrants", 1);
  assert.ok(grants.every((grant) => grant.clientId && grant.scope), grants);
  done("grants", ids(grants));

  const made = await client.api(inbox).post({
    displayName: "Newsletters aside",
    sequence: 9,
    isEnabled: true,
    conditions: { subjectContains: ["newsletter"] },
    actions: { markAsRead: true, stopProcessingRules: true },
  });
  const again = await client.api(`${inbox}/${made.id}`).get();
  assert.equal(again.displayName, "Newsletters aside");
  assert.deepEqual(again.conditions.subjectContains, ["newsletter"]);
  await client.api(`${inbox}/${made.id}`).delete();
  const gone = await failed(client.api(`${inbox}/${made.id}`).get());
  assert.equal(gone.statusCode, 404);
  done("rule", "written, read, deleted");

  const revoked = await client.api(`/users/${me.id}/revokeSignInSessions`).post();
  assert.equal(revoked.value, true);
  await control({ op: "advance", seconds: 600 });
  const after = await client.api(`/users/${user}`).select("id,signInSessionsValidFromDateTime").get();
  assert.ok(after.signInSessionsValidFromDateTime > me.signInSessionsValidFromDateTime, after);
  done("sessions", "revoked");

  await forbid("IdentityRiskEvent.Read.All");
  // Tokens that are out keep what they carry.
  const denied = await failed(asApp().api("/identityProtection/riskDetections").get());
  assert.equal(denied.statusCode, 403);
  assert.equal(denied.code, "Authorization_RequestDenied");
  assert.ok(denied.message && denied.requestId && !Number.isNaN(denied.date.getTime()), denied);
  done("403", `${denied.code} ${denied.message}`);

  // One refusal is waited out; refusals without end are told after the library's three retries.
  slept.length = 0;
  await throttle("/organization", 1, 7);
  assert.equal((await client.api("/organization").get()).value.length, 1);
  assert.deepEqual(slept, [7]);
  assert.deepEqual(await requestsTo("/organization"), ["GET 429", "GET 200"]);
  await throttle("/organization", 4, 2);
  const busy = await failed(client.api("/organization").get());
  assert.equal(busy.statusCode, 429);
  assert.equal(busy.code, "TooManyRequests");
  assert.equal(busy.headers.get("retry-after"), "2");
  assert.deepEqual(slept, [7, 2, 2, 2]);
  assert.deepEqual((await requestsTo("/organization")).slice(2), Array(4).fill("GET 429"));
  done("429", `waited ${JSON.stringify(slept)}`);

  const { answer } = await byDeviceCode([graph]);
  const person = clientOf(async () => answer.accessToken);
  const self = await person.api("/me").get();
  assert.ok(self.userPrincipalName && self.userPrincipalName !== user, self);
  const other = await failed(person.api(inbox).get());
  assert.equal(other.statusCode, 403);
  assert.equal(other.code, "ErrorAccessDenied");
  done("device code", "a person's token opens no other's mailbox");
}

main();
