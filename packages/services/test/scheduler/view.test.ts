import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { VmIntake } from "../../src/scheduler/inputs/vm-intake.ts";
import { defaultSchedulerSettings } from "../../src/scheduler/settings.ts";
import { Liveness } from "../../src/scheduler/state/liveness.ts";
import { StateView } from "../../src/scheduler/state/view.ts";
import { NOW_MS, planVm } from "./support/plan-inputs.ts";
import { memoryStore } from "./support/state.ts";

describe("the view of all machines", () => {
  test("is made once for many questions, and anew as soon as anything has changed", () => {
    let nowMs = NOW_MS;
    const store = memoryStore();
    const intake = new VmIntake(store, () => nowMs);
    const view = new StateView(store, new Liveness(NOW_MS), defaultSchedulerSettings, () => nowMs);
    intake.see([planVm("a").facts]);
    const first = view.vms();
    assert.equal(view.vms(), first);
    intake.see([planVm("b").facts]);
    assert.equal(view.vms().length, 2);
    const second = view.vms();
    nowMs += 1_000;
    assert.notEqual(view.vms(), second, "graces end by time alone");
  });
});
