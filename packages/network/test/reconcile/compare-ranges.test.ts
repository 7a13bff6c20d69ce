import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  compareRanges,
  type Leaf,
  PeerFault,
  type RangeNode,
  type RemoteRanges,
  rangesFor,
} from "../../src/reconcile.ts";
import { MemoryRanges } from "./memory-ranges.ts";

const salt = randomBytes(16);
const signal = new AbortController().signal;

const leafOf = (n: number, version = 0): Leaf => ({
  key: createHash("sha256").update(`key ${n}`).digest("hex"),
  digest: createHash("sha256").update(`digest ${n} ${version}`).digest("hex"),
});

/** Keys that share most of their digits, and CIDs, which are longer and share their first four. */
const crowdedLeaf = (n: number): Leaf => ({
  key: n % 2 === 0 ? `1220${leafOf(n).key}` : `${"ab".repeat(20)}${leafOf(n).key.slice(40)}`,
  digest: leafOf(n).digest,
});

async function found(own: MemoryRanges, remote: RemoteRanges, maxRanges = 100_000): Promise<readonly Leaf[]> {
  const all: Leaf[] = [];
  for await (const leaves of compareRanges({ own, remote, salt, maxRanges, signal })) all.push(...leaves);
  return all;
}

const byKey = (leaves: readonly Leaf[]): string[] =>
  leaves.map(({ key, digest }) => `${key} ${digest}`).sort();

/** What is on each side: nobody, this one, the other one, both, both in two versions. */
const sides = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 800, size: "max" });
const crowds = fc.constantFrom(leafOf, (n: number) => crowdedLeaf(n));

describe("the comparison of two sets", () => {
  test("finds exactly what the other one has and this one has not, or otherwise", async () => {
    await fc.assert(
      fc.asyncProperty(sides, crowds, async (where, make) => {
        const mine = where.flatMap((side, n) => (side === 1 || side >= 3 ? [make(n)] : []));
        const theirs = where.flatMap((side, n) => {
          if (side === 4) return [{ ...make(n), digest: leafOf(n, 1).digest }];
          return side === 2 || side === 3 ? [make(n)] : [];
        });
        const held = new Set(byKey(mine));
        const expected = theirs.filter((leaf) => !held.has(byKey([leaf])[0] ?? ""));
        const missing = await found(new MemoryRanges(mine, salt), new MemoryRanges(theirs, salt));
        assert.deepEqual(byKey(missing), byKey(expected));
      }),
      { numRuns: 60 },
    );
  });

  test("asks about few ranges where little differs", async () => {
    const common = Array.from({ length: 20_000 }, (_, n) => leafOf(n));
    const remote = new MemoryRanges([...common, leafOf(30_000)], salt);
    const missing = await found(new MemoryRanges(common, salt), remote);
    assert.deepEqual(missing, [leafOf(30_000)]);
    assert.ok(remote.asked <= 5, `${remote.asked} ranges`);
  });

  test("asks about no more ranges than it allows for so many leaves", async () => {
    const theirs = Array.from({ length: 3_000 }, (_, n) => (n % 2 === 0 ? leafOf(n) : crowdedLeaf(n)));
    const remote = new MemoryRanges(theirs, salt);
    const missing = await found(new MemoryRanges([], salt), remote, rangesFor(theirs.length));
    assert.equal(missing.length, theirs.length);
  });

  test("asks about nothing where all is equal", async () => {
    const leaves = Array.from({ length: 100 }, (_, n) => leafOf(n));
    const remote = new MemoryRanges(leaves, salt);
    assert.deepEqual(await found(new MemoryRanges(leaves, salt), remote), []);
    assert.equal(remote.asked, 1);
  });

  test("passes over what the other side has not summed up yet", async () => {
    const remote: RemoteRanges = {
      nodes: async (prefixes) => prefixes.map(() => ({ kind: "unready" })),
      leaves: async () => [],
    };
    assert.deepEqual(await found(new MemoryRanges([leafOf(1)], salt), remote), []);
  });

  test("ends with the signal", async () => {
    const end = new AbortController();
    const own = new MemoryRanges([], salt);
    const comparison = compareRanges({ own, remote: endless(), salt, maxRanges: 1e9, signal: end.signal });
    end.abort(new Error("enough"));
    await assert.rejects(comparison.next(), /enough/);
  });
});

