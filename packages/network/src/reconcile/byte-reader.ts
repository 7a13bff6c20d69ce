import { PeerFault } from "./peer-fault.ts";

/** Takes numbers and bytes out of what a peer sent. Throws PeerFault where there are fewer, or more, than it said. */
export class ByteReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  u8(): number {
    return this.#take(1).readUInt8();
  }

  u16(): number {
    return this.#take(2).readUInt16BE();
  }

  u32(): number {
    return this.#take(4).readUInt32BE();
  }

  u64(): number {
    const value = this.#take(8).readBigUInt64BE();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new PeerFault("the peer sent a number beyond 2^53");
    return Number(value);
  }

  hex(bytes: number): string {
    return this.#take(bytes).toString("hex");
  }

  rest(): Buffer {
    return this.#take(this.#bytes.length - this.#at);
  }

  end(): void {
    if (!this.isAtEnd) throw new PeerFault("the peer sent more than belongs there");
  }

  #take(length: number): Buffer {
    if (this.#bytes.length - this.#at < length) throw new PeerFault("the peer sent less than it said");
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}
