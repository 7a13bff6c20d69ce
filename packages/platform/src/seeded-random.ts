import { assertDrawable, type Random } from "./random.ts";

const WORD_RANGE = 2 ** 32;
const WIDE_RANGE = 2 ** 53;

/**
 * A repeatable generator (xoshiro128** of Blackman and Vigna, state filled by splitmix32): one seed gives one
 * sequence on every machine. For tests and simulations; never for keys.
 *
 * @param seed a 32-bit whole number, or the four words of the state themselves.
 */
export function createSeededRandom(seed: number | readonly [number, number, number, number]): Random {
  const nextWord = xoshiro128StarStar(typeof seed === "number" ? expandSeed(seed) : seed);

  function uniform(max: number): number {
    assertDrawable(max);
    const isNarrow = max <= WORD_RANGE;
    const range = isNarrow ? WORD_RANGE : WIDE_RANGE;
    const limit = range - (range % max);
    for (;;) {
      const value = isNarrow ? nextWord() : (nextWord() >>> 11) * WORD_RANGE + nextWord();
      if (value < limit) return value % max;
    }
  }

  return {
    uniform,
    randomBytes(length) {
      const bytes = new Uint8Array(length);
      for (let offset = 0; offset < length; offset += 4) {
        const word = nextWord();
        for (let byte = 0; byte < 4 && offset + byte < length; byte++) {
          bytes[offset + byte] = (word >>> (8 * byte)) & 0xff;
        }
      }
      return bytes;
    },
  };
}

function xoshiro128StarStar(state: readonly [number, number, number, number]): () => number {
  let [s0, s1, s2, s3] = state.map((word) => word | 0) as [number, number, number, number];
  if ((s0 | s1 | s2 | s3) === 0) throw new RangeError("the state of the generator must not be all zero");
  return () => {
    const result = Math.imul(rotateLeft(Math.imul(s1, 5), 7), 9) >>> 0;
    const shifted = s1 << 9;
    s2 ^= s0;
    s3 ^= s1;
    s1 ^= s2;
    s0 ^= s3;
    s2 ^= shifted;
    s3 = rotateLeft(s3, 11);
    return result;
  };
}

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

function expandSeed(seed: number): [number, number, number, number] {
  if (!Number.isInteger(seed)) throw new RangeError(`the seed must be a whole number, got ${seed}`);
  let counter = seed | 0;
  const next = (): number => {
    counter = (counter + 0x9e3779b9) | 0;
    let word = counter ^ (counter >>> 16);
    word = Math.imul(word, 0x21f0aaad);
    word ^= word >>> 15;
    word = Math.imul(word, 0x735a2d97);
    return word ^ (word >>> 15);
  };
  return [next(), next(), next(), next()];
}
