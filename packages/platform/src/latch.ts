import { onAbort } from "./abort.ts";

/** A gate that opens once and stays open: "the server listens", "the first sync is done". */
export class Latch {
  #waiters = new Set<() => void>();
  #isOpen = false;

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Lets everybody through, now and later. Opening twice is the same as once. */
  open(): void {
    this.#isOpen = true;
    for (const wake of this.#waiters) wake();
    this.#waiters.clear();
  }

  /** Resolves when the latch is open; rejects with the signal's reason when that aborts first. */
  wait(signal?: AbortSignal): Promise<void> {
    if (this.#isOpen) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const wake = (): void => {
        release();
        resolve();
      };
      const release = onAbort(signal, (reason) => {
        this.#waiters.delete(wake);
        reject(reason);
      });
      if (signal?.aborted !== true) this.#waiters.add(wake);
    });
  }
}
