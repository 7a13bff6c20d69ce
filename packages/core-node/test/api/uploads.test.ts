import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { BlobError } from "@twentysix/storage";
import { ApiError } from "../../src/api/errors.ts";
import type { KeptFile } from "../../src/api/services.ts";
import { PipelineError } from "../../src/pipeline/errors.ts";
import { smallFileCid } from "./support/folder-files.ts";
import { openSocket, readAnswer } from "./support/raw-socket.ts";
import { queued } from "./support/services.ts";
import { startApi, type TestApi } from "./support/start-api.ts";

type Body = Record<string, unknown>;

const FILE = Buffer.from("hello twentysix");
const FILE_HASH = createHash("sha256").update(FILE).digest("hex");
const FILE_CID = smallFileCid(FILE);

function metadata(fileHash: string, itemType = "storage", sync: unknown = false): string {
  const content = JSON.stringify({ address: "0xA", time: 1, item_type: itemType, item_hash: fileHash });
  const message = {
    type: "STORE",
    item_type: "inline",
    item_content: content,
    item_hash: "cd".repeat(32),
    extra: [1],
  };
  return JSON.stringify({ message, sync, file_size: 15 });
}

/** A form with its parts in the given order. */
function form(...parts: readonly [name: string, value: string | Buffer][]): FormData {
  const data = new FormData();
  for (const [name, value] of parts) {
    if (typeof value === "string") data.append(name, value);
    else data.append(name, new Blob([new Uint8Array(value)]), "photo.png");
  }
  return data;
}

async function assertNothingLeft(api: TestApi): Promise<void> {
  assert.deepEqual(await api.services.files.names(), []);
  assert.deepEqual(api.services.files.registered, []);
}

test("a JSON value is stored compact with sorted keys and exact numbers", async (t) => {
  const api = await startApi(t);
  const canonical = '{"a":[1,2.50,1152921504606846977],"b":{"x":null,"y":"é"}}';
  const body = ' {"b" : {"y":"\\u00e9","x":null}, "a":[1, 2.50,1152921504606846977] }';
  const stored = await api.post("/api/v0/storage/add_json", body);
  assert.equal(stored.status, 200);
  const hash = createHash("sha256").update(canonical).digest("hex");
  assert.deepEqual(await stored.json(), { status: "success", hash });
  const pinned = await api.post("/api/v0/ipfs/add_json", body, { headers: { "content-type": "text/plain" } });
  assert.deepEqual(await pinned.json(), { status: "success", hash: smallFileCid(Buffer.from(canonical)) });
  const [registered] = api.services.files.registered;
  const graceMs = Number((registered?.graceUntilMicros ?? 0n) - api.services.clock.nowMicros()) / 1_000;
  assert.ok(graceMs > 23.9 * 3_600_000 && graceMs <= 24 * 3_600_000);

  assert.equal((await api.post("/api/v0/storage/add_json", "{nope")).status, 422);
  assert.equal((await api.post("/api/v0/storage/add_json", "")).status, 422);
  assert.equal((await api.post("/api/v0/storage/add_json", "3")).status, 200);
});

test("a large JSON value is worked on beside the thread that answers", async (t) => {
  const api = await startApi(t);
  const value = `{"z":[${"1.50, ".repeat(60_000)}1],"a":"é"}`;
  const canonical = `{"a":"é","z":[${"1.50,".repeat(60_000)}1]}`;
  const response = await api.post("/api/v0/storage/add_json", value);
  assert.deepEqual(await response.json(), {
    status: "success",
    hash: createHash("sha256").update(canonical).digest("hex"),
  });
  const bad = await api.post("/api/v0/storage/add_json", `${value}]`);
  assert.equal(bad.status, 422);
  assert.equal(((await bad.json()) as { type: string }[])[0]?.type, "json_invalid");
});

test("a full disk or a full queue is said so, and is no defect", async (t) => {
  const api = await startApi(t);
  const { files } = api.services;
  files.onRegister = () =>
    Promise.reject(new BlobError("BLOB_DISK_BUDGET_EXCEEDED", "the disk budget is used up"));
  const full = await api.post("/api/v0/storage/add_json", "{}");
  assert.equal(full.status, 507);
  assert.equal(((await full.json()) as { error: Body }).error.code, "API_STORAGE_FULL");
  api.services.outcome = () =>
    Promise.reject(new PipelineError("PIPELINE_QUEUE_FULL", "many messages on their way"));
  const busy = await api.post("/api/v0/messages", '{"message":{}}');
  assert.deepEqual([busy.status, busy.headers.get("retry-after")], [503, "2"]);
  assert.match(await (await api.get("/metrics")).text(), /^twentysix_internal_errors_total 0$/m);
});

