import assert from "node:assert/strict";
import { test } from "node:test";
import { buildMessage, createClient, isSdkError } from "../src/index.ts";
import { type Received, type Reply, startHttpDouble } from "./support/http-double.ts";
import { ethAccount, hashOf, withCode } from "./support/samples.ts";

const message = await buildMessage({
  account: ethAccount,
  type: "POST",
  content: { type: "note", content: { id: 2n ** 60n + 1n } },
  timeMicros: 1_730_410_918_092_607n,
});
const success = { status: "success", failed: [] };

test("the envelope arrives with the keys of the wire and its exact content", async () => {
  await using double = await startHttpDouble(() => ({
    status: 202,
    body: { publication_status: success, message_status: "pending" },
  }));
  const submission = await createClient({ apiUrl: double.apiUrl }).submitMessage({ message });
  assert.deepEqual(submission, { itemHash: message.item_hash, status: "pending", publication: success });
  const [request] = double.requests;
  assert.equal(request?.path, "/api/v0/messages");
  assert.equal(request?.headers["content-type"], "application/json");
  const body = JSON.parse(String(request?.body));
  assert.deepEqual(body, { sync: false, message });
  assert.match(String(body.message.item_content), /"id":1152921504606846977/);
  assert.match(String(request?.body), /"time":1730410918\.092607,/);
});

interface Case {
  readonly what: string;
  readonly reply: Reply;
  readonly record?: unknown;
  readonly code: string;
  readonly details: Record<string, unknown>;
}

const insufficient = { errors: [{ required_credits: "10", account_credits: "0", min_runtime_days: 1 }] };
const cases: readonly Case[] = [
  {
    what: "a rejection with its reason",
    reply: {
      status: 422,
      body: {
        publication_status: success,
        message_status: "rejected",
        error_code: 6,
        details: insufficient,
        error: { code: 6, message: "insufficient credit balance" },
      },
    },
    code: "SDK_REJECTED",
    details: { errorCode: 6, errorName: "CREDIT_INSUFFICIENT", details: insufficient },
  },
  {
    what: "a rejection whose reason is only in the record",
    reply: { status: 422, body: { publication_status: success, message_status: "rejected" } },
    record: { error_code: 2, details: { errors: ["Sender is not authorized"] } },
    code: "SDK_REJECTED",
    details: {
      errorCode: 2,
      errorName: "PERMISSION_DENIED",
      details: { errors: ["Sender is not authorized"] },
    },
  },
  {
    what: "a refusal of its form, told in one word",
    reply: { status: 422, body: "InvalidMessageFormat" },
    code: "SDK_REJECTED",
    details: { errorCode: 0, errorName: "INVALID_FORMAT", details: "InvalidMessageFormat" },
  },
  {
    what: "a refusal of its form, told in full",
    reply: { status: 422, body: [{ type: "missing", loc: ["sender"], msg: "Field required" }] },
    code: "SDK_REJECTED",
    details: { errorCode: 0, details: [{ type: "missing", loc: ["sender"], msg: "Field required" }] },
  },
  {
    what: "a message that was forgotten",
    reply: { status: 410, body: { publication_status: success, message_status: "forgotten" } },
    code: "SDK_GONE",
    details: { status: "forgotten" },
  },
  {
    what: "a message that was removed",
    reply: { status: 410, body: { publication_status: success, message_status: "removed" } },
    code: "SDK_GONE",
    details: { status: "removed" },
  },
  {
    what: "a message that no network took",
    reply: {
      status: 500,
      body: { publication_status: { status: "error", failed: ["ipfs", "p2p"] }, message_status: null },
    },
    code: "SDK_NOT_PUBLISHED",
    details: { failed: ["ipfs", "p2p"] },
  },
  {
    what: "a fault of the node",
    reply: { status: 500, body: "500: Internal Server Error" },
    code: "SDK_HTTP_ERROR",
    details: { status: 500 },
  },
  {
    what: "a route that is missing, on a client that does not know the topic",
    reply: { status: 405, body: "405: Method Not Allowed" },
    code: "SDK_HTTP_ERROR",
    details: { status: 405 },
  },
  {
    what: "a success without a status",
    reply: { status: 200, body: { publication_status: success } },
    code: "SDK_BAD_ANSWER",
    details: {},
  },
];
for (const { what, reply, record, code, details } of cases) {
  test(`${what} is ${code}`, async () => {
    await using double = await startHttpDouble((request) => answer(request, reply, record));
    const submitting = createClient({ apiUrl: double.apiUrl }).submitMessage({ message, sync: true });
    await assert.rejects(submitting, (error) => {
      assert.ok(isSdkError(error));
      assert.equal(error.code, code);
      for (const [key, value] of Object.entries(details)) {
        assert.deepEqual((error.details as Record<string, unknown>)[key], value);
      }
      return true;
    });
  });
}

function answer(request: Received, reply: Reply, record: unknown): Reply {
  if (request.method === "POST") return reply;
  if (record === undefined) return { status: 404 };
  const rejected = { status: "rejected", item_hash: message.item_hash, reception_time: null, message: {} };
  return { body: { ...rejected, ...record } };
}

