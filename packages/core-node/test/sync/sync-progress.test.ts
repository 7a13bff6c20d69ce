import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SyncProgress } from "../../src/sync/sync-progress.ts";

function progressOf(hasBootstrap: boolean): { readonly progress: SyncProgress; later(ms: number): void } {
  let nowMs = 0;
  const clock = { monotonicMs: () => nowMs };
  const progress = new SyncProgress({ hasBootstrap, aloneAfterMs: 60_000, clock });
  return {
    progress,
    later: (ms) => {
      nowMs += ms;
    },
  };
}

describe("a node", () => {
  test("whose network names nobody is ready at once", () => {
    assert.equal(progressOf(false).progress.status().state, "ready");
  });

  test("that others are named for is ready once it was through with one, or nobody answered for a while", () => {
    const met = progressOf(true);
    assert.equal(met.progress.status().state, "starting");
    met.progress.visited(false);
    assert.equal(met.progress.status().state, "starting");
    met.progress.visited(true);
    assert.equal(met.progress.status().state, "ready");

    const alone = progressOf(true);
    alone.later(59_999);
    assert.equal(alone.progress.status().state, "starting");
    alone.later(1);
    assert.equal(alone.progress.status().state, "ready");
  });

  test("that lacks much says how much, and how long it will take", () => {
    const { progress, later } = progressOf(true);
    progress.caughtUpTo(100, 1_000);
    assert.deepEqual(progress.status(), { state: "syncing", percent: 10, secondsLeft: null });
    later(5_000);
    progress.caughtUpTo(600, 1_000);
    assert.deepEqual(progress.status(), { state: "syncing", percent: 60, secondsLeft: 4 });
    progress.visited(true);
    assert.deepEqual(progress.status(), { state: "ready", percent: null, secondsLeft: null });
  });

  test("that lacks much is never ready before it was through with somebody", () => {
    for (const hasBootstrap of [true, false]) {
      const { progress, later } = progressOf(hasBootstrap);
      progress.caughtUpTo(100, 1_000);
      progress.visited(false);
      later(10_000_000);
      assert.equal(progress.status().state, "starting");
      progress.visited(true);
      assert.equal(progress.status().state, "ready");
    }
  });
});
