import type { Reason } from "../model/reason.ts";
import { type Choice, chooseNode } from "./choice.ts";
import { exclusionSummary } from "./exclusion.ts";
import { FailoverBudget } from "./failover.ts";
import { NodeRoom } from "./node-room.ts";
import { decideOnPlaced, type RoundState } from "./placed-vm.ts";
import type { Decision, Plan, PlanInput, PlanNode, PlanVm } from "./plan-input.ts";
import { Rooms } from "./rooms.ts";
import { Takings } from "./takings.ts";

/** Decides where each machine runs. Pure, and the same whatever the order of the lists that it is given. */
export function makePlan(input: PlanInput): Plan {
  const nodes = sortedNodes(input.nodes);
  const byHash = new Map(nodes.map((node) => [node.registration.nodeHash, node]));
  const vms = [...input.vms].sort(byTurn);
  const state: RoundState = {
    context: input,
    rooms: roomsOf(input, nodes, vms),
    budget: new FailoverBudget(input),
    migrating: new Set(nodes.filter((node) => node.isMigrating).map((node) => node.registration.nodeHash)),
    migrations: vms.filter((vm) => vm.migrationTarget !== null).length,
  };
  const decisions = vms.map((vm) => decide(vm, byHash, state));
  return { decisions: decisions.sort((a, b) => compareText(a.vmHash, b.vmHash)) };
}

/** The rooms of all nodes with everything in them that has a node already. */
export function roomsOf(
  input: Pick<PlanInput, "settings">,
  nodes: readonly PlanNode[],
  vms: readonly PlanVm[],
): Rooms {
  const takings = new Takings<NodeRoom>();
  const byNode = new Map(
    sortedNodes(nodes).map((node) => [
      node.registration.nodeHash,
      new NodeRoom(node, input.settings, takings),
    ]),
  );
  for (const vm of vms) {
    if (!isPlaceable(vm)) continue;
    for (const nodeHash of [vm.allocatedNode, vm.migrationTarget]) {
      if (nodeHash !== null) byNode.get(nodeHash)?.take(vm, !vm.observedOn.includes(nodeHash));
    }
  }
  return new Rooms(byNode, takings);
}

function decide(vm: PlanVm, nodes: ReadonlyMap<string, PlanNode>, state: RoundState): Decision {
  const { vmHash } = vm.facts;
  const end = reasonToEnd(vm);
  if (end !== null) return { vmHash, action: "unschedule", reason: end };
  if (vm.allocatedNode !== null) {
    return decideOnPlaced(vm, vm.allocatedNode, nodes.get(vm.allocatedNode) ?? null, state);
  }
  if (!isPaid(vm)) {
    return {
      vmHash,
      action: "wait",
      reason: { code: "payment_unchecked", text: "its stream was not checked" },
    };
  }
  return decideOnNew(vm, nodes, state);
}

function decideOnNew(vm: PlanVm, nodes: ReadonlyMap<string, PlanNode>, state: RoundState): Decision {
  const { vmHash } = vm.facts;
  const adopted = runsAlready(vm, nodes, state);
  const choice = adopted ?? chooseNode(vm, state.rooms, state.context);
  if (choice.nodeHash === null) {
    const reason: Reason = { code: "no_node", text: exclusionSummary(choice.exclusions) };
    return { vmHash, action: "unschedulable", reason };
  }
  state.rooms.byNode.get(choice.nodeHash)?.take(vm, adopted === null);
  return { vmHash, action: "place", nodeHash: choice.nodeHash, from: null, reason: null, isFailover: false };
}

/** What usable nodes run already stays on one of them: elsewhere it would begin anew. */
function runsAlready(vm: PlanVm, nodes: ReadonlyMap<string, PlanNode>, state: RoundState): Choice | null {
  const pinned = vm.facts.node.nodeHash;
  const usable = vm.observedOn.filter((nodeHash) => {
    const node = nodes.get(nodeHash);
    return node?.status === "Healthy" && node.registration.isLinked && (pinned ?? nodeHash) === nodeHash;
  });
  const [first, ...more] = usable.toSorted();
  if (first === undefined) return null;
  if (more.length === 0) return { nodeHash: first, exclusions: [] };
  const others = [...nodes.keys()].filter((nodeHash) => !usable.includes(nodeHash));
  const best = chooseNode(vm, state.rooms, state.context, others);
  // None of them has room for one more: it has its own there already.
  return best.nodeHash === null ? { nodeHash: first, exclusions: [] } : best;
}

function reasonToEnd({ isLive, endReason, paymentStatus, facts }: PlanVm): Reason | null {
  if (!isLive) return { code: endReason ?? "deleted", text: "" };
  const isInvalid = facts.payment.type === "superfluid" && paymentStatus === "invalidated";
  return isInvalid ? { code: "payment_invalidated", text: "" } : null;
}

/** Streams are checked by the payment gate; what else is not paid for any more is taken away by core nodes. */
const isPaid = ({ facts, paymentStatus }: PlanVm): boolean =>
  facts.payment.type !== "superfluid" || paymentStatus === "validated";

const isPlaceable = (vm: PlanVm): boolean => reasonToEnd(vm) === null;

/** Machines that can run on one node only come first, then the older ones. */
function byTurn(a: PlanVm, b: PlanVm): number {
  const pinned = Number(b.facts.node.nodeHash !== null) - Number(a.facts.node.nodeHash !== null);
  return pinned || a.facts.createdAtMs - b.facts.createdAtMs || compareText(a.facts.vmHash, b.facts.vmHash);
}

const sortedNodes = (nodes: readonly PlanNode[]): readonly PlanNode[] =>
  [...nodes].sort((a, b) => compareText(a.registration.nodeHash, b.registration.nodeHash));

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
