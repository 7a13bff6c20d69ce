import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createSystemRandom } from "@twentysix/platform";
import { replayCommand, runStorm, type StormReport, type StormSize } from "../src/index.ts";
import { FAILED_ONCE } from "./failed-once.ts";

const FRESH_SEEDS = 20;
const MAX_SEED = 2 ** 31;
/** Small enough that all seeds together take less than a minute; `npm run simulate` has the large size. */
const SMALL: StormSize = { nodes: 5, messages: 25, stormMs: 20_000 };

async function run(seed: number, size: StormSize): Promise<StormReport> {
  try {
    return await runStorm(seed, size);
  } catch (error) {
    throw new Error(`Seed ${seed} failed; to see what happened: ${replayCommand(seed, size)}`, {
      cause: error,
    });
  }
}

describe("networks under all faults", { timeout: 1_800_000 }, () => {
  const random = createSystemRandom();
  for (let count = 0; count < FRESH_SEEDS; count += 1) {
    const seed = random.uniform(MAX_SEED);
    test(`have one state, and have kept every promise: fresh seed ${seed}`, async () => {
      const { acknowledged } = await run(seed, SMALL);
      assert.ok(acknowledged > 0, "nothing was promised");
    });
  }

  for (const { seed, size, because } of FAILED_ONCE) {
    test(`seed ${seed} failed once: ${because}`, async () => {
      await run(seed, size);
    });
  }
});

describe("a seed", { timeout: 600_000 }, () => {
  test("gives the same run again, event by event", async () => {
    const lines: string[][] = [[], []];
    for (const told of lines) await runStorm(26, SMALL, (line) => told.push(line));
    assert.deepEqual(lines[0], lines[1]);
    assert.ok((lines[0]?.length ?? 0) > 500, "a run tells more than that");
  });

  test("gives another run than the next one", async () => {
    const [one, other] = [await run(26, SMALL), await run(27, SMALL)];
    assert.notEqual(one.digest, other.digest);
  });
});
