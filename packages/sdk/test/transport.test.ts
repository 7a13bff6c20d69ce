import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient, isSdkError } from "../src/index.ts";
import { startHttpDouble } from "./support/http-double.ts";
import { hashOf, withCode } from "./support/samples.ts";
import { createTestRuntime } from "./support/test-runtime.ts";

const itemHash = hashOf("transport");
const known = { status: "processed", item_hash: itemHash, reception_time: "2024-01-02T03:04:05.123456Z" };

test("a passing refusal is repeated, after the delay that the node asks for", async () => {
  let calls = 0;
  await using double = await startHttpDouble(() => {
    calls += 1;
    if (calls === 1) return { status: 503 };
    if (calls === 2) return { status: 429, headers: { "retry-after": "7" } };
    return { body: known };
  });
  const runtime = createTestRuntime();
  const client = createClient({ apiUrl: `${double.apiUrl}/`, runtime });
  assert.equal((await client.getStatus({ itemHash }))?.status, "processed");
  // The first delay is the bound of the call, the next two are those between the attempts.
  assert.deepEqual(runtime.delaysMs, [30_000, 100, 7000]);
});

test("a connection that breaks is tried again, and given up in the end", async () => {
  await using double = await startHttpDouble(() => "destroy");
  const client = createClient({ apiUrl: double.apiUrl, runtime: createTestRuntime(), retries: 2 });
  await assert.rejects(client.getStatus({ itemHash }), (error) => {
    assert.ok(isSdkError(error, "SDK_NETWORK_ERROR"));
    assert.equal(error.details.attempts, 3);
    assert.ok(error.cause instanceof TypeError);
    return true;
  });
  assert.equal(double.requests.length, 3);
});

test("an answer that is cut short is tried again", async () => {
  let calls = 0;
  await using double = await startHttpDouble((_request, response) => {
    calls += 1;
    if (calls > 1) return { body: known };
    response.writeHead(200, { "content-length": "1000" }).write("{", () => response.destroy());
    return "hang";
  });
  const client = createClient({ apiUrl: double.apiUrl, runtime: createTestRuntime() });
  assert.equal((await client.getStatus({ itemHash }))?.itemHash, itemHash);
});

test("the last refusal of a series is the error", async () => {
  await using double = await startHttpDouble(() => ({ status: 503, body: "503: still starting" }));
  const client = createClient({ apiUrl: double.apiUrl, runtime: createTestRuntime(), retries: 1 });
  await assert.rejects(client.getStatus({ itemHash }), (error) => {
    assert.ok(isSdkError(error, "SDK_HTTP_ERROR"));
    assert.equal(error.details.status, 503);
    assert.equal(error.details.nodeMessage, "503: still starting");
    return true;
  });
  assert.equal(double.requests.length, 2);
});

for (const silentAfter of ["the request", "the headers"]) {
  test(`a node that is silent after ${silentAfter} is given up`, async () => {
    await using double = await startHttpDouble((_request, response) => {
      if (silentAfter === "the headers") response.writeHead(200).write("{");
      return "hang";
    });
    const client = createClient({ apiUrl: double.apiUrl, timeoutMs: 50 });
    await assert.rejects(client.getStatus({ itemHash }), (error) => {
      assert.ok(isSdkError(error, "SDK_TIMEOUT"));
      assert.equal(error.details.timeoutMs, 50);
      return true;
    });
  });
}

test("an abort ends the call with the caller's own reason", async () => {
  const controller = new AbortController();
  const reason = new Error("the page was left");
  await using double = await startHttpDouble(() => {
    controller.abort(reason);
    return "hang";
  });
  const client = createClient({ apiUrl: double.apiUrl });
  await assert.rejects(
    client.getStatus({ itemHash, signal: controller.signal }),
    (error) => error === reason,
  );
  await assert.rejects(
    client.getStatus({ itemHash, signal: controller.signal }),
    (error) => error === reason,
  );
  assert.equal(double.requests.length, 1);
});

