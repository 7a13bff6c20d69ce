import type { Reason } from "../model/reason.ts";
import { chooseNode } from "./choice.ts";
import type { RuleContext } from "./eligibility.ts";
import { exclusionSummary } from "./exclusion.ts";
import { type FailoverBudget, verdictOnAbsence, verdictOnSilence } from "./failover.ts";
import { reasonToLeave } from "./leaving.ts";
import { isMigratable } from "./migratable.ts";
import type { Decision, PlanNode, PlanVm } from "./plan-input.ts";
import type { Rooms } from "./rooms.ts";
import { secondCopy } from "./second-copy.ts";

/** What the decisions of one round share. */
export interface RoundState {
  readonly context: RuleContext;
  readonly rooms: Rooms;
  readonly budget: FailoverBudget;
  /** Nodes with a migration, those that this round begins among them. */
  readonly migrating: Set<string>;
  migrations: number;
}

/** What becomes of a machine that has a node: it stays there unless something forces it away. */
export function decideOnPlaced(
  vm: PlanVm,
  nodeHash: string,
  node: PlanNode | null,
  state: RoundState,
): Decision {
  const keep = (reason: Reason | null): Decision => ({
    vmHash: vm.facts.vmHash,
    action: "keep",
    nodeHash,
    reason,
  });
  if (vm.migrationTarget !== null) return keep(null);
  // What this machine lacks is said, but a pinned machine has nowhere else to go.
  const isPinned = vm.facts.node.nodeHash === nodeHash;
  if (node === null)
    return isPinned ? keep({ code: "node_removed", text: "" }) : cold(vm, nodeHash, state, gone());
  if (node.status === "Unreachable" || (node.status === "removed" && node.lastProofMs === null)) {
    return onSilence(vm, node, state, keep, isPinned);
  }
  const leaving = reasonToLeave(vm, node, state.context);
  if (leaving !== null && !isPinned) return leave(vm, node, leaving, state, keep);
  return (
    onRefusal(vm, node, state, keep, isPinned) ??
    onAbsence(vm, node, state, keep) ??
    keep(leaving ?? secondCopy(vm, nodeHash, state.rooms))
  );
}

const gone = (): Reason => ({ code: "node_removed", text: "its node is not known any more" });

type Keep = (reason: Reason | null) => Decision;

function onSilence(vm: PlanVm, node: PlanNode, state: RoundState, keep: Keep, isPinned: boolean): Decision {
  const { nodeHash } = node.registration;
  if (isPinned) return keep({ code: "node_unreachable", text: "it is bound to its node" });
  const verdict = verdictOnSilence(vm, node, state.context, state.budget);
  if (!verdict.isDue) return keep(verdict.reason);
  const moved = cold(vm, nodeHash, state, verdict.reason);
  if (moved.action !== "place") return moved;
  state.budget.spend(nodeHash);
  return { ...moved, isFailover: true };
}

function onAbsence(vm: PlanVm, node: PlanNode, state: RoundState, keep: Keep): Decision | null {
  if (vm.observedOn.includes(node.registration.nodeHash)) return null;
  const verdict = verdictOnAbsence(vm, state.context);
  if (verdict === null) return null;
  return verdict.isDue ? cold(vm, node.registration.nodeHash, state, verdict.reason) : keep(verdict.reason);
}

/** A node that says no to what it never ran is believed: the machine goes elsewhere. */
function onRefusal(
  vm: PlanVm,
  node: PlanNode,
  state: RoundState,
  keep: Keep,
  isPinned: boolean,
): Decision | null {
  const { nodeHash } = node.registration;
  const refusal = vm.refusals.find((one) => one.nodeHash === nodeHash && one.untilMs > state.context.nowMs);
  const isUseless = refusal !== undefined || node.isRefusing;
  if (!isUseless || vm.observedOn.includes(nodeHash)) return null;
  const reason: Reason = {
    code: "node_refused",
    text: refusal?.text ?? "its node does not accept this scheduler",
  };
  if (isPinned || (vm.hasRunSinceAllocation && losesData(vm))) return keep(reason);
  return cold(vm, nodeHash, state, reason);
}

/** Away from a node that answers: with the disk where that is possible. */
function leave(vm: PlanVm, node: PlanNode, reason: Reason, state: RoundState, keep: Keep): Decision {
  const { nodeHash } = node.registration;
  const { settings, nowMs } = state.context;
  const isThere = vm.observedOn.includes(nodeHash);
  if (!vm.isObservedSinceAllocation && !isThere) return cold(vm, nodeHash, state, reason);
  if (!settings.hasMigrations || !isMigratable(vm) || !isThere) {
    const isAllowed =
      !losesData(vm) || vm.wishes?.hasColdRestart === true || settings.failover.allowsColdRestart;
    return isAllowed
      ? cold(vm, nodeHash, state, reason)
      : keep({ ...reason, text: "its disk cannot follow it, and it may not start from nothing" });
  }
  if (vm.migrationNotBeforeMs !== null && nowMs < vm.migrationNotBeforeMs) {
    return keep({ code: "migration_failed", text: "its migration is tried again later" });
  }
  if (state.migrations >= settings.migration.maxAtOnce || state.migrating.has(nodeHash)) return keep(reason);
  const { nodeHash: to } = chooseNode(vm, state.rooms, state.context, [nodeHash, ...state.migrating]);
  if (to === null) return keep({ ...reason, text: "no other node has room for it" });
  state.rooms.byNode.get(to)?.take(vm, true);
  state.migrating.add(nodeHash).add(to);
  state.migrations += 1;
  return { vmHash: vm.facts.vmHash, action: "migrate", nodeHash: to, from: nodeHash, reason };
}

const losesData = ({ facts }: PlanVm): boolean => facts.kind === "instance" || facts.hasData;

/** Starts it elsewhere from nothing; where there is no other node it keeps the one that it has. */
function cold(vm: PlanVm, from: string, state: RoundState, reason: Reason): Decision {
  const { vmHash } = vm.facts;
  const choice = chooseNode(vm, state.rooms, state.context, [from]);
  if (choice.nodeHash === null) {
    const text = `${reason.code}; elsewhere: ${exclusionSummary(choice.exclusions)}`;
    return { vmHash, action: "keep", nodeHash: from, reason: { code: reason.code, text } };
  }
  state.rooms.byNode.get(choice.nodeHash)?.take(vm, true);
  return { vmHash, action: "place", nodeHash: choice.nodeHash, from, reason, isFailover: false };
}
