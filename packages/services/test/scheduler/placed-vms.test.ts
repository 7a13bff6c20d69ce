import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { makePlan } from "../../src/scheduler/planner/plan.ts";
import type { PlanNode } from "../../src/scheduler/planner/plan-input.ts";
import {
  decide,
  SILENT,
  wishes,
  withCapabilities,
  withRegistration,
  withReport,
} from "./support/decisions.ts";
import { hash, NOW_MS, planInput, planNode, planProgram, planVm, runningOn } from "./support/plan-inputs.ts";

describe("a machine that has a node", () => {
  const others = [planNode("n2"), planNode("n3")];

  test("keeps it whatever its room", () => {
    const full = withReport(planNode("n1"), { vcpus: 0, freeDiskMib: 0 });
    assert.equal(decide(planVm("a", {}, runningOn("n1")), [full, ...others]).action, "keep");
  });

  test("moves with its disk when its node is unlinked for long enough", () => {
    const vm = planVm("a", {}, runningOn("n1"));
    const unlinked = withRegistration(planNode("n1"), { isLinked: false });
    const since = (ms: number): PlanNode => ({ ...unlinked, unlinkedSinceMs: NOW_MS - ms });
    assert.equal(decide(vm, [since(299_999), ...others]).action, "keep");
    const moved = decide(vm, [since(300_000), ...others]);
    assert.ok(moved.action === "migrate");
    assert.equal(moved.from, hash("n1"));
    assert.equal(moved.reason.code, "node_unlinked");
    const removed = decide(vm, [{ ...since(300_000), isRegistered: false, status: "removed" }, ...others]);
    assert.ok(removed.action === "migrate");
    assert.equal(removed.reason.code, "node_removed");
  });

  test("stays where its disk cannot follow it, unless it may start from nothing", () => {
    const node = planNode("n1", { isDrained: true });
    const secret = planVm("a", { confidential: "sev" }, runningOn("n1"));
    const able = others.map((other) =>
      withReport(withCapabilities(other, { hasConfidential: true }), { cpuFeatures: ["sev"] }),
    );
    assert.equal(decide(secret, [node, ...able]).action, "keep");
    const allowed = { ...secret, wishes: { ...wishes, hasColdRestart: true } };
    assert.equal(decide(allowed, [node, ...able]).action, "place");
    const never = planVm("b", {}, { ...runningOn("n1"), isObservedSinceAllocation: false, observedOn: [] });
    assert.equal(decide(never, [node, ...others]).action, "place", "it never ran there");
    assert.equal(decide(planProgram("p", runningOn("n1")), [node, ...others]).action, "place");
  });

  test("keeps it, and says where another copy of its disk is", () => {
    const nodes = [planNode("n1"), planNode("n2", { isMigrating: true }), planNode("n3")];
    const alsoOn = (...labels: readonly string[]) => ({
      ...runningOn("n1"),
      observedOn: ["n1", ...labels].map(hash).toSorted(),
    });
    const kept = (vm: ReturnType<typeof planVm>) => {
      const decision = decide(vm, nodes);
      assert.ok(decision.action === "keep");
      return decision.reason;
    };
    const reason = kept(planVm("a", {}, alsoOn("n3")));
    assert.equal(reason?.code, "second_copy_kept");
    assert.match(reason.text, new RegExp(`on ${hash("n3")}:`));
    assert.equal(kept(planVm("a", {}, alsoOn())), null);
    assert.equal(kept(planVm("a", {}, alsoOn("n2"))), null, "it came from there with its disk");
    assert.equal(kept(planProgram("p", alsoOn("n3"))), null, "there is nothing to lose");
  });

  test("moves one at a time from a node", () => {
    const vms = ["a", "b", "c"].map((label) => planVm(label, {}, runningOn("n1")));
    const plan = makePlan(planInput(vms, [planNode("n1", { isDrained: true }), ...others]));
    assert.deepEqual(plan.decisions.map(({ action }) => action).toSorted(), ["keep", "keep", "migrate"]);
  });

  test("is ended with its message, and with its payment", () => {
    const dead = decide(
      planVm("a", {}, { ...runningOn("n1"), isLive: false, endReason: "payment_removed" }),
      others,
    );
    assert.ok(dead.action === "unschedule");
    assert.equal(dead.reason.code, "payment_removed");
    const stream = planVm("a", { payment: { type: "superfluid", receiver: "0x1" } });
    assert.equal(decide(stream, others).action, "wait");
    assert.equal(decide({ ...stream, paymentStatus: "invalidated" }, others).action, "unschedule");
    const paid = { ...stream, paymentStatus: "validated" as const };
    assert.equal(decide(paid, others).action, "unschedulable", "nobody is its receiver");
    assert.equal(
      decide(paid, [withCapabilities(planNode("n2"), { paymentReceiver: "0X1".toLowerCase() })]).action,
      "place",
    );
  });

  test("goes elsewhere from a node that refused it, when it never ran there", () => {
    const refusals = [{ nodeHash: hash("n1"), untilMs: NOW_MS + 1, text: "NoSpace" }];
    const never = {
      ...runningOn("n1"),
      isObservedSinceAllocation: true,
      hasRunSinceAllocation: false,
      observedOn: [],
      refusals,
    };
    const moved = decide(planVm("a", {}, never), [planNode("n1"), ...others]);
    assert.ok(moved.action === "place");
    assert.deepEqual(moved.reason, { code: "node_refused", text: "NoSpace" });
    const ran = decide(planVm("a", {}, { ...never, hasRunSinceAllocation: true }), [
      planNode("n1"),
      ...others,
    ]);
    assert.equal(ran.action, "keep", "its disk is there");
  });
});

