import type { Reason } from "../model/reason.ts";
import type { PlanVm } from "./plan-input.ts";
import type { Rooms } from "./rooms.ts";

/** Any number of strangers may say that they have it. */
const MAX_NAMED = 3;

/**
 * What the owner has to know of a machine with data that was started elsewhere, once the node that it was lost on is
 * back: there is another disk of it, with what was written before. null: no other node has it.
 */
export function secondCopy(
  { observedOn, facts }: PlanVm,
  nodeHash: string,
  { byNode }: Pick<Rooms, "byNode">,
): Reason | null {
  if (facts.kind !== "instance" && !facts.hasData) return null;
  // The source of a migration has its copy until it is told that all went well.
  const others = observedOn.filter(
    (other) => other !== nodeHash && byNode.get(other)?.node.isMigrating !== true,
  );
  if (others.length === 0) return null;
  const named = others.slice(0, MAX_NAMED).join(", ");
  const text = `another copy of it is on ${named}: it is ended there, and its disk is kept for a time`;
  return { code: "second_copy_kept", text };
}
