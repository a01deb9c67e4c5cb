// `@azure/msal-node` signs in to the lab, as an app and as a person.
"use strict";

const msal = require("@azure/msal-node");
const { lab, approve } = require("./lab.cjs");

const host = new URL(lab.base).host;
const auth = {
  clientId: lab.client_id,
  authority: `${lab.base}/${lab.tenant_id}`,
  knownAuthorities: [host],
};

/** An app that signs in with this secret. */
function confidential(clientSecret) {
  return new msal.ConfidentialClientApplication({ auth: { ...auth, clientSecret } });
}

/** The same app with its certificate; the library signs an assertion with it. */
function certified(clientCertificate) {
  return new msal.ConfidentialClientApplication({ auth: { ...auth, clientCertificate } });
}

/** A person's tokens, by a code that the lab's operator enters. */
async function byDeviceCode(scopes) {
  const app = new msal.PublicClientApplication({ auth });
  let entered;
  const answer = await app.acquireTokenByDeviceCode({
    scopes,
    deviceCodeCallback: (prompt) => {
      entered = approve(prompt.userCode);
    },
  });
  await entered;
  return { app, answer };
}

module.exports = { msal, auth, certified, confidential, byDeviceCode };
