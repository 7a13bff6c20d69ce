/** What was accepted once, for as long as it would be accepted again. */
export class ReplayCache {
  readonly #windowMs: number;
  readonly #maxEntries: number;
  readonly #seen = new Map<string, number>();

  constructor(windowMs: number, maxEntries: number) {
    this.#windowMs = windowMs;
    this.#maxEntries = maxEntries;
  }

  /** false: it was there already, or so much was seen lately that it cannot be told. */
  add(key: string, nowMs: number): boolean {
    for (const [old, atMs] of this.#seen) {
      if (nowMs - atMs <= this.#windowMs) break;
      this.#seen.delete(old);
    }
    if (this.#seen.has(key) || this.#seen.size >= this.#maxEntries) return false;
    this.#seen.set(key, nowMs);
    return true;
  }
}
