import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createClient, hashFile, isSdkError, verifyMessage } from "../src/index.ts";
import { createNodeSha256, openFile } from "../src/node.ts";
import { type Received, startHttpDouble } from "./support/http-double.ts";
import { ethAccount, hashOf, withCode } from "./support/samples.ts";

const HELLO = new TextEncoder().encode("hello world");
const HELLO_CID = "Qmf412jQZiuVUtdgnB36FXFX7xg5V6KEbSJ4dpQuhkLyfD";

/** Names given by `ipfs-unixfs-importer` 17 with Kubo's defaults (CIDv0, wrapped leaves, 262 144-byte chunks). */
const CIDS: readonly [sizeBytes: number, cid: string][] = [
  [0, "QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH"],
  [1, "QmS9JArPwa55ePgDnyg6TzX24mYTS1b1vLqWNebyVotKxQ"],
  [262_144, "QmNW24gir79q5qdzhpg4Mqj7uoRbCRucJK7MXvYXBqCPXa"],
  [262_145, "QmUeViBXjU2gAQjPhgfnkggXv2z9Fmc7bcyPURAQuVb5nr"],
  [262_144 * 174, "QmXxTSEq7JXkhD9vfKBS9ob4WxbGceV5pB1J74XvXGkLME"],
  [262_144 * 174 + 1, "QmeEsKwnkzSzDucq6obybUYw2vWXfvpNj3nwbfVDPuadta"],
];

for (const [sizeBytes, cid] of CIDS) {
  test(`${sizeBytes} bytes have the CID that IPFS gives them`, async () => {
    const file = pattern(sizeBytes);
    const options = { createSha256: createNodeSha256 };
    assert.equal(await hashFile(options, { file, engine: "ipfs" }), cid);
    assert.equal(await hashFile(options, { file: new Blob([file]), engine: "ipfs" }), cid);
  });
}

test("the SHA-256 for browsers and the native one agree", async () => {
  const file = randomBytes(600_000);
  const { connection } = createClient({ apiUrl: "http://node.example" });
  const portable = await hashFile(connection, { file, engine: "storage" });
  assert.equal(portable, await hashFile({ createSha256: createNodeSha256 }, { file, engine: "storage" }));
});

test("an upload is checked against its bytes", async () => {
  let hash = hashOf("hello world");
  await using double = await startHttpDouble(() => ({ body: { status: "success", hash } }));
  const client = createClient({ apiUrl: double.apiUrl });
  const uploaded = await client.uploadFile({ file: HELLO });
  assert.deepEqual(uploaded, { itemHash: hash, engine: "storage", sizeBytes: 11 });
  assert.equal((await partsOf(double.requests[0])).get("file"), "hello world");
  hash = HELLO_CID;
  assert.equal((await client.uploadFile({ file: HELLO, engine: "ipfs" })).itemHash, HELLO_CID);
  assert.equal(double.requests[1]?.path, "/api/v0/ipfs/add_file");
  await assert.rejects(client.uploadFile({ file: HELLO }), (error) => {
    assert.ok(isSdkError(error, "SDK_HASH_MISMATCH"));
    assert.deepEqual(error.details, { expected: hashOf("hello world"), actual: HELLO_CID });
    return true;
  });
});

for (const [engine, fileHash] of [
  ["storage", hashOf("hello world")],
  ["ipfs", HELLO_CID],
] as const) {
  test(`a file is stored on ${engine} with a signed message that names it`, async () => {
    await using double = await startHttpDouble(() => ({ body: { status: "success", hash: fileHash } }));
    const client = createClient({ apiUrl: double.apiUrl });
    const stored = await client.storeFile({
      account: ethAccount,
      file: HELLO,
      engine,
      ref: "greeting",
      tags: ["a"],
      payment: { type: "credit" },
      sync: true,
    });
    assert.deepEqual([stored.fileHash, stored.sizeBytes, stored.status], [fileHash, 11, "processed"]);
    const parts = await partsOf(double.requests[0]);
    assert.deepEqual([...parts.keys()], ["metadata", "file"]);
    assert.equal(parts.get("file"), "hello world");
    const { message, sync } = JSON.parse(parts.get("metadata") ?? "");
    assert.equal(sync, true);
    assert.equal(message.channel, "ALEPH-CLOUDSOLUTIONS");
    const verification = verifyMessage({ message });
    assert.ok(verification.ok);
    assert.deepEqual(verification.content, {
      address: ethAccount.address,
      time: message.time,
      item_type: engine,
      item_hash: fileHash,
      ref: "greeting",
      tags: ["a"],
      payment: { type: "credit" },
    });
  });
}

