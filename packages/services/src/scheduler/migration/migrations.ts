import { isAbortOf } from "@twentysix/platform";
import type { Reason } from "../model/reason.ts";
import { beginJob } from "./job-changes.ts";
import { type MigrationOptions, MigrationWorker } from "./migration-worker.ts";

/** Runs the migrations that plans begin, and goes on with those that a restart left. */
export class Migrations {
  readonly #options: MigrationOptions;
  readonly #running = new Map<string, Promise<void>>();
  /** What no migration should meet. */
  readonly #defects: unknown[] = [];
  #signal: AbortSignal | null = null;

  constructor(options: MigrationOptions) {
    this.#options = options;
  }

  begin(decision: {
    readonly vmHash: string;
    readonly from: string;
    readonly nodeHash: string;
    readonly reason: Reason;
  }): void {
    if (this.#running.has(decision.vmHash)) return;
    beginJob(this.#options.store, decision, this.#options.nowMs());
    this.#start(decision.vmHash);
  }

  /**
   * Until the signal aborts, which leaves migrations where they are. Nodes of those that were left are kept from lists
   * at once. Rejects with what no migration should meet.
   */
  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    this.#defects.length = 0;
    for (const { vmHash, step } of this.#options.store.jobs.values()) {
      if (step !== "finished") this.#start(vmHash);
    }
    while (!signal.aborted) {
      await this.#options.timers.sleep(TICK_MS, signal).catch(() => undefined);
      if (this.#defects.length > 0) throw this.#defects[0];
    }
    this.#signal = null;
    await Promise.all(this.#running.values());
  }

  #start(vmHash: string): void {
    const job = this.#options.store.jobs.get(vmHash);
    const signal = this.#signal;
    if (job === undefined || signal === null) return;
    const worker = new MigrationWorker(this.#options, job, signal);
    const ended = worker
      .run()
      .catch((error: unknown) => {
        if (!isAbortOf(signal, error)) this.#defects.push(error);
      })
      .finally(() => this.#running.delete(vmHash));
    this.#running.set(vmHash, ended);
  }
}

const TICK_MS = 500;