test("an older node gets the message through its publication route", async () => {
  await using double = await startHttpDouble((request) =>
    request.path === "/api/v0/messages" ? { status: 404, body: "404: Not Found" } : { body: success },
  );
  const client = createClient({ apiUrl: double.apiUrl, messageTopic: "TEST-TOPIC" });
  const { status, publication } = await client.submitMessage({ message });
  assert.deepEqual([status, publication], ["pending", success]);
  const body = JSON.parse(String(double.requests[1]?.body));
  assert.equal(body.topic, "TEST-TOPIC");
  assert.deepEqual(JSON.parse(body.data), message);
});

test("a long content is uploaded first, and only a node that names it rightly gets the message", async () => {
  let hash: string | null = null;
  await using double = await startHttpDouble(({ path, body }) => {
    if (path === "/api/v0/messages") {
      return { body: { publication_status: success, message_status: "processed" } };
    }
    const file = /filename="blob"[^{]*(\{.*\})/s.exec(body.toString())?.[1] ?? "";
    return { body: { status: "success", hash: hash ?? hashOf(file) } };
  });
  const client = createClient({ apiUrl: double.apiUrl });
  const parameters = { account: ethAccount, type: "note", content: { body: "x".repeat(60_000) } };
  const created = await client.createPost({ ...parameters, sync: true });
  assert.equal(created.status, "processed");
  assert.deepEqual(
    double.requests.map(({ path }) => path),
    ["/api/v0/storage/add_file", "/api/v0/messages"],
  );
  const sent = JSON.parse(String(double.requests[1]?.body)).message;
  assert.deepEqual(
    [sent.item_type, sent.item_hash, "item_content" in sent],
    ["storage", created.itemHash, false],
  );
  hash = hashOf("something else");
  await assert.rejects(client.createPost(parameters), withCode("SDK_HASH_MISMATCH"));
  assert.equal(double.requests.length, 3);
});

test("each kind of message has the content that the protocol gives it", async () => {
  await using double = await startHttpDouble(() => ({
    status: 202,
    body: { publication_status: success, message_status: "pending" },
  }));
  const client = createClient({ apiUrl: double.apiUrl });
  const account = ethAccount;
  await client.createPost({ account, type: "note", content: [1], ref: "about", channel: "TEST" });
  await client.amendPost({ account, originalHash: hashOf("a"), content: { b: 1 } });
  await client.createAggregate({ account, key: "profile", content: { nick: "ann" } });
  await client.createProgram({ account, content: { type: "vm-function" } });
  await client.createInstance({ account, content: { allow_amend: false }, channel: null });
  await client.forget({ account, itemHashes: [hashOf("a"), hashOf("a"), hashOf("b")], reason: "cleanup" });
  const sent = double.requests.map(({ body }) => {
    const envelope = JSON.parse(String(body)).message;
    const { address, time, ...content } = JSON.parse(envelope.item_content);
    assert.deepEqual([address, time], [account.address, envelope.time]);
    return [envelope.type, envelope.channel, content];
  });
  assert.deepEqual(sent, [
    ["POST", "TEST", { type: "note", content: [1], ref: "about" }],
    ["POST", null, { type: "amend", content: { b: 1 }, ref: hashOf("a") }],
    ["AGGREGATE", null, { key: "profile", content: { nick: "ann" } }],
    ["PROGRAM", "ALEPH-CLOUDSOLUTIONS", { type: "vm-function" }],
    ["INSTANCE", null, { allow_amend: false }],
    ["FORGET", null, { hashes: [hashOf("a"), hashOf("b")], reason: "cleanup" }],
  ]);
});

test("many targets are forgotten in batches", async () => {
  await using double = await startHttpDouble(() => ({
    body: { publication_status: success, message_status: "processed" },
  }));
  const client = createClient({ apiUrl: double.apiUrl });
  const itemHashes = Array.from({ length: 1101 }, (_, index) => hashOf(String(index)));
  const created = await client.forget({ account: ethAccount, itemHashes });
  const batches = created.map(({ message }) => JSON.parse(message.item_content ?? "").hashes);
  assert.deepEqual(
    batches.map((hashes) => hashes.length),
    [500, 500, 101],
  );
  assert.deepEqual(batches.flat(), itemHashes);
  assert.equal(new Set(created.map(({ itemHash }) => itemHash)).size, 3);
});

test("what no node could accept is not sent", async () => {
  await using double = await startHttpDouble(() => ({ status: 500 }));
  const client = createClient({ apiUrl: double.apiUrl });
  const account = ethAccount;
  const bad = [
    () => client.createPost({ account, type: "amend", content: {} }),
    () => client.amendPost({ account, originalHash: "", content: {} }),
    () => client.forget({ account, itemHashes: [] }),
    () => client.forget({ account, itemHashes: [hashOf("a")], batchSize: 1001 }),
    () => client.createPost({ account, type: "note", content: "\u0000" }),
  ];
  for (const operation of bad) await assert.rejects(operation(), withCode("SDK_INVALID_INPUT"));
  assert.equal(double.requests.length, 0);
});
