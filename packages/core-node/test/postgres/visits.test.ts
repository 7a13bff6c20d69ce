import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MemoryNetwork } from "@twentysix/network/test-streams";
import { createSeededRandom, shuffled } from "@twentysix/platform";
import { postgresDatabase, withoutPostgres } from "@twentysix/storage/test-postgres";
import { scenarios } from "../pipeline/support/scenarios.ts";
import { networkDefinition } from "../pipeline/support/state-harness.ts";
import { syncNode } from "../sync/support/sync-node.ts";

const local = networkDefinition("local");

describe("nodes onPostgres", { skip: withoutPostgres, timeout: 120_000 }, () => {
  test("and nodes on the embedded database have one state root after their visits", async () => {
    await using stack = new AsyncDisposableStack();
    const network = new MemoryNetwork();
    const served = stack.use(await syncNode(network, "served", local, { database: postgresDatabase() }));
    const embedded = stack.use(await syncNode(network, "embedded", local));
    network.connect("served", "embedded");
    const all = scenarios(0).flatMap((_, index) => scenarios(2_000 + index)[index]?.messages ?? []);
    const messages = shuffled(createSeededRandom(2), all);
    await served.submit(...messages.filter((_, n) => n % 3 !== 0).map(({ text }) => text));
    await embedded.submit(...messages.filter((_, n) => n % 3 !== 1).map(({ text }) => text));
    for (let round = 0; round < 20 && (await served.root()) !== (await embedded.root()); round += 1) {
      await served.sync.visit("embedded");
      await embedded.sync.visit("served");
    }
    assert.equal(await served.root(), await embedded.root());
    assert.deepEqual([served.faults, embedded.faults], [[], []]);
  });
});
