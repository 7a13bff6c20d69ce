import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createSeededRandom, shuffled } from "@twentysix/platform";
import { withoutPostgres } from "@twentysix/storage/test-postgres";
import { outcomeOf, randomBatches } from "../pipeline/support/outcome.ts";
import { scenarios } from "../pipeline/support/scenarios.ts";
import { harnessOn, networkDefinition } from "../pipeline/support/state-harness.ts";
import { reusedDatabases } from "./reused-databases.ts";

const ORDERS = 4;

describe("under canonical order, onPostgres", { skip: withoutPostgres }, () => {
  it("every scenario at once has one state, whatever the order and the batches", async () => {
    harnessOn(reusedDatabases());
    const local = networkDefinition("local");
    // Each scenario has accounts of its own.
    const messages = scenarios(0).flatMap((_, at) => scenarios(at)[at]?.messages ?? []);
    assert.ok(messages.length > 100, `${messages.length} messages`);
    const random = createSeededRandom(26);
    const expected = await outcomeOf(local, messages, () => 40);
    for (let round = 0; round < ORDERS; round += 1) {
      const found = await outcomeOf(local, shuffled(random, messages), randomBatches(random, 60));
      assert.equal(found.root, expected.root, `round ${round}`);
      assert.deepEqual(found, expected, `round ${round}`);
    }
  });
});
