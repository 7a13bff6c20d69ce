import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { COMPRESSION_THRESHOLD_BYTES, type ContentEncoding } from "../http/json-reply.ts";

const compressBrotli = promisify(brotliCompress);
const compressGzip = promisify(gzip);

interface Entry {
  readonly version: string;
  readonly plain: Promise<Buffer>;
  readonly encoded: Map<ContentEncoding, Promise<Buffer>>;
  /** Plain and encoded bodies together, as far as they are made. */
  bytes: number;
}

/**
 * Keeps finished aggregate answers, each of them and each encoding made once per version, however many ask at the
 * same time. Bounded in bytes; the answer that was used least recently goes first.
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

  /** True when the body is held or being made. */
  has(key: string, version: string): boolean {
    return this.#entries.get(key)?.version === version;
  }

  /** The body for `key` at `version`, made by `make` when it is not held. `encoding` is ignored for small bodies. */
  async body(
    key: string,
    version: string,
    encoding: ContentEncoding | null,
    make: () => Promise<Buffer>,
  ): Promise<{ body: Buffer; encoding: ContentEncoding | null }> {
    const entry = this.#entry(key, version, make);
    const plain = await entry.plain;
    if (encoding === null || plain.length <= COMPRESSION_THRESHOLD_BYTES) {
      return { body: plain, encoding: null };
    }
    let encoded = entry.encoded.get(encoding);
    if (encoded === undefined) {
      encoded = this.#counted(key, entry, encode(plain, encoding));
      entry.encoded.set(encoding, encoded);
    }
    return { body: await encoded, encoding };
  }

  #entry(key: string, version: string, make: () => Promise<Buffer>): Entry {
    const held = this.#entries.get(key);
    if (held !== undefined) {
      this.#drop(key, held);
      if (held.version === version) {
        this.#entries.set(key, held);
        this.#bytes += held.bytes;
        return held;
      }
    }
    const made = Promise.withResolvers<Buffer>();
    const entry: Entry = { version, plain: made.promise, encoded: new Map(), bytes: 0 };
    this.#entries.set(key, entry);
    this.#counted(key, entry, make()).then(made.resolve, (error: unknown) => {
      this.#drop(key, entry);
      made.reject(error);
    });
    return entry;
  }

  async #counted(key: string, entry: Entry, making: Promise<Buffer>): Promise<Buffer> {
    const body = await making;
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
      this.#drop(key, entry);
    }
  }

  #drop(key: string, entry: Entry): void {
    if (this.#entries.get(key) !== entry) return;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
  }
}

function encode(plain: Buffer, encoding: ContentEncoding): Promise<Buffer> {
  return encoding === "br"
    ? compressBrotli(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } })
    : compressGzip(plain, { level: 6 });
}
