import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createMemoryLogger, createSeededRandom, createVirtualTime } from "@twentysix/platform";
import { Redialler } from "../src/redialler.ts";

const names = (count: number): string[] => Array.from({ length: count }, (_one, index) => `peer ${index}`);

/** Peers that this node wants, some of whom can be reached. */
function world(peers: readonly string[]) {
  const { clock, timers, advance } = createVirtualTime();
  const reachable = new Set<string>();
  const connected = new Set<string>();
  const calls: { readonly peerId: string; readonly atMs: number }[] = [];
  const redialler = new Redialler({
    wanted: () => new Map(peers.map((peerId) => [peerId, [`/ip4/10.0.0.1/tcp/1/${peerId}`]])),
    isConnected: (peerId) => connected.has(peerId),
    dial: async (peerId) => {
      calls.push({ peerId, atMs: clock.monotonicMs() });
      if (!reachable.has(peerId)) throw new Error("nobody is there");
      connected.add(peerId);
      redialler.came(peerId);
    },
    clock,
    timers,
    random: createSeededRandom(1),
    log: createMemoryLogger(),
  });
  return { advance, reachable, connected, calls, redialler, nowMs: () => clock.monotonicMs() };
}

const HOUR_MS = 3_600_000;

describe("a node calls peers that are gone", () => {
  test("within five seconds and a moment, however long few of them have been away", async () => {
    const { advance, reachable, connected, redialler } = world(names(9));
    await advance(HOUR_MS);
    reachable.add("peer 3");
    await advance(6_000);
    assert.deepEqual([...connected], ["peer 3"]);
    await redialler.close();
  });

  test("hardly more than once a minute where they are many, and none of them never", async () => {
    const peers = names(900);
    const { advance, calls, redialler } = world(peers);
    await advance(HOUR_MS / 2);
    const before = calls.length;
    await advance(120_000);
    const latest = calls.slice(before);
    assert.deepEqual(new Set(latest.map(({ peerId }) => peerId)), new Set(peers));
    assert.ok(latest.length <= 4 * peers.length, `${latest.length} calls`);
    await redialler.close();
  });

  test("all of them when one comes back, since what kept one away may have kept all", async () => {
    const { advance, reachable, connected, redialler } = world(names(200));
    await advance(HOUR_MS);
    for (const peerId of names(200)) reachable.add(peerId);
    connected.add("peer 7");
    redialler.came("peer 7");
    await advance(3_000);
    assert.ok(connected.size >= 64, `${connected.size} are connected`);
    await redialler.close();
  });

  test("not more often because somebody comes and goes", async () => {
    const { advance, calls, connected, redialler } = world(names(60));
    await advance(HOUR_MS);
    const before = calls.length;
    await advance(60_000);
    const usual = calls.length - before;
    for (let second = 0; second < 60; second += 1) {
      connected.add("peer 7");
      redialler.came("peer 7");
      await advance(500);
      connected.delete("peer 7");
      redialler.lost("peer 7");
      await advance(500);
    }
    const restless = calls.length - before - usual - 60;
    assert.ok(restless < usual * 4, `${restless} calls instead of ${usual}`);
    await redialler.close();
  });
});
