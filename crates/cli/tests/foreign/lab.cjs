// What the scripts for Microsoft's Node libraries share: the lab's address and its control port.
//
// The libraries are used as they are published. Two things of their surroundings are ours: they are
// told the lab's host and authority by their own options (and its certificate authority by
// NODE_EXTRA_CA_CERTS), and when they wait, the lab's clock moves on instead of the wall clock. Where a
// library dates what it signs, it is told the lab's time.
"use strict";

const fs = require("node:fs");
const net = require("node:net");
const readline = require("node:readline");

const lab = JSON.parse(fs.readFileSync(process.env.LAB, "utf8"));
const user = process.env.AFFECTED;
const graph = "https://graph.microsoft.com/.default";

/** One operation of the lab's control port. */
function control(order) {
  const [host, port] = lab.control.split(":");
  return new Promise((resolve, reject) => {
    const stream = net.connect(Number(port), host, () => stream.write(JSON.stringify(order) + "\n"));
    stream.on("error", reject);
    readline.createInterface({ input: stream }).once("line", (line) => {
      stream.destroy();
      resolve(JSON.parse(line));
    });
  });
}

/** How long the libraries wanted to wait, in seconds, in order. */
const slept = [];
const wait = globalThis.setTimeout;

/** A wait of a library's makes the lab's time pass, all of it and at once; Node's own timers, such
 * as those that close idle connections, stay as they are. */
function useTheLabsClock() {
  globalThis.setTimeout = (done, milliseconds, ...rest) => {
    const library = new Error().stack.includes("node_modules");
    if (!library || !(milliseconds >= 1000)) return wait(done, milliseconds, ...rest);
    slept.push(milliseconds / 1000);
    control({ op: "advance", seconds: milliseconds / 1000 }).then(() => done(...rest));
    return { unref() {}, ref() {} };
  };
}

/** What is done while this machine's clock shows what the lab's shows: an assertion is dated by it. */
async function atTheLabsTime(doing) {
  const Wall = globalThis.Date;
  const ahead = Wall.parse((await control({ op: "now" })).now) - Wall.now();
  globalThis.Date = class extends Wall {
    constructor(...given) {
      super(...(given.length > 0 ? given : [Wall.now() + ahead]));
    }
    static now() {
      return Wall.now() + ahead;
    }
  };
  try {
    return await doing();
  } finally {
    globalThis.Date = Wall;
  }
}

/** The lab's operator enters a device code. */
async function approve(userCode) {
  const answer = await control({ op: "approve_device_code", user_code: userCode });
  if (answer.approved !== true) throw new Error(JSON.stringify(answer));
}

function throttle(path, times, retryAfter) {
  const kind = { throttle: { retry_after: retryAfter } };
  return control({ op: "inject", fault: { path, times, kind } });
}

/** Method and status of every request so far whose path has `part`. */
async function requestsTo(part) {
  const { trace } = await control({ op: "trace" });
  return trace
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))
    .filter((line) => line.actor === "responder" && line.path.includes(part))
    .map((line) => `${line.method} ${line.status}`);
}

async function forbid(permission) {
  const answer = await control({ op: "set_permission", permission, granted: false });
  if (answer.changed !== true) throw new Error(JSON.stringify(answer));
}

/** One line for the test that called: what was done, and what came of it. */
function done(what, fact) {
  console.log(`${what}: ${typeof fact === "string" ? fact : JSON.stringify(fact)}`);
}

module.exports = { atTheLabsTime, lab, user, graph, control, slept, useTheLabsClock, approve, throttle, requestsTo, forbid, done };
