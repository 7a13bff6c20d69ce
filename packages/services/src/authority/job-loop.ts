import { type Clock, isAbortOf, type Logger, type Random, type Timers } from "@twentysix/platform";

/** Something that an authority does again and again. */
export interface Job {
  readonly name: string;
  run(signal: AbortSignal): Promise<void>;
  /** After a run that succeeded. */
  nextDelayMs(): number;
}

export interface JobLoopOptions {
  /** Succeeds once work can begin; asked again until it does. */
  readonly ready: (signal: AbortSignal) => Promise<void>;
  /** In the order in which those that are due run. */
  readonly jobs: readonly Job[];
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
}

const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 300_000;
const startJob = (ready: JobLoopOptions["ready"]): Job => ({
  name: "start",
  run: ready,
  nextDelayMs: () => Number.POSITIVE_INFINITY,
});

interface ScheduledJob {
  readonly job: Job;
  dueMs: number;
  failures: number;
}

/**
 * Runs jobs one after the other, each when it is due, until the loop is closed. A job that fails is told of and tried
 * again, at first after a second, at last every five minutes.
 */
export class JobLoop {
  readonly #options: JobLoopOptions;
  readonly #closing = new AbortController();
  readonly #ended: Promise<void>;
  #waiters: (() => void)[] = [];
  #isIdle = false;

  constructor(options: JobLoopOptions) {
    this.#options = options;
    this.#ended = this.#loop(this.#closing.signal);
  }

  /** Resolves when nothing runs and nothing is due. */
  whenIdle(): Promise<void> {
    if (this.#isIdle) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#ended;
  }

  async #loop(signal: AbortSignal): Promise<void> {
    const { clock, jobs, ready } = this.#options;
    const dueMs = clock.monotonicMs();
    const start: ScheduledJob = { job: startJob(ready), dueMs, failures: 0 };
    await this.#runWhile(() => start.dueMs < Number.POSITIVE_INFINITY, [start], signal);
    const scheduled = jobs.map((job): ScheduledJob => ({ job, dueMs, failures: 0 }));
    await this.#runWhile(() => true, scheduled, signal);
    this.#idle(true);
  }

  async #runWhile(
    goesOn: () => boolean,
    scheduled: readonly ScheduledJob[],
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, timers } = this.#options;
    while (!signal.aborted && goesOn()) {
      for (const entry of scheduled) {
        if (!signal.aborted && entry.dueMs <= clock.monotonicMs()) await this.#attempt(entry, signal);
      }
      const nextMs = Math.min(...scheduled.map(({ dueMs }) => dueMs)) - clock.monotonicMs();
      if (nextMs <= 0 || !goesOn()) continue;
      this.#idle(true);
      // Only the signal breaks it off, and the loop asks it next.
      await timers.sleep(nextMs, signal).catch(() => undefined);
      this.#idle(false);
    }
  }

  async #attempt(entry: ScheduledJob, signal: AbortSignal): Promise<void> {
    const { clock, log, random } = this.#options;
    const { job } = entry;
    try {
      await job.run(signal);
      entry.failures = 0;
      entry.dueMs = clock.monotonicMs() + job.nextDelayMs();
    } catch (error) {
      if (isAbortOf(signal, error)) return;
      const stepMs = Math.min(FIRST_RETRY_MS * 2 ** entry.failures, MAX_RETRY_MS);
      const retryMs = stepMs / 2 + random.uniform(Math.ceil(stepMs / 2));
      entry.failures = Math.min(entry.failures + 1, 20);
      entry.dueMs = clock.monotonicMs() + retryMs;
      log.error("a task of the authority failed; it is tried again", { task: job.name, retryMs, error });
    }
  }

  #idle(isIdle: boolean): void {
    this.#isIdle = isIdle;
    if (!isIdle) return;
    for (const wake of this.#waiters.splice(0)) wake();
  }
}
