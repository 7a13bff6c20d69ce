import { Chunker } from "../chunker.ts";
import { sha256Of } from "../cids.ts";

/**
 * A blob is verified in pieces of this size, so that each range of it can be, and nothing unverified is passed on.
 * It is the chunk of the fixed CID: the digest of a chunk is that of its leaf.
 */
export const CHUNK_BYTES = 262_144;
const DIGEST_BYTES = 32;

/** Collects the SHA-256 of every chunk while the bytes pass by. */
export class ChunkHasher {
  #digests = Buffer.alloc(DIGEST_BYTES);
  #count = 0;
  readonly #chunker = new Chunker(CHUNK_BYTES, (chunk) => this.#add(sha256Of(chunk)));

  update(piece: Uint8Array): void {
    this.#chunker.update(piece);
  }

  finish(): ChunkDigests {
    this.#chunker.finish();
    return new ChunkDigests(this.#digests.subarray(0, this.#count * DIGEST_BYTES));
  }

  #add(digest: Uint8Array): void {
    if ((this.#count + 1) * DIGEST_BYTES > this.#digests.byteLength) {
      this.#digests = Buffer.concat([this.#digests, Buffer.alloc(this.#digests.byteLength)]);
    }
    this.#digests.set(digest, this.#count * DIGEST_BYTES);
    this.#count += 1;
  }
}

/** The SHA-256 of every chunk of a blob, one after the other: one byte for each 8,192 of content. */
export class ChunkDigests {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** Whether these are the bytes of the chunk with this number, from 0. */
  isChunk(index: number, chunk: Uint8Array): boolean {
    const digest = this.bytes.subarray(index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES);
    return digest.byteLength === DIGEST_BYTES && Buffer.compare(digest, sha256Of(chunk)) === 0;
  }
}
