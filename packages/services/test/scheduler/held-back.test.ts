import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { heldBack } from "../../src/scheduler/dispatch/held-back.ts";
import { noteFences } from "../../src/scheduler/dispatch/push-intake.ts";
import { ObservationIntake } from "../../src/scheduler/inputs/observation-intake.ts";
import { VmIntake } from "../../src/scheduler/inputs/vm-intake.ts";
import type { Observation } from "../../src/scheduler/model/node.ts";
import { applyPlan } from "../../src/scheduler/rounds/apply-plan.ts";
import { defaultSchedulerSettings } from "../../src/scheduler/settings.ts";
import { Liveness } from "../../src/scheduler/state/liveness.ts";
import type { SchedulerStore } from "../../src/scheduler/state/store.ts";
import { hash, NOW_MS, planNode, planVm } from "./support/plan-inputs.ts";
import { memoryStore, nodeRecord } from "./support/state.ts";

const RUNS: Observation = { isRunning: true, failure: null, isAwaitingOwner: false, addresses: null };
const VM = hash("vm");
const [ONE, TWO, THREE] = [hash("one"), hash("two"), hash("three")];
const FENCE_MS = 900_000;

describe("a machine that is moved without its disk", () => {
  let nowMs = NOW_MS;
  let store: SchedulerStore;
  let liveness: Liveness;
  let intake: ObservationIntake;

  const move = (nodeHash: string, from: string | null): void => {
    const reason = { code: "operator", text: "" } as const;
    const decision = { vmHash: VM, action: "place", nodeHash, from, reason, isFailover: false } as const;
    applyPlan(store, { decisions: [decision] }, nowMs);
  };
  const isHeldBack = (nodeHash = TWO): boolean =>
    heldBack({ store, liveness }, nodeHash, defaultSchedulerSettings, nowMs).has(VM);
  const silence = (nodeHash: string): void => {
    for (let polls = 0; polls < 3; polls += 1) intake.failed(nodeHash);
  };
  const told = (nodeHash: string): void =>
    noteFences(store, nodeHash, {
      persistent_vms: [],
      instances: [VM],
      elsewhere_after_seconds: { [VM]: FENCE_MS / 1_000 },
    });

  beforeEach(() => {
    nowMs = NOW_MS;
    store = memoryStore(() => nowMs);
    liveness = new Liveness(nowMs);
    intake = new ObservationIntake(store, liveness, 600_000, () => nowMs);
    store.change((changes) => {
      for (const label of ["one", "two", "three"]) changes.putNode(nodeRecord(planNode(label)));
    });
    new VmIntake(store, () => nowMs).see([planVm("vm").facts]);
    move(ONE, null);
    told(ONE);
  });

  test("waits for the word of its node, which has some minutes for it", () => {
    intake.listed(ONE, { [VM]: RUNS });
    move(TWO, ONE);
    assert.equal(isHeldBack(), true);
    intake.listed(ONE, { [VM]: RUNS });
    assert.equal(isHeldBack(), true);
    nowMs += defaultSchedulerSettings.handOverMs;
    assert.equal(isHeldBack(), false);
    nowMs = NOW_MS;
    intake.listed(ONE, {});
    assert.equal(isHeldBack(), false);
    silence(ONE);
    assert.equal(isHeldBack(), false, "it has ended there, silent or not");
  });

  for (const wasListed of [true, false]) {
    test(`waits out its lease on a node that falls silent, ${wasListed ? "listed" : "told of"} there`, () => {
      if (wasListed) intake.listed(ONE, { [VM]: RUNS });
      move(TWO, ONE);
      silence(ONE);
      assert.equal(isHeldBack(), true);
      // Not even the next node may have it while the first one may.
      move(THREE, TWO);
      nowMs += FENCE_MS - 1;
      assert.equal(isHeldBack(THREE), true);
      nowMs += 1;
      assert.equal(isHeldBack(THREE), false);
    });
  }

  test("does not wait for a node that refused it", () => {
    store.change((changes) => {
      const node = changes.node(ONE);
      if (node !== null) changes.putNode({ ...node, isRefusing: true });
    });
    move(TWO, ONE);
    assert.equal(isHeldBack(), false);
  });
});
