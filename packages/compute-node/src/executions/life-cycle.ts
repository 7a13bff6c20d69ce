import { isAbortOf, type Logger, type Timers } from "@twentysix/platform";
import type { InstanceContent, ProgramContent } from "@twentysix/protocol";
import type { RunningVm } from "../hypervisor/hypervisor.ts";
import { boundedCall } from "./bounded-call.ts";
import { AWAITING_OWNER, AWAITING_OWNER_TEXT } from "./confidential.ts";
import { ExecutionError } from "./errors.ts";
import type { Execution, ExecutionReason } from "./execution.ts";
import type { ExecutionStore } from "./execution-store.ts";
import type { OwnerTurns } from "./owner-turns.ts";
import type { VmRunner } from "./vm-runner.ts";

export interface LifeCycleLimits {
  /** Downloads included. */
  readonly prepareTimeoutMs: number;
  readonly startTimeoutMs: number;
  readonly stopTimeoutMs: number;
  readonly eraseTimeoutMs: number;
}

export interface LifeCycleParts {
  readonly store: ExecutionStore;
  readonly runners: Readonly<Record<Execution["kind"], VmRunner>>;
  /** Puts the newest files in place of those that may be replaced. @throws when no core node answers */
  readonly resolveFiles: (
    content: ProgramContent | InstanceContent,
    signal: AbortSignal,
  ) => Promise<ProgramContent | InstanceContent>;
  /** Bounds how many machines get their files and disks at once: that may take as long as a download. */
  readonly preparations: OwnerTurns;
  /** Bounds how many machines boot at once. */
  readonly starts: OwnerTurns;
  readonly timers: Timers;
  readonly log: Logger;
  readonly limits: LifeCycleLimits;
  /** Told of every machine that runs from now on. */
  readonly onRunning: (vmHash: string, vm: RunningVm) => void;
}

/** The steps by which a machine changes its state. Whoever calls them sees to it that they do not overlap. */
export class LifeCycle {
  readonly #parts: LifeCycleParts;
  /** Machines whose process runs, and is ours. */
  readonly vms = new Map<string, RunningVm>();

  constructor(parts: LifeCycleParts) {
    this.#parts = parts;
  }

  /**
   * From any state without a process to running; null: it is prepared and stopped, its owner has to start it.
   *
   * @throws ExecutionError when it failed; the reason of the signal when it was interrupted, the machine is stopped then
   */
  async bringUp(vmHash: string, signal: AbortSignal): Promise<RunningVm | null> {
    const { store, preparations, starts } = this.#parts;
    const { owner } = store.require(vmHash);
    using preparing = await preparations.acquire(owner, signal);
    store.transition(vmHash, "preparing");
    try {
      await this.#prepare(vmHash, signal).finally(() => preparing.release());
      if (await this.#awaitsOwner(vmHash)) {
        await this.bringDown(vmHash, store.reason(AWAITING_OWNER, AWAITING_OWNER_TEXT), signal);
        store.change(vmHash, { desired: "stopped" });
        return null;
      }
      using _starting = await starts.acquire(owner, signal);
      const vm = await this.#start(vmHash, signal);
      this.running(vmHash, vm);
      return vm;
    } catch (error) {
      if (isAbortOf(signal, error)) {
        await this.bringDown(vmHash, null, new AbortController().signal);
        throw error;
      }
      const failure = asExecutionError(error);
      this.#parts.log.warn("a machine did not start", { vmHash, code: failure.code, error });
      await this.#clear(vmHash);
      store.transition(vmHash, "failed", { reason: store.reason(failure.code, failure.message) });
      throw failure;
    }
  }

  /** The process runs, and is ours from now on. */
  running(vmHash: string, vm: RunningVm): void {
    const { store, onRunning } = this.#parts;
    this.vms.set(vmHash, vm);
    if (store.require(vmHash).state !== "running") store.transition(vmHash, "running");
    onRunning(vmHash, vm);
  }

  /** To `stopped`, from any state that has, or may leave, something of a running machine. */
  async bringDown(vmHash: string, reason: ExecutionReason | null, signal: AbortSignal): Promise<void> {
    const { store } = this.#parts;
    const { state } = store.require(vmHash);
    if (state === "stopped") {
      store.change(vmHash, { reason });
      return;
    }
    if (state === "defined" || state === "importing" || state === "exporting") {
      store.transition(vmHash, "stopped", { reason });
      return;
    }
    const vm = this.vms.get(vmHash) ?? null;
    if (state !== "stopping") store.transition(vmHash, "stopping", { reason });
    // From here on its end is expected.
    this.vms.delete(vmHash);
    await this.#end(vmHash, vm, signal);
    store.transition(vmHash, "stopped", { reason });
  }

  /** The process has ended by itself: what is left of the running machine goes. */
  async bury(vmHash: string, reason: ExecutionReason): Promise<void> {
    this.vms.delete(vmHash);
    await this.#clear(vmHash);
    this.#parts.store.transition(vmHash, "failed", { reason });
  }

