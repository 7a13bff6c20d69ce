import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { describe, test } from "node:test";
import { createClient } from "@twentysix/sdk";
import { loadAccount, sha256Hex } from "../support/load.ts";
import { type NodeProcess, startNode, verify } from "../support/node-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const KIB = 1024;
const flags = ["--max-grace-period-size", "1MiB"];

/** The status of an upload without a message. */
async function upload(node: NodeProcess, file: Uint8Array<ArrayBuffer>): Promise<number> {
  const body = new FormData();
  body.append("file", new Blob([file]));
  const response = await fetch(`${node.apiUrl}/api/v0/storage/add_file`, { method: "POST", body });
  const answer = (await response.json()) as { error?: { code: string; message: string } };
  if (response.status !== 200) {
    assert.equal(answer.error?.code, "API_GRACE_PERIOD_FULL");
    assert.match(answer.error.message, /signed STORE message/);
  }
  return response.status;
}

async function usedBytes(node: NodeProcess): Promise<number> {
  const text = await (await fetch(`${node.apiUrl}/metrics`)).text();
  return Number(/^twentysix_grace_period_used_bytes (\d+)$/m.exec(text)?.[1]);
}

async function assertHeld(node: NodeProcess, file: Uint8Array): Promise<void> {
  const response = await fetch(`${node.apiUrl}/api/v0/storage/raw/${sha256Hex(file)}`);
  assert.equal(sha256Hex(await response.bytes()), sha256Hex(file));
}

describe("files that no message refers to", { timeout: 300_000 }, () => {
  test("have a bound together, which outlives a restart; what is kept stays", async () => {
    using folder = temporaryFolder("grace");
    const dataDir = join(folder.path, "data");
    const [first, second, third] = [randomBytes(600 * KIB), randomBytes(400 * KIB), randomBytes(100 * KIB)];
    {
      await using node = await startNode(dataDir, { flags });
      assert.deepEqual([await upload(node, first), await upload(node, second)], [200, 200]);
      assert.equal(await upload(node, third), 507);
      assert.equal(await upload(node, first), 200, "what is here takes no more room");
      await node.stop();
    }
    await using node = await startNode(dataDir, { flags });
    assert.equal(await usedBytes(node), 1_000 * KIB);
    assert.equal(await upload(node, third), 507);
    for (const file of [first, second]) await assertHeld(node, file);
    const missing = await fetch(`${node.apiUrl}/api/v0/storage/raw/${sha256Hex(third)}`);
    assert.equal(missing.status, 404);

    const client = createClient({ apiUrl: node.apiUrl });
    const shared = { account: loadAccount(0), engine: "storage" as const, sync: true };
    await client.storeFile({ ...shared, file: randomBytes(900 * KIB) });
    assert.equal(await usedBytes(node), 1_000 * KIB, "with its message a file needs no room");
    const stored = await client.storeFile({ ...shared, file: first });
    assert.equal(await usedBytes(node), 400 * KIB, "a message takes over what it names");
    assert.equal(await upload(node, third), 200);
    await client.forget({ account: loadAccount(0), itemHashes: [stored.itemHash], sync: true });
    assert.equal(await usedBytes(node), 1_100 * KIB, "what is forgotten is in its grace period again");
    assert.equal(await upload(node, randomBytes(KIB)), 507);
    await node.stop();
    assert.deepEqual((await verify(dataDir)).problems, []);
  });

  test("never go beyond it, however many come at once", async () => {
    using folder = temporaryFolder("grace-rush");
    const dataDir = join(folder.path, "data");
    await using node = await startNode(dataDir, { flags });
    const files = Array.from({ length: 24 }, () => randomBytes(100 * KIB));
    const statuses = await Promise.all(files.map((file) => upload(node, file)));
    const kept = files.filter((_file, index) => statuses[index] === 200);
    assert.ok(kept.length > 0 && kept.length <= 10, `${kept.length} files`);
    for (const file of kept) await assertHeld(node, file);
    assert.equal(await usedBytes(node), kept.length * 100 * KIB);
    // Nothing is held back for those that were refused.
    for (let n = kept.length; n < 10; n += 1) assert.equal(await upload(node, randomBytes(100 * KIB)), 200);
    assert.equal(await upload(node, randomBytes(100 * KIB)), 507);
  });
});
