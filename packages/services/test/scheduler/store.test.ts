import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { VmIntake } from "../../src/scheduler/inputs/vm-intake.ts";
import { SchedulerDatabase } from "../../src/scheduler/state/database.ts";
import { SchedulerStore } from "../../src/scheduler/state/store.ts";
import { hash, NOW_MS, planVm } from "./support/plan-inputs.ts";

test("the machines of a node are those that have it, after any changes and a restart", () => {
  const labels = ["a", "b", "c", "d"];
  const nodes = ["n1", "n2", "n3"];
  const move = fc.record({ label: fc.constantFrom(...labels), node: fc.option(fc.constantFrom(...nodes)) });
  fc.assert(
    fc.property(fc.array(move, { maxLength: 20 }), (moves) => {
      using database = new SchedulerDatabase(":memory:");
      const store = new SchedulerStore(database, () => NOW_MS);
      new VmIntake(store, () => NOW_MS).see(labels.map((label) => planVm(label).facts));
      for (const { label, node } of moves) {
        store.change((changes) => {
          const vm = changes.vm(hash(label));
          assert.ok(vm !== null);
          changes.putVm({ ...vm, allocatedNode: node === null ? null : hash(node) });
        });
      }
      for (const one of [store, new SchedulerStore(database, () => NOW_MS)]) {
        for (const node of nodes.map(hash)) {
          const expected = [...one.vms.values()].filter(({ allocatedNode }) => allocatedNode === node);
          const hashes = (vms: typeof expected): string[] => vms.map(({ facts }) => facts.vmHash).sort();
          assert.deepEqual(hashes([...one.vmsOf(node)]), hashes(expected));
        }
      }
    }),
    { numRuns: 100 },
  );
});
