import type { Random } from "@twentysix/platform";
import type { Tamper } from "../net/host.ts";
import { happens } from "../random-for.ts";

/** In a thousand pieces that a liar sends over its streams. */
const CHANGED_PER_MILLE = 150;
const LEFT_OUT_PER_MILLE = 20;
const ENDLESS_PER_MILLE = 5;

/**
 * What a liar sends over its streams: wrong bytes of files, wrong digests and counts, malformed frames, answers that end
 * too soon or do not end.
 */
export function lies(random: Random): Tamper {
  return (_protocol, bytes) => {
    if (happens(random, LEFT_OUT_PER_MILLE)) return null;
    if (happens(random, ENDLESS_PER_MILLE)) return random.randomBytes(64 * 1024);
    if (!happens(random, CHANGED_PER_MILLE) || bytes.byteLength === 0) return bytes;
    const changed = bytes.slice();
    for (let count = 1 + random.uniform(4); count > 0; count -= 1) {
      // Mostly behind the length of the frame: a wrong length is found out at once.
      const least = happens(random, 900) ? Math.min(4, bytes.byteLength - 1) : 0;
      const at = least + random.uniform(bytes.byteLength - least);
      changed[at] = random.uniform(256);
    }
    return changed;
  };
}