describe("failover", () => {
  const others = [planNode("n2"), planNode("n3")];
  const silent = (more: Partial<PlanNode> = {}): PlanNode => planNode("n1", { ...SILENT, ...more });

  test("starts a program elsewhere once its node can run it no more", () => {
    const program = planProgram("p", { ...runningOn("n1"), observedOn: [] });
    assert.equal(decide(program, [silent({ fencedAtMs: NOW_MS + 1 }), ...others]).action, "keep");
    assert.equal(decide(program, [silent({ lastProofMs: NOW_MS - 49_999 }), ...others]).action, "keep");
    const moved = decide(program, [silent(), ...others]);
    assert.ok(moved.action === "place" && moved.isFailover);
    assert.equal(moved.reason?.code, "node_unreachable");
    assert.equal(decide(program, [silent({ secondOpinion: "alive" }), ...others]).action, "keep");
    assert.equal(decide(program, [silent({ secondOpinion: "silent" }), ...others]).action, "place");
  });

  test("does the same for one that can be verified: it has no data that would be lost", () => {
    const facts = { kind: "v_program", hypervisor: null, hasData: false, confidential: "sev_snp" } as const;
    const program = planVm("v", { ...facts, vcpuTypes: ["EPYC"] }, { ...runningOn("n1"), observedOn: [] });
    const able = others.map((other) =>
      withReport(withCapabilities(other, { hasConfidential: true }), {
        cpuFeatures: ["sev_snp"],
        vcpuTypes: ["epyc"],
      }),
    );
    assert.equal(decide(program, [silent(), ...able]).action, "place");
  });

  test("leaves instances alone unless they may start from nothing, and their node knows that", () => {
    const instance = planVm("a", {}, { ...runningOn("n1"), observedOn: [] });
    const long = silent({ lastProofMs: NOW_MS - 900_000 });
    assert.equal(decide(instance, [long, ...others]).action, "keep");
    const cold = { ...instance, wishes: { ...wishes, hasColdRestart: true } };
    assert.equal(decide(cold, [long, ...others]).action, "place");
    assert.equal(decide(cold, [silent({ lastProofMs: NOW_MS - 899_999 }), ...others]).action, "keep");
    assert.equal(decide({ ...cold, fencedAtMs: NOW_MS + 1 }, [long, ...others]).action, "keep");
    const unknown = decide({ ...cold, fencedAtMs: null }, [long, ...others]);
    assert.ok(unknown.action === "keep");
    assert.match(unknown.reason?.text ?? "", /was not told/);
    const pin = { nodeHash: hash("n1"), owner: null, addressRegex: null, termsAndConditions: null };
    const pinned = { ...cold, facts: { ...cold.facts, node: pin } };
    assert.equal(decide(pinned, [long, ...others]).action, "keep");
  });

  test("gives up a tenth of the nodes within the window, and takes more silence for its own", () => {
    const nodes = [planNode("n1", SILENT), planNode("n4", SILENT), ...others];
    const programs = [
      planProgram("p", { ...runningOn("n1"), observedOn: [] }),
      planProgram("q", { ...runningOn("n4"), observedOn: [] }),
    ];
    const actions = (recentFailovers: readonly string[]): readonly string[] =>
      makePlan(planInput(programs, nodes, { recentFailovers }))
        .decisions.map(({ action }) => action)
        .toSorted();
    assert.deepEqual(actions([]), ["keep", "place"]);
    assert.deepEqual(actions([hash("n9")]), ["keep", "keep"]);
    assert.deepEqual(actions([hash("n1")]), ["keep", "place"]);
  });

  test("starts elsewhere what a node answers without, after five pushes", () => {
    const missing = { sinceMs: NOW_MS - 60_000, pushes: 5 };
    const program = planProgram("p", { ...runningOn("n1"), observedOn: [], missing });
    const nodes = [planNode("n1"), ...others];
    assert.equal(decide(program, nodes).action, "place");
    assert.equal(decide({ ...program, missing: { ...missing, pushes: 4 } }, nodes).action, "keep");
    const instance = planVm("a", {}, { ...runningOn("n1"), observedOn: [], missing });
    const kept = decide(instance, nodes);
    assert.ok(kept.action === "keep");
    assert.equal(kept.reason?.code, "node_without_it");
  });
});