test("an answer longer than allowed is not read to its end", async () => {
  await using double = await startHttpDouble((request, response) => {
    if (request.query.has("declared")) return { body: "x".repeat(2000) };
    response.writeHead(200).write("x".repeat(2000));
    return "hang";
  });
  const client = createClient({ apiUrl: double.apiUrl, maxAnswerBytes: 1000 });
  await assert.rejects(client.getStatus({ itemHash }), withCode("SDK_ANSWER_TOO_LARGE"));
  const declared = createClient({
    apiUrl: double.apiUrl,
    maxAnswerBytes: 1000,
    fetch: (url, init) => fetch(`${url}?declared`, init),
  });
  await assert.rejects(declared.getStatus({ itemHash }), withCode("SDK_ANSWER_TOO_LARGE"));
});

const malformed: readonly [string, unknown][] = [
  ["no JSON", "<html>"],
  ["nothing", ""],
  ["no UTF-8", Uint8Array.of(0x22, 0xff, 0x22)],
  ["an array", []],
  ["a status that nobody knows", { ...known, status: "lost" }],
  ["no status", { item_hash: itemHash }],
  ["a hash that is a number", { ...known, item_hash: 5 }],
  ["JSON that is too deep", "[".repeat(2000) + "]".repeat(2000)],
  ["an inherited name for a status", '{"status":"constructor","item_hash":"a"}'],
];
for (const [what, body] of malformed) {
  test(`an answer with ${what} is an error, not a result`, async () => {
    await using double = await startHttpDouble(() => ({ body }));
    const client = createClient({ apiUrl: double.apiUrl });
    await assert.rejects(client.getStatus({ itemHash }), withCode("SDK_BAD_ANSWER"));
  });
}

test("the words of the node are in the error, whichever form they have", async () => {
  const bodies: readonly [unknown, unknown, unknown][] = [
    [{ error: { code: "CURSOR_INVALID", message: "no such cursor" } }, "CURSOR_INVALID", "no such cursor"],
    [[{ loc: ["pagination"], msg: "must be >= 0" }], null, "pagination: must be >= 0"],
    ["422: bad", null, "422: bad"],
    ["", null, null],
  ];
  let body: unknown;
  await using double = await startHttpDouble(() => ({ status: 422, body }));
  const client = createClient({ apiUrl: double.apiUrl });
  for (const [next, nodeCode, nodeMessage] of bodies) {
    body = next;
    await assert.rejects(client.getStatus({ itemHash }), (error) => {
      assert.ok(isSdkError(error, "SDK_HTTP_ERROR"));
      assert.deepEqual(
        [error.details.nodeCode, error.details.nodeMessage, error.details.status],
        [nodeCode, nodeMessage, 422],
      );
      return true;
    });
  }
});

test("integers of 64 bits survive, unless the platform's reader is asked for", async () => {
  const body = '{"address":"a","data":{"ids":{"big":1152921504606846977,"small":7}}}';
  await using double = await startHttpDouble(() => ({ body }));
  const parameters = { address: "a", key: "ids" };
  const exact = await createClient({ apiUrl: double.apiUrl }).fetchAggregate(parameters);
  assert.deepEqual(exact, { big: 1152921504606846977n, small: 7 });
  const double53 = createClient({ apiUrl: double.apiUrl, numbers: "double" });
  assert.deepEqual(await double53.fetchAggregate(parameters), { big: 2 ** 60, small: 7 });
});

test("a client that could never work is refused at once", () => {
  for (const apiUrl of ["", "node.example", "ftp://node.example"]) {
    assert.throws(() => createClient({ apiUrl }), withCode("SDK_INVALID_INPUT"));
  }
  const apiUrl = "http://node.example/base/";
  assert.equal(createClient({ apiUrl }).connection.apiUrl, "http://node.example/base");
  for (const bad of [{ timeoutMs: 0 }, { timeoutMs: Number.NaN }, { retries: -1 }, { maxAnswerBytes: 0 }]) {
    assert.throws(() => createClient({ apiUrl, ...bad }), withCode("SDK_INVALID_INPUT"));
  }
});
