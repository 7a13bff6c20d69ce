/** A key, and a number that says what it stands for. */
export interface QueuedKey {
  readonly key: Uint8Array;
  readonly value: number;
}

const FIRST_ENTRIES = 4_096;
/** Keys are kept in blocks, so that nothing is copied as there are more of them. */
const BLOCK_BYTES = 128 * 1024;
/** The place of an entry has 24 bits. */
const MAX_ENTRIES = 2 ** 24;
/** Keys of 32 bytes are digests; longer ones are CIDs, whose digest stands at their end. */
const DIGEST_BYTES = 32;

/** Which half of a 64-bit integer comes first depends on the machine. */
const LOW = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 0 : 1;
const HIGH = 1 - LOW;

/**
 * Keys that are taken in about their order, each once: neighbours share buckets, inner nodes and pages, so a tree is
 * brought up to date for a fraction of what single keys would cost.
 *
 * Five bytes of a key tell which part of a large tree it lies in; with the place of the key behind them they sort as
 * one integer, half a million in some 50 ms.
 */
export class KeyQueue {
  #blocks: Uint8Array[] = [];
  /** Where each key begins, all blocks counted, and how long it is. */
  #starts = new Uint32Array(FIRST_ENTRIES);
  #lengths = new Uint8Array(FIRST_ENTRIES);
  #end = 0;
  #values = new Float64Array(FIRST_ENTRIES);
  #order = new BigUint64Array(FIRST_ENTRIES);
  #words = new Uint32Array(this.#order.buffer);
  #count = 0;
  #taken = 0;
  #isSorted = true;

  /** Not once keys are taken. */
  add(key: Uint8Array, value: number): void {
    if (this.#count >= MAX_ENTRIES) throw new RangeError(`A queue holds ${MAX_ENTRIES} keys at most`);
    if (this.#count === this.#starts.length) this.#growEntries();
    this.#starts[this.#count] = this.#place(key);
    this.#lengths[this.#count] = key.length;
    this.#values[this.#count] = value;
    this.#setOrder(key);
    this.#count += 1;
    this.#isSorted = false;
  }

  /** The next keys; none when all were taken. Of equal keys the one that was added last. */
  take(limit: number): QueuedKey[] {
    if (!this.#isSorted) this.#sort();
    const taken: QueuedKey[] = [];
    for (; this.#taken < this.#count && taken.length < limit; this.#taken += 1) {
      const place = (this.#words[this.#taken * 2 + LOW] ?? 0) & (MAX_ENTRIES - 1);
      const entry = {
        key: this.#keyAt(place),
        value: this.#values[place] ?? 0,
      };
      const last = taken.at(-1);
      if (last !== undefined && Buffer.compare(last.key, entry.key) === 0) taken[taken.length - 1] = entry;
      else taken.push(entry);
    }
    return taken;
  }

  /** What a large queue took goes back; a small one, as there is after most batches, is used again as it is. */
  clear(): void {
    this.#blocks.length = Math.min(this.#blocks.length, 1);
    this.#end = 0;
    if (this.#starts.length > FIRST_ENTRIES) {
      this.#starts = new Uint32Array(FIRST_ENTRIES);
      this.#lengths = new Uint8Array(FIRST_ENTRIES);
      this.#values = new Float64Array(FIRST_ENTRIES);
      this.#order = new BigUint64Array(FIRST_ENTRIES);
      this.#words = new Uint32Array(this.#order.buffer);
    }
    this.#count = 0;
    this.#taken = 0;
    this.#isSorted = true;
  }

  #setOrder(key: Uint8Array): void {
    const rest = key.length > DIGEST_BYTES ? key.length - DIGEST_BYTES : 1;
    const byte = (offset: number): number => key[rest + offset] ?? 0;
    const high = ((key[0] ?? 0) << 24) | (byte(0) << 16) | (byte(1) << 8) | byte(2);
    this.#words[this.#count * 2 + HIGH] = high;
    this.#words[this.#count * 2 + LOW] = (byte(3) << 24) | this.#count;
  }

  #sort(): void {
    this.#order.subarray(0, this.#count).sort();
    this.#isSorted = true;
  }

  /** Copies a key into the last block, or a new one where it does not fit; gives where it begins. */
  #place(key: Uint8Array): number {
    const free = this.#blocks.length * BLOCK_BYTES - this.#end;
    if (free < key.length) {
      this.#end = this.#blocks.length * BLOCK_BYTES;
      this.#blocks.push(new Uint8Array(BLOCK_BYTES));
    }
    const start = this.#end;
    this.#blocks.at(-1)?.set(key, start % BLOCK_BYTES);
    this.#end += key.length;
    return start;
  }

  #keyAt(place: number): Uint8Array {
    const start = this.#starts[place] ?? 0;
    const block = this.#blocks[Math.floor(start / BLOCK_BYTES)] ?? new Uint8Array();
    return block.subarray(start % BLOCK_BYTES, (start % BLOCK_BYTES) + (this.#lengths[place] ?? 0));
  }

  #growEntries(): void {
    this.#starts = grown(this.#starts, Uint32Array);
    this.#lengths = grown(this.#lengths, Uint8Array);
    this.#values = grown(this.#values, Float64Array);
    this.#order = grown(this.#order, BigUint64Array);
    this.#words = new Uint32Array(this.#order.buffer);
  }
}

type Column = Uint8Array | Uint32Array | Float64Array | BigUint64Array;

function grown<T extends Column>(column: T, Type: new (buffer: ArrayBuffer) => T): T {
  const bytes = new Uint8Array(column.byteLength * 2);
  bytes.set(new Uint8Array(column.buffer));
  return new Type(bytes.buffer);
}