test("a stored file is not a success before its message is", async () => {
  const fileHash = hashOf("hello world");
  const uploaded = { status: "success", hash: fileHash };
  const record = {
    status: "rejected",
    item_hash: "x",
    reception_time: null,
    message: {},
    error_code: 202,
    details: null,
  };
  let status = 202;
  let body: unknown = uploaded;
  await using double = await startHttpDouble(({ method }) =>
    method === "GET" ? { body: record } : { status, body },
  );
  const client = createClient({ apiUrl: double.apiUrl });
  const parameters = { account: ethAccount, file: HELLO };
  assert.equal((await client.storeFile(parameters)).status, "pending");
  status = 422;
  await assert.rejects(client.storeFile(parameters), (error) => {
    assert.ok(isSdkError(error, "SDK_REJECTED"));
    assert.equal(error.details.errorName, "INVALID_PAYMENT_METHOD");
    return true;
  });
  const refusals = [
    "422: File hash does not match",
    { error: { code: "API_FILE_HASH_MISMATCH", message: "File hash does not match", details: {} } },
  ];
  for (const refusal of refusals) {
    body = refusal;
    await assert.rejects(client.storeFile(parameters), withCode("SDK_HTTP_ERROR"));
  }
  status = 402;
  body = { error: { code: "insufficient_balance", message: "have 0, need 1" } };
  await assert.rejects(client.storeFile(parameters), (error) => {
    assert.ok(isSdkError(error, "SDK_HTTP_ERROR"));
    assert.match(error.message, /have 0, need 1; top up/);
    return true;
  });
});

test("a file on disk is uploaded in pieces; one that changes meanwhile is an error", async () => {
  const folder = await mkdtemp(join(tmpdir(), "twentysix-sdk-"));
  try {
    const path = join(folder, "file");
    await writeFile(path, pattern(300_000));
    const file = await openFile(path);
    await using double = await startHttpDouble(() => ({
      body: { status: "success", hash: expected },
    }));
    const client = createClient({ apiUrl: double.apiUrl, createSha256: createNodeSha256 });
    const expected = await hashFile(client.connection, { file: pattern(300_000), engine: "storage" });
    assert.equal((await client.uploadFile({ file })).itemHash, expected);
    await writeFile(path, "other");
    await assert.rejects(client.uploadFile({ file }), { name: "NotReadableError" });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a download has the name that was asked for, or is an error", async () => {
  let body: unknown = "hello world";
  let status = 200;
  await using double = await startHttpDouble(() => ({ status, body }));
  const client = createClient({ apiUrl: double.apiUrl });
  const fileHash = hashOf("hello world");
  assert.deepEqual(await client.downloadFile({ fileHash }), { bytes: HELLO, isVerified: true });
  assert.deepEqual(await client.downloadFile({ fileHash: HELLO_CID }), { bytes: HELLO, isVerified: true });
  await assert.rejects(client.downloadFile({ fileHash, maxBytes: 10 }), withCode("SDK_ANSWER_TOO_LARGE"));
  body = "hello w0rld";
  await assert.rejects(client.downloadFile({ fileHash }), withCode("SDK_HASH_MISMATCH"));
  assert.equal((await client.downloadFile({ fileHash: HELLO_CID }))?.isVerified, false);
  status = 404;
  assert.equal(await client.downloadFile({ fileHash }), null);
  await assert.rejects(client.downloadFile({ fileHash: "../version" }), withCode("SDK_INVALID_INPUT"));
});

test("an abort ends an upload", async () => {
  const controller = new AbortController();
  const reason = new Error("cancelled by the user");
  await using double = await startHttpDouble(() => {
    controller.abort(reason);
    return "hang";
  });
  const client = createClient({ apiUrl: double.apiUrl });
  const uploading = client.storeFile({ account: ethAccount, file: HELLO, signal: controller.signal });
  await assert.rejects(uploading, (error) => error === reason);
  assert.equal(double.requests.length, 1);
  await assert.rejects(
    client.uploadFile({ file: HELLO, signal: controller.signal }),
    (error) => error === reason,
  );
});

/** Parts of a form as text, in the order in which they were sent. */
async function partsOf(request: Received | undefined): Promise<Map<string, string>> {
  assert.ok(request);
  const headers = { "content-type": request.headers["content-type"] ?? "" };
  const form = await new Response(new Uint8Array(request.body), { headers }).formData();
  const parts = new Map<string, string>();
  for (const [name, value] of form) parts.set(name, typeof value === "string" ? value : await value.text());
  return parts;
}

function pattern(sizeBytes: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(sizeBytes);
  for (let index = 0; index < sizeBytes; index += 1) bytes[index] = index * 31 + (index >>> 8) * 7;
  return bytes;
}
