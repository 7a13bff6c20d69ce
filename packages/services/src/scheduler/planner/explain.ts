import { chooseNode, type Rank, rankOf } from "./choice.ts";
import { exclusionFrom } from "./eligibility.ts";
import { type Exclusion, exclusionSummary } from "./exclusion.ts";
import { makePlan, roomsOf } from "./plan.ts";
import type { Decision, Plan, PlanInput, PlanVm } from "./plan-input.ts";
import type { Rooms } from "./rooms.ts";

/** Why a machine is where it is: each node with the rule that excludes it, or with its rank (smaller is better). */
export interface Explanation {
  readonly decision: Decision | null;
  readonly nodes: readonly {
    readonly nodeHash: string;
    readonly excludedBy: Exclusion | null;
    readonly rank: Rank | null;
  }[];
}

/**
 * Asks the question of a placement anew for one machine, as if it had no node. null: the machine is not known.
 *
 * @param plan what is decided from this input
 */
export function explainVm(
  input: PlanInput,
  vmHash: string,
  plan: Plan = makePlan(input),
): Explanation | null {
  const vm = input.vms.find((one) => one.facts.vmHash === vmHash);
  if (vm === undefined) return null;
  const others = input.vms.filter((one) => one !== vm);
  const rooms = roomsOf(input, input.nodes, others);
  const nodes = [...rooms.byNode].map(([nodeHash, room]) => {
    const excludedBy = exclusionFrom(vm, room, input);
    return { nodeHash, excludedBy, rank: excludedBy === null ? rankOf(vm, room, rooms, input) : null };
  });
  const decision = plan.decisions.find((one) => one.vmHash === vmHash) ?? null;
  return { decision, nodes };
}

/** Whether a machine would be placed now, beside all that has a node. */
export function simulatePlacement(
  input: PlanInput,
  vm: PlanVm,
  rooms: Rooms = roomsOf(input, input.nodes, input.vms),
): { readonly isSchedulable: boolean; readonly reasons: readonly string[] } {
  const { nodeHash, exclusions } = chooseNode(vm, rooms, input);
  if (nodeHash !== null) return { isSchedulable: true, reasons: [] };
  return { isSchedulable: false, reasons: [exclusionSummary(exclusions)] };
}
