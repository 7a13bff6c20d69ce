const FIRST_BYTES = 1_024;

/** Ids of database rows: one bit each, so that the set of all files of a large node stays small. */
export class IdSet {
  #bits = new Uint8Array(FIRST_BYTES);

  /** False when the id is in the set already. */
  add(id: number): boolean {
    const byte = Math.floor(id / 8);
    const bit = 1 << (id % 8);
    if (byte >= this.#bits.length) this.#grow(byte);
    const known = this.#bits[byte] ?? 0;
    this.#bits[byte] = known | bit;
    return (known & bit) === 0;
  }

  #grow(byte: number): void {
    const bits = new Uint8Array(2 ** Math.ceil(Math.log2(byte + 1)));
    bits.set(this.#bits);
    this.#bits = bits;
  }
}
