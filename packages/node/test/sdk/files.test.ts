import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { isSdkError } from "@twentysix/sdk";
import { openFile } from "@twentysix/sdk/node";
import { evmAccount, sdkClient } from "../support/sdk-client.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { startTestNode } from "../support/test-node.ts";

const node = await startTestNode();
after(() => node.remove());
const client = sdkClient(node);
const account = evmAccount("files");

/** More than one chunk of UnixFS, with every byte value. */
function fileBytes(seed: number, sizeBytes = 700_000): Uint8Array {
  return Uint8Array.from({ length: sizeBytes }, (_, index) => (index * seed + (index >> 8)) & 0xff);
}

describe("the SDK on a started node: files", { timeout: 60_000 }, () => {
  for (const engine of ["storage", "ipfs"] as const) {
    test(`are stored with ${engine}, downloaded and verified`, async () => {
      const bytes = fileBytes(engine.length);
      const stored = await client.storeFile({
        account,
        file: bytes,
        engine,
        ref: `my-${engine}`,
        sync: true,
      });
      assert.deepEqual([stored.status, stored.sizeBytes], ["processed", bytes.length]);
      const downloaded = await client.downloadFile({ fileHash: stored.fileHash });
      assert.equal(downloaded?.isVerified, true);
      assert.deepEqual(Buffer.from(downloaded.bytes), Buffer.from(bytes));
      const view = await client.getMessage({ itemHash: stored.itemHash });
      assert.ok(view?.status === "processed");
      assert.equal((view.message.content as { item_hash: string }).item_hash, stored.fileHash);
    });
  }

  test("from disk are read in pieces", async () => {
    using folder = temporaryFolder("sdk-files");
    const path = join(folder.path, "file.bin");
    const bytes = fileBytes(5);
    writeFileSync(path, bytes);
    const stored = await client.storeFile({ account, file: await openFile(path), sync: true });
    assert.equal(stored.fileHash, createHash("sha256").update(bytes).digest("hex"));
  });

  test("of no bytes at all are files too", async () => {
    for (const engine of ["storage", "ipfs"] as const) {
      const stored = await client.storeFile({ account, file: new Uint8Array(), engine, sync: true });
      assert.equal((await client.downloadFile({ fileHash: stored.fileHash }))?.bytes.length, 0);
    }
  });

  test("uploaded without a message are there, and can be referred to", async () => {
    const { itemHash } = await client.uploadFile({ file: fileBytes(7, 1_000), engine: "ipfs" });
    assert.equal((await client.downloadFile({ fileHash: itemHash }))?.isVerified, true);
    const { status } = await client.createMessage({
      account,
      type: "STORE",
      content: { item_type: "ipfs", item_hash: itemHash },
      sync: true,
    });
    assert.equal(status, "processed");
  });

  test("that a STORE names before they come make it wait for them", async () => {
    const file = fileBytes(11, 2_000);
    const fileHash = createHash("sha256").update(file).digest("hex");
    const { itemHash } = await client.createMessage({
      account,
      type: "STORE",
      content: { item_type: "storage", item_hash: fileHash },
    });
    assert.equal((await client.getStatus({ itemHash }))?.status, "pending");
    await client.uploadFile({ file });
    const view = await client.waitForStatus({ itemHash, timeoutMs: 30_000 });
    assert.equal(view.status, "processed");
  });

  test("forgotten by their owner leave their message forgotten", async () => {
    const stored = await client.storeFile({ account, file: fileBytes(13, 500), sync: true });
    await client.forget({ account, itemHashes: [stored.itemHash], sync: true });
    assert.equal((await client.getStatus({ itemHash: stored.itemHash }))?.status, "forgotten");
  });

  test("that nobody has are null, and longer ones than allowed are refused", async () => {
    assert.equal(await client.downloadFile({ fileHash: "0".repeat(64) }), null);
    const { itemHash } = await client.uploadFile({ file: fileBytes(17, 5_000) });
    await assert.rejects(client.downloadFile({ fileHash: itemHash, maxBytes: 4_999 }), (error) =>
      isSdkError(error, "SDK_ANSWER_TOO_LARGE"),
    );
  });
});
