import { isAbortOf, type Logger, type Timers } from "@twentysix/platform";
import { ExecutionError } from "../../executions/errors.ts";
import type { Execution } from "../../executions/execution.ts";
import type { Executions } from "../../executions/executions.ts";
import type { CoreNodeClient } from "../../messages/core-node-client.ts";

export interface ProgramKeeperOptions {
  readonly executions: Pick<Executions, "get" | "stop" | "reboot">;
  readonly coreNode: Pick<CoreNodeClient, "statuses" | "neededAnswers">;
  readonly timers: Pick<Timers, "withTimeout">;
  readonly log: Logger;
  readonly nowMs: () => number;
  readonly signal: AbortSignal;
}

const TIMEOUT_MS = 120_000;
/** Statuses of messages that are in force. */
const IN_FORCE = new Set(["processed", "removing", "pending"]);

/** Ends programs that are not used, not answering, or not to be run any more; those that are kept alive start again. */
export class ProgramKeeper {
  readonly #options: ProgramKeeperOptions;
  readonly #busy = new Set<string>();

  constructor(options: ProgramKeeperOptions) {
    this.#options = options;
  }

  /** Nobody has used it for its time. One that is kept alive waits on. */
  idle(vmHash: string): void {
    this.#change(vmHash, async (execution, signal) => {
      if (!execution.isPersistent) await this.#options.executions.stop(vmHash, null, signal);
    });
  }

  /** Its machine gives no answer. */
  unresponsive(vmHash: string, why: string): void {
    this.#change(vmHash, async (execution, signal) => {
      const { executions, nowMs, log } = this.#options;
      log.warn("a program does not answer, and its machine is ended", { vmHash, why });
      const reason = { code: "UNRESPONSIVE", text: `The machine was ended: ${why}`, atMs: nowMs() };
      if (execution.isPersistent) await executions.reboot(vmHash, signal);
      else await executions.stop(vmHash, reason, signal);
    });
  }

  /** What it was made of is not the newest any more: the next start takes the newest. */
  outdated(vmHash: string): void {
    this.#change(vmHash, async (execution, signal) => {
      const { executions } = this.#options;
      if (execution.isPersistent) await executions.reboot(vmHash, signal);
      else await executions.stop(vmHash, null, signal);
    });
  }

  /** A core node says that it is not to be run; the others are asked before it is stopped. */
  unfit(vmHash: string, why: string): void {
    this.#change(vmHash, async (_execution, signal) => {
      const { coreNode, executions, nowMs } = this.#options;
      const statuses = await coreNode.statuses(vmHash, signal);
      if (statuses.length < coreNode.neededAnswers) return;
      if (statuses.some((status) => IN_FORCE.has(status))) return;
      await executions.stop(vmHash, { code: "MESSAGE_NOT_IN_FORCE", text: why, atMs: nowMs() }, signal);
    });
  }

  #change(vmHash: string, work: (execution: Execution, signal: AbortSignal) => Promise<unknown>): void {
    const { executions, timers, signal, log } = this.#options;
    const execution = executions.get(vmHash);
    if (execution?.state !== "running" || this.#busy.has(vmHash) || signal.aborted) return;
    this.#busy.add(vmHash);
    timers
      .withTimeout(TIMEOUT_MS, (bounded) => work(execution, bounded), signal)
      .catch((error: unknown) => {
        // Somebody else is at it, or it is gone: both end what was wrong.
        const isMoot =
          error instanceof ExecutionError && (error.code === "BUSY" || error.code === "NOT_FOUND");
        if (!isMoot && !isAbortOf(signal, error)) log.warn("a program could not be ended", { vmHash, error });
      })
      .finally(() => this.#busy.delete(vmHash));
  }
}
