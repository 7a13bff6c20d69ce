import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { explainVm, simulatePlacement } from "../../src/scheduler/planner/explain.ts";
import { makePlan } from "../../src/scheduler/planner/plan.ts";
import type { PlanNode, PlanVm } from "../../src/scheduler/planner/plan-input.ts";
import { decide, gpu, wishes, withCapabilities, withRegistration, withReport } from "./support/decisions.ts";
import { hash, NOW_MS, planInput, planNode, planProgram, planVm, runningOn } from "./support/plan-inputs.ts";

describe("the rules of eligibility", () => {
  const node = planNode("n1");
  const cases: readonly (readonly [what: string, vm: PlanVm, node: PlanNode, reason: string])[] = [
    [
      "an unlinked node",
      planVm("a"),
      { ...withRegistration(node, { isLinked: false }), unlinkedSinceMs: 1 },
      "not linked",
    ],
    ["a silent node", planVm("a"), { ...node, status: "Unreachable" }, "unreachable"],
    [
      "a node without an address",
      planVm("a"),
      withRegistration(node, { address: null }),
      "without an address",
    ],
    ["a node that is emptied", planVm("a"), { ...node, isDrained: true }, "being emptied"],
    [
      "another node than the message names",
      planVm("a", {
        node: { nodeHash: hash("n2"), owner: null, addressRegex: null, termsAndConditions: null },
      }),
      node,
      "not the node that the message names",
    ],
    [
      "a node of another owner",
      planVm("a", {
        node: { nodeHash: null, owner: "0xffff", addressRegex: null, termsAndConditions: null },
      }),
      node,
      "of another owner than the message names",
    ],
    [
      "an address that the pattern does not match",
      planVm("a", {
        node: { nodeHash: null, owner: null, addressRegex: "https://n2\\.", termsAndConditions: null },
      }),
      node,
      "with an address that address_regex does not match",
    ],
    [
      "a pattern that would take for ever",
      planVm("a", {
        node: { nodeHash: null, owner: null, addressRegex: "(h+)+x", termsAndConditions: null },
      }),
      withRegistration(node, { address: `http://${"h".repeat(1_900)}/` }),
      "with an address that address_regex does not match",
    ],
    [
      "other terms",
      planVm("a", {
        node: { nodeHash: null, owner: null, addressRegex: null, termsAndConditions: hash("t") },
      }),
      node,
      "with other terms and conditions",
    ],
    ["a private IPv6 pool", planVm("a"), withCapabilities(node, { isIpv6Public: false }), "no public IPv6"],
    ["no QEMU", planVm("a"), withCapabilities(node, { hasQemu: false }), "no QEMU"],
    ["no confidential computing", planVm("a", { confidential: "sev" }), node, "no confidential computing"],
    [
      "a processor without the feature",
      planVm("a", { confidential: "sev_snp" }),
      withReport(withCapabilities(node, { hasConfidential: true }), { cpuFeatures: ["SEV"] }),
      "no sev_snp",
    ],
    [
      "another architecture",
      planVm("a", { cpu: { architecture: "arm64", vendor: null, features: [] } }),
      node,
      "not arm64",
    ],
    ["no GPU", planVm("a", { gpus: [gpu] }), node, "no GPU"],
    [
      "one GPU of two",
      planVm("a", { gpus: [gpu, gpu] }),
      withReport(withCapabilities(node, { hasGpu: true }), { gpus: [gpu], freeGpus: [gpu] }),
      "no free GPU of the kind",
    ],
    ["too few processors", planVm("a", { vcpus: 33 }), node, "too few free vCPUs"],
    ["too little memory", planVm("a", { memoryMib: 60_000 }), node, "too little memory"],
    ["too little disk", planVm("a", { diskMib: 900_001 }), node, "too little disk"],
    [
      "a refusal",
      planVm("a", {}, { refusals: [{ nodeHash: hash("n1"), untilMs: NOW_MS + 1, text: "no" }] }),
      node,
      "refused it lately",
    ],
    [
      "another country",
      planVm("a", {}, { wishes: { ...wishes, countries: ["FR"] } }),
      node,
      "not in a country that its owner wants",
    ],
    [
      "a network that is excluded",
      planVm("a", {}, { wishes: { ...wishes, excludedAsns: [16_276] } }),
      withReport(node, { asn: 16_276 }),
      "in a network that its owner excludes, or in none that is known",
    ],
    [
      "a price beyond the owner's",
      planVm("a", {}, { wishes: { ...wishes, maxPriceFactor: 1.5 } }),
      withCapabilities(node, { priceFactor: 2 }),
      "dearer than its owner allows",
    ],
  ];
  for (const [what, vm, refusing, text] of cases) {
    test(`refuse ${what}`, () => {
      const decision = decide(vm, [refusing]);
      assert.ok(decision.action === "unschedulable", decision.action);
      assert.equal(decision.reason.text, `1 node: 1 ${text}`);
    });
  }

  test("let through what fits, whatever the case of letters", () => {
    const vm = planVm("a", {
      confidential: "sev_es",
      cpu: { architecture: "X86_64", vendor: "authenticamd", features: ["SEV"] },
      gpus: [gpu],
      node: {
        nodeHash: null,
        owner: "0xnodeowner",
        addressRegex: "https://n1\\..*",
        termsAndConditions: null,
      },
    });
    const able = withReport(withCapabilities(node, { hasConfidential: true, hasGpu: true }), {
      cpuFeatures: ["sev", "SEV_ES"],
      gpus: [gpu],
      freeGpus: [gpu],
    });
    assert.equal(decide(vm, [able]).action, "place");
  });

  test("count what a node says of its head-room instead of its size", () => {
    const headroom = { vcpus: 1, instanceMemoryMib: 2_048, programMemoryMib: 0, diskMib: 20_480 };
    const small = withReport(node, { headroom });
    assert.equal(decide(planVm("a"), [small]).action, "place");
    assert.equal(decide(planProgram("p"), [small]).action, "unschedulable");
    const { decisions } = makePlan(planInput([planVm("a"), planVm("b")], [small]));
    assert.deepEqual(decisions.map(({ action }) => action).toSorted(), ["place", "unschedulable"]);
  });

  test("say how many nodes which rule excluded", () => {
    const nodes = [
      withCapabilities(planNode("n1"), { isIpv6Public: false }),
      withCapabilities(planNode("n2"), { isIpv6Public: false }),
      planNode("n3", { status: "Unreachable" }),
    ];
    const decision = decide(planVm("a"), nodes);
    assert.ok(decision.action === "unschedulable");
    assert.equal(decision.reason.text, "3 nodes: 2 no public IPv6, 1 unreachable");
  });
});

describe("explanations", () => {
  test("name the rule that excludes each node, or its rank", () => {
    const nodes = [planNode("n1"), withCapabilities(planNode("n2"), { hasQemu: false })];
    const explanation = explainVm(planInput([planVm("a", {}, runningOn("n1"))], nodes), hash("a"));
    const told = Object.fromEntries((explanation?.nodes ?? []).map((node) => [node.nodeHash, node]));
    assert.equal(told[hash("n1")]?.excludedBy, null);
    assert.ok((told[hash("n1")]?.rank ?? []).length > 0);
    assert.deepEqual(told[hash("n2")]?.excludedBy, { rule: 4, code: "no_qemu", text: "no QEMU" });
    assert.equal(explanation?.decision?.action, "keep");
    assert.equal(explainVm(planInput([], nodes), hash("a")), null);
  });

  test("answer what would happen to a machine that does not exist", () => {
    const input = planInput([], [planNode("n1")]);
    assert.deepEqual(simulatePlacement(input, planVm("a")), { isSchedulable: true, reasons: [] });
    assert.deepEqual(simulatePlacement(input, planVm("a", { vcpus: 64 })), {
      isSchedulable: false,
      reasons: ["1 node: 1 too few free vCPUs"],
    });
  });
});
