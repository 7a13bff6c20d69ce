/** A message that a node has acknowledged. */
export interface Promised {
  readonly hash: string;
  readonly kind: string;
  readonly text: string;
  readonly fileHash: string | null;
  /** Who acknowledged it. */
  readonly peerId: string;
}

/** What nodes have acknowledged to clients, and what is no promise any more. */
export class Promises {
  readonly #made: Promised[] = [];
  readonly #lost = new Set<Promised>();

  add(promised: Promised): void {
    this.#made.push(promised);
  }

  /** The disk of a machine is gone: what it alone may have had is no promise any more. */
  diskLost(peerId: string): void {
    for (const promised of this.#made) if (promised.peerId === peerId) this.#lost.add(promised);
  }

  get all(): readonly Promised[] {
    return this.#made;
  }

  /** Those that have to be kept. */
  get binding(): readonly Promised[] {
    return this.#made.filter((promised) => !this.#lost.has(promised));
  }
}
