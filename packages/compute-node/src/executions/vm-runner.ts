import type { RunningVm } from "../hypervisor/hypervisor.ts";
import type { Execution } from "./execution.ts";

/**
 * How one kind of machine is made, started and removed: programs and instances have one each. The manager of executions
 * alone calls it, one call at a time for a machine, and alone changes its state.
 */
export interface VmRunner {
  /** Downloads and makes what the machine needs; may be called again for one that is prepared. @throws ExecutionError */
  prepare(execution: Execution, signal: AbortSignal): Promise<void>;
  /** Whether a machine that is prepared cannot be started before its owner has done something; absent: none of them. */
  awaitsOwner?(execution: Execution): Promise<boolean>;
  /** Network, process, and what its guest must be told; resolves when it serves. @throws ExecutionError */
  start(execution: Execution, signal: AbortSignal): Promise<RunningVm>;
  /** Takes over a machine that runs already, after a restart of the node. false: it is none that can be used. */
  adopt(execution: Execution, vm: RunningVm, signal: AbortSignal): Promise<boolean>;
  /** Ends the guest in order, and removes what only a running machine has; disks stay. */
  stop(execution: Execution, vm: RunningVm | null, signal: AbortSignal): Promise<void>;
  /**
   * Removes the root file system of a stopped machine (and its volumes when told), so that the next `prepare` makes it
   * anew. For a program: its volumes, when told.
   */
  wipe(
    execution: Execution,
    options: { readonly erasesVolumes: boolean },
    signal: AbortSignal,
  ): Promise<void>;
  /** Removes every trace on this machine: disks, sockets, backups, ports. */
  erase(execution: Execution, signal: AbortSignal): Promise<void>;
}
