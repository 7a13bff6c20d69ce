import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  decodeDigests,
  decodeKeys,
  decodeLeaves,
  decodeNodes,
  decodePrefixes,
  decodeWanted,
  encodeDigests,
  encodeKeys,
  encodeLeaves,
  encodeNodes,
  encodePrefixes,
  encodeWanted,
  type Leaf,
  PeerFault,
  type RangeNode,
  type WantedLeaves,
} from "../../src/reconcile.ts";

const PLAIN = { noNullPrototype: true } as const;
const hexOf = (minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength, maxLength }).map((bytes) => Buffer.from(bytes).toString("hex"));
const short = hexOf(8, 8);
const digest = hexOf(32, 32);
const key = hexOf(32, 40);
const prefix = fc
  .tuple(hexOf(0, 30), fc.boolean())
  .map(([digits, isOdd]) => (isOdd ? digits.slice(0, -1) : digits));
const node: fc.Arbitrary<RangeNode> = fc.oneof(
  fc.constant({ kind: "none" } as const),
  fc.constant({ kind: "unready" } as const),
  fc.array(short, { maxLength: 256 }).map((shorts) => ({ kind: "leaves", shorts }) as const),
  fc
    .array(fc.option(short), { minLength: 16, maxLength: 16 })
    .map((children) => ({ kind: "inner", children }) as const),
);
const leaf: fc.Arbitrary<Leaf> = fc.record({ key, digest }, PLAIN);
const wanted: fc.Arbitrary<WantedLeaves> = fc.record(
  { prefix, shorts: fc.array(short, { maxLength: 40 }) },
  PLAIN,
);

describe("what travels of a comparison", () => {
  test("is read as it was written", () => {
    fc.assert(
      fc.property(
        fc.array(prefix, { maxLength: 128 }),
        fc.array(node, { maxLength: 40 }),
        fc.array(wanted, { maxLength: 20 }),
        fc.array(leaf, { maxLength: 40 }),
        fc.array(fc.option(digest), { maxLength: 40 }),
        (prefixes, nodes, wanteds, leaves, digests) => {
          assert.deepEqual(decodePrefixes(encodePrefixes(prefixes)), prefixes);
          assert.deepEqual(decodeNodes(encodeNodes(nodes), nodes.length), nodes);
          assert.deepEqual(decodeWanted(encodeWanted(wanteds)), wanteds);
          assert.deepEqual(decodeLeaves(encodeLeaves(leaves)), leaves);
          const keys = leaves.map((one) => one.key);
          assert.deepEqual(decodeKeys(encodeKeys(keys)), keys);
          assert.deepEqual(decodeDigests(encodeDigests(digests), digests.length), digests);
        },
      ),
    );
  });

  test("is a fault of the peer, and nothing else, when it is anything else", () => {
    const readers: ((bytes: Uint8Array) => unknown)[] = [
      decodePrefixes,
      (bytes) => decodeNodes(bytes, 3),
      decodeWanted,
      decodeLeaves,
      decodeKeys,
      (bytes) => decodeDigests(bytes, 3),
    ];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300, size: "max" }), (bytes) => {
        for (const read of readers) {
          try {
            read(bytes);
          } catch (error) {
            assert.ok(error instanceof PeerFault, String(error));
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  test("has a bound", () => {
    assert.throws(() => decodePrefixes(Buffer.alloc(129)), PeerFault);
    assert.throws(() => decodeKeys(Buffer.alloc(2 * 1_025, 1)), PeerFault);
    assert.throws(() => decodePrefixes(Buffer.from([61, ...Buffer.alloc(31)])), PeerFault);
  });
});
