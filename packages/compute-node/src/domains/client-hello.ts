/** What the first bytes of a TLS connection say. */
export type HelloReading =
  | { readonly kind: "incomplete" }
  /** `name` null: it names no server. */
  | { readonly kind: "hello"; readonly name: string | null }
  | { readonly kind: "other" };

const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const HOST_NAME = 0;
const RECORD_HEAD_BYTES = 5;
const MAX_RECORD_BYTES = 16_384;
/** Of the whole first message, over all of its records: browsers send up to two thousand. */
export const MAX_HELLO_BYTES = 16_384;

/**
 * Reads the server's name out of the first message of a TLS connection, which nobody encrypts. Source: RFC 8446, section
 * 4.1.2; RFC 6066, section 3.
 */
export function readClientHello(bytes: Buffer): HelloReading {
  const records = joinRecords(bytes);
  if (records === null) return { kind: "other" };
  if (records.length < 4) return { kind: "incomplete" };
  const size = records.readUIntBE(1, 3);
  if (records[0] !== CLIENT_HELLO || size > MAX_HELLO_BYTES) return { kind: "other" };
  if (records.length < 4 + size) return { kind: "incomplete" };
  try {
    return { kind: "hello", name: serverName(new Cursor(records.subarray(4, 4 + size))) };
  } catch (error) {
    if (error instanceof RangeError) return { kind: "other" };
    throw error;
  }
}

/** What the records that are here carry; null: they are no handshake. */
function joinRecords(bytes: Buffer): Buffer | null {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (bytes[at] !== HANDSHAKE) return null;
    if (bytes.length < at + RECORD_HEAD_BYTES) break;
    const size = bytes.readUInt16BE(at + 3);
    if (bytes[at + 1] !== 3 || size === 0 || size > MAX_RECORD_BYTES) return null;
    parts.push(bytes.subarray(at + RECORD_HEAD_BYTES, at + RECORD_HEAD_BYTES + size));
    at += RECORD_HEAD_BYTES + size;
  }
  return Buffer.concat(parts);
}

function serverName(hello: Cursor): string | null {
  hello.take(2 + 32);
  hello.vector(1);
  hello.vector(2);
  hello.vector(1);
  if (hello.isAtEnd) return null;
  const extensions = new Cursor(hello.vector(2));
  while (!extensions.isAtEnd) {
    const type = extensions.number(2);
    const body = extensions.vector(2);
    if (type !== SERVER_NAME) continue;
    const names = new Cursor(new Cursor(body).vector(2));
    while (!names.isAtEnd) {
      const isHost = names.number(1) === HOST_NAME;
      const name = names.vector(2).toString("latin1");
      if (isHost) return name;
    }
  }
  return null;
}

/** Goes through bytes; beyond their end it throws a RangeError. */
class Cursor {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  take(size: number): Buffer {
    const end = this.#at + size;
    if (end > this.#bytes.length) throw new RangeError("a length leads beyond the end");
    const part = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return part;
  }

  number(size: number): number {
    return this.take(size).readUIntBE(0, size);
  }

  /** What a length of so many bytes stands before. */
  vector(lengthBytes: number): Buffer {
    return this.take(this.number(lengthBytes));
  }
}
