/** A change of one fact: null stands for "there is none". */
export interface Change<V> {
  readonly key: string;
  readonly before: V | null;
  readonly after: V | null;
}

/**
 * The facts of one kind that a batch knows: those fetched, overlaid by those that the batch changed.
 * Asking for a fact that was not fetched is a defect of the caller, so it throws.
 */
export class FactTable<V> {
  readonly name: string;
  readonly #known = new Map<string, V | null>();
  readonly #before = new Map<string, V | null>();

  constructor(name: string) {
    this.name = name;
  }

  has(key: string): boolean {
    return this.#known.has(key);
  }

  get(key: string): V | null {
    const value = this.#known.get(key);
    if (value === undefined) throw new Error(`Fact ${this.name}:${key} was not fetched`);
    return value;
  }

  /** The fact if it is known to the batch, else undefined. */
  peek(key: string): V | null | undefined {
    return this.#known.get(key);
  }

  /** Records what the store holds. A fact that the batch already knows is left alone. */
  load(key: string, value: V | null): void {
    if (!this.#known.has(key)) this.#known.set(key, value);
  }

  /** Forgets a look-up that the store answers anew. Only for facts that the batch did not change. */
  unload(key: string): void {
    this.#known.delete(key);
  }

  set(key: string, value: V | null): void {
    if (!this.#before.has(key)) this.#before.set(key, this.get(key));
    this.#known.set(key, value);
  }

  get isDirty(): boolean {
    return this.#before.size > 0;
  }

  /** Everything that changed, with what it was before the batch. */
  *changes(): IterableIterator<Change<V>> {
    for (const [key, before] of this.#before) {
      const after = this.#known.get(key) ?? null;
      if (before !== after) yield { key, before, after };
    }
  }

  /** The changes so far are in the store: what follows is measured against them. */
  settle(): void {
    this.#before.clear();
  }
}
