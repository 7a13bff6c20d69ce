import type { Timers } from "@twentysix/platform";

/** Lets a loop sleep until somebody has work for it. */
export class Wakeup {
  readonly #timers: Timers;
  #isWanted = false;
  #wake: (() => void) | null = null;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  wake(): void {
    this.#isWanted = true;
    this.#wake?.();
  }

  /** Resolves after `delayMs`, when it was woken since the last time, or when the signal aborts. */
  async wait(delayMs: number, signal: AbortSignal): Promise<"woken" | "elapsed"> {
    if (!this.#isWanted && !signal.aborted) {
      const controller = new AbortController();
      this.#wake = () => controller.abort();
      await this.#timers.sleep(delayMs, AbortSignal.any([signal, controller.signal])).catch(() => undefined);
      this.#wake = null;
    }
    const outcome = this.#isWanted ? "woken" : "elapsed";
    this.#isWanted = false;
    return outcome;
  }
}
