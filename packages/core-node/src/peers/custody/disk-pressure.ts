export interface DiskPressureOptions {
  /** Bytes that are used now, and that may be; null: as many as there are. */
  readonly usedBytes: () => number;
  readonly maxBytes: number | null;
}

/** From this part of the budget on files are given up, until so much of it is used. */
const HIGH_PART = 0.8;
const LOW_PART = 0.7;
/** Names that are remembered. */
const MAX_RELEASED = 20_000;

/**
 * Which files a node near its disk budget would rather not keep: the oldest first, as many as bring it back. They go
 * once others have proven that they hold them, and not before.
 */
export class DiskPressure {
  readonly #options: DiskPressureOptions;
  readonly #released = new Map<string, number>();

  constructor(options: DiskPressureOptions) {
    this.#options = options;
  }

  /** Something is to go. */
  get isHigh(): boolean {
    const { usedBytes, maxBytes } = this.#options;
    if (maxBytes === null) return false;
    if (usedBytes() <= LOW_PART * maxBytes) this.#released.clear();
    return this.#released.size > 0 || usedBytes() > HIGH_PART * maxBytes;
  }

  /** Whether something new may be kept beside what is here. */
  hasRoomFor(sizeBytes: number): boolean {
    const { usedBytes, maxBytes } = this.#options;
    return maxBytes === null || usedBytes() + sizeBytes <= LOW_PART * maxBytes;
  }

  /** Whether what is here is to go; asked of the oldest first. */
  isReleased(name: string, sizeBytes: number): boolean {
    if (!this.isHigh) return false;
    if (this.#released.has(name)) return true;
    const { usedBytes, maxBytes } = this.#options;
    const going = [...this.#released.values()].reduce((sum, bytes) => sum + bytes, 0);
    const isEnough = maxBytes === null || usedBytes() - going <= LOW_PART * maxBytes;
    if (isEnough || this.#released.size >= MAX_RELEASED) return false;
    this.#released.set(name, sizeBytes);
    return true;
  }

  /** It is gone. */
  gone(name: string): void {
    this.#released.delete(name);
  }
}
