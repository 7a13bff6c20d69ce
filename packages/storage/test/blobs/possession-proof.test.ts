import assert from "node:assert/strict";
import { hash, randomBytes } from "node:crypto";
import { type TestContext, test } from "node:test";
import { createSystemTimers } from "@twentysix/platform";
import { UnixFS } from "ipfs-unixfs";
import type { Block } from "../../src/blobs/cids.ts";
import {
  assertPossession,
  ContentStore,
  isRefuted,
  provePossession,
  sizeOfRoot,
  wayToFault,
} from "../../src/index.ts";
import { carOf, fileNode, memoryStore, nodeBlock, rawBlock } from "./dag-fixtures.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const MIB = 1024 * 1024;

async function storeWith(t: TestContext, sizes: readonly number[]) {
  const folder = await temporaryFolder();
  const contents = await ContentStore.open({ folder: folder.path, timers: createSystemTimers() });
  t.after(async () => {
    await contents[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });
  const roots: string[] = [];
  for (const size of sizes) {
    const added = await contents.addFile([randomBytes(size)], ["fixedCid", "cidV0"]);
    roots.push(added.dags.get("fixedCid")?.root ?? "", added.dags.get("cidV0")?.root ?? "");
  }
  return { contents, roots };
}

test("whoever holds a file answers every challenge, and the answer is checked without the file", async (t) => {
  const { contents, roots } = await storeWith(t, [0, 1, 262_144, 262_145, 60 * MIB]);
  for (const root of roots) {
    const leaves = new Set<string>();
    for (let round = 0; round < 8; round += 1) {
      const nonce = randomBytes(32);
      const proof = await provePossession(contents.blocks, root, nonce);
      assertPossession(root, nonce, proof);
      leaves.add(
        Buffer.from(proof.at(-1) ?? [])
          .toString("base64")
          .slice(0, 64),
      );
    }
    assert.ok(leaves.size >= 1);
  }
});

test("a proof of another challenge, file or byte is none", async (t) => {
  const { contents, roots } = await storeWith(t, [60 * MIB, 50 * MIB]);
  const [root = "", , other = ""] = roots;
  const nonce = randomBytes(32);
  const proof = await provePossession(contents.blocks, root, nonce);
  assert.ok(proof.length >= 2);
  const [top = new Uint8Array(), ...rest] = proof;
  const leaf = Uint8Array.from(proof.at(-1) ?? []);
  leaf[7] = (leaf[7] ?? 0) ^ 1;
  const wrong: readonly (readonly Uint8Array[])[] = [
    [],
    [top],
    rest,
    [...proof, top],
    [...proof.slice(0, -1), leaf],
  ];
  for (const given of wrong) assert.throws(() => assertPossession(root, nonce, given));
  assert.throws(() => assertPossession(other, nonce, proof));
  // Of 240 leaves another nonce leads to another one, but for rare luck: of many at least one does.
  assert.throws(() => {
    for (let round = 0; round < 8; round += 1) assertPossession(root, randomBytes(32), proof);
  });
});

test("whoever lacks the leaf cannot answer", async (t) => {
  const { contents, roots } = await storeWith(t, [3 * MIB]);
  const [root = ""] = roots;
  const { contents: empty } = await storeWith(t, []);
  await assert.rejects(provePossession(empty.blocks, root, randomBytes(32)), { code: "BLOCK_NOT_FOUND" });
  assert.ok(await contents.stat(root));
});

test("a wrong answer is shown to be wrong by its digests and the blocks before; a right one never is", async (t) => {
  const { contents, roots } = await storeWith(t, [60 * MIB, 1]);
  const [root = "", , single = ""] = roots;
  const nonce = randomBytes(32);
  const digestsOf = (proof: readonly Uint8Array[]): string[] => proof.map((block) => hash("sha256", block));
  for (const one of [root, single]) {
    const proof = await provePossession(contents.blocks, one, nonce);
    const sizeBytes = sizeOfRoot(one, proof[0] ?? new Uint8Array());
    const right = { root: one, nonce, digests: digestsOf(proof), sizeBytes };
    assert.equal(sizeBytes, one === root ? 60 * MIB : 1);
    for (const way of [proof, proof.slice(0, 1), []]) assert.equal(isRefuted(right, way), false);
    const leaf = Uint8Array.from(proof.at(-1) ?? []);
    leaf[0] = (leaf[0] ?? 0) ^ 1;
    const wrong = [
      [...proof.slice(0, -1), leaf],
      [...proof, leaf],
      [leaf],
      ...(proof.length > 1 ? [proof.slice(0, -1)] : []),
    ];
    for (const given of wrong) {
      const claim = { ...right, digests: digestsOf(given) };
      const way = wayToFault(claim, given);
      assert.equal(isRefuted(claim, way), true);
      assert.ok(way.length <= given.length);
    }
    const oversized = { ...right, sizeBytes: 61 * MIB };
    assert.equal(isRefuted(oversized, wayToFault(oversized, proof)), true);
    assert.throws(() => isRefuted(oversized, [leaf]), "a way that is none shows nothing");
  }
});

/** Challenges a DAG whose blocks stand in a store, and holds the honest answer against the name alone. */
async function answerOf(blocks: readonly Block[]): Promise<readonly Uint8Array[]> {
  const { store } = await memoryStore();
  const top = blocks[0]?.cid;
  assert.ok(top);
  await store.importCar([carOf([top], blocks)]);
  const root = top.toString();
  const nonce = randomBytes(32);
  const proof = await provePossession(store.blocks, root, nonce);
  assertPossession(root, nonce, proof);
  const digests = proof.map((block) => hash("sha256", block));
  const claim = { root, nonce, digests, sizeBytes: sizeOfRoot(root, proof[0] ?? new Uint8Array()) };
  assert.equal(isRefuted(claim, wayToFault(claim, proof)), false);
  assert.equal(isRefuted({ ...claim, digests: [...digests, hash("sha256", "more")] }, proof), true);
  assert.throws(() => assertPossession(root, nonce, proof.slice(0, -1)));
  return proof;
}

test("an honest answer is one however deep the DAG is that somebody has made", async () => {
  for (const levels of [63, 64, 65, 400]) {
    const blocks = [rawBlock(Buffer.from("the leaf"))];
    for (let level = 1; level < levels; level += 1) {
      const below = blocks[0];
      assert.ok(below);
      blocks.unshift(fileNode([{ cid: below.cid, contentBytes: 8, cumulativeBytes: 8 + level * 64 }]));
    }
    assert.equal((await answerOf(blocks)).length, Math.min(levels, 64));
  }
});

test("an answer stays small, however large the blocks are that lead to a leaf", async () => {
  const padding = "x".repeat(1_900_000);
  const blocks = [rawBlock(Buffer.from("the leaf"))];
  for (let level = 1; level < 12; level += 1) {
    const below = blocks[0];
    assert.ok(below);
    const Data = new UnixFS({ type: "directory" }).marshal();
    blocks.unshift(nodeBlock({ Data, Links: [{ Name: padding + level, Hash: below.cid, Tsize: 0 }] }));
  }
  const bytes = (await answerOf(blocks)).reduce((sum, block) => sum + block.byteLength, 0);
  assert.ok(bytes < 6 * MIB, `${bytes} bytes`);
});
