import { once } from "node:events";
import type { Writable } from "node:stream";

/** Text that is written in one go. */
const CHUNK_CHARACTERS = 1024 * 1024;

/** Writes lines at the speed of their reader, in bounded memory. */
export class LineSink {
  readonly #destination: Writable;
  readonly #signal: AbortSignal;
  #text = "";

  constructor(destination: Writable, signal: AbortSignal) {
    this.#destination = destination;
    this.#signal = signal;
  }

  /** @throws the signal's reason */
  async write(line: string): Promise<void> {
    this.#signal.throwIfAborted();
    this.#text += `${line}\n`;
    if (this.#text.length >= CHUNK_CHARACTERS) await this.flush();
  }

  async flush(): Promise<void> {
    const text = this.#text;
    this.#text = "";
    if (text !== "" && !this.#destination.write(text))
      await once(this.#destination, "drain", { signal: this.#signal });
  }
}
