import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createMemoryLogger, createSystemTimers } from "@twentysix/platform";
import { VmIntake } from "../../src/scheduler/inputs/vm-intake.ts";
import { Planning } from "../../src/scheduler/rounds/planning.ts";
import { defaultSchedulerSettings } from "../../src/scheduler/settings.ts";
import { SchedulerDatabase } from "../../src/scheduler/state/database.ts";
import { DecisionLog } from "../../src/scheduler/state/decision-log.ts";
import { Liveness } from "../../src/scheduler/state/liveness.ts";
import { NOW_MS, planNode, planVm } from "./support/plan-inputs.ts";
import { memoryStore, nodeRecord } from "./support/state.ts";

describe("questions about plans", () => {
  test("of one moment are answered from one look at all machines, whoever asks how often", () => {
    let nowMs = NOW_MS;
    let looks = 0;
    const vm = planVm("a");
    const store = memoryStore();
    new VmIntake(store, () => nowMs).see([vm.facts]);
    store.change((changes) => changes.putNode(nodeRecord(planNode("n1"))));
    const wishesOf = (): null => {
      looks += 1;
      return null;
    };
    const planning = planningOf(store, wishesOf, () => nowMs);
    for (let asked = 0; asked < 50; asked += 1) {
      assert.ok(planning.simulate(planVm("another")).isSchedulable);
      assert.equal(planning.explain(vm.facts.vmHash)?.decision?.action, "place");
    }
    assert.equal(looks, 1);
    nowMs += 1_000;
    planning.simulate(planVm("another"));
    assert.equal(looks, 2);
  });
});

function planningOf(store: ReturnType<typeof memoryStore>, wishesOf: () => null, nowMs: () => number) {
  const settings = defaultSchedulerSettings;
  const liveness = new Liveness(NOW_MS);
  return new Planning({
    sources: { store, liveness, settings, wishesOf, secondOpinionOf: () => null },
    store,
    decisions: new DecisionLog(new SchedulerDatabase(":memory:")),
    settings,
    timers: createSystemTimers(),
    nowMs,
    log: createMemoryLogger(),
    mayDecide: () => true,
    beforeRound: async () => {},
    afterRound: () => {},
  });
}
