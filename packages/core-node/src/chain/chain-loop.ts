import { createDeferred, type Deferred, type Logger, onAbort, type Timers } from "@twentysix/platform";

export interface ChainLoopOptions {
  readonly name: string;
  readonly periodMs: number;
  /** One round; true when there is more to do at once. */
  readonly round: (signal: AbortSignal) => Promise<boolean>;
  readonly timers: Timers;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const MAX_FAILURE_PAUSE_MS = 5 * 60_000;

/** Repeats a round until the signal aborts: at once while there is more, after a growing pause when it fails. */
export class ChainLoop {
  readonly ended: Promise<void>;
  readonly #options: ChainLoopOptions;
  #wake: Deferred<void> | null = null;
  #isNudged = false;
  #failures = 0;

  constructor(options: ChainLoopOptions) {
    this.#options = options;
    this.ended = this.#run();
  }

  /** Failed rounds in a row. */
  get failures(): number {
    return this.#failures;
  }

  /** There is something to do. */
  nudge(): void {
    this.#isNudged = true;
    this.#wake?.resolve();
  }

  async #run(): Promise<void> {
    const { round, signal, log, name } = this.#options;
    while (!signal.aborted) {
      this.#isNudged = false;
      let hasMore = false;
      try {
        hasMore = await round(signal);
        this.#failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        this.#failures += 1;
        // A server that is away would fill the log: the first failure is told, and then every tenth.
        if (this.#failures % 10 === 1) log.warn(`${name} failed`, { error, failures: this.#failures });
      }
      if (!hasMore && !this.#isNudged) await this.#pause();
    }
  }

  async #pause(): Promise<void> {
    const { timers, signal, periodMs } = this.#options;
    const delayMs = Math.min(
      Math.max(periodMs, MAX_FAILURE_PAUSE_MS),
      periodMs * 2 ** Math.min(this.#failures, 20),
    );
    const wake = createDeferred<void>();
    this.#wake = wake;
    const cancel = timers.schedule(delayMs, () => wake.resolve());
    const release = onAbort(signal, () => wake.resolve());
    await wake.promise;
    release();
    cancel();
    this.#wake = null;
  }
}
