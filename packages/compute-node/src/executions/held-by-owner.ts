import type { Execution } from "./execution.ts";

/** Reason of a machine whose owner wants it stopped until a start that the owner signs. */
export const HELD_BY_OWNER = "HELD_BY_OWNER";
export const HELD_BY_OWNER_TEXT =
  "its owner has stopped it until the owner starts it; an announcement (notify) starts it only when the owner signs it";

export function isHeldByOwner({ state, desired, reason }: Execution): boolean {
  return state === "stopped" && desired === "stopped" && reason?.code === HELD_BY_OWNER;
}
