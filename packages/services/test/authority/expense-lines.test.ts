import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  type BillableRun,
  creditsOf,
  executionLine,
  storageLine,
} from "../../src/authority/billing/expense-lines.ts";

const HOUR = 3_600_000_000n;
const run = (fields: Partial<BillableRun>): BillableRun => ({
  itemHash: "aa",
  owner: "0xA",
  creditAttoPerSecond: 3_958_333_333_333_333_333n,
  micros: HOUR,
  sizeMib: 0,
  nodeId: null,
  priceListHash: "list",
  ...fields,
});

describe("a line of an expense", () => {
  test("costs its price times its seconds, rounded up", () => {
    assert.equal(creditsOf([run({})]), 14_250n);
    assert.equal(creditsOf([run({ creditAttoPerSecond: 1n, micros: 1n })]), 1n);
    assert.equal(creditsOf([run({ creditAttoPerSecond: 10n ** 18n, micros: HOUR })]), 3_600n);
  });

  test("is exact where a double is not", () => {
    const amounts = fc.bigInt({ min: 0n, max: 2n ** 90n });
    fc.assert(
      fc.property(amounts, fc.bigInt({ min: 0n, max: 24n * HOUR }), (creditAttoPerSecond, micros) => {
        const credits = creditsOf([run({ creditAttoPerSecond, micros })]);
        const used = creditAttoPerSecond * micros;
        assert.ok(credits * 10n ** 24n >= used && (credits === 0n || (credits - 1n) * 10n ** 24n < used));
      }),
      { seed: 26 },
    );
  });

  test("of an execution names it, its node and the price list", () => {
    const json = {
      address: "0xA",
      amount: 14_250n,
      ref: "list",
      execution_id: "aa",
      node_id: "crn",
      price: "3.958333333333333333",
      time: 3_600,
    };
    assert.deepEqual(executionLine([run({ nodeId: "crn" })]), { amount: 14_250n, count: 1, json });
    assert.equal(executionLine([run({ micros: 0n })]), null, "the ledger refuses what is nothing");
    const unnamed = executionLine([run({ priceListHash: null })]);
    assert.ok(unnamed !== null && !("ref" in unnamed.json), "a list that nobody named is not made up");
  });

  test("of an execution that was away in between is the sum of its runs, by the latest prices", () => {
    const line = executionLine([
      run({ creditAttoPerSecond: 10n ** 18n, micros: HOUR / 4n, priceListHash: "first" }),
      run({ creditAttoPerSecond: 2n * 10n ** 18n, micros: HOUR / 4n, priceListHash: "second" }),
    ]);
    assert.deepEqual(
      [line?.amount, line?.json.price, line?.json.time, line?.json.ref],
      [2_700n, "2", 1_350, "second"],
    );
  });

  test("of what an address stores is one, whose price times its time is the amount", () => {
    const files = [
      run({ creditAttoPerSecond: 10n ** 18n, sizeMib: 30 }),
      run({ itemHash: "bb", creditAttoPerSecond: 10n ** 18n, sizeMib: 12.5, micros: HOUR / 4n }),
      run({ itemHash: "bb", creditAttoPerSecond: 10n ** 18n, sizeMib: 12.5, micros: HOUR / 4n }),
      run({ itemHash: "cc", creditAttoPerSecond: 0n, sizeMib: 99 }),
    ];
    const json = {
      address: "0xA",
      amount: 5_400n,
      ref: "storage",
      count: 2,
      size: 42.5,
      price: "2",
      time: 2_700,
    };
    assert.deepEqual(storageLine("0xA", files), { amount: 5_400n, count: 2, json });
    assert.equal(storageLine("0xA", []), null);
  });
});
