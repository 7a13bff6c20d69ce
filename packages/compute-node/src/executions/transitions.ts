import { ExecutionError } from "./errors.ts";
import type { ExecutionState } from "./execution.ts";

/** The only changes of state that there are. */
export const TRANSITIONS: Readonly<Record<ExecutionState, readonly ExecutionState[]>> = {
  defined: ["preparing", "failed", "stopped", "gone"],
  preparing: ["prepared", "stopping", "failed"],
  prepared: ["starting", "stopping", "failed"],
  // Also straight to running: a machine that was found after a restart of the node.
  starting: ["running", "stopping", "failed"],
  running: ["stopping", "failed"],
  stopping: ["stopped", "failed"],
  stopped: ["preparing", "exporting", "importing", "failed", "gone"],
  failed: ["preparing", "stopping", "stopped", "exporting", "gone"],
  exporting: ["stopped", "failed", "gone"],
  importing: ["stopped", "failed", "preparing", "gone"],
  gone: [],
};

/** @throws ExecutionError INVALID_STATE: a defect of this program, not of the machine */
export function assertTransition(vmHash: string, from: ExecutionState, to: ExecutionState): void {
  if (TRANSITIONS[from].includes(to)) return;
  throw new ExecutionError("INVALID_STATE", `machine ${vmHash} is ${from} and cannot become ${to}`);
}

/** A process of it may exist in these states. */
export function mayHaveProcess(state: ExecutionState): boolean {
  return state === "starting" || state === "running" || state === "stopping";
}
