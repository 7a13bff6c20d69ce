import type { ItemChange } from "../pipeline/writer/jobs.ts";

/** Who waits for news of which item. */
export class ItemWatch {
  readonly #listeners = new Map<string, Set<(change: ItemChange | null) => void>>();

  /**
   * Calls back after each commit that changed the item; with null after one that may have. Returns the end of it.
   */
  on(itemHash: string, listener: (change: ItemChange | null) => void): () => void {
    const listeners = this.#listeners.get(itemHash) ?? new Set();
    listeners.add(listener);
    this.#listeners.set(itemHash, listeners);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(itemHash);
    };
  }

  /** There was a commit, and nobody here knows of what. */
  tellAll(): void {
    for (const listeners of [...this.#listeners.values()]) {
      for (const listener of [...listeners]) listener(null);
    }
  }

  tell(changes: readonly ItemChange[]): void {
    if (this.#listeners.size === 0) return;
    for (const change of changes) {
      for (const listener of [...(this.#listeners.get(change.itemHash) ?? [])]) listener(change);
    }
  }
}
