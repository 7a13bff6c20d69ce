import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import { BUCKET_SIZE, MerkleTree } from "../../src/database/merkle/merkle-tree.ts";
import { derivedLeaves } from "../../src/database/merkle/tree-leaves.ts";
import { SqliteConnection } from "../../src/index.ts";
import { migrate } from "../../src/writer.ts";

const sha256 = (...parts: readonly Uint8Array[]): Buffer =>
  parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest();

interface Leaf {
  readonly key: Uint8Array;
  readonly digest: Uint8Array;
}

/** A tree in memory over the leaves of a table. */
class Tree {
  readonly connection = new SqliteConnection(":memory:");
  readonly tree: MerkleTree;

  constructor() {
    migrate(this.connection);
    this.tree = new MerkleTree(this.connection, 1, derivedLeaves(this.connection));
  }

  put({ key, digest }: Leaf): void {
    this.connection.run("INSERT OR REPLACE INTO derived_leaves (key, digest) VALUES (?, ?)", key, digest);
  }

  drop(key: Uint8Array): void {
    this.connection.run("DELETE FROM derived_leaves WHERE key = ?", key);
  }

  get root(): string {
    return Buffer.from(this.tree.root().digest).toString("hex");
  }

  get nodes(): number {
    return this.connection.get<{ n: number }>("SELECT count(*) AS n FROM merkle_nodes")?.n ?? 0;
  }
}

/** The digest of a range as the description of the tree has it, computed without any tree. */
function expectedDigest(leaves: readonly Leaf[], depth = 0): Buffer {
  if (leaves.length <= BUCKET_SIZE) {
    const parts = leaves.flatMap(({ key, digest }) => [Uint8Array.of(key.length), key, digest]);
    return sha256(Uint8Array.of(0), ...parts);
  }
  const parts: Uint8Array[] = [Uint8Array.of(1)];
  for (let nibble = 0; nibble < 16; nibble += 1) {
    const inside = leaves.filter(({ key }) => {
      const byte = key[depth >> 1] ?? 0;
      return (depth % 2 === 0 ? byte >> 4 : byte & 15) === nibble;
    });
    if (inside.length > 0) parts.push(Uint8Array.of(nibble), expectedDigest(inside, depth + 1));
  }
  return sha256(...parts);
}

const leafOf = (seed: number): Leaf => ({
  // Few first bytes, so that ranges are split and joined often.
  key: Uint8Array.of(seed % 3, ...sha256(Buffer.from(`key ${seed}`)).subarray(1)),
  digest: sha256(Buffer.from(`digest ${seed}`)),
});
const byKey = (a: Leaf, b: Leaf): number => Buffer.compare(a.key, b.key);

describe("the Merkle tree", () => {
  const steps = fc.array(
    fc.record({
      added: fc.uniqueArray(fc.nat(400), { maxLength: 120 }),
      removed: fc.uniqueArray(fc.nat(400), { maxLength: 120 }),
    }),
    { minLength: 1, maxLength: 6 },
  );

  it("has the digest of its leaves, however they came and went", () => {
    fc.assert(
      fc.property(steps, (taken) => {
        const tree = new Tree();
        const present = new Map<number, Leaf>();
        for (const { added, removed } of taken) {
          for (const seed of removed) {
            tree.drop(leafOf(seed).key);
            present.delete(seed);
          }
          for (const seed of added) {
            tree.put(leafOf(seed));
            present.set(seed, leafOf(seed));
          }
          tree.tree.update([...new Set([...removed, ...added])].map((seed) => leafOf(seed).key));
          const leaves = [...present.values()].sort(byKey);
          assert.equal(tree.root, expectedDigest(leaves).toString("hex"));
          assert.equal(tree.tree.root().count, leaves.length);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("leaves no node behind when everything is gone", () => {
    const tree = new Tree();
    const empty = tree.root;
    const leaves = Array.from({ length: 300 }, (_, seed) => leafOf(seed));
    for (const leaf of leaves) tree.put(leaf);
    tree.tree.update(leaves.map(({ key }) => key));
    assert.notEqual(tree.root, empty);
    for (const { key } of leaves) tree.drop(key);
    tree.tree.update(leaves.map(({ key }) => key));
    assert.equal(tree.root, empty);
    assert.equal(tree.nodes, 0);
  });
});
