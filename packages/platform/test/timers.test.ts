import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { createSystemTimers, createVirtualTime, PlatformError } from "../src/index.ts";

describe("virtual time", () => {
  test("fires timers at their own moments, ties in the order of the calls", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(1_000), { maxLength: 30 }), async (delays) => {
        const time = createVirtualTime();
        const fired: { index: number; atMs: number }[] = [];
        delays.forEach((delayMs, index) => {
          time.timers.schedule(delayMs, () => fired.push({ index, atMs: time.clock.monotonicMs() }));
        });
        await time.advance(1_000);
        const expected = delays
          .map((atMs, index) => ({ index, atMs }))
          .sort((a, b) => a.atMs - b.atMs || a.index - b.index);
        assert.deepEqual(fired, expected);
        assert.equal(time.pendingTimers, 0);
      }),
      { numRuns: 50 },
    );
  });

  test("fires what was not cancelled in its order, however many others were", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(1_000), fc.nat(9)), { maxLength: 2_000, minLength: 600 }),
        async (set) => {
          const time = createVirtualTime();
          const fired: number[] = [];
          const expected: { atMs: number; index: number }[] = [];
          set.forEach(([atMs, chance], index) => {
            const cancel = time.timers.schedule(atMs, () => fired.push(index));
            if (chance > 0) cancel();
            cancel();
            if (chance === 0) time.timers.schedule(atMs, () => fired.push(index));
            if (chance === 0) expected.push({ atMs, index });
          });
          assert.equal(time.pendingTimers, expected.length);
          await time.advance(1_000);
          expected.sort((a, b) => a.atMs - b.atMs || a.index - b.index);
          assert.deepEqual(
            fired,
            expected.map(({ index }) => index),
          );
          assert.equal(time.pendingTimers, 0);
        },
      ),
      { numRuns: 20 },
    );
  });

  test("the clock moves with it, in microseconds", async () => {
    const time = createVirtualTime(1_700_000_000_000_000n);
    await time.advance(1.5);
    assert.equal(time.clock.nowMicros(), 1_700_000_000_001_500n);
    assert.equal(time.clock.monotonicMs(), 1.5);
  });
});

describe("sleep", () => {
  test("ends after the delay and not before", async () => {
    const time = createVirtualTime();
    let isAwake = false;
    const sleeping = time.timers.sleep(100).then(() => {
      isAwake = true;
    });
    await time.advance(99);
    assert.equal(isAwake, false);
    await time.advance(1);
    await sleeping;
    assert.equal(isAwake, true);
  });

  test("an abort ends it with the reason and cancels the timer", async () => {
    const time = createVirtualTime();
    const controller = new AbortController();
    const sleeping = time.timers.sleep(100, controller.signal);
    const reason = new Error("stop");
    controller.abort(reason);
    await assert.rejects(sleeping, reason);
    assert.equal(time.pendingTimers, 0);
    await assert.rejects(time.timers.sleep(1, controller.signal), reason);
  });
});

describe("every", () => {
  test("runs never overlap, failures are told and do not end it", async () => {
    const time = createVirtualTime();
    const controller = new AbortController();
    const starts: number[] = [];
    const failures: unknown[] = [];
    const ended = time.timers.every(
      10,
      async (signal) => {
        starts.push(time.clock.monotonicMs());
        await time.timers.sleep(25, signal);
        if (starts.length === 2) throw new Error("second run");
      },
      { signal: controller.signal, onError: (error) => failures.push(error) },
    );
    await time.advance(100);
    assert.deepEqual(starts, [10, 45, 80]);
    assert.deepEqual(failures, [new Error("second run")]);
    controller.abort();
    await ended;
    assert.equal(time.pendingTimers, 0);
    assert.equal(failures.length, 1, "a run stopped by the signal is not a failure");
  });

  test("can run at once", async () => {
    const time = createVirtualTime();
    const controller = new AbortController();
    let runs = 0;
    const ended = time.timers.every(
      10,
      () => {
        runs += 1;
      },
      { signal: controller.signal, onError: assert.ifError, immediately: true },
    );
    await time.advance(0);
    assert.equal(runs, 1);
    controller.abort();
    await ended;
  });
});

describe("withTimeout", () => {
  test("gives the outcome of work that ends in time, and leaves no timer", async () => {
    const time = createVirtualTime();
    assert.equal(await time.timers.withTimeout(10, async () => 7), 7);
    await assert.rejects(
      time.timers.withTimeout(10, async () => {
        throw new Error("own failure");
      }),
      /own failure/,
    );
    await assert.rejects(
      time.timers.withTimeout(10, () => {
        throw new Error("thrown before any promise");
      }),
      /before any promise/,
    );
    assert.equal(time.pendingTimers, 0);
  });

  test("stops work that takes too long with a coded error", async () => {
    const time = createVirtualTime();
    let seen: AbortSignal | undefined;
    const work = time.timers.withTimeout(10, (signal) => {
      seen = signal;
      return new Promise(() => {});
    });
    const refused = assert.rejects(work, (error) => {
      assert.ok(error instanceof PlatformError);
      assert.equal(error.code, "TIMEOUT");
      assert.deepEqual(error.details, { timeoutMs: 10 });
      return true;
    });
    await time.advance(10);
    await refused;
    assert.equal(seen?.aborted, true);
  });

  test("the caller's signal stops the work too", async () => {
    const time = createVirtualTime();
    const controller = new AbortController();
    let seen: AbortSignal | undefined;
    const work = time.timers.withTimeout(
      10,
      (signal) => {
        seen = signal;
        return new Promise(() => {});
      },
      controller.signal,
    );
    const reason = new Error("caller left");
    controller.abort(reason);
    await assert.rejects(work, reason);
    assert.equal(seen?.reason, reason);
    assert.equal(time.pendingTimers, 0);
  });
});

describe("system timers", () => {
  test("fire in the order of their delays", async () => {
    const timers = createSystemTimers();
    const order: string[] = [];
    await Promise.all([
      timers.sleep(20).then(() => order.push("late")),
      timers.sleep(0).then(() => order.push("early")),
    ]);
    assert.deepEqual(order, ["early", "late"]);
  });

  test("a delay beyond 2^31 ms does not fire at once", async () => {
    const timers = createSystemTimers();
    let fired = false;
    const cancel = timers.schedule(2 ** 40, () => {
      fired = true;
    });
    await timers.sleep(5);
    cancel();
    assert.equal(fired, false);
    assert.throws(() => timers.schedule(Number.NaN, () => {}), RangeError);
  });
});
