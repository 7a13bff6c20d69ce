import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { billedMicros } from "../../src/authority/billing/billed-time.ts";
import {
  type BillableResource,
  creditsOf,
  executionEntry,
  storageEntry,
} from "../../src/authority/billing/expense-entries.ts";

const HOUR = 3_600_000_000n;
const resource = (fields: Partial<BillableResource>): BillableResource => ({
  itemHash: "aa",
  owner: "0xA",
  creditAttoPerSecond: 3_958_333_333_333_333_333n,
  micros: HOUR,
  sizeMib: 0,
  nodeId: null,
  ...fields,
});

describe("an expense", () => {
  test("costs its price times its seconds, rounded up", () => {
    assert.equal(creditsOf([resource({})]), 14_250n);
    assert.equal(creditsOf([resource({ creditAttoPerSecond: 1n, micros: 1n })]), 1n);
    assert.equal(creditsOf([resource({ creditAttoPerSecond: 10n ** 18n, micros: HOUR })]), 3_600n);
  });

  test("is exact where a double is not", () => {
    const amounts = fc.bigInt({ min: 0n, max: 2n ** 90n });
    fc.assert(
      fc.property(amounts, fc.bigInt({ min: 0n, max: 24n * HOUR }), (creditAttoPerSecond, micros) => {
        const credits = creditsOf([resource({ creditAttoPerSecond, micros })]);
        const used = creditAttoPerSecond * micros;
        assert.ok(credits * 10n ** 24n >= used && (credits === 0n || (credits - 1n) * 10n ** 24n < used));
      }),
      { seed: 26 },
    );
  });

  test("of an execution names it, its node and the price list", () => {
    assert.deepEqual(executionEntry(resource({ nodeId: "crn" }), "list"), {
      key: "0xA aa",
      amount: 14_250n,
      line: {
        address: "0xA",
        amount: 14_250n,
        ref: "list",
        execution_id: "aa",
        node_id: "crn",
        price: "3.958333333333333333",
        time: 3_600,
      },
    });
    assert.equal(
      executionEntry(resource({ micros: 0n }), "list"),
      null,
      "the ledger refuses what is nothing",
    );
  });

  test("of what an address stores is one line, whose price times its time is the amount", () => {
    const files = [
      resource({ creditAttoPerSecond: 10n ** 18n, sizeMib: 30 }),
      resource({ creditAttoPerSecond: 10n ** 18n, sizeMib: 12.5, micros: HOUR / 2n }),
      resource({ creditAttoPerSecond: 0n, sizeMib: 99 }),
    ];
    assert.deepEqual(storageEntry("0xA", files), {
      key: "0xA",
      amount: 5_400n,
      line: {
        address: "0xA",
        amount: 5_400n,
        ref: "storage",
        count: 2,
        size: 42.5,
        price: "2",
        time: 2_700,
      },
    });
    assert.equal(storageEntry("0xA", []), null);
  });
});

describe("the time that is billed", () => {
  const period = { startMicros: 100n * HOUR, endMicros: 101n * HOUR };
  const now = 101n * HOUR + 7n;
  for (const [what, timeMicros, expected] of [
    ["something older is the whole period", undefined, HOUR],
    ["something of the period is from then on", 100n * HOUR + HOUR / 4n, (HOUR * 3n) / 4n],
    ["something newer is nothing yet", 101n * HOUR + 1n, 0n],
    ["a time that cannot be true is no excuse", 900n * HOUR, HOUR],
  ] as const) {
    test(`of ${what}`, () => assert.equal(billedMicros(period, timeMicros, now), expected));
  }
});