/** Says of every range that it has something else in each part of it. */
function endless(): RemoteRanges {
  return {
    nodes: async (prefixes) =>
      prefixes.map(
        (): RangeNode => ({
          kind: "inner",
          children: Array.from({ length: 16 }, () => randomBytes(8).toString("hex")),
        }),
      ),
    leaves: async () => [],
  };
}

describe("a liar", () => {
  const own = new MemoryRanges(
    Array.from({ length: 100 }, (_, n) => leafOf(n)),
    salt,
  );

  test("who splits ranges without end is left after as many as its count allows", async () => {
    await assert.rejects(found(own, endless(), rangesFor(1_000)), PeerFault);
  });

  test("who splits a single range ever deeper is left at the deepest", async () => {
    const child = Array.from({ length: 16 }, (_, nibble) => (nibble === 7 ? "00".repeat(8) : null));
    const remote: RemoteRanges = {
      nodes: async (prefixes) => prefixes.map(() => ({ kind: "inner", children: child })),
      leaves: async () => [],
    };
    await assert.rejects(found(own, remote), PeerFault);
  });

  test("who tells of leaves that are not what it said is found out", async () => {
    const honest = new MemoryRanges([leafOf(1_000), leafOf(1_001)], salt);
    const lies: ((leaf: Leaf) => Leaf)[] = [
      (leaf) => ({ ...leaf, digest: leafOf(5).digest }),
      () => leafOf(2_000),
    ];
    for (const lie of lies) {
      const remote: RemoteRanges = {
        nodes: (prefixes) => honest.nodes(prefixes),
        leaves: async (wanted) => (await honest.leaves(wanted)).map(lie),
      };
      await assert.rejects(found(own, remote), PeerFault);
    }
  });

  test("who repeats a leaf, or tells of one in another range, is found out", async () => {
    const honest = new MemoryRanges([leafOf(1_000)], salt);
    const repeated: RemoteRanges = {
      nodes: (prefixes) => honest.nodes(prefixes),
      leaves: async (wanted) => [...(await honest.leaves(wanted)), ...(await honest.leaves(wanted))],
    };
    await assert.rejects(found(own, repeated), PeerFault);
  });

  test("who withholds leaves, or says that nothing differs, gives nothing and breaks nothing", async () => {
    const honest = new MemoryRanges([leafOf(1_000)], salt);
    const remote: RemoteRanges = { nodes: (prefixes) => honest.nodes(prefixes), leaves: async () => [] };
    assert.deepEqual(await found(own, remote), []);
    const silent: RemoteRanges = { nodes: (prefixes) => own.nodes(prefixes), leaves: async () => [] };
    assert.deepEqual(await found(own, silent), []);
  });

  test("whatever it answers, the comparison ends within its bound", async () => {
    const short = fc
      .uint8Array({ minLength: 8, maxLength: 8 })
      .map((bytes) => Buffer.from(bytes).toString("hex"));
    const node: fc.Arbitrary<RangeNode> = fc.oneof(
      fc.constant({ kind: "none" } as const),
      fc.constant({ kind: "unready" } as const),
      fc.array(short, { maxLength: 40 }).map((shorts) => ({ kind: "leaves", shorts }) as const),
      fc
        .array(fc.option(short), { minLength: 16, maxLength: 16 })
        .map((children) => ({ kind: "inner", children }) as const),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(node, { minLength: 1, maxLength: 20 }), async (answers) => {
        let at = 0;
        let asked = 0;
        const remote: RemoteRanges = {
          nodes: async (prefixes) => {
            asked += prefixes.length;
            return prefixes.map(() => answers[at++ % answers.length] as RangeNode);
          },
          leaves: async () => [],
        };
        await found(own, remote, 2_000).catch((error: unknown) => assert.ok(error instanceof PeerFault));
        assert.ok(asked <= 2_000);
      }),
      { numRuns: 100 },
    );
  });
});
