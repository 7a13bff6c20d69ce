import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemoryLogger, createVirtualTime } from "@twentysix/platform";
import { Budgets } from "../../src/services/budgets.ts";

test("what came in since the disk was last looked at counts: many quick files do not pass its budget", async (t) => {
  let contentBytes = 0;
  const budgets = new Budgets({
    maxDiskBytes: 100,
    minFreeDiskBytes: 0,
    maxMemoryBytes: 1,
    diskUsage: () => 10,
    contentBytes: () => contentBytes,
    freeDiskBytes: () => Number.MAX_SAFE_INTEGER,
    memoryUsage: () => 0,
    timers: createVirtualTime().timers, // No time passes here.
    log: createMemoryLogger(),
  });
  t.after(() => budgets.close());
  const taken: number[] = [];
  for (let file = 0; file < 5; file += 1) {
    try {
      using room = budgets.reserveDisk();
      room.grow(25);
      contentBytes += 25;
      taken.push(file);
    } catch (error) {
      assert.equal((error as { code: string }).code, "API_STORAGE_FULL");
    }
  }
  assert.deepEqual(taken, [0, 1, 2]);
  assert.equal(budgets.diskBytes, 85);
  contentBytes -= 50;
  using room = budgets.reserveDisk();
  room.grow(60);
  assert.throws(() => room.grow(6), { code: "API_STORAGE_FULL" });
  assert.equal(budgets.hasRoom, true);
});
