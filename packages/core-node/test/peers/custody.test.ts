import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { createMemoryLogger, createVirtualTime } from "@twentysix/platform";
import fc from "fast-check";
import { DiskPressure } from "../../src/peers/custody/disk-pressure.ts";
import { type Holders, lossOf } from "../../src/peers/custody/loss.ts";
import { PeerScores } from "../../src/peers/peer-scores.ts";

const isLost = ({ whole, shards, dataShards }: Holders, gone: readonly string[]): boolean =>
  whole.every((node) => gone.includes(node)) &&
  shards.filter((holders) => holders.some((node) => !gone.includes(node))).length < dataShards;

function* subsets(nodes: readonly string[]): Generator<string[]> {
  for (let mask = 0; mask < 2 ** nodes.length; mask += 1)
    yield nodes.filter((_, index) => (mask & (1 << index)) !== 0);
}

test("what is told of losses is so, whoever holds what", () => {
  const node = fc.constantFrom("a", "b", "c", "d", "e", "f");
  const some = (max: number) => fc.uniqueArray(node, { maxLength: max });
  const holders = fc.record({
    whole: some(2),
    shards: fc.array(some(3), { minLength: 3, maxLength: 6 }),
    dataShards: fc.integer({ min: 1, max: 3 }),
  });
  fc.assert(
    fc.property(holders, (held) => {
      const { lostIf, survivesLosses } = lossOf(held);
      const fatal = [...subsets(["a", "b", "c", "d", "e", "f"])].filter((gone) => isLost(held, gone));
      const smallest = Math.min(...fatal.map(({ length }) => length));
      assert.ok(isLost(held, lostIf));
      assert.equal(lostIf.length, smallest);
      assert.equal(survivesLosses, Math.max(0, smallest - 1));
    }),
  );
});

test("of many nodes the figure is a cautious one", () => {
  const shards = Array.from({ length: 64 }, (_, index) => [`node ${index}`]);
  const { lostIf, survivesLosses } = lossOf({ whole: [], shards, dataShards: 32 });
  assert.equal(lostIf.length, 33);
  assert.ok(survivesLosses >= 1 && survivesLosses <= 32);
});

test("near the budget the oldest files go, as many as bring it back, until there is room", () => {
  let usedBytes = 79;
  const pressure = new DiskPressure({ usedBytes: () => usedBytes, maxBytes: 100 });
  assert.equal(pressure.isReleased("old", 5), false);
  usedBytes = 81;
  assert.deepEqual(
    ["old", "middle", "new", "newest"].filter((name) => pressure.isReleased(name, 5)),
    ["old", "middle", "new"],
  );
  usedBytes = 76;
  pressure.gone("old");
  assert.equal(pressure.isReleased("newest", 5), false);
  assert.equal(pressure.isReleased("middle", 5), true);
  assert.equal(pressure.hasRoomFor(1), false);
  usedBytes = 69;
  assert.equal(pressure.isReleased("middle", 5), false);
  assert.equal(pressure.hasRoomFor(1), true);
  const endless = new DiskPressure({ usedBytes: () => 10 ** 15, maxBytes: null });
  assert.equal(endless.isHigh || !endless.hasRoomFor(10 ** 15), false);
});

test("what peers are caught at adds up, keeps them away for longer each time, and outlasts a restart", async () => {
  const { clock, advance } = createVirtualTime();
  const noted: Parameters<ConstructorParameters<typeof PeerScores>[0]["note"]>[0][] = [];
  const start = (): PeerScores =>
    new PeerScores({
      records: { peerFaults: async () => noted.toReversed() },
      note: async (fault) => {
        noted.push(fault);
      },
      clock,
      log: createMemoryLogger(),
    });
  const scores = start();
  const barred: string[] = [];
  scores.onBarred = (peerId) => barred.push(peerId);
  scores.fault("careless", "visit", null, {});
  scores.fault("careless", "wrong-content", "f", {});
  assert.ok(scores.scoreOf("careless") === -2.5 && !scores.isBarred("careless"));
  scores.fault("liar", "false-claim", "f", { nonce: randomBytes(4).toString("hex") });
  assert.deepEqual([barred, scores.isBarred("liar"), scores.barred], [["liar"], true, 1]);
  assert.deepEqual([scores.scoreOf("nobody"), scores.isBarred("nobody")], [0, false]);
  await advance(60_000);
  assert.equal(scores.isBarred("liar"), false);
  assert.ok(scores.scoreOf("liar") < -4);
  scores.fault("liar", "false-claim", "f", {});
  await advance(90_000);
  assert.equal(scores.isBarred("liar"), true, "twice as long");
  const again = start();
  await again.load();
  assert.deepEqual([again.isBarred("liar"), again.faultsOf("liar")], [true, 2]);
  assert.equal(again.counts().size, 0);
  await advance(24 * 3_600_000);
  assert.ok(again.scoreOf("liar") > -0.1 && !again.isBarred("liar"));
});
