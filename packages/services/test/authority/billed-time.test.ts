import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { billedMicros, microsOfDate } from "../../src/authority/billing/billed-time.ts";

const HOUR = 3_600_000_000n;
const period = { startMicros: 100n * HOUR, endMicros: 101n * HOUR };

describe("the time that is billed", () => {
  for (const [what, startMicros, endMicros, expected] of [
    ["something that is there all the time is the whole period", null, null, HOUR],
    ["something older is the whole period", 3n, null, HOUR],
    ["something of the period is from then on", 100n * HOUR + HOUR / 4n, null, (HOUR * 3n) / 4n],
    ["something that came and went is what lies between", 100n * HOUR + 7n, 100n * HOUR + 9n, 2n],
    ["something that went is until then", 3n, 100n * HOUR + HOUR / 4n, HOUR / 4n],
    ["something that went before is nothing", 3n, 100n * HOUR, 0n],
    ["something that went later is the whole period", 3n, 102n * HOUR, HOUR],
    ["something newer is nothing yet", 101n * HOUR + 1n, null, 0n],
    ["something that ended before it began is nothing", 100n * HOUR + 9n, 100n * HOUR + 7n, 0n],
  ] as const) {
    test(`of ${what}`, () => assert.equal(billedMicros(period, { startMicros, endMicros }), expected));
  }

  test("is all of a run and no more, however the periods that join cut it", () => {
    const micros = fc.bigInt({ min: 0n, max: 40n * HOUR });
    fc.assert(
      fc.property(micros, micros, fc.array(micros, { maxLength: 12 }), (a, b, cuts) => {
        const [startMicros, endMicros] = a < b ? [a, b] : [b, a];
        const edges = [0n, ...cuts, 40n * HOUR].sort((x, y) => (x < y ? -1 : 1));
        const billed = edges.slice(1).map((end, at) => {
          const joined = { startMicros: edges[at] ?? 0n, endMicros: end };
          return billedMicros(joined, { startMicros, endMicros });
        });
        assert.equal(
          billed.reduce((sum, one) => sum + one, 0n),
          endMicros - startMicros,
        );
      }),
      { seed: 26 },
    );
  });
});

describe("a date of a node", () => {
  test("is read to the microsecond", () => {
    assert.equal(microsOfDate("1970-01-01T00:00:01.000002Z"), 1_000_002n);
    assert.equal(microsOfDate("2026-11-28T12:00:00.5Z"), 1_795_867_200_500_000n);
    assert.equal(microsOfDate("2026-11-28T12:00:00Z"), 1_795_867_200_000_000n);
    for (const none of ["", "yesterday", "2026-13-01T00:00:00Z", "2026-11-28T12:00:00"])
      assert.equal(microsOfDate(none), null, none);
  });
});
