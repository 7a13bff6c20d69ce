import assert from "node:assert/strict";
import { test } from "node:test";
import type { SubmissionOutcome } from "../../src/api/services.ts";
import { openSocket, readAnswer } from "./support/raw-socket.ts";
import { queued } from "./support/services.ts";
import { startApi } from "./support/start-api.ts";

const HASH = "ab".repeat(32);
const MESSAGE = `{ "item_hash":"${HASH}",  "big": 1234567890123456789, "time":1700000000.100000, "\\u0061": 1e2 }`;

test("the exact text of the envelope is handed on, with the wish to wait", async (t) => {
  const api = await startApi(t);
  const response = await api.post("/api/v0/messages", `{"message": ${MESSAGE} ,"sync":false}`);
  assert.equal(response.status, 202);
  assert.deepEqual(await response.json(), {
    publication_status: { status: "success", failed: [] },
    message_status: "pending",
    publication_recipients: 0,
    item_hash: HASH,
  });
  await api.post("/api/v0/messages", `{"sync":true,"timeout":2.5,"message":${MESSAGE}}`);
  await api.post("/api/v0/messages", `{"sync":"yes","timeout":900,"message":{}}`);
  const [first, second, third] = api.services.submissions;
  assert.equal(first?.text, MESSAGE);
  assert.equal(first?.sync, false);
  assert.deepEqual([second?.sync, second?.timeoutMs], [true, 2_500]);
  assert.deepEqual([third?.sync, third?.timeoutMs], [true, 30_000]);
});

test("of two messages in one body the last is the message, as for every JSON reader", async (t) => {
  const api = await startApi(t);
  await api.post("/api/v0/messages", '{"message":{"a":1},"message":{"b":2}}');
  assert.equal(api.services.submissions[0]?.text, '{"b":2}');
});

test("bodies that are no submission are refused with a list of problems", async (t) => {
  const api = await startApi(t);
  const refused = async (body: BodyInit): Promise<{ type: string; loc: string[] }> => {
    const response = await api.post("/api/v0/messages", body);
    assert.equal(response.status, 422);
    assert.match(response.headers.get("content-type") ?? "", /^application\/json/);
    const problems = (await response.json()) as { type: string; loc: string[] }[];
    assert.ok(Array.isArray(problems) && problems[0] !== undefined);
    return problems[0];
  };
  for (const body of [
    "",
    "{",
    '{"message":',
    "NaN",
    '{"message":{"time":1e999}}',
    '{"message":{"x":"\\ud800"}}',
  ]) {
    assert.equal((await refused(body)).type, "json_invalid", body);
  }
  assert.equal((await refused(Buffer.from([0x22, 0xff, 0x22]))).type, "json_invalid");
  assert.equal((await refused("[]")).type, "model_type");
  assert.equal((await refused("null")).type, "model_type");
  assert.deepEqual((await refused("{}")).loc, ["message"]);
  assert.deepEqual((await refused('{"message":"{}"}')).loc, ["message"]);
  assert.deepEqual((await refused('{"message":{},"sync":"maybe"}')).loc, ["sync"]);
  assert.deepEqual((await refused('{"message":{},"timeout":-1}')).loc, ["timeout"]);
  assert.equal(
    (await refused(`{"message":${"[".repeat(100_000)}${"]".repeat(100_000)}}`)).type,
    "json_invalid",
  );
  assert.equal(api.services.submissions.length, 0);
});

