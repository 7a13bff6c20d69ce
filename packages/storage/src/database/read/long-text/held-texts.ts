/** A stored text in UTF-8, outside of the heap of its thread. */
export interface HeldText {
  readonly bytes: Buffer;
  /** Where the part that is read stands in it. */
  readonly start: number;
  readonly end: number;
}

/** Together above this, the text used least recently goes; a single one may be larger. */
const MAX_HELD_BYTES = 64 * 1024 * 1024;

/**
 * The long texts that are being read in pieces, so that not every piece reads the whole text again. What is not
 * here (any more) is opened again.
 */
export class HeldTexts {
  readonly #held = new Map<string, HeldText>();
  #bytes = 0;

  /** The text under `key`, opened by `open` when it is not held. */
  use(key: string, open: () => HeldText): HeldText {
    const known = this.#held.get(key);
    if (known !== undefined) {
      this.#held.delete(key);
      this.#held.set(key, known);
      return known;
    }
    const text = open();
    this.#held.set(key, text);
    this.#bytes += text.bytes.length;
    for (const oldest of this.#held.keys()) {
      if (this.#bytes <= MAX_HELD_BYTES || this.#held.size === 1) break;
      this.drop(oldest);
    }
    return text;
  }

  drop(key: string): void {
    const text = this.#held.get(key);
    if (text === undefined) return;
    this.#held.delete(key);
    this.#bytes -= text.bytes.length;
  }

  dropAll(): void {
    this.#held.clear();
    this.#bytes = 0;
  }
}
