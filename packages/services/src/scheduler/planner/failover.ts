import type { Reason } from "../model/reason.ts";
import type { VmFacts, Wishes } from "../model/vm.ts";
import type { PlanInput, PlanNode, PlanVm } from "./plan-input.ts";

/** Whether a machine may be started elsewhere because its node is silent, or answers without it. */
export type FailoverVerdict =
  | { readonly isDue: true; readonly reason: Reason }
  | { readonly isDue: false; readonly reason: Reason };

/** Counts the nodes that are given up in one window: more silence than that is the scheduler's own. */
export class FailoverBudget {
  readonly #nodes: Set<string>;
  readonly #max: number;

  constructor({ nodes, recentFailovers, settings }: PlanInput) {
    this.#nodes = new Set(recentFailovers);
    const registered = nodes.filter(({ isRegistered }) => isRegistered).length;
    this.#max = Math.max(1, Math.floor(registered * settings.failover.maxNodesShare));
  }

  allows(nodeHash: string): boolean {
    return this.#nodes.has(nodeHash) || this.#nodes.size < this.#max;
  }

  spend(nodeHash: string): void {
    this.#nodes.add(nodeHash);
  }
}

type Failover = PlanInput["settings"]["failover"];

const isBound = ({ node }: VmFacts): boolean => node.nodeHash !== null;
const losesNothing = ({ kind, hasData }: VmFacts): boolean => kind !== "instance" && !hasData;

function mayStartFromNothing(
  facts: VmFacts,
  wishes: Wishes | null,
  { allowsColdRestart }: Failover,
): boolean {
  return !isBound(facts) && (losesNothing(facts) || wishes?.hasColdRestart === true || allowsColdRestart);
}

/** How long the node of a machine must be silent before it is started elsewhere; null: it never is. */
function failoverDelayMs({ facts, wishes }: PlanVm, failover: Failover): number | null {
  if (!mayStartFromNothing(facts, wishes, failover)) return null;
  return losesNothing(facts) ? failover.programMs : failover.instanceMs;
}

/**
 * How long a machine may run on its node after the node was last sent a signed request, of which the node is told; null:
 * as long as the node likes.
 */
export function fenceMs(facts: VmFacts, wishes: Wishes | null, failover: Failover): number | null {
  if (!mayStartFromNothing(facts, wishes, failover)) return null;
  return losesNothing(facts) ? failover.nodeLeaseMs + failover.fenceMarginMs : failover.instanceMs;
}

/** The node does not answer at all. */
export function verdictOnSilence(
  vm: PlanVm,
  node: PlanNode,
  { nowMs, settings }: Pick<PlanInput, "nowMs" | "settings">,
  budget: FailoverBudget,
): FailoverVerdict {
  const sinceMs = node.lastProofMs ?? vm.allocatedAtMs ?? nowMs;
  const stay = (code: Reason["code"], text: string): FailoverVerdict => ({
    isDue: false,
    reason: { code, text },
  });
  const delayMs = failoverDelayMs(vm, settings.failover);
  if (delayMs === null) return stay("node_unreachable", "its node is silent, and it may not start elsewhere");
  if (vm.fencedAtMs === null) {
    return stay("node_unreachable", "its node is silent, and was not told that it may start elsewhere");
  }
  if (nowMs < Math.max(sinceMs + delayMs, node.fencedAtMs, vm.fencedAtMs)) {
    return stay(
      "node_unreachable",
      "its node is silent; it starts elsewhere once it cannot run there any more",
    );
  }
  if (node.secondOpinion === "alive") {
    return stay("alive_elsewhere_seen", "its node is silent here, but another scheduler sees it");
  }
  if (!budget.allows(node.registration.nodeHash)) {
    return stay("failover_limit", "too many nodes are silent at once: the fault may be on this side");
  }
  return { isDue: true, reason: { code: "node_unreachable", text: "" } };
}

/** The node answers, and does not start the machine. null: there is nothing wrong yet. */
export function verdictOnAbsence(
  vm: PlanVm,
  { nowMs, settings }: Pick<PlanInput, "nowMs" | "settings">,
): FailoverVerdict | null {
  const { missing } = vm;
  if (missing === null || missing.pushes < settings.failover.missedPushes) return null;
  const delayMs = failoverDelayMs(vm, settings.failover);
  const reason: Reason = { code: "node_without_it", text: "its node answers, and does not run it" };
  if (delayMs === null || nowMs < missing.sinceMs + delayMs) return { isDue: false, reason };
  return { isDue: true, reason };
}
