import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { describe, it } from "node:test";
import { buildMessage, createEvmAccount, type SignedMessage } from "@twentysix/sdk";
import { createCoreNodeFiles } from "../../src/images/cache/core-node-files.ts";

const ACCOUNT = createEvmAccount({ privateKey: randomBytes(32) });
const SIGNAL = new AbortController().signal;
const BYTES = randomBytes(100_000);
const FILE_HASH = createHash("sha256").update(BYTES).digest("hex");

function storeMessage(type: "STORE" | "POST" = "STORE"): Promise<SignedMessage> {
  const content =
    type === "STORE" ? { item_type: "storage", item_hash: FILE_HASH } : { type: "x", content: {} };
  return buildMessage({ account: ACCOUNT, type, content, timeMicros: 1_730_410_918_000_000n });
}

/** The two routes of a core node that files need. */
async function serve(messages: readonly object[]) {
  const asked: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    const name = request.url?.split("/").at(-1) ?? "";
    if (request.url?.startsWith("/api/v0/messages/") === true) return answerMessage(response, messages, name);
    asked.push(request.headers.range);
    answerFile(response, name, request.headers.range);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    files: createCoreNodeFiles({ apiUrl: `http://127.0.0.1:${port}` }),
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function answerMessage(response: ServerResponse, messages: readonly object[], hash: string): void {
  const message = messages.find((candidate) => "item_hash" in candidate && candidate.item_hash === hash);
  response.writeHead(message === undefined ? 404 : 200, { "content-type": "application/json" });
  const view = { status: "processed", item_hash: hash, reception_time: null, message };
  response.end(JSON.stringify(message === undefined ? {} : view));
}

function answerFile(response: ServerResponse, name: string, range: string | undefined): void {
  if (name !== FILE_HASH) {
    response.writeHead(404).end();
    return;
  }
  const start = Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0);
  if (start >= BYTES.length) {
    response.writeHead(416).end();
    return;
  }
  const headers =
    range === undefined ? {} : { "content-range": `bytes ${start}-${BYTES.length - 1}/${BYTES.length}` };
  response.writeHead(range === undefined ? 200 : 206, { ...headers, "content-length": BYTES.length - start });
  response.end(BYTES.subarray(start));
}

describe("files of a core node", () => {
  it("are named by STORE messages, whose signatures are verified here", async () => {
    const good = await storeMessage();
    const other = createHash("sha256").update("other").digest("hex");
    const forgedContent = (good.item_content ?? "").replace(FILE_HASH, other);
    const forgedHash = createHash("sha256").update(forgedContent).digest("hex");
    const forged = { ...good, item_content: forgedContent, item_hash: forgedHash };
    const post = await storeMessage("POST");
    await using node = await serve([good, forged, post]);
    assert.deepEqual(await node.files.storedFile(good.item_hash, SIGNAL), { fileHash: FILE_HASH });
    assert.equal(await node.files.storedFile(other, SIGNAL), null);
    await assert.rejects(node.files.storedFile(forgedHash, SIGNAL), { code: "FILE_WRONG" });
    await assert.rejects(node.files.storedFile(post.item_hash, SIGNAL), /stores no file/);
  });

  it("are read from any byte on", async () => {
    await using node = await serve([]);
    const whole = await node.files.read(FILE_HASH, 0, SIGNAL);
    assert.ok(whole !== null);
    assert.deepEqual([whole.startBytes, whole.totalBytes], [0, 100_000]);
    assert.deepEqual(await buffer(whole.chunks), BYTES);
    const rest = await node.files.read(FILE_HASH, 99_000, SIGNAL);
    assert.ok(rest !== null);
    assert.deepEqual([rest.startBytes, rest.totalBytes], [99_000, 100_000]);
    assert.deepEqual(await buffer(rest.chunks), BYTES.subarray(99_000));
    const nothing = await node.files.read(FILE_HASH, 100_000, SIGNAL);
    assert.deepEqual([nothing?.startBytes, nothing?.totalBytes], [100_000, 100_000]);
    assert.equal(await node.files.read("ab".repeat(32), 0, SIGNAL), null);
  });
});
