import type { Logger, Timers } from "@twentysix/platform";
import { ApiError } from "../api/errors.ts";

export interface BudgetOptions {
  /** Most bytes of the data folder; null sets no limit. */
  readonly maxDiskBytes: number | null;
  readonly maxMemoryBytes: number;
  readonly diskUsage: () => number;
  readonly memoryUsage: () => number;
  readonly timers: Timers;
  readonly log: Logger;
}

const SAMPLE_PERIOD_MS = 1_000;

/** Refuses new work while the node is over a budget; what it has taken on goes on. */
export class Budgets {
  readonly #options: BudgetOptions;
  readonly #stop = new AbortController();
  #diskBytes = 0;
  #memoryBytes = 0;
  #running: Promise<void>;

  constructor(options: BudgetOptions) {
    this.#options = options;
    this.#sample();
    this.#running = options.timers.every(SAMPLE_PERIOD_MS, () => this.#sample(), {
      signal: this.#stop.signal,
      onError: (error) => options.log.error("Cannot measure disk or memory", { error }),
    });
  }

  get diskBytes(): number {
    return this.#diskBytes;
  }

  get memoryBytes(): number {
    return this.#memoryBytes;
  }

  /** @throws ApiError API_STORAGE_FULL, API_OVERLOADED */
  assertRoom(): void {
    const { maxDiskBytes, maxMemoryBytes } = this.#options;
    if (maxDiskBytes !== null && this.#diskBytes >= maxDiskBytes) {
      throw new ApiError(
        "API_STORAGE_FULL",
        "This node has used up its disk budget: submit to another node",
        {
          usedBytes: this.#diskBytes,
          budgetBytes: maxDiskBytes,
        },
      );
    }
    if (this.#memoryBytes >= maxMemoryBytes) {
      const details = { usedBytes: this.#memoryBytes, budgetBytes: maxMemoryBytes };
      const reason = "This node has used up its memory budget: try again in a moment";
      throw new ApiError("API_OVERLOADED", reason, details, { "retry-after": "5" });
    }
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  #sample(): void {
    this.#diskBytes = this.#options.diskUsage();
    this.#memoryBytes = this.#options.memoryUsage();
  }
}
