import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { deflateRawSync, gzipSync } from "node:zlib";
import { createClient } from "@twentysix/sdk";
import { assertWell, figure } from "../support/figures.ts";
import { loadAccount, sha256Hex } from "../support/load.ts";
import { type NodeProcess, startNode, verify } from "../support/node-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { openRaw } from "./raw-client.ts";

const MIB = 1024 * 1024;
const LEVELS = 100_000;
/** Of the process, after everything below has been sent. An idle node takes about half of it. */
const MAX_RESIDENT_BYTES = 400 * MIB;
const JSON_ROUTES = ["/api/v0/messages", "/api/v0/p2p/pubsub/pub", "/api/v0/ipfs/pubsub/pub"];

const DEEP = "[".repeat(LEVELS) + "]".repeat(LEVELS);
const DEEP_OBJECT = `${'{"a":'.repeat(LEVELS)}1${"}".repeat(LEVELS)}`;

describe("bodies that are made to hurt", () => {
  const folder = temporaryFolder("bodies");
  let node: NodeProcess;

  before(async () => {
    node = await startNode(folder.path);
  });
  after(async () => {
    await node[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  const post = async (path: string, body: BodyInit, headers: Record<string, string> = {}) => {
    const init = { method: "POST", body, headers, duplex: "half" } as RequestInit;
    const response = await fetch(`${node.apiUrl}${path}`, init);
    return { status: response.status, text: await response.text() };
  };

  test("2 MB to a JSON route: 413 with what is taken, announced or in chunks, many at once", async () => {
    const body = `{"message":"${"a".repeat(2 * MIB)}"}`;
    const chunked = (): ReadableStream => new Blob([body]).stream();
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, n) =>
        post(JSON_ROUTES[n % JSON_ROUTES.length] ?? "", n % 2 === 0 ? body : chunked()),
      ),
    );
    for (const { status, text } of answers) {
      assert.equal(status, 413, text);
      assert.match(text, /"code":"API_BODY_TOO_LARGE"/);
      assert.match(text, /"maxBytes":1048576/);
    }
  });

  test(`${LEVELS} levels of JSON are refused wherever they stand`, async () => {
    for (const deep of [DEEP, DEEP_OBJECT]) {
      for (const path of JSON_ROUTES) {
        for (const body of [deep, `{"message":${deep}}`, `{"topic":"t","data":${deep}}`]) {
          const { status, text } = await post(path, body);
          assert.equal(status, 422, `${path}: ${text.slice(0, 300)}`);
          assert.ok(text.length < 2_000, "the answer echoes little of it");
        }
      }
      const added = await post("/api/v0/storage/add_json", deep);
      assert.ok(added.status === 422 || added.status === 400, `${added.status} ${added.text}`);
    }
  });

  test("a signed content of that depth is a rejected message, inline and stored", async () => {
    const account = loadAccount(0);
    const time = 1_700_000_000;
    const content = `{"address":"${account.address}","time":${time},"type":"t","content":${DEEP}}`;
    const itemHash = sha256Hex(content);
    const signature = account.sign({ type: "POST", itemHash, timeMicros: BigInt(time) * 1_000_000n });
    const { chain, address: sender } = account;
    const form = new FormData();
    form.append("file", new Blob([content]));
    const upload = await fetch(`${node.apiUrl}/api/v0/storage/add_file`, { method: "POST", body: form });
    assert.equal(upload.status, 200);
    for (const carried of [{ item_type: "inline", item_content: content }, { item_type: "storage" }]) {
      const envelope = { chain, sender, type: "POST", channel: "T", time, ...carried, item_hash: itemHash };
      const message = { ...envelope, signature: await signature };
      const { status, text } = await post("/api/v0/messages", JSON.stringify({ sync: true, message }));
      assert.equal(status, 422, text.slice(0, 300));
      const { message_status, error_code } = JSON.parse(text) as Record<string, unknown>;
      assert.deepEqual([message_status, error_code], ["rejected", 0]);
    }
    const view = await fetch(`${node.apiUrl}/api/v0/messages/${itemHash}`);
    assert.equal(((await view.json()) as { status: string }).status, "rejected");
  });

  test("a compressed body is not unpacked", async () => {
    const bomb = gzipSync(Buffer.alloc(200 * MIB, " "));
    assert.ok(bomb.length < MIB);
    for (const path of [...JSON_ROUTES, "/api/v0/storage/add_json"]) {
      const { status, text } = await post(path, bomb, { "content-encoding": "gzip" });
      assert.ok(status >= 400 && status < 500, `${path}: ${status} ${text.slice(0, 200)}`);
    }
  });

  test("a compressed websocket frame that unpacks to much ends its socket", async () => {
    const socket = await openRaw(node.apiUrl);
    const key = randomBytes(16).toString("base64");
    const upgrade = [
      "GET /api/ws0/messages HTTP/1.1",
      "Host: node",
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      `Sec-WebSocket-Key: ${key}`,
      "Sec-WebSocket-Extensions: permessage-deflate",
    ].join("\r\n");
    let received = Buffer.alloc(0);
    socket.on("data", (piece) => {
      received = Buffer.concat([received, piece]);
    });
    socket.write(`${upgrade}\r\n\r\n`);
    await once(socket, "data");
    assert.match(String(received), /^HTTP\/1\.1 101 [\s\S]*permessage-deflate/);
    // A zip bomb small enough for the limit of the frame itself: 64 MiB in 64 KiB.
    const payload = deflateRawSync(Buffer.alloc(60 * MIB, 0), { level: 9 });
    assert.ok(payload.length < 64 * 1024);
    const head = Buffer.from([0xc1, 0xfe, payload.length >> 8, payload.length & 0xff, 0, 0, 0, 0]);
    const closed = once(socket, "close");
    socket.write(Buffer.concat([head, payload]));
    await closed;
    // 1009: message too big.
    assert.ok(received.includes(Buffer.from([0x03, 0xf1])), "closed for its size");
  });

  test("a form of many parts, of endless headers or without end is refused", async () => {
    const part = '--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n';
    const headers = { "content-type": "multipart/form-data; boundary=b" };
    const forms = [
      `${part.repeat(10_000)}--b--\r\n`,
      `--b\r\n${"X-Header: 1\r\n".repeat(20_000)}\r\n1\r\n--b--\r\n`,
      `--b\r\nContent-Disposition: form-data; name="file"; filename="${"f".repeat(500_000)}`,
      '--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nwithout end',
    ];
    for (const form of forms) {
      for (const path of ["/api/v0/storage/add_file", "/api/v0/ipfs/add_file", "/api/v0/ipfs/add_car"]) {
        const { status, text } = await post(path, form, headers);
        assert.ok(status >= 400 && status < 500, `${path}: ${status} ${text.slice(0, 200)}`);
      }
    }
  });

  test("after all of it the node is well, and small", async () => {
    await assertWell(node.apiUrl);
    const bytes = await figure(node.apiUrl, "twentysix_memory_used_bytes");
    assert.ok(bytes < MAX_RESIDENT_BYTES, `${Math.round(bytes / MIB)} MiB resident`);
    const client = createClient({ apiUrl: node.apiUrl });
    const made = await client.createPost({
      account: loadAccount(2),
      type: "t",
      content: {},
      sync: true,
    });
    assert.equal(made.status, "processed");
    assert.equal((await node.stop()).exitCode, 0);
    assert.deepEqual((await verify(folder.path)).problems, []);
  });
});