  async wipe(vmHash: string, erasesVolumes: boolean, signal: AbortSignal): Promise<void> {
    const execution = this.#parts.store.require(vmHash);
    await this.#bounded("wipe", this.#parts.limits.eraseTimeoutMs, signal, (bounded) =>
      this.#runner(execution).wipe(execution, { erasesVolumes }, bounded),
    );
  }

  /** Stops it, removes every trace, and leaves the record. Goes on after a restart of the node. */
  async erase(vmHash: string, reason: ExecutionReason | null, signal: AbortSignal): Promise<void> {
    const { store, limits } = this.#parts;
    store.change(vmHash, { desired: "gone" });
    await this.bringDown(vmHash, reason, signal);
    const execution = store.require(vmHash);
    await this.#bounded("erasure", limits.eraseTimeoutMs, signal, (bounded) =>
      this.#runner(execution).erase(execution, bounded),
    );
    store.transition(vmHash, "gone", { reason });
  }

  /** Takes over the process of an earlier run of this node. false: it is of no use, and still runs. */
  async adopt(vmHash: string, vm: RunningVm, signal: AbortSignal): Promise<boolean> {
    const { store, limits, log } = this.#parts;
    const execution = store.require(vmHash);
    try {
      const isUsable = await this.#bounded("adoption", limits.startTimeoutMs, signal, (bounded) =>
        this.#runner(execution).adopt(execution, vm, bounded),
      );
      if (isUsable) this.running(vmHash, vm);
      return isUsable;
    } catch (error) {
      if (isAbortOf(signal, error)) throw error;
      log.warn("a machine that runs could not be taken over", { vmHash, error });
      return false;
    }
  }

  async #prepare(vmHash: string, signal: AbortSignal): Promise<void> {
    const { store, limits } = this.#parts;
    await this.#bounded("preparation", limits.prepareTimeoutMs, signal, async (bounded) => {
      await this.#resolve(vmHash, bounded);
      const execution = store.require(vmHash);
      await this.#runner(execution).prepare(execution, bounded);
    });
    store.transition(vmHash, "prepared");
  }

  /**
   * An instance keeps the files that its disks were made of until it is made anew; a program takes the newest at each
   * start, and those that it had while no core node answers.
   */
  async #resolve(vmHash: string, signal: AbortSignal): Promise<void> {
    const { store, resolveFiles, log } = this.#parts;
    const { kind, content } = store.require(vmHash);
    if (kind === "instance" && store.isResolved(vmHash)) return;
    try {
      store.resolve(vmHash, await resolveFiles(content, signal));
    } catch (error) {
      if (isAbortOf(signal, error)) throw error;
      log.warn("the newest files of a machine are not known: those it had are taken", { vmHash, error });
    }
  }

  async #awaitsOwner(vmHash: string): Promise<boolean> {
    const execution = this.#parts.store.require(vmHash);
    return (await this.#runner(execution).awaitsOwner?.(execution)) ?? false;
  }

  async #start(vmHash: string, signal: AbortSignal): Promise<RunningVm> {
    const execution = this.#parts.store.transition(vmHash, "starting");
    return this.#bounded("start", this.#parts.limits.startTimeoutMs, signal, (bounded) =>
      this.#runner(execution).start(execution, bounded),
    );
  }

  /** Ends a guest in order, or kills it when that fails: whoever pays for nothing must not go on running. */
  async #end(vmHash: string, vm: RunningVm | null, signal: AbortSignal): Promise<void> {
    const { store, limits, log } = this.#parts;
    const execution = store.require(vmHash);
    try {
      await this.#bounded("stop", limits.stopTimeoutMs, signal, (bounded) =>
        this.#runner(execution).stop(execution, vm, bounded),
      );
    } catch (error) {
      log.warn("a machine did not stop in order", { vmHash, error });
      if (vm !== null) await this.#kill(vmHash, vm);
      await this.#clear(vmHash);
    }
  }

  async #kill(vmHash: string, vm: RunningVm): Promise<void> {
    try {
      await vm.kill();
    } catch (error) {
      this.vms.set(vmHash, vm);
      const text = `machine ${vmHash} could not be ended: ask again, and look at the host helper`;
      throw new ExecutionError("HYPERVISOR_FAILED", text, { cause: error });
    }
  }

  /** Removes what a machine without process has left. A failure is told; what is left is found at the next start. */
  async #clear(vmHash: string): Promise<void> {
    const { store, limits, log } = this.#parts;
    const execution = store.require(vmHash);
    const { signal } = new AbortController();
    try {
      await this.#bounded("clean-up", limits.stopTimeoutMs, signal, (bounded) =>
        this.#runner(execution).stop(execution, null, bounded),
      );
    } catch (error) {
      log.error("what a machine left behind could not be removed", { vmHash, error });
    }
  }

  #runner(execution: Execution): VmRunner {
    return this.#parts.runners[execution.kind];
  }

  #bounded<Result>(
    what: string,
    timeoutMs: number,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    const seconds = Math.round(timeoutMs / 1_000);
    const onTimeout = (): Error =>
      new ExecutionError("HYPERVISOR_FAILED", `the ${what} of the machine took more than ${seconds} s`);
    return boundedCall(this.#parts.timers, timeoutMs, signal, onTimeout, work);
  }
}

/** Runners throw coded errors; anything else is a defect of this node, told to the owner as such. */
export function asExecutionError(error: unknown): ExecutionError {
  if (error instanceof ExecutionError) return error;
  const text = error instanceof Error ? error.message : String(error);
  return new ExecutionError("HYPERVISOR_FAILED", text, { cause: error });
}
