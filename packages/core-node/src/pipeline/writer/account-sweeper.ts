import type { Clock, Timers } from "@twentysix/platform";
import type { MessageStore } from "@twentysix/storage";
import type { BatchWriter } from "./batch-writer.ts";
import type { BatchReport } from "./jobs.ts";

export interface AccountSweeperOptions {
  readonly store: Pick<MessageStore, "dueAccounts" | "nextAccountEventMicros">;
  readonly writer: Pick<BatchWriter, "sweep">;
  readonly clock: Clock;
  readonly timers: Pick<Timers, "schedule">;
  /** Told after the commit. */
  readonly onReport: (report: BatchReport) => void;
  /** The next event of an account has come: the loop should look. */
  readonly onDue: () => void;
}

/** Accounts that one transaction looks at. */
const SLICE = 64;
/** A writer that is never idle sweeps all the same, between two batches, what has been due for this long. */
const MAX_DELAY_MICROS = 60_000_000n;
/** Timers count with 31 bits. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Looks at accounts when their next event comes: a change of funds or obligations, an expiry of credits, the end
 * of a grace. It sleeps in between; the date of every event is in the database, so a restart misses none.
 */
export class AccountSweeper {
  readonly #options: AccountSweeperOptions;
  #cancel: () => void = () => undefined;
  #armedMicros: bigint | null = null;

  constructor(options: AccountSweeperOptions) {
    this.#options = options;
    this.#sleep();
  }

  /** One slice; false when nothing is due. */
  async advance(): Promise<boolean> {
    const { store, writer, clock, onReport } = this.#options;
    const owners = store.dueAccounts(clock.nowMicros(), SLICE);
    if (owners.length === 0) {
      this.#sleep();
      return false;
    }
    onReport(await writer.sweep(owners));
    return true;
  }

  /** Between two batches of a busy writer: a slice of what is overdue. */
  async relieve(): Promise<void> {
    const { store, clock } = this.#options;
    const dueMicros = store.nextAccountEventMicros();
    if (dueMicros !== null && dueMicros + MAX_DELAY_MICROS < clock.nowMicros()) await this.advance();
  }

  close(): void {
    this.#cancel();
  }

  #sleep(): void {
    const { store, clock, timers, onDue } = this.#options;
    const dueMicros = store.nextAccountEventMicros();
    if (dueMicros === this.#armedMicros) return;
    this.#cancel();
    this.#armedMicros = dueMicros;
    if (dueMicros === null) return;
    const delayMs = Number((dueMicros - clock.nowMicros()) / 1_000n) + 1;
    this.#cancel = timers.schedule(Math.min(Math.max(1, delayMs), MAX_TIMER_MS), () => {
      this.#armedMicros = null;
      onDue();
    });
  }
}
