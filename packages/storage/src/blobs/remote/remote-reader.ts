import { resolveRange } from "../blob-range.ts";
import type { BlobReader, GetOptions } from "../blob-store.ts";
import { BlobError } from "../errors.ts";
import type { ChunkCache } from "./chunk-cache.ts";
import { CHUNK_BYTES } from "./chunk-digests.ts";
import type { ObjectRecord } from "./remote-catalog.ts";
import { type ReadParts, readVerified } from "./verified-read.ts";

export interface RemoteReaderParts extends ReadParts {
  readonly cache: ChunkCache;
  /** Ends every read of the store. */
  readonly closing: AbortSignal;
}

/** One blob of a server. Every byte is verified before it is handed out. */
export class RemoteReader implements BlobReader {
  readonly #record: ObjectRecord;
  readonly #parts: RemoteReaderParts;
  readonly #signal: AbortSignal | undefined;

  constructor(record: ObjectRecord, parts: RemoteReaderParts, signal?: AbortSignal) {
    this.#record = record;
    this.#parts = parts;
    this.#signal = signal;
  }

  get sha256(): string {
    return this.#record.sha256;
  }

  get sizeBytes(): number {
    return this.#record.sizeBytes;
  }

  async *read({ range, signal }: GetOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    const resolved = resolveRange(this.sizeBytes, range);
    yield* readVerified(this.#record, resolved, this.#parts, this.#signalWith(signal));
  }

  async readAt(offsetBytes: number, lengthBytes: number): Promise<Uint8Array> {
    const endBytes = offsetBytes + lengthBytes;
    if (endBytes > this.sizeBytes) {
      const details = { sha256: this.sha256, offsetBytes, lengthBytes, sizeBytes: this.sizeBytes };
      throw new BlobError("BLOB_CORRUPT", "the blob ends before the content does: fetch it again", details);
    }
    const bytes = new Uint8Array(lengthBytes);
    for (let at = offsetBytes; at < endBytes; ) {
      const chunk = await this.#chunkAt(Math.floor(at / CHUNK_BYTES));
      const piece = chunk.subarray(at % CHUNK_BYTES, (at % CHUNK_BYTES) + endBytes - at);
      bytes.set(piece, at - offsetBytes);
      at += piece.byteLength;
    }
    return bytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing is held open between two reads.
  }

  async #chunkAt(index: number): Promise<Uint8Array> {
    const { cache } = this.#parts;
    const known = cache.get(this.sha256, index);
    if (known !== undefined) return known;
    const startBytes = index * CHUNK_BYTES;
    const range = { startBytes, endBytes: Math.min(startBytes + CHUNK_BYTES, this.sizeBytes) };
    const pieces = readVerified(this.#record, range, this.#parts, this.#signalWith(undefined));
    const chunk = Buffer.concat(await Array.fromAsync(pieces));
    cache.set(this.sha256, index, chunk);
    return chunk;
  }

  #signalWith(signal: AbortSignal | undefined): AbortSignal {
    const { closing } = this.#parts;
    return AbortSignal.any([closing, this.#signal, signal].filter((one) => one !== undefined));
  }
}
