import { type Clock, isAbortOf, type Logger, type Timers } from "@twentysix/platform";
import type { RunningVm, VmExit } from "../hypervisor/hypervisor.ts";
import { BackOff, isLasting } from "./back-off.ts";
import { ExecutionError, type ExecutionErrorCode } from "./errors.ts";
import type { Execution } from "./execution.ts";
import type { ExecutionStore } from "./execution-store.ts";
import { CONTACT_WAIT_MS } from "./fences.ts";
import { asExecutionError, type LifeCycle } from "./life-cycle.ts";
import type { VmQueues } from "./vm-queues.ts";

export interface RestartsParts {
  readonly store: ExecutionStore;
  readonly queues: VmQueues;
  readonly lifeCycle: LifeCycle;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
  /** Whether this node has proof that it is still the one to run its machines. */
  readonly hasContact: (execution: Execution) => boolean;
  /** Nobody can have started it since this node had such a proof. */
  readonly isStillOurs: (execution: Execution) => boolean;
  /** Whether a scheduler decides where it runs. */
  readonly mayBeElsewhere: (execution: Execution) => boolean;
  /** Told of every start that failed. */
  readonly onStartFailed?: ((code: ExecutionErrorCode) => void) | undefined;
}

const ERASURE_RETRY_MS = 60_000;

/**
 * What happens when a machine ends by itself or fails to start: those that are kept alive are started again, after
 * growing delays, for as long as they shall run.
 */
export class Restarts {
  readonly #parts: RestartsParts;
  readonly #backOff: BackOff;
  readonly #timers = new Map<string, () => void>();
  #isClosed = false;

  constructor(parts: RestartsParts) {
    this.#parts = parts;
    this.#backOff = new BackOff(parts.clock);
  }

