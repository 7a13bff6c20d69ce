import { abortable, type ByteSource } from "./byte-source.ts";

/** Takes exact numbers of bytes from a stream of pieces, keeping one piece at most beside what is asked for. */
export class ByteReader implements Disposable {
  readonly #pieces: AsyncGenerator<Uint8Array, void, undefined>;
  #piece: Uint8Array = new Uint8Array();

  constructor(source: ByteSource, signal?: AbortSignal) {
    this.#pieces = abortable(source, signal);
  }

  /** `count` bytes, or the fewer that are left before the end. The caller bounds `count`: it is memory. */
  async take(count: number): Promise<Uint8Array> {
    const taken = new Uint8Array(count);
    let filled = 0;
    while (filled < count && (await this.#fill())) {
      const part = this.#piece.subarray(0, count - filled);
      taken.set(part, filled);
      this.#piece = this.#piece.subarray(part.byteLength);
      filled += part.byteLength;
    }
    return taken.subarray(0, filled);
  }

  /** One byte, or undefined at the end. */
  async takeByte(): Promise<number | undefined> {
    if (!(await this.#fill())) return undefined;
    const byte = this.#piece[0];
    this.#piece = this.#piece.subarray(1);
    return byte;
  }

  /** Tells the source to stop. It is not waited for: one that keeps silent would never answer. */
  [Symbol.dispose](): void {
    void this.#pieces.return().catch(() => {});
  }

  async #fill(): Promise<boolean> {
    while (this.#piece.byteLength === 0) {
      const next = await this.#pieces.next();
      if (next.done === true) return false;
      this.#piece = next.value;
    }
    return true;
  }
}
