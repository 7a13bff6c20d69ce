import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ObservationIntake } from "../../src/scheduler/inputs/observation-intake.ts";
import { VmIntake } from "../../src/scheduler/inputs/vm-intake.ts";
import { Liveness } from "../../src/scheduler/state/liveness.ts";
import { hash, NOW_MS, planNode, planVm } from "./support/plan-inputs.ts";
import { memoryStore, nodeRecord } from "./support/state.ts";

describe("what nodes answer", () => {
  test("of a machine that they lack counts anew after they were silent", () => {
    let nowMs = NOW_MS;
    const store = memoryStore();
    const { facts } = planVm("a");
    new VmIntake(store, () => nowMs).see([facts]);
    store.change((changes) => {
      changes.putNode(nodeRecord(planNode("n1")));
      const vm = changes.vm(facts.vmHash);
      if (vm !== null) changes.putVm({ ...vm, intent: "scheduled", allocatedNode: hash("n1") });
    });
    const intake = new ObservationIntake(store, new Liveness(nowMs), 600_000, () => nowMs);
    const missing = () => store.vms.get(facts.vmHash)?.missing;
    intake.listed(hash("n1"), {});
    assert.deepEqual(missing(), { sinceMs: NOW_MS, pushes: 0 });
    for (let failures = 1; failures <= 3; failures += 1) intake.failed(hash("n1"));
    assert.equal(missing(), null);
    nowMs += 3_600_000;
    intake.listed(hash("n1"), {});
    assert.deepEqual(missing(), { sinceMs: nowMs, pushes: 0 });
  });

  test("of what nothing is decided on takes little room", () => {
    const store = memoryStore();
    const known = ["a", "b"].map((label) => planVm(label).facts);
    new VmIntake(store, () => NOW_MS).see(known);
    const [own = "", other = ""] = known.map(({ vmHash }) => vmHash);
    const stranger = planNode("n2");
    store.change((changes) => {
      changes.putNode(nodeRecord(planNode("n1")));
      changes.putNode(
        nodeRecord({ ...stranger, registration: { ...stranger.registration, isLinked: false } }),
      );
      const vm = changes.vm(own);
      if (vm !== null) changes.putVm({ ...vm, intent: "scheduled", allocatedNode: hash("n2") });
    });
    const addresses = { ipv6: "2001:db8::1", hostIpv4: null, mappedPorts: {} };
    const listed = { isRunning: true, failure: null, isAwaitingOwner: false, addresses };
    const strange = Array.from({ length: 5_000 }, (_, index) => [hash(`strange${index}`), listed]);
    const list = Object.fromEntries([...strange, [other, listed], [own, listed]]);
    const intake = new ObservationIntake(store, new Liveness(NOW_MS), 600_000, () => NOW_MS);
    const keptOf = (label: string) => {
      intake.listed(hash(label), list);
      const kept = store.nodes.get(hash(label))?.observations ?? {};
      const withAddresses = Object.entries(kept).filter(([, observation]) => observation.addresses !== null);
      return [Object.keys(kept).length, other in kept, withAddresses.map(([vmHash]) => vmHash)];
    };
    assert.deepEqual(keptOf("n1"), [1_002, true, []]);
    assert.deepEqual(keptOf("n2"), [101, true, [own]]);
  });
});
