import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type CatchUpMark, SyncProgress } from "../../src/sync/sync-progress.ts";

function markOf(): CatchUpMark {
  let marked = false;
  return {
    isSet: () => marked,
    set: () => {
      marked = true;
    },
    clear: () => {
      marked = false;
    },
  };
}

function progressOf(
  hasBootstrap: boolean,
  mark = markOf(),
): { readonly progress: SyncProgress; later(ms: number): void } {
  let nowMs = 0;
  const clock = { monotonicMs: () => nowMs };
  const progress = new SyncProgress({ hasBootstrap, aloneAfterMs: 60_000, mark, clock });
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

  test("has everything once it was through with a peer, or there is none: not for being left alone", () => {
    assert.ok(progressOf(false).progress.hasEverything);
    const { progress, later } = progressOf(true);
    later(60_000);
    assert.equal(progress.status().state, "ready");
    assert.ok(!progress.hasEverything);
    progress.visited(true);
    assert.ok(progress.hasEverything);
    progress.caughtUpTo(10, 5_000);
    assert.ok(!progress.hasEverything, "it was away for long");
    progress.visited(true);
    assert.ok(progress.hasEverything);
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

  test("that lacks much is never ready before it was through with somebody, started anew or not", () => {
    for (const hasBootstrap of [true, false]) {
      const mark = markOf();
      const killed = progressOf(hasBootstrap, mark);
      killed.progress.caughtUpTo(100, 1_000);
      killed.progress.visited(false);
      killed.later(10_000_000);
      assert.deepEqual(killed.progress.status(), { state: "syncing", percent: 10, secondsLeft: null });

      const { progress, later } = progressOf(hasBootstrap, mark);
      later(10_000_000);
      assert.deepEqual(progress.status(), { state: "syncing", percent: null, secondsLeft: null });
      progress.visited(true);
      assert.equal(progress.status().state, "ready");
      assert.equal(progressOf(false, mark).progress.status().state, "ready");
    }
  });

  test("whose visit broke off says no less of what it has than before, unless there is more to have", () => {
    const { progress, later } = progressOf(true);
    const percent = (): number | null => progress.status().percent;
    progress.caughtUpTo(500, 1_000);
    progress.visited(false);
    assert.equal(percent(), 50);
    // What it began with is an estimate that leaves the forgotten ones out.
    progress.caughtUpTo(480, 1_000);
    assert.equal(percent(), 50);
    later(10_000);
    progress.caughtUpTo(600, 1_000);
    assert.equal(progress.status().secondsLeft, 40);
    progress.caughtUpTo(999.9, 1_000);
    assert.equal(percent(), 99.9);
    progress.caughtUpTo(1_000, 2_000);
    assert.equal(percent(), 50);
  });
});
