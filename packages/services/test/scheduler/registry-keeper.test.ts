import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import type { MessageSource } from "../../src/scheduler/inputs/message-source.ts";
import { NodeRegistryKeeper } from "../../src/scheduler/inputs/registry-keeper.ts";
import { VmIntake } from "../../src/scheduler/inputs/vm-intake.ts";
import type { NodeRegistration } from "../../src/scheduler/model/node.ts";
import { SchedulerDatabase } from "../../src/scheduler/state/database.ts";
import { SchedulerStore } from "../../src/scheduler/state/store.ts";
import { hash, NOW_MS, planNode, planVm } from "./support/plan-inputs.ts";

const DAY_MS = 86_400_000;
const { signal } = new AbortController();

describe("nodes that leave the registry", () => {
  let nowMs = NOW_MS;
  let registry: readonly NodeRegistration[] = [];
  let store: SchedulerStore;
  let database: SchedulerDatabase;
  let keeper: NodeRegistryKeeper;

  const registrations = (...labels: readonly string[]): readonly NodeRegistration[] =>
    labels.map((label) => planNode(label).registration);
  const read = async (...labels: readonly string[]): Promise<void> => {
    registry = registrations(...labels);
    await keeper.read(signal);
  };
  const isKnown = (label: string): boolean => store.nodes.has(hash(label));

  beforeEach(() => {
    nowMs = NOW_MS;
    database = new SchedulerDatabase(":memory:");
    store = new SchedulerStore(database, () => nowMs);
    const source = { registrations: async () => registry } as unknown as MessageSource;
    keeper = new NodeRegistryKeeper(source, store, { extraNodes: [] }, () => nowMs);
  });

  test("are shown as removed for a month, and forgotten then", async () => {
    await read("stays", "leaves", "returns");
    await read("stays");
    assert.equal(store.nodes.get(hash("leaves"))?.isRegistered, false);
    nowMs += 29 * DAY_MS;
    await read("stays", "returns");
    assert.ok(isKnown("leaves"));
    nowMs += DAY_MS;
    await read("stays");
    assert.deepEqual([isKnown("leaves"), isKnown("returns"), isKnown("stays")], [false, true, true]);
    assert.deepEqual(
      [...new SchedulerStore(database, () => nowMs).nodes.keys()].sort(),
      [...store.nodes.keys()].sort(),
    );
  });

  test("are not forgotten while a machine has them, or has to end on them", async () => {
    await read("stays", "has", "left");
    const intake = new VmIntake(store, () => nowMs);
    intake.see([planVm("a").facts, planVm("b").facts]);
    store.change((changes) => {
      const [a, b] = [changes.vm(hash("a")), changes.vm(hash("b"))];
      assert.ok(a !== null && b !== null);
      changes.putVm({ ...a, allocatedNode: hash("has"), intent: "scheduled" });
      changes.putVm({ ...b, leaving: [{ nodeHash: hash("left"), wasThere: true, fenceMs: null }] });
    });
    await read("stays");
    nowMs += 100 * DAY_MS;
    await read("stays");
    assert.deepEqual([isKnown("has"), isKnown("left")], [true, true]);
  });

  test("are bounded, whoever registers how many, and whatever they list", async () => {
    const labels = Array.from({ length: 1_010 }, (_value, index) => `n${index}`);
    await read("stays", ...labels);
    store.change((changes) => {
      const observation = { isRunning: true, failure: null, isAwaitingOwner: false, addresses: null };
      for (const node of store.nodes.values())
        changes.putNode({ ...node, observations: { [hash("a")]: observation } });
    });
    await read("stays", ...labels.slice(20));
    nowMs += 1;
    await read("stays");
    assert.equal(store.nodes.size, 1_001);
    assert.deepEqual([isKnown("n0"), isKnown("n9"), isKnown("n1009")], [false, false, true]);
  });
});
