/** The last `capacity` hashes, to tell repetitions. */
export class RecentHashes {
  readonly #capacity: number;
  readonly #hashes = new Set<string>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** True when the hash was not among the recent ones. */
  add(hash: string): boolean {
    const isNew = !this.#hashes.delete(hash);
    this.#hashes.add(hash);
    if (this.#hashes.size > this.#capacity) {
      for (const oldest of this.#hashes) {
        this.#hashes.delete(oldest);
        break;
      }
    }
    return isNew;
  }
}
