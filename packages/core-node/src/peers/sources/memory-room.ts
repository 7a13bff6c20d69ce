/** Bytes that may stand in memory at once, over all who send some. */
export class MemoryRoom {
  #free: number;

  constructor(maxBytes: number) {
    this.#free = maxBytes;
  }

  /** Takes room for one answer as it grows, until all of it is given back. */
  hold(): HeldRoom {
    let held = 0;
    return {
      grow: (bytes) => {
        if (bytes > this.#free) return false;
        this.#free -= bytes;
        held += bytes;
        return true;
      },
      giveBack: () => {
        this.#free += held;
        held = 0;
      },
    };
  }
}

export interface HeldRoom {
  /** false: there is no room for that. */
  grow(bytes: number): boolean;
  /** Nothing is held any more; a second time changes nothing. */
  giveBack(): void;
}
