import { isAbortOf } from "@twentysix/platform";
import { ExecutionError } from "./errors.ts";

export type VmOperation = "start" | "stop" | "erase" | "exit" | "adopt" | "hold" | "other";

interface Queued {
  readonly kind: VmOperation;
  readonly controller: AbortController;
}

/** Operations on one machine that may wait: more is somebody's loop. */
const MAX_WAITING = 32;

/** One operation at a time on each machine, in the order of asking; those of different machines do not wait. */
export class VmQueues {
  readonly #queues = new Map<string, { readonly waiting: Queued[]; tail: Promise<unknown> }>();
  #isClosed = false;

  /**
   * Runs `work` when all that was asked before has ended. Its signal aborts when it is interrupted, or the node stops.
   *
   * @throws ExecutionError BUSY
   */
  run<Result>(
    vmHash: string,
    kind: VmOperation,
    work: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    if (this.#isClosed) return Promise.reject(stopping());
    const queue = this.#queues.get(vmHash) ?? { waiting: [], tail: Promise.resolve() };
    if (queue.waiting.length >= MAX_WAITING) {
      return Promise.reject(
        new ExecutionError("BUSY", `${MAX_WAITING} operations of machine ${vmHash} wait`),
      );
    }
    this.#queues.set(vmHash, queue);
    const queued: Queued = { kind, controller: new AbortController() };
    queue.waiting.push(queued);
    const { signal } = queued.controller;
    const turn = queue.tail.then(() => {
      signal.throwIfAborted();
      return work(signal);
    });
    const result = turn.finally(() => {
      queue.waiting.splice(queue.waiting.indexOf(queued), 1);
      if (queue.waiting.length === 0) this.#queues.delete(vmHash);
    });
    queue.tail = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }

  /** Aborts what runs or waits of these kinds; who asked for it gets the reason. */
  interrupt(vmHash: string, kinds: readonly VmOperation[], reason: ExecutionError): void {
    for (const { kind, controller } of this.#queues.get(vmHash)?.waiting ?? []) {
      if (kinds.includes(kind)) controller.abort(reason);
    }
  }

  /** Whether an operation of this kind runs or waits. */
  has(vmHash: string, kind: VmOperation): boolean {
    return this.#queues.get(vmHash)?.waiting.some((queued) => queued.kind === kind) ?? false;
  }

  isIdle(vmHash: string): boolean {
    return !this.#queues.has(vmHash);
  }

  /** Aborts everything, takes nothing more, and resolves when the last operation has ended. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { waiting } of this.#queues.values()) {
      for (const { controller } of waiting) controller.abort(stopping());
    }
    await this.settled();
  }

  /** Resolves when nothing runs or waits. */
  async settled(): Promise<void> {
    while (this.#queues.size > 0) await Promise.all(Array.from(this.#queues.values(), ({ tail }) => tail));
  }
}

function stopping(): ExecutionError {
  return new ExecutionError("BUSY", "this node is stopping; ask again when it is back");
}

/** Whether an operation ended because it was interrupted, and not by a failure of its own. */
export function wasInterrupted(signal: AbortSignal, error: unknown): boolean {
  return signal.aborted && (isAbortOf(signal, error) || error === signal.reason);
}