test("without a message nothing is kept beyond the room for that; with one it is", async (t) => {
  const api = await startApi(t);
  const { files } = api.services;
  files.graceRefusal = new ApiError("API_GRACE_PERIOD_FULL", "no room without a message");
  const form = new FormData();
  form.append("file", new Blob(["bytes"]));
  for (const path of ["storage/add_file", "ipfs/add_file", "storage/add_json", "ipfs/add_json"]) {
    const refused = await api.post(`/api/v0/${path}`, path.endsWith("json") ? "{}" : form);
    assert.equal(refused.status, 507, path);
    assert.equal(((await refused.json()) as { error: Body }).error.code, "API_GRACE_PERIOD_FULL");
  }
  assert.deepEqual([files.registered, await files.names()], [[], []]);
});

test("bodies above 1 MiB are taken by uploads, above their own limit refused with nothing left", async (t) => {
  const api = await startApi(t, {
    settings: {
      uploads: {
        maxJsonBytes: 3_000_000,
        maxUnauthenticatedFileBytes: 3_000_000,
        maxStorageFileBytes: 4_000_000,
      },
    },
  });
  const twoMegabytes = Buffer.alloc(2_000_000, 0x31);
  assert.equal((await api.post("/api/v0/storage/add_json", `"${twoMegabytes}"`)).status, 200);
  assert.equal((await api.post("/api/v0/storage/add_file", twoMegabytes)).status, 200);
  assert.equal((await api.post("/api/v0/storage/add_file", form(["file", twoMegabytes]))).status, 200);
  const kept = await api.services.files.names();

  const tooLarge = Buffer.alloc(3_500_000, 0x31);
  assert.equal((await api.post("/api/v0/storage/add_json", `"${tooLarge}"`)).status, 413);
  assert.equal((await api.post("/api/v0/storage/add_file", tooLarge)).status, 413);
  // Within the limit of signed uploads, but not signed: known only at the end.
  const unsigned = await api.post("/api/v0/storage/add_file", form(["file", tooLarge]));
  assert.equal(unsigned.status, 413);
  assert.equal(((await unsigned.json()) as { error: Body }).error.code, "API_BODY_TOO_LARGE");
  const beyondAll = Buffer.alloc(4_500_000, 0x31);
  assert.equal((await api.post("/api/v0/storage/add_file", form(["file", beyondAll]))).status, 413);
  assert.deepEqual(await api.services.files.names(), kept);
});

test("a signed file is taken with its parts in both orders and its message is published", async (t) => {
  const api = await startApi(t);
  const orders = [
    form(["metadata", metadata(FILE_HASH)], ["file", FILE]),
    form(["file", FILE], ["ignored", "x"], ["metadata", metadata(FILE_HASH)]),
    form(["file", FILE], ["metadata", Buffer.from(metadata(FILE_HASH))]),
  ];
  for (const body of orders) {
    const response = await api.post("/api/v0/storage/add_file", body);
    assert.equal(response.status, 202);
    assert.deepEqual(await response.json(), { status: "success", hash: FILE_HASH });
  }
  assert.equal(api.services.submissions.length, 3);
  assert.equal(JSON.parse(api.services.submissions[0]?.text ?? "").extra[0], 1);
  assert.deepEqual(await api.services.files.names(), [FILE_HASH]);

  const ipfs = await api.post(
    "/api/v0/ipfs/add_file",
    form(["file", FILE], ["metadata", metadata(FILE_CID, "ipfs", true)]),
  );
  assert.equal(ipfs.status, 202);
  assert.deepEqual(await ipfs.json(), {
    status: "success",
    hash: FILE_CID,
    name: "photo.png",
    size: FILE.length,
  });
  assert.equal(api.services.submissions.at(-1)?.sync, true);
});

test("an upload without message needs no signature and keeps its name on IPFS", async (t) => {
  const api = await startApi(t);
  const ipfs = await api.post("/api/v0/ipfs/add_file", form(["file", FILE]));
  assert.deepEqual(await ipfs.json(), {
    status: "success",
    hash: FILE_CID,
    name: "photo.png",
    size: FILE.length,
  });
  // A part without file name is a file as well.
  const field = await api.post("/api/v0/storage/add_file", form(["file", FILE.toString()]));
  assert.deepEqual(await field.json(), { status: "success", hash: FILE_HASH });
  const raw = await api.post("/api/v0/storage/add_file", FILE, { headers: { "content-type": "image/png" } });
  assert.deepEqual(await raw.json(), { status: "success", hash: FILE_HASH });
  assert.equal(api.services.submissions.length, 0);
});

