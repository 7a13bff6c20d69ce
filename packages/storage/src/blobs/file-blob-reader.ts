import { resolveRange } from "./blob-range.ts";
import type { BlobReader, GetOptions } from "./blob-store.ts";
import { BlobError } from "./errors.ts";
import type { ReadableFile } from "./file-system.ts";

/** Bytes read from the disk at a time. */
const READ_BYTES = 256 * 1024;

export class FileBlobReader implements BlobReader {
  readonly sha256: string;
  readonly #file: ReadableFile;

  constructor(sha256: string, file: ReadableFile) {
    this.sha256 = sha256;
    this.#file = file;
  }

  get sizeBytes(): number {
    return this.#file.sizeBytes;
  }

  async *read({ range, signal }: GetOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    const { startBytes, endBytes } = resolveRange(this.sizeBytes, range);
    for (let position = startBytes; position < endBytes; position += READ_BYTES) {
      signal?.throwIfAborted();
      yield await this.readAt(position, Math.min(READ_BYTES, endBytes - position));
    }
  }

  async readAt(offsetBytes: number, lengthBytes: number): Promise<Uint8Array> {
    const buffer = new Uint8Array(lengthBytes);
    const filled = await this.#file.read(buffer, offsetBytes);
    if (filled === lengthBytes) return buffer;
    throw new BlobError(
      "BLOB_CORRUPT",
      "the file ends before the content does: fetch it again from another node",
      {
        sha256: this.sha256,
        offsetBytes,
        lengthBytes,
        sizeBytes: this.sizeBytes,
      },
    );
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#file.close();
  }
}
