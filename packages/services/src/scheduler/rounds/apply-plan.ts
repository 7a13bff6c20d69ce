import { leavingWith } from "../dispatch/leaving.ts";
import { type Reason, reasonText } from "../model/reason.ts";
import type { VmRecord } from "../model/vm.ts";
import type { Decision, Plan } from "../planner/plan-input.ts";
import type { Changes } from "../state/changes.ts";
import type { HistoryAction } from "../state/events.ts";
import type { SchedulerStore } from "../state/store.ts";

/** What a round changed. */
export interface PlanOutcome {
  readonly changes: number;
  /** Nodes whose lists are others now. */
  readonly touchedNodes: ReadonlySet<string>;
  /** Migrations that are to begin. */
  readonly migrations: readonly Extract<Decision, { action: "migrate" }>[];
}

/** Writes the decisions of a plan into the store: rows, history and events in one transaction. */
export function applyPlan(store: SchedulerStore, { decisions }: Plan, nowMs: number): PlanOutcome {
  return store.change((changes) => {
    const touchedNodes = new Set<string>();
    const migrations: Extract<Decision, { action: "migrate" }>[] = [];
    let count = 0;
    for (const decision of decisions) {
      const vm = changes.vm(decision.vmHash);
      if (vm === null || isNoNews(vm, decision)) continue;
      if (decision.action === "migrate") migrations.push(decision);
      const decided = applyDecision({ store, changes, nowMs }, vm, decision);
      const next = decided === null ? null : withSince(decided, vm, nowMs);
      if (next === null || isSame(next, vm)) continue;
      changes.putVm({ ...next, updatedAtMs: nowMs });
      count += 1;
      if (next.allocatedNode === vm.allocatedNode) continue;
      for (const nodeHash of [vm.allocatedNode, next.allocatedNode]) {
        if (nodeHash !== null) touchedNodes.add(nodeHash);
      }
    }
    return { changes: count, touchedNodes, migrations };
  });
}

/** Most machines stay where they are in most rounds. */
function isNoNews({ reason, reasonSinceMs }: VmRecord, decision: Decision): boolean {
  if (decision.action !== "keep" || (reason === null) !== (reasonSinceMs === null)) return false;
  return reason?.code === decision.reason?.code && reason?.text === decision.reason?.text;
}

interface Round {
  readonly store: SchedulerStore;
  readonly changes: Changes;
  readonly nowMs: number;
}

function applyDecision(round: Round, vm: VmRecord, decision: Decision): VmRecord | null {
  switch (decision.action) {
    case "keep":
      return { ...vm, reason: decision.reason };
    case "migrate":
      return { ...vm, reason: decision.reason };
    case "wait":
      return { ...vm, intent: "unknown", reason: decision.reason };
    case "place":
      return place(round, vm, decision);
    case "unschedulable":
      if (vm.intent !== "unschedulable") {
        round.changes.event({ type: "VmUnschedulable", vmHash: decision.vmHash }, decision.reason);
      }
      return { ...vm, intent: "unschedulable", reason: decision.reason };
    case "unschedule":
      return unschedule(round, vm, decision.reason);
  }
}

function withSince(next: VmRecord, vm: VmRecord, nowMs: number): VmRecord {
  if (next.reason === null) return { ...next, reasonSinceMs: null };
  const isSameReason = next.reason.code === vm.reason?.code;
  return { ...next, reasonSinceMs: isSameReason ? (vm.reasonSinceMs ?? nowMs) : nowMs };
}

/** Its node may still run it, unless that was waited for. */
function leavingOf({ store, changes }: Round, vm: VmRecord, hasEnded: boolean): VmRecord["leaving"] {
  const { allocatedNode, leaving } = vm;
  if (allocatedNode === null) return leaving;
  const push = store.pushOf(allocatedNode);
  const next = leavingWith(vm, { node: changes.node(allocatedNode), push, hasEnded });
  return next.length === 0 ? undefined : next;
}

function place(
  round: Round,
  vm: VmRecord,
  { nodeHash, reason, isFailover, from }: Extract<Decision, { action: "place" }>,
): VmRecord {
  const { changes, nowMs } = round;
  const { vmHash } = vm.facts;
  if (vm.allocatedNode !== null) {
    note(changes, vmHash, vm.allocatedNode, "unscheduled", reason);
    changes.event({ type: "VmUnscheduled", vmHash, nodeHash: vm.allocatedNode }, reason);
  }
  const there = changes.node(nodeHash)?.observations[vmHash];
  if (isFailover && from !== null) changes.failover(from);
  note(changes, vmHash, nodeHash, "scheduled", reason);
  changes.event({ type: "VmScheduled", vmHash, nodeHash }, reason);
  const { leaving: _, ...rest } = vm;
  const leaving = leavingOf(round, vm, isFailover)?.filter((one) => one.nodeHash !== nodeHash);
  return {
    ...rest,
    ...(leaving === undefined || leaving.length === 0 ? {} : { leaving }),
    intent: "scheduled",
    allocatedNode: nodeHash,
    allocatedAtMs: nowMs,
    isObservedSinceAllocation: there?.failure === null,
    hasRunSinceAllocation: there?.failure === null && there.isRunning,
    missing: null,
    reason: null,
  };
}

function unschedule(round: Round, vm: VmRecord, reason: Reason): VmRecord | null {
  const { changes } = round;
  // A deletion waits for the step of a migration that is on its way, which then cleans both sides.
  if (vm.migration !== null) return null;
  if (vm.intent === "unscheduled" && vm.allocatedNode === null) return null;
  const { vmHash } = vm.facts;
  if (vm.allocatedNode !== null) {
    note(changes, vmHash, vm.allocatedNode, "unscheduled", reason);
    changes.event({ type: "VmUnscheduled", vmHash, nodeHash: vm.allocatedNode }, reason);
  }
  const leaving = leavingOf(round, vm, false);
  return {
    ...vm,
    ...(leaving === undefined ? {} : { leaving }),
    intent: "unscheduled",
    allocatedNode: null,
    allocatedAtMs: null,
    missing: null,
    reason,
  };
}

function note(
  changes: Changes,
  vmHash: string,
  nodeHash: string,
  action: HistoryAction,
  reason: Reason | null,
): void {
  changes.history.push({ vmHash, nodeHash, action, reason: reason === null ? null : reasonText(reason) });
}

const isSame = (a: VmRecord, b: VmRecord): boolean => JSON.stringify(a) === JSON.stringify(b);
