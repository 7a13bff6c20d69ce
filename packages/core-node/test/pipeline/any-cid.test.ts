import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { decodeItemHash } from "@twentysix/protocol";
import { apart, evm, forget, type Signed, store, withEnvelope } from "./support/signed.ts";
import { networkDefinition, StateHarness, testFile } from "./support/state-harness.ts";
import { tell, told } from "./support/told.ts";

const owner = evm("owner of content on IPFS");
const TIME = 1_700_000_000;
/** A raw leaf under SHA-256, in the bytes of a CID. */
const RAW_SHA256 = [0x01, 0x55, 0x12, 0x20];

/** The same message with its content as one raw block on IPFS. */
function onIpfs(message: Signed): { readonly envelope: Signed; readonly content: string } {
  const { content } = apart(message);
  const digest = createHash("sha256").update(content).digest();
  const hash = decodeItemHash(Uint8Array.from([...RAW_SHA256, ...digest]));
  const { type } = JSON.parse(message.text) as { type: "STORE" };
  const signature = owner.sign({ type, itemHash: hash, timeMicros: BigInt(TIME) * 1_000_000n });
  const { text } = withEnvelope(message, {
    item_type: "ipfs",
    item_content: null,
    item_hash: hash,
    signature,
  });
  return { envelope: { hash, text }, content };
}

/** Where a name leads: the hash of the newest file under it. */
function fileByRef(node: StateHarness, ref: string, address: string | null): string | null {
  return node.reads.fileByRef(ref, address)?.fileHash ?? null;
}

test("on a network of any CID a file is revised under the CID of its first STORE", async () => {
  await using node = await StateHarness.open(networkDefinition("local"));
  await node.hold(testFile(0), testFile(1));
  const { envelope: first, content } = onIpfs(store(owner, TIME, testFile(0).hash));
  await node.submit(first.text);
  assert.equal(told(node, first), "pending");
  const queued = node.view(first.hash)?.messages as readonly { item_type: string }[] | undefined;
  assert.deepEqual(
    queued?.map((copy) => copy.item_type),
    ["ipfs"],
  );

  node.contents.set(first.hash, content);
  await node.hold({ hash: first.hash, sizeBytes: content.length });
  await node.settle();
  const revision = store(owner, TIME + 1, testFile(1).hash, first.hash);
  assert.deepEqual(await tell(node, revision), ["processed"]);
  assert.equal(fileByRef(node, first.hash, null), testFile(1).hash);
  assert.equal(fileByRef(node, first.hash, owner.address), testFile(1).hash);
  assert.deepEqual(await tell(node, forget(owner, TIME + 2, [revision.hash])), ["processed"]);
  assert.equal(fileByRef(node, first.hash, null), testFile(0).hash);
});

test("elsewhere such a CID is a name that an owner may choose", async () => {
  await using node = await StateHarness.open(networkDefinition("mainnet"));
  await node.hold(testFile(0));
  const { envelope: never } = onIpfs(store(owner, TIME, testFile(0).hash));
  const named = store(owner, TIME, testFile(0).hash, never.hash);
  assert.deepEqual(await tell(node, never, named), ["rejected 0", "processed"]);
  assert.equal(fileByRef(node, never.hash, owner.address), testFile(0).hash);
  assert.equal(fileByRef(node, never.hash, null), null);
});
