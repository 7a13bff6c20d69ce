import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatIsoOffset, formatIsoZ, formatTime, microsOfSeconds } from "../../src/index.ts";

test("seconds are rounded to microseconds, half to even", () => {
  // Source: pyaleph stores 1652786281.9810653 and serves 1652786281.981065.
  assert.equal(microsOfSeconds(1652786281.9810653), 1652786281981065n);
  assert.equal(microsOfSeconds(0.0000005), 0n);
  assert.equal(microsOfSeconds(0.0000015), 2n);
  assert.equal(microsOfSeconds(-0.0000015), -2n);
  assert.equal(microsOfSeconds(-1.25), -1250000n);
  assert.equal(microsOfSeconds(253402300799.99997), 253402300799999969n);
  assert.equal(microsOfSeconds(12n), 12000000n);
});

test("a time is written as a float with the shortest fraction", () => {
  assert.equal(formatTime(1652786281000000n), "1652786281.0");
  assert.equal(formatTime(1652786281981065n), "1652786281.981065");
  assert.equal(formatTime(1652786281100000n), "1652786281.1");
  assert.equal(formatTime(-500000n), "-0.5");
  assert.equal(formatTime(0n), "0.0");
  // The last digit of a microsecond is not lost beyond 2^53.
  assert.equal(formatTime(253402300799999969n), "253402300799.999969");
});

test("ISO forms always have six digits of fraction", () => {
  assert.equal(formatIsoZ(1704164645123456n), "2024-01-02T03:04:05.123456Z");
  assert.equal(formatIsoZ(1704164645000000n), "2024-01-02T03:04:05.000000Z");
  assert.equal(formatIsoOffset(1704164645000001n), "2024-01-02T03:04:05.000001+00:00");
  assert.equal(formatIsoZ(-1n), "1969-12-31T23:59:59.999999Z");
  assert.equal(formatIsoZ(-62135596800000000n), "0001-01-01T00:00:00.000000Z");
});

test("a written time reads back as the same microseconds", () => {
  // Beyond year 2242 a double has no room for the last digit.
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 33n * 1000000n }), (micros) => {
      assert.equal(microsOfSeconds(Number(formatTime(micros))), micros);
    }),
  );
});
