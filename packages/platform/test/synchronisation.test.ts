import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createDeferred, Latch, PlatformError, raceAbort, Semaphore } from "../src/index.ts";

describe("Semaphore", () => {
  test("never lets more run than it has permits, and lets everybody run", async () => {
    const semaphore = new Semaphore({ permits: 3, maxWaiters: 100 });
    let running = 0;
    let most = 0;
    let done = 0;
    const work = async (): Promise<void> => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      done += 1;
    };
    await Promise.all(Array.from({ length: 50 }, () => semaphore.run(work)));
    assert.deepEqual([most, done, semaphore.available, semaphore.waiting], [3, 50, 3, 0]);
  });

  test("work that fails gives its permit back", async () => {
    const semaphore = new Semaphore({ permits: 1, maxWaiters: 0 });
    await assert.rejects(
      semaphore.run(() => {
        throw new Error("broken");
      }),
      /broken/,
    );
    assert.equal(semaphore.available, 1);
  });

  test("a permit released twice counts once", async () => {
    const semaphore = new Semaphore({ permits: 2, maxWaiters: 0 });
    const permit = await semaphore.acquire();
    permit.release();
    permit.release();
    assert.equal(semaphore.available, 2);
  });

  test("a heavy request is not overtaken, and its abort frees those behind it", async () => {
    const semaphore = new Semaphore({ permits: 4, maxWaiters: 10 });
    const first = await semaphore.acquire(undefined, 3);
    const controller = new AbortController();
    const heavy = semaphore.acquire(controller.signal, 4);
    const light = semaphore.acquire();
    assert.equal(semaphore.tryAcquire(), undefined);
    assert.equal(semaphore.waiting, 2);
    controller.abort(new Error("no more"));
    await assert.rejects(heavy, /no more/);
    (await light).release();
    first.release();
    assert.equal(semaphore.available, 4);
  });

  test("refuses too many waiters and weights that can never be granted", async () => {
    const semaphore = new Semaphore({ permits: 1, maxWaiters: 0 });
    using _held = await semaphore.acquire();
    await assert.rejects(
      semaphore.acquire(),
      (error) => error instanceof PlatformError && error.code === "SEMAPHORE_WAITERS_EXCEEDED",
    );
    await assert.rejects(semaphore.acquire(undefined, 2), RangeError);
    assert.throws(() => semaphore.tryAcquire(0), RangeError);
    assert.throws(() => new Semaphore({ permits: 0, maxWaiters: 1 }), RangeError);
  });
});

describe("Latch", () => {
  test("lets those who wait and those who come later through", async () => {
    const latch = new Latch();
    const waiting = [latch.wait(), latch.wait(new AbortController().signal)];
    assert.equal(latch.isOpen, false);
    latch.open();
    latch.open();
    await Promise.all(waiting);
    await latch.wait();
  });

  test("an abort ends the wait with its reason", async () => {
    const latch = new Latch();
    const reason = new Error("closing");
    const controller = new AbortController();
    const waiting = latch.wait(controller.signal);
    controller.abort(reason);
    await assert.rejects(waiting, reason);
    await assert.rejects(latch.wait(controller.signal), reason);
  });
});

describe("createDeferred", () => {
  test("knows whether it is settled", async () => {
    const kept = createDeferred<number>();
    assert.equal(kept.settled, false);
    kept.resolve(4);
    assert.equal(kept.settled, true);
    assert.equal(await kept.promise, 4);
    const broken = createDeferred<number>();
    broken.reject(new Error("no"));
    await assert.rejects(broken.promise, /no/);
  });
});

describe("raceAbort", () => {
  test("gives the outcome of the work, or the reason of the signal", async () => {
    const controller = new AbortController();
    assert.equal(await raceAbort(Promise.resolve(1), controller.signal), 1);
    await assert.rejects(raceAbort(Promise.reject(new Error("own")), controller.signal), /own/);
    const never = raceAbort(new Promise(() => {}), controller.signal);
    controller.abort(new Error("left"));
    await assert.rejects(never, /left/);
  });

  test("work that fails after the abort is no unhandled rejection", async () => {
    const late = createDeferred<void>();
    await assert.rejects(raceAbort(late.promise, AbortSignal.abort(new Error("left"))), /left/);
    late.reject(new Error("too late to matter"));
    await new Promise((resolve) => setImmediate(resolve));
  });
});