  /** Follows a process to its end. */
  watch(vmHash: string, vm: RunningVm): void {
    const { lifeCycle, queues, log } = this.#parts;
    const onExit = async (exit: VmExit): Promise<void> => {
      if (lifeCycle.vms.get(vmHash) !== vm || this.#isClosed) return;
      await queues.run(vmHash, "exit", () => this.#ended(vmHash, vm, exit));
    };
    vm.exited.then(onExit).catch((error: unknown) => {
      if (!this.#isClosed) log.error("the end of a machine could not be dealt with", { vmHash, error });
    });
  }

  /** @throws ExecutionError the last failure, while the delay after it lasts */
  assertAllowed(vmHash: string): void {
    const blocking = this.#backOff.blocking(vmHash);
    if (blocking !== null) throw blocking;
  }

  /** Runs a start, counts its failure, and sees to the next one. */
  async counted<Result>(vmHash: string, signal: AbortSignal, start: () => Promise<Result>): Promise<Result> {
    this.#cancel(vmHash);
    try {
      return await start();
    } catch (error) {
      if (!isAbortOf(signal, error)) {
        const failure = asExecutionError(error);
        this.#parts.onStartFailed?.(failure.code);
        this.#failed(vmHash, failure, null);
      }
      throw error;
    }
  }

  /** Starts a machine that shall run, as soon as it may. */
  schedule(vmHash: string, delayMs: number): void {
    this.#cancel(vmHash);
    if (this.#isClosed) return;
    const cancel = this.#parts.timers.schedule(delayMs, () => {
      this.#timers.delete(vmHash);
      this.#restart(vmHash);
    });
    this.#timers.set(vmHash, cancel);
  }

  /** Removes every trace of a machine; what fails is tried again until nothing is left. */
  async erase(vmHash: string, reason: Execution["reason"], signal: AbortSignal): Promise<void> {
    this.forget(vmHash);
    try {
      await this.#parts.lifeCycle.erase(vmHash, reason, signal);
    } catch (error) {
      this.schedule(vmHash, ERASURE_RETRY_MS);
      throw error;
    }
  }

  /** Somebody has decided anew about this machine. */
  forget(vmHash: string): void {
    this.#cancel(vmHash);
    this.#backOff.forget(vmHash);
  }

  close(): void {
    this.#isClosed = true;
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  async #ended(vmHash: string, vm: RunningVm, exit: VmExit): Promise<void> {
    const { store, lifeCycle, clock } = this.#parts;
    if (lifeCycle.vms.get(vmHash) !== vm) return;
    const execution = store.require(vmHash);
    const { startedAtMs } = execution.times;
    const ranMs = Math.max(Number(clock.nowMicros() / 1_000n) - (startedAtMs ?? 0), 0);
    if (exit.reason === "guest-shutdown" && execution.kind === "instance") {
      store.change(vmHash, { desired: "stopped" });
      const text = "the guest shut itself down; start it again when you want";
      await lifeCycle.bringDown(vmHash, store.reason("GUEST_SHUTDOWN", text), new AbortController().signal);
      return;
    }
    const isLeaseOver = exit.reason === "lease-expired";
    const code = isLeaseOver ? "LEASE_EXPIRED" : "GUEST_ENDED";
    const text = isLeaseOver
      ? "this node could reach nobody for so long that another may have started the machine"
      : `the machine ended by itself (${exit.reason}): ${exit.detail}`;
    await lifeCycle.bury(vmHash, store.reason(code, text));
    this.#failed(vmHash, new ExecutionError("HYPERVISOR_FAILED", text), ranMs);
  }

  #failed(vmHash: string, error: ExecutionError, ranMs: number | null): void {
    const { store } = this.#parts;
    const execution = store.get(vmHash);
    if (execution === null || execution.desired !== "running") return;
    if (execution.state === "stopped") {
      store.transition(vmHash, "failed", { reason: store.reason(error.code, error.message) });
    }
    const delayMs = this.#backOff.failed(vmHash, error, { ranMs });
    if (execution.isPersistent && !isLasting(error)) this.schedule(vmHash, Math.max(delayMs, 1_000));
    else store.change(vmHash, { desired: "stopped" });
  }

  #restart(vmHash: string): void {
    const { store, queues, lifeCycle, log, hasContact, isStillOurs } = this.#parts;
    const execution = store.get(vmHash);
    if (execution?.desired === "gone") {
      const erasure = queues.run(vmHash, "erase", (signal) => this.erase(vmHash, execution.reason, signal));
      erasure.catch((error: unknown) => log.error("a machine could not be erased", { vmHash, error }));
      return;
    }
    if (execution === null || !isWaiting(execution) || this.#isSchedulersDecision(execution)) return;
    if (!hasContact(execution)) {
      // What was waiting for too long may run elsewhere: a mere word of the scheduler does not start it any more.
      const isLost = this.#parts.mayBeElsewhere(execution) && !isStillOurs(execution);
      if (!isLost) this.schedule(vmHash, CONTACT_WAIT_MS);
      return;
    }
    const work = queues.run(vmHash, "start", async (signal) => {
      const present = store.get(vmHash);
      if (present === null || !isWaiting(present)) return;
      await this.counted(vmHash, signal, () => lifeCycle.bringUp(vmHash, signal));
    });
    // The row has the failure, and `counted` has seen to the next start.
    work.catch((error: unknown) => log.debug("a machine did not start again", { vmHash, error }));
  }

  /** After a lease has run out the scheduler may have moved the machine: it says so by its next list, or does not. */
  #isSchedulersDecision(execution: Execution): boolean {
    return this.#parts.mayBeElsewhere(execution) && execution.reason?.code === "LEASE_EXPIRED";
  }

  #cancel(vmHash: string): void {
    this.#timers.get(vmHash)?.();
    this.#timers.delete(vmHash);
  }
}

function isWaiting({ desired, state }: Execution): boolean {
  return desired === "running" && (state === "failed" || state === "stopped" || state === "defined");
}
