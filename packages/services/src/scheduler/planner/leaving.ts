import type { Reason } from "../model/reason.ts";
import { exclusionFromOwnNode, type RuleContext } from "./eligibility.ts";
import type { PlanNode, PlanVm } from "./plan-input.ts";

/** Why a machine shall leave a node that answers; null: it stays. */
export function reasonToLeave(vm: PlanVm, node: PlanNode, context: RuleContext): Reason | null {
  const { nowMs, settings } = context;
  if (node.isDrained) return { code: "operator", text: "its node is being emptied" };
  const sinceMs = node.unlinkedSinceMs;
  if (sinceMs !== null) {
    if (nowMs - sinceMs < settings.unlinkDebounceMs) return null;
    return node.isRegistered
      ? { code: "node_unlinked", text: "" }
      : { code: "node_removed", text: "its node left the registry" };
  }
  // A node that was polled never since a restart says nothing of what it can.
  if (node.capabilities === null || node.report === null) return null;
  const broken = exclusionFromOwnNode(vm, node, context);
  return broken === null ? null : { code: "node_ineligible", text: broken.text };
}
