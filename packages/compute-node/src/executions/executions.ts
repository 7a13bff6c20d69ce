import type { RunningVm } from "../hypervisor/hypervisor.ts";
import type { VmMessage } from "../messages/core-node-client.ts";
import type { MappedPort, VmNetwork } from "../networking/vm-network.ts";
import type { Execution, ExecutionReason } from "./execution.ts";

/**
 * All machines of this node. Every change of a state goes through here, in order for each machine; the database is
 * written before anybody is told.
 */
export interface Executions {
  get(vmHash: string): Execution | null;
  /** What is not gone, oldest first. */
  list(): readonly Execution[];
  /** With those that are gone, newest first. */
  records(limit: number): Iterable<Execution>;
  /** The process of a machine that runs. */
  running(vmHash: string): RunningVm | null;
  network(vmHash: string): VmNetwork | null;
  ports(vmHash: string): readonly MappedPort[];
  /**
   * Admits a machine, and brings it to running; joins a start that is on its way.
   *
   * @throws ExecutionError NO_CAPACITY, IMAGE_…, GUEST_…
   */
  ensureRunning(message: VmMessage, options: StartOptions, signal: AbortSignal): Promise<Execution>;
  /** Stops it and keeps its disks. */
  stop(vmHash: string, reason: ExecutionReason | null, signal: AbortSignal): Promise<Execution>;
  /** Stops where it runs, starts in any case. */
  reboot(vmHash: string, signal: AbortSignal): Promise<Execution>;
  /** Stops it, makes its root file system anew (and its volumes when told), and starts it. */
  reinstall(
    vmHash: string,
    options: { readonly erasesVolumes: boolean },
    signal: AbortSignal,
  ): Promise<Execution>;
  /** Stops it and removes every trace of it. */
  erase(vmHash: string, reason: ExecutionReason | null, signal: AbortSignal): Promise<void>;
  /**
   * Runs work on a machine that nothing else may change meanwhile: backup, restore, export, rescue. What the work does
   * to the machine it does through its handle.
   *
   * @throws ExecutionError BUSY, NOT_FOUND
   */
  exclusively<Result>(
    vmHash: string,
    what: string,
    work: (machine: HeldMachine) => Promise<Result>,
  ): Promise<Result>;
  /**
   * Admits a machine that comes from another node: a row in state `importing`, which nobody starts.
   *
   * @throws ExecutionError NO_CAPACITY, BUSY (it is here already)
   */
  defineImport(message: VmMessage, options: StartOptions): Promise<Execution>;
}

export interface StartOptions {
  readonly source: Execution["source"];
  readonly isPersistent: boolean;
}

/** A machine that one piece of work has to itself; used after the work has ended it throws. */
export interface HeldMachine {
  /** Aborts when the machine is to be erased meanwhile: the work ends then, and the erasure follows. */
  readonly signal: AbortSignal;
  execution(): Execution;
  vm(): RunningVm | null;
  /** Ends the guest in order; the state becomes `stopped`, and what shall be stays. */
  stop(signal: AbortSignal): Promise<void>;
  /** Prepares and starts it. @throws ExecutionError */
  start(signal: AbortSignal): Promise<void>;
  /**
   * A state that outlives the work, and a restart of the node: nobody starts a machine that is exported or imported
   * until another piece of work marks it `stopped`, or starts it.
   */
  mark(state: "exporting" | "importing" | "stopped", reason: ExecutionReason | null): Promise<void>;
  setMode(mode: Execution["mode"]): Promise<void>;
  /** Stops it and removes every trace of it. */
  erase(reason: ExecutionReason | null, signal: AbortSignal): Promise<void>;
}
