import { randomBytes, randomInt } from "node:crypto";
import { assertDrawable, type Random } from "./random.ts";

/** `randomInt` of the runtime draws from ranges below this. */
const MAX_RANDOM_INT_RANGE = 2 ** 48 - 1;

/** The operating system's generator, fit for keys. */
export function createSystemRandom(): Random {
  return {
    randomBytes: (length) => new Uint8Array(randomBytes(length)),
    uniform(max) {
      assertDrawable(max);
      return max <= MAX_RANDOM_INT_RANGE ? randomInt(max) : drawWide(max);
    },
  };
}

/** Draws 53 bits until the value falls in the largest multiple of `max`, so that no value is favoured. */
function drawWide(max: number): number {
  const range = 2 ** 53;
  const limit = range - (range % max);
  for (;;) {
    const value = Number(randomBytes(8).readBigUInt64BE() >> 11n);
    if (value < limit) return value % max;
  }
}
