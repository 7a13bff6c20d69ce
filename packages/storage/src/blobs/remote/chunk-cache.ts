/** Chunks of blobs that were read last and verified: the blocks of a directory stand close together in their pack. */
export class ChunkCache {
  readonly #chunks = new Map<string, Uint8Array>();
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get(sha256: string, index: number): Uint8Array | undefined {
    const key = `${sha256}:${index}`;
    const chunk = this.#chunks.get(key);
    if (chunk === undefined) return undefined;
    this.#chunks.delete(key);
    this.#chunks.set(key, chunk);
    return chunk;
  }

  set(sha256: string, index: number, chunk: Uint8Array): void {
    this.#drop(`${sha256}:${index}`);
    this.#chunks.set(`${sha256}:${index}`, chunk);
    this.#bytes += chunk.byteLength;
    for (const key of this.#chunks.keys()) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#drop(key);
    }
  }

  /** Forgets the chunks of a blob that was removed. */
  forget(sha256: string): void {
    for (const key of [...this.#chunks.keys()]) if (key.startsWith(sha256)) this.#drop(key);
  }

  #drop(key: string): void {
    this.#bytes -= this.#chunks.get(key)?.byteLength ?? 0;
    this.#chunks.delete(key);
  }
}
