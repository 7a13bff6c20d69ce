import { abortable, type ByteSource } from "./byte-source.ts";

/** Takes exact numbers of bytes from a stream of pieces, keeping one piece at most beside what is asked for. */
export class ByteReader implements AsyncDisposable {
  readonly #pieces: AsyncGenerator<Uint8Array, void, undefined>;
  #piece: Uint8Array = new Uint8Array();
  #takenBytes = 0;

  constructor(source: ByteSource, signal?: AbortSignal) {
    this.#pieces = abortable(source, signal);
  }

  /** Bytes handed out so far. */
  get takenBytes(): number {
    return this.#takenBytes;
  }

  /** `count` bytes, or the fewer that are left before the end. */
  async take(count: number): Promise<Uint8Array> {
    const taken: Uint8Array[] = [];
    let missing = count;
    while (missing > 0 && (await this.#fill())) {
      const part = this.#piece.subarray(0, missing);
      this.#piece = this.#piece.subarray(part.byteLength);
      missing -= part.byteLength;
      taken.push(part.slice());
    }
    this.#takenBytes += count - missing;
    return taken.length === 1 && taken[0] !== undefined ? taken[0] : Buffer.concat(taken);
  }

  /** One byte, or undefined at the end. */
  async takeByte(): Promise<number | undefined> {
    if (!(await this.#fill())) return undefined;
    const byte = this.#piece[0];
    this.#piece = this.#piece.subarray(1);
    this.#takenBytes += 1;
    return byte;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pieces.return();
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
