import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { createSystemClock } from "../src/index.ts";

test("the system clock gives the present in microseconds", () => {
  const clock = createSystemClock();
  const before = BigInt(Date.now()) * 1_000n;
  const now = clock.nowMicros();
  const after = BigInt(Date.now()) * 1_000n;
  assert.ok(now >= before - 2_000n && now <= after + 3_000n, `${before} ${now} ${after}`);
});

test("it resolves less than a millisecond", () => {
  const clock = createSystemClock();
  const seen = new Set<bigint>();
  for (let sample = 0; sample < 10_000; sample++) seen.add(clock.nowMicros() % 1_000n);
  assert.ok(seen.size > 2);
});

test("it follows a machine whose clock is set", () => {
  const clock = createSystemClock();
  clock.nowMicros();
  const set = mock.method(Date, "now", () => 4_000_000_000_000);
  try {
    assert.equal(clock.nowMicros(), 4_000_000_000_000_000n);
  } finally {
    set.mock.restore();
  }
});

test("the monotonic time never goes back", () => {
  const clock = createSystemClock();
  let last = clock.monotonicMs();
  for (let sample = 0; sample < 1_000; sample++) {
    const now = clock.monotonicMs();
    assert.ok(now >= last);
    last = now;
  }
});
