import assert from "node:assert/strict";
import { test } from "node:test";
import { createEventLoopMonitor } from "../src/index.ts";

test("time in which the thread does nothing else is measured, once", { timeout: 10_000 }, async () => {
  using monitor = createEventLoopMonitor();
  // The monitor must have looked once before it can notice that it came late.
  const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));
  await turn();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  await turn();
  const delay = monitor.take();
  assert.ok(delay.maxMs >= 150, `${delay.maxMs} ms`);
  assert.ok(delay.p99Ms <= delay.maxMs && delay.meanMs <= delay.p99Ms);
  assert.deepEqual(monitor.take(), { meanMs: 0, p99Ms: 0, maxMs: 0 });
});
