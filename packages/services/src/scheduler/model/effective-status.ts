import type { Intent, VmRecord } from "./vm.ts";

/** What clients are told. Source: network-dashboard `src/api/types.ts`. */
export type VmStatus =
  | Intent
  | "migrating"
  | "dispatched"
  | "duplicated"
  | "misplaced"
  | "missing"
  | "orphaned";

export interface StatusGraces {
  /** A machine may take so long to be listed the first time. */
  readonly startMs: number;
  /** A machine that was listed may be away so long. */
  readonly missingMs: number;
}

/**
 * The status that follows from what was decided and what is seen; the first rule that matches wins.
 *
 * @param observedNodes nodes whose last good list has the machine
 * @param lastObservedAtMs the last good list that had it
 */
export function effectiveStatus(
  vm: Pick<
    VmRecord,
    "intent" | "allocatedNode" | "allocatedAtMs" | "migration" | "isObservedSinceAllocation"
  >,
  observedNodes: readonly string[],
  lastObservedAtMs: number | null,
  nowMs: number,
  graces: StatusGraces,
): VmStatus {
  if (vm.migration !== null) return "migrating";
  if (vm.intent !== "scheduled" || vm.allocatedNode === null) {
    return observedNodes.length > 0 ? "orphaned" : vm.intent;
  }
  if (observedNodes.includes(vm.allocatedNode))
    return observedNodes.length === 1 ? "dispatched" : "duplicated";
  if (observedNodes.length > 0) return "misplaced";
  if (!vm.isObservedSinceAllocation) {
    return nowMs - (vm.allocatedAtMs ?? 0) < graces.startMs ? "scheduled" : "missing";
  }
  return nowMs - (lastObservedAtMs ?? 0) < graces.missingMs ? "dispatched" : "missing";
}
