import { BlobError } from "./errors.ts";

export interface DiskBudgetOptions {
  /** Most bytes of content that the store may hold, writes in progress included. */
  readonly maxBytes?: number;
  /** Bytes that must stay free on the file system. */
  readonly minFreeBytes?: number;
  readonly freeBytes: () => Promise<number>;
}

export interface DiskUsage {
  /** Bytes of committed content. */
  readonly usedBytes: number;
  /** Bytes of writes in progress. */
  readonly reservedBytes: number;
  readonly maxBytes: number | undefined;
}

/** How many bytes one write takes between two looks at the free space. */
const FREE_SPACE_CHECK_BYTES = 32 * 1024 * 1024;

/** Counts what the store holds and what it is about to hold, and refuses what would go past the limits. */
export class DiskBudget {
  readonly #options: DiskBudgetOptions;
  #usedBytes = 0;
  #reservedBytes = 0;

  constructor(options: DiskBudgetOptions) {
    this.#options = options;
  }

  get usage(): DiskUsage {
    return {
      usedBytes: this.#usedBytes,
      reservedBytes: this.#reservedBytes,
      maxBytes: this.#options.maxBytes,
    };
  }

  /** Adds (or with a negative figure removes) committed bytes. */
  adjust(deltaBytes: number): void {
    this.#usedBytes += deltaBytes;
  }

  /** A reservation for one write; its end gives back what was not committed. */
  reserve(): Reservation {
    let heldBytes = 0;
    let uncheckedBytes = FREE_SPACE_CHECK_BYTES;
    return {
      grow: async (sizeBytes) => {
        this.#assertBudget(sizeBytes);
        this.#reservedBytes += sizeBytes;
        heldBytes += sizeBytes;
        uncheckedBytes += sizeBytes;
        if (uncheckedBytes < FREE_SPACE_CHECK_BYTES) return;
        uncheckedBytes = 0;
        await this.#assertFreeSpace();
      },
      [Symbol.dispose]: () => {
        this.#reservedBytes -= heldBytes;
        heldBytes = 0;
      },
    };
  }

  /** Refuses a write of a size known beforehand, before any byte of it is taken. */
  assertFits(sizeBytes: number): void {
    this.#assertBudget(sizeBytes);
  }

  #assertBudget(moreBytes: number): void {
    const { maxBytes } = this.#options;
    if (maxBytes === undefined || this.#usedBytes + this.#reservedBytes + moreBytes <= maxBytes) return;
    throw new BlobError(
      "BLOB_DISK_BUDGET_EXCEEDED",
      `the store may hold ${maxBytes} bytes and has ${this.#usedBytes + this.#reservedBytes}: free some content or raise the limit`,
      { maxBytes, usedBytes: this.#usedBytes, reservedBytes: this.#reservedBytes, moreBytes },
    );
  }

  async #assertFreeSpace(): Promise<void> {
    const { minFreeBytes } = this.#options;
    if (minFreeBytes === undefined) return;
    const freeBytes = await this.#options.freeBytes();
    if (freeBytes - this.#reservedBytes >= minFreeBytes) return;
    throw new BlobError(
      "BLOB_FREE_SPACE_LOW",
      `${freeBytes} bytes are free on the disk and ${minFreeBytes} must stay so: free some space`,
      { freeBytes, minFreeBytes, reservedBytes: this.#reservedBytes },
    );
  }
}

export interface Reservation extends Disposable {
  /**
   * Takes `sizeBytes` more.
   * @throws BlobError BLOB_DISK_BUDGET_EXCEEDED, BLOB_FREE_SPACE_LOW
   */
  grow(sizeBytes: number): Promise<void>;
}
