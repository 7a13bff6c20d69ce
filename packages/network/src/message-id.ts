/*
 * The id of a gossiped message: SipHash-1-3 with zero keys over the length of its data (8 bytes, little-endian) and the
 * data, as decimal text. Who sent it and where does not count, so every node gives one payload one id; a node that
 * computed another one could neither be asked for a message nor ask.
 *
 * Source: p2p-service `src/p2p/network.rs` (the standard hasher of Rust); J.-P. Aumasson, D. J. Bernstein, "SipHash: a
 * fast short-input PRF", 2012.
 */

const encoder = new TextEncoder();

/** The id as it travels in IHAVE and IWANT. */
export function messageIdOf(data: Uint8Array): Uint8Array {
  return encoder.encode(gossipHash(data).toString());
}

/** 64-bit words as two halves: `bigint` would cost several times as much on the way of every message. */
interface Word {
  hi: number;
  lo: number;
}

export function gossipHash(data: Uint8Array): bigint {
  const state = initialState();
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  absorb(state, data.byteLength >>> 0, Math.floor(data.byteLength / 2 ** 32));
  const whole = data.byteLength - (data.byteLength % 8);
  for (let at = 0; at < whole; at += 8) absorb(state, view.getUint32(at, true), view.getUint32(at + 4, true));
  const tail = new Uint8Array(8);
  tail.set(data.subarray(whole));
  // The last word ends with the length of all that was hashed, the prefix included.
  tail[7] = (data.byteLength + 8) & 0xff;
  const last = new DataView(tail.buffer);
  absorb(state, last.getUint32(0, true), last.getUint32(4, true));
  return finish(state);
}

type State = readonly [Word, Word, Word, Word];

/** The constants of SipHash, with keys of zero. */
const initialState = (): State => [
  { hi: 0x736f6d65, lo: 0x70736575 },
  { hi: 0x646f7261, lo: 0x6e646f6d },
  { hi: 0x6c796765, lo: 0x6e657261 },
  { hi: 0x74656462, lo: 0x79746573 },
];

function absorb(state: State, lo: number, hi: number): void {
  const [v0, , , v3] = state;
  v3.lo ^= lo;
  v3.hi ^= hi;
  round(state);
  v0.lo ^= lo;
  v0.hi ^= hi;
}

function finish(state: State): bigint {
  const [v0, v1, v2, v3] = state;
  v2.lo ^= 0xff;
  for (let index = 0; index < 3; index += 1) round(state);
  const hi = (v0.hi ^ v1.hi ^ v2.hi ^ v3.hi) >>> 0;
  const lo = (v0.lo ^ v1.lo ^ v2.lo ^ v3.lo) >>> 0;
  return (BigInt(hi) << 32n) | BigInt(lo);
}

function round([v0, v1, v2, v3]: State): void {
  add(v0, v1);
  rotate(v1, 13);
  xor(v1, v0);
  rotate(v0, 32);
  add(v2, v3);
  rotate(v3, 16);
  xor(v3, v2);
  add(v0, v3);
  rotate(v3, 21);
  xor(v3, v0);
  add(v2, v1);
  rotate(v1, 17);
  xor(v1, v2);
  rotate(v2, 32);
}

function add(into: Word, other: Word): void {
  const lo = (into.lo >>> 0) + (other.lo >>> 0);
  into.hi = (into.hi + other.hi + (lo >= 2 ** 32 ? 1 : 0)) | 0;
  into.lo = lo | 0;
}

function xor(into: Word, other: Word): void {
  into.hi ^= other.hi;
  into.lo ^= other.lo;
}

function rotate(word: Word, bits: number): void {
  const { hi, lo } = word;
  if (bits === 32) {
    word.hi = lo;
    word.lo = hi;
    return;
  }
  word.hi = (hi << bits) | (lo >>> (32 - bits));
  word.lo = (lo << bits) | (hi >>> (32 - bits));
}
