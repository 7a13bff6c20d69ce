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

/** The four words of the state as their halves, low before high: `bigint` or objects would cost several times as much. */
type State = Int32Array<ArrayBuffer>;

/** The constants of SipHash, with keys of zero. */
const INITIAL = [
  0x70736575, 0x736f6d65, 0x6e646f6d, 0x646f7261, 0x6e657261, 0x6c796765, 0x79746573, 0x74656462,
] as const;
const [V0, V1, V2, V3] = [0, 2, 4, 6] as const;

export function gossipHash(data: Uint8Array): bigint {
  const state = new Int32Array(INITIAL);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  absorb(state, data.byteLength >>> 0, Math.floor(data.byteLength / 2 ** 32));
  const whole = data.byteLength - (data.byteLength % 8);
  for (let at = 0; at < whole; at += 8) absorb(state, view.getInt32(at, true), view.getInt32(at + 4, true));
  const tail = new Uint8Array(8);
  tail.set(data.subarray(whole));
  // The last word ends with the length of all that was hashed, the prefix included.
  tail[7] = (data.byteLength + 8) & 0xff;
  const last = new DataView(tail.buffer);
  absorb(state, last.getInt32(0, true), last.getInt32(4, true));
  return finish(state);
}

function absorb(state: State, lo: number, hi: number): void {
  xor(state, V3, lo, hi);
  round(state);
  xor(state, V0, lo, hi);
}

function finish(state: State): bigint {
  xor(state, V2, 0xff, 0);
  for (let index = 0; index < 3; index += 1) round(state);
  for (const word of [V1, V2, V3]) xor(state, V0, half(state, word), half(state, word + 1));
  return (BigInt(half(state, V0 + 1) >>> 0) << 32n) | BigInt(half(state, V0) >>> 0);
}

function round(state: State): void {
  add(state, V0, V1);
  rotate(state, V1, 13);
  xorWord(state, V1, V0);
  swap(state, V0);
  add(state, V2, V3);
  rotate(state, V3, 16);
  xorWord(state, V3, V2);
  add(state, V0, V3);
  rotate(state, V3, 21);
  xorWord(state, V3, V0);
  add(state, V2, V1);
  rotate(state, V1, 17);
  xorWord(state, V1, V2);
  swap(state, V2);
}

/** A half of a word; there are eight. */
const half = (state: State, at: number): number => state[at] ?? 0;

function add(state: State, into: number, other: number): void {
  const lo = (half(state, into) >>> 0) + (half(state, other) >>> 0);
  state[into] = lo;
  state[into + 1] = half(state, into + 1) + half(state, other + 1) + (lo >= 2 ** 32 ? 1 : 0);
}

function xor(state: State, into: number, lo: number, hi: number): void {
  state[into] = half(state, into) ^ lo;
  state[into + 1] = half(state, into + 1) ^ hi;
}

function xorWord(state: State, into: number, other: number): void {
  xor(state, into, half(state, other), half(state, other + 1));
}

function rotate(state: State, word: number, bits: number): void {
  const [lo, hi] = [half(state, word), half(state, word + 1)];
  state[word] = (lo << bits) | (hi >>> (32 - bits));
  state[word + 1] = (hi << bits) | (lo >>> (32 - bits));
}

/** By 32 bits. */
function swap(state: State, word: number): void {
  const lo = half(state, word);
  state[word] = half(state, word + 1);
  state[word + 1] = lo;
}
