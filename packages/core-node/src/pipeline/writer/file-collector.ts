import type { Clock, Timers } from "@twentysix/platform";
import type { Collected, MessageStore } from "@twentysix/storage";

export interface FileCollectorOptions {
  readonly store: Pick<MessageStore, "collectFiles" | "nextGraceEndMicros" | "takeCollected">;
  readonly clock: Clock;
  readonly timers: Pick<Timers, "schedule">;
  /** Told after the commit that put files into the journal. */
  readonly onCollected: (collected: Collected) => void;
  /** The next time of grace is over: the loop should look. */
  readonly onDue: () => void;
}

/** Graces that one transaction ends. */
const SLICE = 128;
/** A writer that is never idle collects all the same what has been due for this long. */
const MAX_DELAY_MICROS = 60_000_000n;
/** Timers count with 31 bits. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Gives up, while the writer has nothing else to do, files whose time of grace is over and that nothing pins. It
 * sleeps until the next grace ends: no scan, no poll.
 */
export class FileCollector {
  readonly #options: FileCollectorOptions;
  #dueMicros: bigint | null = null;
  #isArmed = false;
  #cancel: () => void = () => undefined;

  constructor(options: FileCollectorOptions) {
    this.#options = options;
    this.#sleepUntil(options.store.nextGraceEndMicros());
  }

  /** One slice; false when there is none left, for now. */
  advance(): boolean {
    const { store, clock } = this.#options;
    const ended = store.collectFiles(clock.nowMicros(), SLICE);
    this.tell();
    if (ended === SLICE) return true;
    this.#sleepUntil(store.nextGraceEndMicros());
    return false;
  }

  /** Between two batches of a busy writer: a slice of what is overdue. */
  relieve(): void {
    const dueMicros = this.#dueMicros;
    if (dueMicros !== null && dueMicros + MAX_DELAY_MICROS < this.#options.clock.nowMicros()) this.advance();
    else this.tell();
  }

  /** Passes on what a commit has collected. */
  tell(): void {
    const collected = this.#options.store.takeCollected();
    if (collected.files > 0) this.#options.onCollected(collected);
  }

  close(): void {
    this.#cancel();
  }

  #sleepUntil(dueMicros: bigint | null): void {
    if (this.#isArmed && dueMicros === this.#dueMicros) return;
    const { clock, timers, onDue } = this.#options;
    this.#cancel();
    this.#dueMicros = dueMicros;
    this.#isArmed = dueMicros !== null;
    if (dueMicros === null) return;
    const delayMs = Number((dueMicros - clock.nowMicros()) / 1_000n) + 1;
    this.#cancel = timers.schedule(Math.min(Math.max(1, delayMs), MAX_TIMER_MS), () => {
      this.#isArmed = false;
      onDue();
    });
  }
}
