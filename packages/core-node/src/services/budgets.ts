import type { Logger, Timers } from "@twentysix/platform";
import { ApiError } from "../api/errors.ts";

export interface BudgetOptions {
  /** Most bytes of the data folder; null sets no limit. */
  readonly maxDiskBytes: number | null;
  /** Bytes of the disk that stay free, for what is taken on already and for whatever else runs here. */
  readonly minFreeDiskBytes: number;
  readonly maxMemoryBytes: number;
  /** Bytes of the data folder beside contents; looked at now and then. */
  readonly diskUsage: () => number;
  /** Bytes of contents as they are right now: what comes in a moment may be more than there is room for. */
  readonly contentBytes: () => number;
  readonly freeDiskBytes: () => number;
  readonly memoryUsage: () => number;
  readonly timers: Timers;
  readonly log: Logger;
}

/** Room on the disk for bytes that are being received; its end gives the room back. */
export interface DiskReservation extends Disposable {
  /** @throws ApiError API_STORAGE_FULL */
  grow(sizeBytes: number): void;
}

const SAMPLE_PERIOD_MS = 1_000;

/** Refuses new work while the node is over a budget; what it has taken on goes on. */
export class Budgets {
  readonly #options: BudgetOptions;
  readonly #stop = new AbortController();
  #diskBytes = 0;
  #freeDiskBytes = 0;
  #memoryBytes = 0;
  /** Bytes being received, which `contentBytes` does not count yet. */
  #reservedBytes = 0;
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
    return this.#diskBytes + this.#options.contentBytes() + this.#reservedBytes;
  }

  get memoryBytes(): number {
    return this.#memoryBytes;
  }

  /** Why new work is refused for want of disk or of memory; null where there is room. */
  shortages(): Readonly<Record<"disk" | "memory", ApiError | null>> {
    return { disk: this.#diskShortage(1), memory: this.#memoryShortage() };
  }

  /** Neither disk nor memory refuse new work. */
  get hasRoom(): boolean {
    return Object.values(this.shortages()).every((shortage) => shortage === null);
  }

  /** @throws ApiError API_STORAGE_FULL, API_OVERLOADED */
  assertRoom(): void {
    const { disk, memory } = this.shortages();
    if (disk !== null) throw disk;
    if (memory !== null) throw memory;
  }

  reserveDisk(): DiskReservation {
    let heldBytes = 0;
    return {
      grow: (sizeBytes) => {
        const shortage = this.#diskShortage(sizeBytes);
        if (shortage !== null) throw shortage;
        this.#reservedBytes += sizeBytes;
        heldBytes += sizeBytes;
      },
      [Symbol.dispose]: () => {
        this.#reservedBytes -= heldBytes;
        heldBytes = 0;
      },
    };
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  #memoryShortage(): ApiError | null {
    const { maxMemoryBytes } = this.#options;
    if (this.#memoryBytes < maxMemoryBytes) return null;
    const details = { usedBytes: this.#memoryBytes, budgetBytes: maxMemoryBytes };
    const reason = "This node has used up its memory budget: try again in a moment";
    return new ApiError("API_OVERLOADED", reason, details, { "retry-after": "5" });
  }

  #diskShortage(moreBytes: number): ApiError | null {
    const { maxDiskBytes, minFreeDiskBytes } = this.#options;
    if (maxDiskBytes !== null && this.diskBytes + moreBytes > maxDiskBytes) {
      const details = { usedBytes: this.diskBytes, budgetBytes: maxDiskBytes };
      const reason = "This node has used up its disk budget: submit to another node";
      return new ApiError("API_STORAGE_FULL", reason, details);
    }
    if (this.#freeDiskBytes - this.#reservedBytes - moreBytes < minFreeDiskBytes) {
      const details = { freeBytes: this.#freeDiskBytes, minFreeBytes: minFreeDiskBytes };
      const reason = "The disk of this node is nearly full: submit to another node";
      return new ApiError("API_STORAGE_FULL", reason, details);
    }
    return null;
  }

  #sample(): void {
    this.#diskBytes = this.#options.diskUsage();
    this.#freeDiskBytes = this.#options.freeDiskBytes();
    this.#memoryBytes = this.#options.memoryUsage();
  }
}
