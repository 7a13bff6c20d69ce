import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { COMPRESSION_THRESHOLD_BYTES, type ContentEncoding } from "./http/json-reply.ts";

const compressBrotli = promisify(brotliCompress);
const compressGzip = promisify(gzip);

interface Entry {
  readonly version: string;
  readonly plain: Buffer;
  readonly encoded: Map<ContentEncoding, Promise<Buffer>>;
  /** Plain and encoded bodies together. */
  bytes: number;
}

/**
 * Keeps finished aggregate answers, each encoding made once per version. Bounded in bytes; the answer that was
 * used least recently goes first.
 */
export class AggregateCache {
  readonly #maxBytes: number;
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get sizeBytes(): number {
    return this.#bytes;
  }

  /** The body for `key` at `version`, made by `make` when it is not held. `encoding` is ignored for small bodies. */
  body(
    key: string,
    version: string,
    encoding: ContentEncoding | null,
    make: () => string,
  ): Promise<{ body: Buffer; encoding: ContentEncoding | null }> {
    const entry = this.#entry(key, version, make);
    if (encoding === null || entry.plain.length <= COMPRESSION_THRESHOLD_BYTES) {
      return Promise.resolve({ body: entry.plain, encoding: null });
    }
    let encoded = entry.encoded.get(encoding);
    if (encoded === undefined) {
      encoded = this.#encode(key, entry, encoding);
      entry.encoded.set(encoding, encoded);
    }
    return encoded.then((body) => ({ body, encoding }));
  }

  #entry(key: string, version: string, make: () => string): Entry {
    const held = this.#entries.get(key);
    if (held !== undefined) {
      this.#entries.delete(key);
      if (held.version === version) {
        this.#entries.set(key, held);
        return held;
      }
      this.#bytes -= held.bytes;
    }
    const plain = Buffer.from(make());
    const entry: Entry = { version, plain, encoded: new Map(), bytes: plain.length };
    this.#entries.set(key, entry);
    this.#grow(entry.bytes);
    return entry;
  }

  async #encode(key: string, entry: Entry, encoding: ContentEncoding): Promise<Buffer> {
    const body = await (encoding === "br"
      ? compressBrotli(entry.plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } })
      : compressGzip(entry.plain, { level: 6 }));
    if (this.#entries.get(key) === entry) {
      entry.bytes += body.length;
      this.#grow(body.length);
    }
    return body;
  }

  #grow(bytes: number): void {
    this.#bytes += bytes;
    for (const [key, entry] of this.#entries) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#entries.delete(key);
      this.#bytes -= entry.bytes;
    }
  }
}
