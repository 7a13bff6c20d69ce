/** Who holds something open, by a key: the one who has for the longest time has to go when there are too many. */
export class LogListeners {
  readonly #max: number;
  readonly #listeners = new Map<string, Set<() => void>>();

  constructor(max: number) {
    this.#max = max;
  }

  /** @returns takes the listener away */
  add(key: string, drop: () => void): () => void {
    const listeners = this.#listeners.get(key) ?? new Set();
    this.#listeners.set(key, listeners);
    listeners.add(drop);
    const [oldest] = listeners;
    if (listeners.size > this.#max && oldest !== undefined) {
      listeners.delete(oldest);
      oldest();
    }
    return () => {
      if (listeners.delete(drop) && listeners.size === 0) this.#listeners.delete(key);
    };
  }
}
