import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, describe, test } from "node:test";
import { createSystemClock } from "@twentysix/platform";
import { encodeItemHash } from "@twentysix/protocol";
import { eventually } from "../support/eventually.ts";
import { get, post, putRaw, rawAccount } from "../support/raw-messages.ts";
import { startTestNode } from "../support/test-node.ts";

const node = await startTestNode({ storageGracePeriodHours: 0 });
after(() => node.remove());
const account = rawAccount("lifecycle");
const clock = createSystemClock();

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const raw = (hash: string) => get(node, `/api/v0/storage/raw/${hash}`);
const isGone = async (hash: string): Promise<boolean> => (await raw(hash)).status === 404;

/** A file that the node keeps for a while without a message. */
async function hold(text: string, graceMs: number): Promise<string> {
  const hash = sha256(text);
  const file = new FormData();
  file.append("file", new Blob([text]));
  const answer = await fetch(`${node.apiUrl}/api/v0/storage/add_file`, { method: "POST", body: file });
  assert.equal(answer.status, 200);
  const held = {
    hash,
    sizeBytes: text.length,
    type: "file" as const,
    sha256: encodeItemHash(hash),
    cid: null,
  };
  // The bytes may go at once under a grace of no time; so they come again under the record.
  await node.core.pipeline.registerFile(held, clock.nowMicros() + BigInt(graceMs) * 1_000n);
  return hash;
}

describe("the life of files on a node whose grace is no time at all", { timeout: 120_000 }, () => {
  test("an upload without a message goes, with its bytes and its record, and comes again", async () => {
    for (let round = 0; round < 2; round += 1) {
      const answer = await post(node, "/api/v0/storage/add_json", `{"round":"twice"}`);
      assert.equal(answer.status, 200, answer.text);
      const { hash } = JSON.parse(answer.text) as { hash: string };
      await eventually(() => isGone(hash));
      assert.equal((await get(node, `/api/v0/storage/count/${hash}`)).text, "0");
    }
    const metrics = async () => (await get(node, "/metrics")).text;
    await eventually(async () => /twentysix_collected_files_total [1-9]/.test(await metrics()));
    await eventually(async () => (await metrics()).includes("twentysix_pending_deletions_files 0"));
  });

  test("a STORE keeps its file, over a restart too, until it is forgotten", async () => {
    const text = "kept by its owner";
    const content = { item_type: "storage", item_hash: sha256(text) };
    const hash = await hold(text, 60_000);
    // The bytes are put under the record once more, in case the first upload was collected before it.
    await fetch(`${node.apiUrl}/api/v0/storage/add_file`, { method: "POST", body: text });
    const members = `"item_type":"storage","item_hash":"${content.item_hash}"`;
    const { itemHash } = await putRaw(node, { type: "STORE", members, account });
    assert.equal((await raw(hash)).text, text);
    await node.restart();
    assert.equal((await raw(hash)).text, text);
    await putRaw(node, { type: "FORGET", members: `"hashes":["${itemHash}"]`, account });
    await eventually(() => isGone(hash));
    await node.restart();
    assert.equal((await raw(hash)).status, 404);
  });
});

/** A message whose content was uploaded beside it: the text of the content, and its hash. */
async function putUploaded(at: typeof node, secret: number): Promise<{ text: string; hash: string }> {
  const time = 1_700_000_000.5;
  const text = JSON.stringify({ address: account.address, content: { secret }, time, type: "note" });
  const upload = await post(at, "/api/v0/storage/add_json", text);
  const { hash } = JSON.parse(upload.text) as { hash: string };
  const signature = await account.sign({ type: "POST", itemHash: hash, timeMicros: 1_700_000_000_500_000n });
  const envelope = { chain: account.chain, sender: account.address, type: "POST", channel: "T", time };
  const message = { ...envelope, item_type: "storage", item_hash: hash, signature };
  const sent = await post(at, "/api/v0/messages", JSON.stringify({ sync: true, message }));
  assert.equal(sent.status, 200, sent.text);
  return { text, hash };
}

describe("the content of a forgotten message", { timeout: 120_000 }, () => {
  test("is not served any more, whatever grace its upload had; that of a later upload holds", async () => {
    const other = await startTestNode({ storageGracePeriodHours: 24 });
    try {
      const [own, shared] = [await putUploaded(other, 1), await putUploaded(other, 2)];
      const raw = async ({ hash }: { hash: string }) =>
        (await get(other, `/api/v0/storage/raw/${hash}`)).status;
      const pins = async ({ hash }: { hash: string }) =>
        (await get(other, `/api/v0/storage/count/${hash}`)).text;
      assert.deepEqual([await raw(own), await pins(own)], [200, "1"]);
      const again = await post(other, "/api/v0/storage/add_json", shared.text);
      assert.deepEqual([again.status, await pins(shared)], [200, "2"]);
      await putRaw(other, {
        type: "FORGET",
        members: `"hashes":["${own.hash}","${shared.hash}"]`,
        account,
      });
      assert.deepEqual([await raw(own), await pins(own)], [404, "0"]);
      assert.deepEqual([await raw(shared), await pins(shared)], [200, "1"]);
      await eventually(async () =>
        (await get(other, "/metrics")).text.includes("twentysix_collected_files_total 1"),
      );
    } finally {
      await other.remove();
    }
  });
});
