import { createHash } from "node:crypto";
import { createSeededRandom, type Random } from "@twentysix/platform";

/** Chance of its own for each purpose of a seed: what one draws more does not change what the others draw. */
export function randomFor(seed: number, purpose: string): Random {
  const digest = createHash("sha256").update(`${seed}\n${purpose}`).digest();
  return createSeededRandom(
    [0, 4, 8, 12].map((at) => digest.readUInt32LE(at)) as [number, number, number, number],
  );
}

/** Evenly between two bounds, in steps of a thousandth of the range. */
export function between(random: Random, least: number, most: number): number {
  return least + ((most - least) * random.uniform(1_001)) / 1_000;
}

/** True so many times in a thousand. */
export function happens(random: Random, perMille: number): boolean {
  return random.uniform(1_000) < perMille;
}
