import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient, isSdkError } from "../src/index.ts";
import { type Received, type Reply, startHttpDouble } from "./support/http-double.ts";
import { hashOf, listedMessage, withCode } from "./support/samples.ts";
import { createTestRuntime } from "./support/test-runtime.ts";

const itemHash = hashOf("a");
const endings: Record<string, Record<string, unknown>> = {
  pending: { messages: [] },
  processed: { message: listedMessage("a") },
  removing: { message: listedMessage("a"), reason: "balance_insufficient" },
  rejected: { message: {}, error_code: 101, details: null },
  forgotten: { message: {}, forgotten_by: [] },
  removed: { message: {}, reason: "credit_insufficient" },
};

/** Answers with one status after the other at each question for it, and stays at the last. */
function statuses(...sequence: (string | null)[]): (request: Received) => Reply {
  let asked = 0;
  return ({ path }) => {
    const isQuestion = path.endsWith("/status");
    if (isQuestion) asked += 1;
    const status = sequence[Math.min(Math.max(asked - 1, 0), sequence.length - 1)];
    if (status === null || status === undefined) return { status: 404, body: "404: Not Found" };
    const common = { status, item_hash: itemHash, reception_time: null };
    return { body: isQuestion ? common : { ...common, ...endings[status] } };
  };
}

test("a message is waited for from the first moment, when the node may not know it yet", async () => {
  await using double = await startHttpDouble(statuses(null, null, "pending", "pending", "processed"));
  const runtime = createTestRuntime();
  const client = createClient({ apiUrl: double.apiUrl, runtime });
  const view = await client.waitForStatus({ itemHash });
  assert.equal(view.status, "processed");
  const pauses = runtime.delaysMs.filter((delayMs) => delayMs < 30_000);
  assert.deepEqual(pauses, [50, 100, 200, 400]);
});

test("the pauses stop growing", async () => {
  const pending = new Array<string>(12).fill("pending");
  await using double = await startHttpDouble(statuses(...pending, "processed"));
  const runtime = createTestRuntime();
  await createClient({ apiUrl: double.apiUrl, runtime }).waitForStatus({ itemHash });
  assert.equal(Math.max(...runtime.delaysMs.filter((delayMs) => delayMs < 30_000)), 2500);
});

for (const [status, code] of [
  ["rejected", "SDK_REJECTED"],
  ["forgotten", "SDK_GONE"],
  ["removed", "SDK_GONE"],
] as const) {
  test(`a message that ends ${status} is ${code}, unless that is what was waited for`, async () => {
    await using double = await startHttpDouble(statuses(status));
    const client = createClient({ apiUrl: double.apiUrl });
    await assert.rejects(client.waitForStatus({ itemHash }), withCode(code));
    assert.equal((await client.waitForStatus({ itemHash, statuses: [status] })).status, status);
  });
}

test("a processed message may be waited for until it is forgotten", async () => {
  await using double = await startHttpDouble(statuses("processed", "removing", "forgotten"));
  const client = createClient({ apiUrl: double.apiUrl, runtime: createTestRuntime() });
  assert.equal((await client.waitForStatus({ itemHash, statuses: ["forgotten"] })).status, "forgotten");
});

test("a wait has an end", async () => {
  await using double = await startHttpDouble(statuses("pending"));
  const client = createClient({ apiUrl: double.apiUrl });
  await assert.rejects(client.waitForStatus({ itemHash, timeoutMs: 120 }), (error) => {
    assert.ok(isSdkError(error, "SDK_TIMEOUT"));
    assert.match(error.message, new RegExp(itemHash));
    return true;
  });
});

test("a wait ends with the reason of the signal", async () => {
  const controller = new AbortController();
  const reason = new Error("left");
  await using double = await startHttpDouble((request) => {
    if (double.requests.length === 2) controller.abort(reason);
    return statuses("pending")(request);
  });
  const client = createClient({ apiUrl: double.apiUrl });
  const waiting = client.waitForStatus({ itemHash, signal: controller.signal });
  await assert.rejects(waiting, (error) => error === reason);
});

test("a frame of the websocket ends the pause at once", async () => {
  let status = "pending";
  await using double = await startHttpDouble((request) => statuses(status)(request));
  double.onSocket((socket, url) => {
    assert.deepEqual([url.pathname, url.search], ["/api/ws0/messages", `?hashes=${itemHash}&history=1`]);
    status = "processed";
    socket.send(JSON.stringify(listedMessage("a")));
  });
  // Every pause lasts as long as the whole wait: only the frame can end it.
  const schedule = (delayMs: number, callback: () => void) => {
    const timer = setTimeout(callback, Math.max(delayMs, 20_000));
    return () => clearTimeout(timer);
  };
  const runtime = { ...createTestRuntime(), schedule };
  const client = createClient({ apiUrl: double.apiUrl, runtime });
  const view = await client.waitForStatus({ itemHash, useWebSocket: true, timeoutMs: 20_000 });
  assert.equal(view.status, "processed");
});

test("a websocket that cannot be had costs nothing but time", async () => {
  await using double = await startHttpDouble(statuses("pending", "pending", "processed"));
  double.onSocket((socket) => socket.close(1013));
  const client = createClient({ apiUrl: double.apiUrl, runtime: createTestRuntime() });
  assert.equal((await client.waitForStatus({ itemHash, useWebSocket: true })).status, "processed");
});
