import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { pushListOf } from "../../src/scheduler/dispatch/push-list.ts";
import { currentVms } from "../../src/scheduler/inputs/current-versions.ts";
import { VmIntake } from "../../src/scheduler/inputs/vm-intake.ts";
import type { VmRecord } from "../../src/scheduler/model/vm.ts";
import { defaultSchedulerSettings } from "../../src/scheduler/settings.ts";
import type { SchedulerStore } from "../../src/scheduler/state/store.ts";
import { hash, NOW_MS, planNode, planVm } from "./support/plan-inputs.ts";
import { memoryStore, nodeRecord } from "./support/state.ts";

describe("what messages say of machines", () => {
  test("that are in force again before they were taken from their node keeps them there", () => {
    const { store, intake, facts } = oneMachine({ intent: "scheduled", allocatedNode: hash("n1") });
    intake.end(new Map([[facts.vmHash, "payment_removed"]]));
    intake.see([facts]);
    assert.equal(store.vms.get(facts.vmHash)?.intent, "scheduled");
    const list = pushListOf(store, hash("n1"), new Set(), () => null, defaultSchedulerSettings);
    assert.deepEqual(list.instances, [facts.vmHash]);
  });

  test("that are in force again after that has them placed anew", () => {
    const { store, intake, facts } = oneMachine({ intent: "unscheduled", isLive: false });
    intake.see([facts]);
    assert.equal(store.vms.get(facts.vmHash)?.intent, "unknown");
  });

  test("that arrive a second time neither bring back what has ended nor undo a revision", () => {
    const { store, intake, facts } = oneMachine({});
    const first = { itemHash: facts.vmHash, replaces: null, isPlaced: true, facts };
    const revised = { ...facts, vmHash: hash("b"), name: "revised" };
    assert.ok(
      intake.hear({ itemHash: revised.vmHash, replaces: facts.vmHash, isPlaced: true, facts: revised }),
    );
    assert.ok(!intake.hear(first));
    assert.equal(store.vms.get(facts.vmHash)?.facts.name, "revised");
    intake.end(new Map([[facts.vmHash, "deleted"]]));
    assert.ok(!intake.hear(first));
    assert.equal(store.vms.get(facts.vmHash)?.isLive, false);
  });

  test("that make a persistent program one on demand end it, at once and by snapshots", () => {
    const { store, intake, facts } = oneMachine({}, { kind: "persistent_program" });
    const revised = {
      itemHash: hash("b"),
      replaces: facts.vmHash,
      isPlaced: false,
      facts: { ...facts, vmHash: hash("b"), createdAtMs: facts.createdAtMs + 1 },
    };
    const first = { itemHash: facts.vmHash, replaces: null, isPlaced: true, facts };
    assert.deepEqual([...currentVms([first]).placed.keys()], [facts.vmHash]);
    const { placed, onDemand } = currentVms([first, revised]);
    assert.deepEqual([[...placed.keys()], [...onDemand]], [[], [facts.vmHash]]);
    assert.ok(intake.hear(revised));
    assert.equal(store.vms.get(facts.vmHash)?.endReason, "requirements_changed");
  });
});

describe("the list of a node", () => {
  test("names what runs there though its stream has ended", () => {
    const { store, facts } = oneMachine(
      { intent: "unscheduled", paymentStatus: "invalidated" },
      { payment: { type: "superfluid", receiver: null } },
    );
    observe(store, facts.vmHash);
    const list = pushListOf(store, hash("n1"), new Set(), () => null, defaultSchedulerSettings);
    assert.deepEqual(list.ended, [facts.vmHash]);
  });
});

function oneMachine(more: Partial<VmRecord>, facts: Partial<VmRecord["facts"]> = {}) {
  const store = memoryStore();
  const intake = new VmIntake(store, () => NOW_MS);
  const vm = planVm("a", facts);
  intake.see([vm.facts]);
  store.change((changes) => {
    const known = changes.vm(vm.facts.vmHash);
    if (known !== null) changes.putVm({ ...known, ...more });
  });
  return { store, intake, facts: vm.facts };
}

function observe(store: SchedulerStore, vmHash: string): void {
  const listed = { isRunning: true, failure: null, isAwaitingOwner: false, addresses: null };
  store.change((changes) =>
    changes.putNode(nodeRecord(planNode("n1"), { observations: { [vmHash]: listed } })),
  );
}
