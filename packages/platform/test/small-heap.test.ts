import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";

const PROGRAM = `
import { getHeapStatistics } from "node:v8";
import { keepHeapSmall } from ${JSON.stringify(new URL("../src/index.ts", import.meta.url).href)};
const kept = [];
for (let n = 0; n < 400_000; n += 1) kept.push({ n, text: "garbage " + n });
const before = getHeapStatistics().total_heap_size;
kept.length = 0;
using heap = keepHeapSmall();
const isExposed = globalThis.gc !== undefined;
const deadlineMs = performance.now() + (isExposed ? 30_000 : 7_000);
while (performance.now() < deadlineMs && getHeapStatistics().total_heap_size > before / 2)
  await new Promise((resolve) => setTimeout(resolve, 100));
console.log(getHeapStatistics().total_heap_size < before / 2 ? "small" : "large");
`;

/** What a process says that has left much garbage and does nothing any more. */
async function afterIdling(...flags: readonly string[]): Promise<string> {
  const args = [...flags, "--input-type=module", "--eval", PROGRAM];
  return (await promisify(execFile)(process.execPath, args)).stdout.trim();
}

test("a thread that is idle gives back what a busy time has left, and none that was not told to", async () => {
  const states = await Promise.all([afterIdling("--expose-gc"), afterIdling()]);
  assert.deepEqual(states, ["small", "large"]);
});