test("the outcome of the message is the status, and the body says when it is no success", async (t) => {
  const api = await startApi(t);
  const upload = async (): Promise<[number, Body]> => {
    const response = await api.post(
      "/api/v0/storage/add_file",
      form(["metadata", metadata(FILE_HASH)], ["file", FILE]),
    );
    return [response.status, (await response.json()) as Body];
  };
  api.services.outcome = (_submission, itemHash) => ({ ...queued(itemHash), status: "processed" });
  assert.deepEqual(await upload(), [200, { status: "success", hash: FILE_HASH }]);
  api.services.outcome = (_submission, itemHash) => ({
    ...queued(itemHash),
    status: "rejected",
    errorCode: 5,
  });
  const [rejectedStatus, rejected] = await upload();
  assert.equal(rejectedStatus, 422);
  assert.deepEqual([rejected.status, rejected.hash, rejected.error_code], ["error", FILE_HASH, 5]);
  api.services.outcome = (_submission, itemHash) => ({
    ...queued(itemHash),
    publication: { status: "error", failed: ["p2p"], recipients: 0 },
  });
  const [unpublishedStatus, unpublished] = await upload();
  assert.deepEqual([unpublishedStatus, unpublished.hash, unpublished.message_status], [500, FILE_HASH, null]);
});

test("each check of a signed upload refuses with its status and leaves nothing", async (t) => {
  const api = await startApi(t);
  const { files } = api.services;
  const refused = async (path: string, body: BodyInit, status: number, text: RegExp): Promise<void> => {
    const response = await api.post(path, body);
    const answer = await response.text();
    assert.equal(response.status, status, answer);
    assert.match(answer, text);
    await assertNothingLeft(api);
  };
  const storage = "/api/v0/storage/add_file";
  const ipfs = "/api/v0/ipfs/add_file";
  files.badSignature = true;
  await refused(
    storage,
    form(["file", FILE], ["metadata", metadata(FILE_HASH)]),
    403,
    /API_SIGNATURE_INVALID/,
  );
  await refused(
    ipfs,
    form(["metadata", metadata(FILE_CID, "ipfs")], ["file", FILE]),
    403,
    /API_SIGNATURE_INVALID/,
  );
  files.badSignature = false;
  for (const bad of [
    "{nope",
    "[]",
    "{}",
    '{"message":{},"sync":true}',
    JSON.stringify({ ...JSON.parse(metadata(FILE_HASH)), sync: undefined }),
    metadata(FILE_HASH, "storage", "maybe"),
    metadata(FILE_HASH).replace("STORE", "POST"),
    metadata(FILE_HASH).replace("inline", "storage"),
  ]) {
    await refused(storage, form(["file", FILE], ["metadata", bad]), 422, /API_UNPROCESSABLE/);
  }
  await refused(
    storage,
    form(["file", FILE], ["metadata", metadata("ab".repeat(32))]),
    422,
    /File hash does not match/,
  );
  await refused(
    ipfs,
    form(["file", FILE], ["metadata", metadata(FILE_CID, "storage")]),
    422,
    /item_type=ipfs/,
  );
  files.funds = { ok: false, unit: "credits", required: "20", available: "3" };
  await refused(
    storage,
    form(["file", FILE], ["metadata", metadata(FILE_HASH)]),
    402,
    /402: Payment Required.*3 credits/,
  );
  await refused(ipfs, form(["metadata", metadata(FILE_CID, "ipfs")], ["file", FILE]), 402, /"required":"20"/);
  files.funds = { ok: true };
  await refused(storage, form(["metadata", metadata(FILE_HASH)]), 400, /Missing 'file'/);
  await refused(ipfs, form(["metadata", metadata(FILE_CID, "ipfs")]), 422, /Missing 'file'/);
  await refused(ipfs, FILE, 400, /multipart/);
  assert.equal(api.services.submissions.length, 0);

  // A file on IPFS is pinned before its name is compared, and so kept for the grace period.
  const mismatch = await api.post(
    ipfs,
    form(["file", FILE], ["metadata", metadata(smallFileCid(Buffer.of(1)), "ipfs")]),
  );
  assert.equal(mismatch.status, 422);
  assert.match(await mismatch.text(), /File hash does not match/);
  assert.deepEqual(
    files.registered.map(({ hash }) => hash),
    [FILE_CID],
  );
});

test("IPFS routes refuse when it is off", async (t) => {
  const api = await startApi(t);
  api.services.files.ipfsEnabled = false;
  for (const route of ["add_json", "add_file", "add_car"]) {
    const response = await api.post(`/api/v0/ipfs/${route}`, form(["file", FILE]));
    assert.equal(response.status, 403);
    assert.match(await response.text(), /IPFS is disabled on this node/);
  }
});

