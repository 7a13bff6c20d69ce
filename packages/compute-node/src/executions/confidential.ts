import type { InstanceContent, ProgramContent } from "@twentysix/protocol";
import type { Execution } from "./execution.ts";

/** Reason of a confidential machine that has all it needs but the session that its owner makes for each start. */
export const AWAITING_OWNER = "AWAITING_OWNER";
export const AWAITING_OWNER_TEXT =
  "it is prepared: its owner starts it by POST confidential/initialize, each time anew";

export function isConfidential({ environment }: ProgramContent | InstanceContent): boolean {
  return "trusted_execution" in environment && environment.trusted_execution !== null;
}

export function awaitsOwner({ state, reason }: Pick<Execution, "state" | "reason">): boolean {
  return state === "stopped" && reason?.code === AWAITING_OWNER;
}
