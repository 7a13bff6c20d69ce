import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createMessageClock } from "../src/message-clock.ts";

test("times grow, fit the step and have sub-second digits, whatever the machine's clock does", () => {
  const readings = fc.array(fc.tuple(fc.bigInt({ min: 0n, max: 5_000_000n }), fc.constantFrom(1n, 1000n)));
  fc.assert(
    fc.property(readings, (steps) => {
      let now = 0n;
      const clock = createMessageClock({
        nowMicros: () => now,
        random: () => 0,
        schedule: () => () => {},
      });
      let last = -1n;
      for (const [reading, step] of steps) {
        now = 1_700_000_000_000_000n + reading;
        const time = clock.next(step);
        assert.ok(time > last);
        assert.equal(time % step, 0n);
        assert.notEqual(time % 1_000_000n, 0n);
        last = time;
      }
    }),
  );
});