test("a CAR passes its checks in their order", async (t) => {
  const api = await startApi(t, { settings: { uploads: { maxCarBytes: 1_000 } } });
  const { files } = api.services;
  const root = FILE_CID;
  const other = smallFileCid(Buffer.of(9));
  const send = async (body: BodyInit): Promise<[number, string]> => {
    const response = await api.post("/api/v0/ipfs/add_car", body);
    return [response.status, await response.text()];
  };
  const signed = form(["file", FILE], ["metadata", metadata(root, "ipfs")]);
  const expectRefusal = async (body: BodyInit, status: number, text: RegExp): Promise<void> => {
    const [answered, answer] = await send(body);
    assert.equal(answered, status, answer);
    assert.match(answer, text);
    assert.deepEqual(files.registered, []);
  };
  await expectRefusal(FILE, 400, /multipart/);
  await expectRefusal(form(["file", Buffer.alloc(2_000)]), 413, /API_BODY_TOO_LARGE/);
  await expectRefusal(form(["metadata", metadata(root, "ipfs")]), 422, /Missing 'file'/);
  await expectRefusal(form(["file", FILE]), 422, /metadata is required/);
  await expectRefusal(form(["file", FILE], ["metadata", metadata(root)]), 422, /item_type=ipfs/);
  await expectRefusal(signed, 422, /unsupported CAR version/);
  files.carRoot = other;
  const [, mismatch] = await send(signed);
  assert.ok(JSON.parse(mismatch).error.message.includes(`Root CID does not match (${other} != ${root})`));
  assert.equal(mismatch.indexOf("("), mismatch.indexOf(`(${other}`));
  files.carRoot = root;
  files.funds = { ok: false, unit: "tokens", required: "2", available: "1" };
  await expectRefusal(signed, 402, /Payment Required/);
  files.funds = { ok: true };
  await expectRefusal(signed, 502, /Failed to import CAR into IPFS/);
  const imported = (hash: string): KeptFile => ({
    hash,
    sizeBytes: 12_345,
    type: "dir",
    sha256: null,
    cid: null,
  });
  files.carImport = () => imported(other);
  await expectRefusal(
    signed,
    422,
    new RegExp(`Imported root does not match expected \\(${other} != ${root}\\)`),
  );
  files.carImport = () => imported(root);
  assert.deepEqual(await send(signed), [202, `{"status":"success","hash":"${root}","size":12345}`]);
  assert.equal(files.registered[0]?.type, "dir");
  // The CAR itself goes once the answer is out.
  while ((await files.names()).length > 0) await new Promise((resolve) => setImmediate(resolve));
});

test("a form that is no form, or breaks off, is a client error and leaves nothing", async (t) => {
  const api = await startApi(t, { settings: { uploadStallTimeoutMs: 100 } });
  const type = { headers: { "content-type": "multipart/form-data; boundary=xx" } };
  const part = '--xx\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc';
  for (const body of ["garbage", "--xx\r\n", part, `${part}\r\n--xx`]) {
    const response = await api.post("/api/v0/storage/add_file", body, type);
    assert.equal(response.status, 400, body);
  }
  const noBoundary = await api.post("/api/v0/storage/add_file", part, {
    headers: { "content-type": "multipart/form-data" },
  });
  assert.equal(noBoundary.status, 400);
  await assertNothingLeft(api);

  const stalled = await openSocket(api.port);
  stalled.write(
    `POST /api/v0/storage/add_file HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=xx\r\nContent-Length: 90000\r\n\r\n${part}`,
  );
  assert.equal((await readAnswer(stalled)).status, 408);
  stalled.destroy();

  const broken = await openSocket(api.port);
  broken.write(`POST /api/v0/storage/add_file HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\nabc`);
  while ((await api.services.files.names()).length === 0)
    await new Promise((resolve) => setImmediate(resolve));
  broken.destroy();
  while ((await api.services.files.names()).length > 0) await new Promise((resolve) => setImmediate(resolve));
  await assertNothingLeft(api);
  assert.match(await (await api.get("/metrics")).text(), /^twentysix_internal_errors_total 0$/m);
});

test("more uploads at once than allowed are told to come back", async (t) => {
  const api = await startApi(t, { settings: { uploads: { maxConcurrent: 1 } } });
  const slow = await openSocket(api.port);
  slow.write("POST /api/v0/storage/add_file HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc");
  while ((await api.services.files.names()).length === 0)
    await new Promise((resolve) => setImmediate(resolve));
  const refused = await api.post("/api/v0/storage/add_file", FILE);
  assert.equal(refused.status, 503);
  assert.ok(Number(refused.headers.get("retry-after")) > 0);
  slow.destroy();
});