test("each outcome has its status and says why", async (t) => {
  const api = await startApi(t);
  const submit = async (outcome: Partial<SubmissionOutcome>): Promise<[number, Record<string, unknown>]> => {
    api.services.outcome = (_submission, itemHash) => ({ ...queued(itemHash), ...outcome });
    const response = await api.post("/api/v0/messages", `{"message":${MESSAGE}}`);
    return [response.status, (await response.json()) as Record<string, unknown>];
  };
  const [processedStatus, processed] = await submit({ status: "processed", known: true });
  assert.deepEqual([processedStatus, processed.message_status], [200, "processed"]);
  assert.equal((await submit({ status: "removing", known: true }))[0], 200);
  for (const status of ["forgotten", "removed"] as const) {
    const [code, body] = await submit({ status, known: true });
    assert.deepEqual([code, body.message_status], [410, status]);
    assert.equal((body.error as { code: string }).code, "API_GONE");
  }
  const [unpublishedStatus, unpublished] = await submit({
    publication: { status: "error", failed: ["ipfs", "p2p"], recipients: 0 },
  });
  assert.equal(unpublishedStatus, 500);
  assert.deepEqual(unpublished.publication_status, { status: "error", failed: ["ipfs", "p2p"] });
  assert.equal(unpublished.message_status, null);

  const details = { errors: [{ required_credits: "2", account_credits: "1", min_runtime_days: 1 }] };
  const reason = "insufficient credit balance: have 1000000000, need 2000000000";
  const [rejectedStatus, rejected] = await submit({ status: "rejected", errorCode: 6, reason, details });
  assert.equal(rejectedStatus, 422);
  assert.deepEqual(rejected.error, { code: 6, message: reason });
  assert.deepEqual([rejected.error_code, rejected.details], [6, details]);
  assert.deepEqual(rejected.publication_status, { status: "success", failed: [] });

  const problem = { type: "value_error", loc: ["content", "time"], msg: "no", input: 2n ** 60n };
  api.services.outcome = () => ({
    ...queued(null),
    status: "rejected",
    refused: true,
    errorCode: 0,
    details: { errors: [problem] },
  });
  const response = await api.post("/api/v0/messages", `{"message":{}}`);
  const text = await response.text();
  assert.equal(response.status, 422);
  assert.match(text, /"input":1152921504606846976/);
  assert.match(text, /"details":\[\{/);
  assert.equal(JSON.parse(text).error.code, 0);
});

test("a client that goes away ends its wait and nothing else", async (t) => {
  const api = await startApi(t);
  const aborted = Promise.withResolvers<void>();
  api.services.outcome = async ({ signal }, itemHash) => {
    signal.addEventListener("abort", () => aborted.resolve(), { once: true });
    await aborted.promise;
    return queued(itemHash);
  };
  const socket = await openSocket(api.port);
  const body = '{"sync":true,"message":{}}';
  socket.write(`POST /api/v0/messages HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  while (api.services.submissions.length === 0) await new Promise((resolve) => setImmediate(resolve));
  socket.destroy();
  await aborted.promise;
  assert.equal((await api.get("/version")).status, 200);
  assert.deepEqual(
    api.services.log.records.filter(({ level }) => level === "error"),
    [],
  );
});

test("a body over the limit is 413, announced or not, and the answer arrives", async (t) => {
  const api = await startApi(t);
  const big = Buffer.alloc(2 * 1024 * 1024, 0x20);
  const announced = await openSocket(api.port);
  announced.write(`POST /api/v0/messages HTTP/1.1\r\nHost: x\r\nContent-Length: ${big.length}\r\n\r\n`);
  assert.equal((await readAnswer(announced)).status, 413);
  announced.destroy();

  const chunked = await openSocket(api.port);
  chunked.write("POST /api/v0/messages HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  chunked.write(`${big.length.toString(16)}\r\n`);
  chunked.write(big);
  const { status, body } = await readAnswer(chunked);
  assert.equal(status, 413);
  assert.equal(JSON.parse(body).error.code, "API_BODY_TOO_LARGE");
  chunked.destroy();
  assert.equal(api.services.submissions.length, 0);
});

test("a client that sends its body too slowly is answered 408", async (t) => {
  const api = await startApi(t, { settings: { bodyTimeoutMs: 50 } });
  const socket = await openSocket(api.port);
  socket.write('POST /api/v0/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{"mess');
  const { status, body } = await readAnswer(socket);
  assert.equal(status, 408);
  assert.equal(JSON.parse(body).error.code, "API_BODY_TIMEOUT");
  socket.destroy();
});

test("what is not HTTP gets a JSON refusal", async (t) => {
  const api = await startApi(t, { settings: { maxHeaderBytes: 16_384 } });
  const garbage = await openSocket(api.port);
  garbage.write("\x16\x03\x01 not http\r\n\r\n");
  assert.equal((await readAnswer(garbage)).status, 400);
  const large = await openSocket(api.port);
  large.write(`GET /version HTTP/1.1\r\nHost: x\r\nX-Large: ${"y".repeat(20_000)}\r\n\r\n`);
  const { status, body } = await readAnswer(large);
  assert.equal(status, 431);
  assert.equal(JSON.parse(body).error.code, "API_HEADERS_TOO_LARGE");
});

test("the older pubsub routes take the message as text and answer its publication", async (t) => {
  const api = await startApi(t);
  for (const path of ["/api/v0/ipfs/pubsub/pub", "/api/v0/p2p/pubsub/pub"]) {
    const publish = (body: unknown): Promise<Response> => api.post(path, JSON.stringify(body));
    const good = await publish({ topic: "ALEPH-TEST", data: MESSAGE });
    assert.equal(good.status, 200);
    assert.deepEqual(await good.json(), { status: "success", failed: [] });
    assert.equal(api.services.submissions.at(-1)?.text, MESSAGE);

    assert.equal((await publish({ topic: "OTHER", data: MESSAGE })).status, 403);
    assert.equal((await publish({ topic: "ALEPH-TEST", data: {} })).status, 422);
    assert.equal((await publish({ topic: "ALEPH-TEST", data: '{"item' })).status, 422);
    assert.equal((await publish({ topic: "ALEPH-TEST" })).status, 422);
    assert.equal((await publish([])).status, 422);
    assert.equal((await api.post(path, "no json")).status, 422);
  }
  api.services.outcome = () => ({
    ...queued(null),
    publication: { status: "error", failed: ["p2p"], recipients: 0 },
  });
  const failed = await api.post(
    "/api/v0/p2p/pubsub/pub",
    JSON.stringify({ topic: "ALEPH-TEST", data: "{}" }),
  );
  assert.equal(failed.status, 500);
  api.services.outcome = () => ({ ...queued(null), status: "rejected", refused: true, errorCode: 1 });
  const refused = await api.post(
    "/api/v0/p2p/pubsub/pub",
    JSON.stringify({ topic: "ALEPH-TEST", data: "{}" }),
  );
  assert.equal(refused.status, 422);
});
