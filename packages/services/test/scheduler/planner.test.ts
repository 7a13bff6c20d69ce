import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import fc from "fast-check";
import { chooseNode, rankOf } from "../../src/scheduler/planner/choice.ts";
import { exclusionFrom } from "../../src/scheduler/planner/eligibility.ts";
import { makePlan, roomsOf } from "../../src/scheduler/planner/plan.ts";
import type { PlanNode, PlanVm } from "../../src/scheduler/planner/plan-input.ts";
import { canonicalText } from "../../src/scheduler/state/canonical-text.ts";
import { planDigest } from "../../src/scheduler/state/decision-log.ts";
import { decide, gpu, wishes, withCapabilities, withRegistration, withReport } from "./support/decisions.ts";
import { anyPlanInput, hash, NOW_MS, planInput, planNode, planVm, runningOn } from "./support/plan-inputs.ts";

describe("a plan", () => {
  test("is the same whatever the order of what it is made from", () => {
    fc.assert(
      fc.property(anyPlanInput, fc.infiniteStream(fc.nat()), (input, chance) => {
        const shuffle = <Item>(items: readonly Item[]): Item[] =>
          items
            .map((item) => ({ item, key: chance.next().value ?? 0 }))
            .sort((a, b) => a.key - b.key)
            .map(({ item }) => item);
        const other = { ...input, vms: shuffle(input.vms), nodes: shuffle(input.nodes) };
        assert.equal(planDigest(makePlan(other)), planDigest(makePlan(input)));
      }),
      { numRuns: 300 },
    );
  });

  test("decides once of each machine, and gives every refusal a reason", () => {
    fc.assert(
      fc.property(anyPlanInput, (input) => {
        const { decisions } = makePlan(input);
        assert.deepEqual(
          decisions.map(({ vmHash }) => vmHash),
          input.vms.map(({ facts }) => facts.vmHash).toSorted(),
        );
        for (const decision of decisions) {
          if (decision.action === "unschedulable") assert.match(decision.reason.text, /^\d+ nodes?: /);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("leaves what runs on several nodes already on one of them", () => {
    const nodes = ["n1", "n2", "n3"].map((label) => planNode(label));
    const copies = [hash("n2"), hash("n3")].toSorted();
    const full = nodes.map((node) =>
      copies.includes(node.registration.nodeHash) ? withReport(node, { vcpus: 0 }) : node,
    );
    const vm = planVm("a", {}, { observedOn: copies });
    for (const some of [nodes, full]) {
      const decision = decide(vm, some);
      assert.ok(decision.action === "place");
      assert.ok(copies.includes(decision.nodeHash));
    }
  });

  test("tells machines apart that ask for other kinds of nodes", () => {
    const cpu = { architecture: "riscv64", vendor: null, features: [] };
    const vms = [
      planVm("a"),
      planVm("b", { cpu }),
      planVm("c", { confidential: "sev" }),
      planVm("d", {
        node: { nodeHash: hash("n2"), owner: null, addressRegex: null, termsAndConditions: null },
      }),
      planVm("e"),
    ];
    const { decisions } = makePlan(planInput(vms, [planNode("n1")]));
    const actionOf = (label: string) => decisions.find(({ vmHash }) => vmHash === hash(label))?.action;
    assert.deepEqual(["a", "b", "c", "d", "e"].map(actionOf), [
      "place",
      "unschedulable",
      "unschedulable",
      "unschedulable",
      "place",
    ]);
  });

  test("is written down as JSON with sorted members, whatever is kept of the last one", () => {
    const sorted = (_name: string, value: unknown): unknown =>
      typeof value !== "object" || value === null || Array.isArray(value)
        ? value
        : Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
    const kept = new Set(["facts", "report"]);
    fc.assert(
      fc.property(anyPlanInput, (input) => {
        const text = JSON.stringify(input, sorted);
        for (let written = 0; written < 2; written += 1) assert.equal(canonicalText(input, kept), text);
      }),
      { numRuns: 50 },
    );
  });

  test("places only on nodes that can be used and have room, and never moves what is pinned", () => {
    fc.assert(
      fc.property(anyPlanInput, (input) => {
        const nodes = new Map(input.nodes.map((node) => [node.registration.nodeHash, node]));
        const vms = new Map(input.vms.map((vm) => [vm.facts.vmHash, vm]));
        const { decisions } = makePlan(input);
        for (const decision of decisions) {
          if (decision.action !== "place" && decision.action !== "migrate") continue;
          const node = nodes.get(decision.nodeHash);
          const vm = vms.get(decision.vmHash);
          assert.ok(node !== undefined && vm !== undefined);
          assert.ok(node.registration.isLinked && node.status === "Healthy" && !node.isDrained);
          const pin = vm.facts.node.nodeHash;
          assert.ok(pin === null || pin === decision.nodeHash);
          if (vm.facts.kind === "instance") assert.ok(node.capabilities?.isIpv6Public);
          const there = decisions.filter((one) => "nodeHash" in one && one.nodeHash === decision.nodeHash);
          const vcpus = there.reduce((sum, one) => sum + (vms.get(one.vmHash)?.facts.vcpus ?? 0), 0);
          const kept = there.some((one) => one.action === "keep");
          if (!kept) assert.ok(vcpus <= (node.report?.vcpus ?? 0) * 4, "more than there is");
        }
      }),
      { numRuns: 300 },
    );
  });

  test("never starts elsewhere what a silent node may still run", () => {
    fc.assert(
      fc.property(anyPlanInput, (input) => {
        const nodes = new Map(input.nodes.map((node) => [node.registration.nodeHash, node]));
        let failed = new Set<string>();
        for (const decision of makePlan(input).decisions) {
          if (decision.action !== "place" || decision.from === null) continue;
          const from = nodes.get(decision.from);
          if (from?.status !== "Unreachable") continue;
          assert.ok(from.fencedAtMs <= NOW_MS);
          const vm = input.vms.find(({ facts }) => facts.vmHash === decision.vmHash);
          assert.equal(vm?.fencedAtMs, 0, "its node promised no later end");
          failed = failed.add(decision.from);
        }
        assert.ok(failed.size <= 1, "one of six nodes is more than a tenth");
      }),
      { numRuns: 300 },
    );
  });

  test("is stable: what it decided is decided again", () => {
    fc.assert(
      fc.property(anyPlanInput, (input) => {
        const settled = input.vms.map((vm): PlanVm => {
          const decision = makePlan(input).decisions.find(({ vmHash }) => vmHash === vm.facts.vmHash);
          if (decision?.action !== "place") return vm;
          return {
            ...vm,
            ...runningOn("x"),
            allocatedNode: decision.nodeHash,
            observedOn: [decision.nodeHash],
          };
        });
        for (const decision of makePlan({ ...input, vms: settled }).decisions) {
          const vm = settled.find(({ facts }) => facts.vmHash === decision.vmHash);
          const moved = vm !== input.vms.find(({ facts }) => facts.vmHash === decision.vmHash);
          if (moved && vm?.isLive) assert.equal(decision.action, "keep");
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe("the choice of a node", () => {
  test("is the best of all by rank and lot, however it is found", () => {
    const lot = (vmHash: string, nodeHash: string): string =>
      createHash("sha256").update(`${vmHash}${nodeHash}`).digest("hex");
    fc.assert(
      fc.property(anyPlanInput, fc.infiniteStream(fc.nat({ max: 3 })), (input, chance) => {
        const rooms = roomsOf(input, input.nodes, input.vms);
        // Machines of few sizes, one after the other: what is kept from one to the next is used.
        for (const [index, vm] of [...input.vms, ...input.vms].entries()) {
          const facts = {
            ...vm.facts,
            vmHash: hash(`new ${index}`),
            vcpus: 1 + ((chance.next().value ?? 0) % 2),
          };
          const fresh = { ...vm, facts };
          const except = [input.nodes[chance.next().value ?? 0]?.registration.nodeHash ?? ""];
          const possible = [...rooms.byNode]
            .filter(
              ([nodeHash, room]) => !except.includes(nodeHash) && exclusionFrom(fresh, room, input) === null,
            )
            .map(([nodeHash, room]) => ({ nodeHash, room, rank: rankOf(fresh, room, rooms, input) }));
          const isBefore = (a: (typeof possible)[number], b: (typeof possible)[number]): boolean => {
            const at = a.rank.findIndex((value, member) => value !== b.rank[member]);
            if (at >= 0) return (a.rank[at] ?? 0) < (b.rank[at] ?? 0);
            return lot(facts.vmHash, a.nodeHash) < lot(facts.vmHash, b.nodeHash);
          };
          const best = possible.reduce<(typeof possible)[number] | null>(
            (found, one) => (found === null || isBefore(one, found) ? one : found),
            null,
          );
          const choice = chooseNode(fresh, rooms, input, except);
          assert.equal(choice.nodeHash, best?.nodeHash ?? null);
          best?.room.take(fresh, true);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("spreads the machines of an owner, and everybody's", () => {
    const nodes = ["n1", "n2", "n3"].map((label) => planNode(label));
    const vms = Array.from({ length: 9 }, (_value, index) => planVm(`v${index}`));
    const counts = new Map<string, number>();
    for (const decision of makePlan(planInput(vms, nodes)).decisions) {
      assert.ok(decision.action === "place");
      counts.set(decision.nodeHash, (counts.get(decision.nodeHash) ?? 0) + 1);
    }
    assert.deepEqual([...counts.values()], [3, 3, 3]);
  });

  test("leaves rare hardware to those who need it", () => {
    const rare = withReport(withCapabilities(planNode("n1"), { hasGpu: true }), {
      gpus: [gpu],
      freeGpus: [gpu],
      vcpus: 128,
      memoryMib: 1_000_000,
    });
    const decision = decide(planVm("a"), [rare, planNode("n2")]);
    assert.ok(decision.action === "place");
    assert.equal(decision.nodeHash, hash("n2"));
    assert.equal(decide(planVm("a"), [rare]).action, "place", "when nothing else fits it is used");
  });

  test("keeps apart what its owner wants apart: never one node, another host where there is one", () => {
    const first = planVm("first", {}, runningOn("n1"));
    const second = planVm("second", {}, { wishes: { ...wishes, spreadWith: [hash("first")] } });
    const sameHost = withRegistration(planNode("n2"), { address: "https://n1.example.org:444/" });
    const apart = planNode("n3", { report: { ...planNode("x").report, vcpus: 4 } as PlanNode["report"] });
    const placed = (nodes: readonly PlanNode[]): string => {
      const decision = makePlan(planInput([first, second], nodes)).decisions.find(
        ({ vmHash }) => vmHash === hash("second"),
      );
      assert.ok(decision !== undefined);
      return decision.action === "place" ? decision.nodeHash : decision.action;
    };
    assert.equal(placed([planNode("n1"), sameHost, apart]), hash("n3"));
    assert.equal(placed([planNode("n1"), sameHost]), hash("n2"));
    assert.equal(placed([planNode("n1")]), "unschedulable");
  });

  test("takes a bad or dear node last", () => {
    const bad = planNode("n1", { zeroScoreSinceMs: NOW_MS - 3_600_000 });
    const good = withReport(planNode("n2"), { memoryMib: 20_000 });
    const chosen = decide(planVm("a"), [bad, good]);
    assert.ok(chosen.action === "place");
    assert.equal(chosen.nodeHash, hash("n2"));
    const cheap = decide(planVm("a"), [
      withCapabilities(planNode("n3"), { priceFactor: 2 }),
      withCapabilities(planNode("n4"), { priceFactor: 1 }),
    ]);
    assert.ok(cheap.action === "place");
    assert.equal(cheap.nodeHash, hash("n4"));
  });

  test("takes over what exactly one node runs already", () => {
    const vm = planVm("a", {}, { observedOn: [hash("n2")] });
    const decision = decide(vm, [planNode("n1"), withReport(planNode("n2"), { vcpus: 0 })]);
    assert.ok(decision.action === "place");
    assert.equal(decision.nodeHash, hash("n2"));
  });
});
