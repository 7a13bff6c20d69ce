import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  type BillingPeriod,
  type ExpensePosition,
  nextBillingPeriod,
} from "../../src/authority/billing/billing-period.ts";

const HOUR = 3_600_000_000n;
const RULES = { periodMicros: HOUR, maxSpanMicros: 24n * HOUR };
/** A whole hour. */
const T = 500_000n * HOUR;

const complete = (endMicros: bigint): ExpensePosition => ({
  startMicros: endMicros - HOUR,
  endMicros,
  part: 0,
  isComplete: true,
  lastKey: "z",
});

describe("the next period that is billed", () => {
  test("begins where the last one ended and ends on the grid", () => {
    assert.deepEqual(nextBillingPeriod(complete(T), T, T + HOUR + 5n, RULES), {
      kind: "bill",
      period: { startMicros: T, endMicros: T + HOUR, part: 0, afterKey: null },
      waivedMicros: 0n,
    });
    assert.deepEqual(nextBillingPeriod(complete(T), T, T + HOUR - 1n, RULES), { kind: "wait" });
  });

  test("begins with the hour of the first credits when nothing was ever billed", () => {
    const decision = nextBillingPeriod(null, T + 5n, T + 2n * HOUR + 1n, RULES);
    assert.ok(decision.kind === "bill");
    assert.deepEqual([decision.period.startMicros, decision.period.endMicros], [T, T + 2n * HOUR]);
  });

  test("goes on behind the last entry of one that was interrupted, however late", () => {
    const last = { ...complete(T), part: 2, isComplete: false, lastKey: "k" };
    assert.deepEqual(nextBillingPeriod(last, T, T + 90n * HOUR, RULES), {
      kind: "bill",
      period: { startMicros: T - HOUR, endMicros: T, part: 3, afterKey: "k" },
      waivedMicros: 0n,
    });
  });

  test("is bounded: of a longer pause only the end is billed", () => {
    const decision = nextBillingPeriod(complete(T), T, T + 8_760n * HOUR, RULES);
    assert.ok(decision.kind === "bill");
    assert.equal(decision.period.endMicros - decision.period.startMicros, 24n * HOUR);
    assert.equal(decision.waivedMicros, 8_736n * HOUR);
  });

  test("waits while the newest expense lies in the future", () => {
    const decision = nextBillingPeriod(complete(T + 9n * HOUR), T, T, RULES);
    assert.deepEqual(decision, { kind: "ahead", endMicros: T + 9n * HOUR });
  });

  test("neither overlaps nor leaves anything out, whatever is interrupted and however long", () => {
    const step = fc.record({
      pauseMinutes: fc.nat({ max: 300 }),
      /** How many of the ten entries are posted before the process dies; more than ten: it lives. */
      posted: fc.nat({ max: 15 }),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), (steps) => {
        let last: ExpensePosition | null = null;
        let now = T;
        const billed = new Map<string, bigint>();
        for (const { pauseMinutes, posted } of steps) {
          now += BigInt(pauseMinutes) * 60_000_000n;
          const decision = nextBillingPeriod(last, T, now, RULES);
          if (decision.kind !== "bill") continue;
          assert.equal(decision.waivedMicros, 0n);
          last = post(decision.period, posted, billed) ?? last;
        }
        const isWhole = last === null || last.isComplete;
        const until: bigint = last === null ? T : isWhole ? last.endMicros : last.startMicros;
        for (const key of "abcdefghij") {
          const micros = billed.get(key) ?? 0n;
          const isAhead = last !== null && !isWhole && key <= last.lastKey;
          assert.equal(micros, (isAhead && last !== null ? last.endMicros : until) - T, key);
        }
      }),
      { numRuns: 500, seed: 26 },
    );
  });
});

/** Posts up to so many entries, in parts of three, and gives what the newest post says. */
function post(period: BillingPeriod, atMost: number, billed: Map<string, bigint>): ExpensePosition | null {
  const open = [..."abcdefghij"].filter((key) => period.afterKey === null || key > period.afterKey);
  let last: ExpensePosition | null = null;
  for (let at = 0, part = period.part; at < open.length && at + 3 <= atMost; at += 3, part += 1) {
    const keys = open.slice(at, at + 3);
    for (const key of keys) billed.set(key, (billed.get(key) ?? 0n) + period.endMicros - period.startMicros);
    const { startMicros, endMicros } = period;
    last = { startMicros, endMicros, part, isComplete: at + 3 >= open.length, lastKey: keys.at(-1) ?? "" };
  }
  return last;
}
