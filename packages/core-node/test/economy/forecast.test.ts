import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { forecast } from "../../src/api/economy/forecast.ts";

const ATTO = 10n ** 18n;
const SECOND = 1_000_000n;
const NOW = 1_790_000_000n * SECOND;
const HASH = "ab".repeat(32);

interface Lot {
  remaining: number;
  readonly expiresIn: number | null;
}

/** What is left after each second, spent lot by lot at a whole number of credits a second, and when nothing is. */
function simulate(
  lots: readonly Lot[],
  rate: number,
): { readonly left: number[]; readonly unspent: number[] } {
  const state = lots.map((lot) => ({ ...lot }));
  const left: number[] = [];
  for (let second = 0; ; second += 1) {
    const usable = state.filter(({ expiresIn }) => expiresIn === null || expiresIn > second);
    const sum = usable.reduce((total, { remaining }) => total + remaining, 0);
    left.push(sum);
    if (sum === 0) return { left, unspent: state.map(({ remaining }) => remaining) };
    const first = usable.find(({ remaining }) => remaining > 0);
    if (first !== undefined) first.remaining -= rate;
  }
}

const lots = (rate: number) =>
  fc.array(
    fc.record({
      // Whole seconds of each lot, so that seconds tell everything.
      remaining: fc.integer({ min: 1, max: 12 }).map((seconds) => seconds * rate),
      expiresIn: fc.option(fc.integer({ min: 1, max: 40 })),
    }),
    { minLength: 1, maxLength: 6 },
  );

test("a forecast is what spending second by second comes to", () => {
  const rates = fc.integer({ min: 1, max: 5 });
  const cases = rates.chain((rate) =>
    fc.tuple(fc.constant(rate), lots(rate), fc.integer({ min: 1, max: 60 })),
  );
  fc.assert(
    fc.property(cases, ([rate, given, runtime]) => {
      const { left, unspent } = simulate(given, rate);
      const creditAttoPerSecond = BigInt(rate) * ATTO;
      const facts = {
        tokensAtto: 0n,
        heldAtto: 0n,
        creditAttoPerSecond,
        lots: given.map(({ remaining, expiresIn }) => ({
          remaining: BigInt(remaining),
          expirationMicros: expiresIn === null ? null : NOW + BigInt(expiresIn) * SECOND,
        })),
        isCut: false,
        firstToGo: { itemHash: HASH, creditAttoPerSecond },
        marked: null,
      };
      const rules = { creditRuntimeSeconds: BigInt(runtime), removalGraceMicros: 0n };
      const ahead = forecast(facts, rules, NOW);
      // The last lots may expire unused before their turn: then the credits end with the last second of use.
      const runway = Number((ahead.runwayMicros ?? 0n) / SECOND);
      const lastUse = left.findLastIndex((sum) => sum > 0) + 1;
      assert.equal(runway, lastUse);
      const lost = new Map<number, number>();
      for (const [at, { expiresIn }] of given.entries())
        if (expiresIn !== null) lost.set(expiresIn, (lost.get(expiresIn) ?? 0) + (unspent[at] ?? 0));
      const told = ahead.expirations.map((one) => [
        Number((one.atMicros - NOW) / SECOND),
        Number(one.unspent),
      ]);
      assert.deepEqual(
        told,
        [...lost].sort(([a], [b]) => a - b),
      );
      const soonest = simulate(
        given.toSorted((a, b) => (a.expiresIn ?? 1_000) - (b.expiresIn ?? 1_000)),
        rate,
      ).left;
      const longest = Number((ahead.soonestFirst.runwayMicros ?? 0n) / SECOND);
      assert.equal(longest, soonest.findLastIndex((sum) => sum > 0) + 1);
      assert.ok(longest >= runway, "no order spends more of what expires");
      const short = left.findIndex((sum) => sum < rate * runtime);
      const removedAt = Number(((ahead.nextRemoval?.atMicros ?? 0n) - NOW + SECOND) / SECOND);
      assert.ok(removedAt >= short && removedAt <= short + 2, `removed at ${removedAt}, short at ${short}`);
    }),
    { numRuns: 500 },
  );
});

test("nothing is spent, nothing runs out; nothing is left, the first message is short at once", () => {
  const facts = { tokensAtto: 0n, heldAtto: 0n, isCut: false, marked: null, lots: [] };
  const rules = { creditRuntimeSeconds: 86_400n, removalGraceMicros: 90_000n * SECOND };
  const idle = forecast({ ...facts, creditAttoPerSecond: 0n, firstToGo: null }, rules, NOW);
  assert.deepEqual([idle.runwayMicros, idle.nextRemoval, idle.credits], [null, null, 0n]);
  const firstToGo = { itemHash: HASH, creditAttoPerSecond: ATTO };
  const dry = forecast({ ...facts, creditAttoPerSecond: ATTO, firstToGo }, rules, NOW);
  assert.deepEqual([dry.runwayMicros, dry.nextRemoval?.atMicros], [0n, NOW + 90_000n * SECOND]);
});
