import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { type IncomingMessage, get as request } from "node:http";
import { join } from "node:path";
import { after, test } from "node:test";
import { createSystemClock } from "@twentysix/platform";
import { encodeItemHash } from "@twentysix/protocol";
import { blobFilePath } from "@twentysix/storage";
import { eventually } from "../support/eventually.ts";
import { get, putRaw, rawAccount } from "../support/raw-messages.ts";
import { startTestNode } from "../support/test-node.ts";

/** More than the buffers of a connection hold. */
const SIZE_BYTES = 24 * 1024 * 1024;

const node = await startTestNode({ storageGracePeriodHours: 0 });
after(() => node.remove());
const account = rawAccount("downloads while collected");

/** A file that a message keeps. */
async function storeFile(bytes: Buffer, hash: string): Promise<string> {
  const upload = async (): Promise<void> => {
    const body = new Uint8Array(bytes);
    const answer = await fetch(`${node.apiUrl}/api/v0/storage/add_file`, { method: "POST", body });
    assert.equal(answer.status, 200, await answer.text());
  };
  await upload();
  const file = {
    hash,
    sizeBytes: bytes.length,
    type: "file",
    sha256: encodeItemHash(hash),
    cid: null,
  } as const;
  await node.core.pipeline.registerFile(file, createSystemClock().nowMicros() + 600_000_000n);
  // The first bytes may have gone before they had that time.
  await upload();
  const members = `"item_type":"storage","item_hash":"${hash}"`;
  return (await putRaw(node, { type: "STORE", members, account })).itemHash;
}

const begin = (path: string): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => request(node.apiUrl + path, resolve).on("error", reject));

const pending = async (): Promise<string | undefined> =>
  /^twentysix_pending_deletions_files (\d+)$/m.exec((await get(node, "/metrics")).text)?.[1];

test("a download goes on to its end while its file is collected, and the bytes go after it", {
  timeout: 120_000,
}, async () => {
  const bytes = Buffer.alloc(SIZE_BYTES, "not all of it fits into the buffers of a connection ");
  const hash = createHash("sha256").update(bytes).digest("hex");
  const path = `/api/v0/storage/raw/${hash}`;
  const message = await storeFile(bytes, hash);
  const slow = await begin(path);
  assert.equal(slow.statusCode, 200);

  await putRaw(node, { type: "FORGET", members: `"hashes":["${message}"]`, account });
  await eventually(async () => (await get(node, path)).status === 404);
  assert.equal(await pending(), "1", "the bytes wait for the one who reads them");

  const read = createHash("sha256");
  let sizeBytes = 0;
  for await (const piece of slow as AsyncIterable<Buffer>) {
    read.update(piece);
    sizeBytes += piece.length;
  }
  assert.equal(sizeBytes, SIZE_BYTES);
  assert.equal(read.digest("hex"), hash);
  await eventually(async () => (await pending()) === "0");
  assert.equal(existsSync(blobFilePath(join(node.dataDir, "contents", "files"), hash)), false);
});
