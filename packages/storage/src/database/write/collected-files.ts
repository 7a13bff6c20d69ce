/** What was taken out of the records. */
export interface Collected {
  readonly files: number;
  readonly bytes: number;
}

/** Adds up what is collected; only what was committed is told. */
export class CollectedFiles {
  #open = { files: 0, bytes: 0 };
  #committed = { files: 0, bytes: 0 };

  add(sizeBytes: number): void {
    this.#open.files += 1;
    this.#open.bytes += sizeBytes;
  }

  commit(): void {
    this.#committed.files += this.#open.files;
    this.#committed.bytes += this.#open.bytes;
    this.#open = { files: 0, bytes: 0 };
  }

  rollBack(): void {
    this.#open = { files: 0, bytes: 0 };
  }

  take(): Collected {
    const taken = this.#committed;
    this.#committed = { files: 0, bytes: 0 };
    return taken;
  }
}
