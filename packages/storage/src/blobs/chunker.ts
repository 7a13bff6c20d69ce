/** Cuts a stream of pieces into chunks of one size, whatever the pieces; the last chunk has what is left. */
export class Chunker {
  readonly #chunkBytes: number;
  readonly #emit: (chunk: Uint8Array) => void;
  #buffer: Uint8Array = new Uint8Array();
  #filled = 0;
  #emitted = 0;

  /** `emit` gets each chunk; the bytes are valid only during the call. */
  constructor(chunkBytes: number, emit: (chunk: Uint8Array) => void) {
    this.#chunkBytes = chunkBytes;
    this.#emit = emit;
  }

  update(piece: Uint8Array): void {
    let offset = 0;
    while (offset < piece.byteLength) {
      const left = piece.byteLength - offset;
      if (this.#filled === 0 && left >= this.#chunkBytes) {
        this.#send(piece.subarray(offset, offset + this.#chunkBytes));
        offset += this.#chunkBytes;
        continue;
      }
      offset += this.#collect(piece, offset);
    }
  }

  /** Sends what is left; content of no bytes is one empty chunk. */
  finish(): void {
    if (this.#filled === 0 && this.#emitted > 0) return;
    this.#flush();
  }

  #collect(piece: Uint8Array, offset: number): number {
    const taken = piece.subarray(offset, offset + this.#chunkBytes - this.#filled);
    this.#roomFor(this.#filled + taken.byteLength).set(taken, this.#filled);
    this.#filled += taken.byteLength;
    if (this.#filled === this.#chunkBytes) this.#flush();
    return taken.byteLength;
  }

  /** The buffer grows as it is needed: most files are much smaller than a chunk. */
  #roomFor(sizeBytes: number): Uint8Array {
    if (sizeBytes <= this.#buffer.byteLength) return this.#buffer;
    const grown = new Uint8Array(
      Math.min(this.#chunkBytes, Math.max(2 * this.#buffer.byteLength, sizeBytes)),
    );
    grown.set(this.#buffer.subarray(0, this.#filled));
    this.#buffer = grown;
    return grown;
  }

  #flush(): void {
    const chunk = this.#buffer.subarray(0, this.#filled);
    this.#filled = 0;
    this.#send(chunk);
  }

  #send(chunk: Uint8Array): void {
    this.#emitted += 1;
    this.#emit(chunk);
  }
}
