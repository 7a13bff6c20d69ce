/** How often in a row something was found wrong. */
export class Strikes {
  readonly #max: number;
  readonly #counts = new Map<string, number>();

  constructor(max: number) {
    this.#max = max;
  }

  /** true: it was the last one allowed. */
  strike(key: string): boolean {
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    return count >= this.#max;
  }

  /** Against how many something is held. */
  get size(): number {
    return this.#counts.size;
  }

  clear(key: string): void {
    this.#counts.delete(key);
  }

  /** Forgets all others. */
  keep(keys: ReadonlySet<string>): void {
    for (const key of this.#counts.keys()) if (!keys.has(key)) this.#counts.delete(key);
  }
}
