import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { BoundedQueue, type DropReason, PlatformError } from "../src/index.ts";

function code(expected: string): (error: unknown) => boolean {
  return (error) => error instanceof PlatformError && error.code === expected;
}

describe("offer", () => {
  test("a full queue that refuses keeps what it has and says so", () => {
    const dropped: [number, DropReason][] = [];
    const queue = new BoundedQueue<number>({
      capacity: 2,
      dropPolicy: "refuse",
      hooks: { onDropped: (item, reason) => dropped.push([item, reason]) },
    });
    assert.deepEqual(
      [1, 2, 3].map((item) => queue.offer(item)),
      [true, true, false],
    );
    assert.deepEqual(dropped, [[3, "full"]]);
    assert.deepEqual([queue.tryTake(), queue.tryTake(), queue.tryTake()], [1, 2, undefined]);
  });

  test("a full queue that drops the oldest takes the newest on", () => {
    const dropped: number[] = [];
    const queue = new BoundedQueue<number>({
      capacity: 2,
      dropPolicy: "dropOldest",
      hooks: { onDropped: (item) => dropped.push(item) },
    });
    for (const item of [1, 2, 3, 4]) assert.equal(queue.offer(item), true);
    assert.deepEqual(dropped, [1, 2]);
    assert.deepEqual([queue.tryTake(), queue.tryTake()], [3, 4]);
  });

  test("weight bounds it as well, and an item beyond the whole bound never enters", () => {
    const reasons: DropReason[] = [];
    const queue = new BoundedQueue<string>({
      capacity: 100,
      maxWeight: 10,
      weightOf: (item) => item.length,
      dropPolicy: "dropOldest",
      hooks: { onDropped: (_item, reason) => reasons.push(reason) },
    });
    queue.offer("aaaa");
    queue.offer("bbbb");
    queue.offer("ccccc");
    assert.equal(queue.weight, 9);
    assert.equal(queue.offer("d".repeat(11)), false);
    assert.deepEqual(reasons, ["full", "tooHeavy"]);
    assert.deepEqual([queue.tryTake(), queue.tryTake(), queue.weight], ["bbbb", "ccccc", 0]);
  });
});

describe("put", () => {
  test("waits for room, and those who wait are served in order", async () => {
    const queue = new BoundedQueue<number>({ capacity: 1, dropPolicy: "refuse" });
    await queue.put(1);
    const entered: number[] = [];
    const waiting = [2, 3].map((item) => queue.put(item).then(() => entered.push(item)));
    assert.equal(queue.offer(9), false, "an offer does not overtake those who wait");
    assert.equal(await queue.take(), 1);
    assert.equal(await queue.take(), 2);
    assert.equal(await queue.take(), 3);
    await Promise.all(waiting);
    assert.deepEqual(entered, [2, 3]);
  });

  test("an abort while waiting leaves the item outside and lets the next one in", async () => {
    const queue = new BoundedQueue<string>({
      capacity: 10,
      maxWeight: 4,
      weightOf: (item) => item.length,
      dropPolicy: "refuse",
    });
    await queue.put("aa");
    const controller = new AbortController();
    const heavy = queue.put("hhhh", controller.signal);
    const light = queue.put("l");
    controller.abort(new Error("gave up"));
    await assert.rejects(heavy, /gave up/);
    await light;
    assert.deepEqual([queue.tryTake(), queue.tryTake(), queue.tryTake()], ["aa", "l", undefined]);
  });

  test("the number of those who wait is bounded", async () => {
    const queue = new BoundedQueue<number>({ capacity: 1, dropPolicy: "refuse", maxWaiters: 1 });
    await queue.put(1);
    const waiting = queue.put(2);
    await assert.rejects(queue.put(3), code("QUEUE_WAITERS_EXCEEDED"));
    queue.tryTake();
    await waiting;
  });

  test("an item that can never fit is an error, not an endless wait", async () => {
    const queue = new BoundedQueue<string>({
      capacity: 1,
      maxWeight: 1,
      weightOf: (item) => item.length,
      dropPolicy: "refuse",
    });
    await assert.rejects(queue.put("xx"), RangeError);
  });
});

describe("take", () => {
  test("waits for an item; an abort ends the wait and costs no item", async () => {
    const queue = new BoundedQueue<number>({ capacity: 4, dropPolicy: "refuse" });
    const controller = new AbortController();
    const aborted = queue.take(controller.signal);
    const taken = queue.take();
    controller.abort(new Error("left"));
    await assert.rejects(aborted, /left/);
    queue.offer(5);
    assert.equal(await taken, 5);
  });

  test("a batch has at least one and at most as many as asked", async () => {
    const queue = new BoundedQueue<number>({ capacity: 10, dropPolicy: "refuse" });
    const first = queue.takeBatch(3);
    queue.offer(1);
    assert.deepEqual(await first, [1]);
    for (const item of [2, 3, 4, 5]) queue.offer(item);
    assert.deepEqual(await queue.takeBatch(3), [2, 3, 4]);
  });
});

describe("close", () => {
  test("nothing enters any more, what is inside comes out, then takers get nothing", async () => {
    const queue = new BoundedQueue<number>({ capacity: 2, dropPolicy: "refuse" });
    queue.offer(1);
    queue.offer(2);
    const waiting = queue.put(3);
    queue.close();
    await assert.rejects(waiting, code("QUEUE_CLOSED"));
    await assert.rejects(queue.put(4), code("QUEUE_CLOSED"));
    assert.equal(queue.offer(4), false);
    const rest: number[] = [];
    for await (const item of queue) rest.push(item);
    assert.deepEqual(rest, [1, 2]);
    assert.equal(await queue.take(), undefined);
    assert.deepEqual(await queue.takeBatch(9), []);
  });

  test("wakes takers who wait", async () => {
    const queue = new BoundedQueue<number>({ capacity: 2, dropPolicy: "refuse" });
    const taken = Promise.all([queue.take(), queue.take()]);
    queue.close();
    assert.deepEqual(await taken, [undefined, undefined]);
  });

  test("the queue's own signal closes it and drops what it holds", async () => {
    const controller = new AbortController();
    const dropped: [number, DropReason][] = [];
    const queue = new BoundedQueue<number>({
      capacity: 2,
      dropPolicy: "refuse",
      signal: controller.signal,
      hooks: { onDropped: (item, reason) => dropped.push([item, reason]) },
    });
    queue.offer(1);
    controller.abort();
    assert.deepEqual([queue.isClosed, queue.length, await queue.take()], [true, 0, undefined]);
    assert.deepEqual(dropped, [[1, "closed"]]);
  });
});

test("it behaves as a bounded list, whatever is done in whatever order", () => {
  const operation = fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("offer" as const), item: fc.nat(5) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("take" as const), item: fc.constant(0) }) },
  );
  fc.assert(
    fc.property(
      fc.array(operation, { maxLength: 3_000, size: "max" }),
      fc.integer({ min: 1, max: 2_000 }),
      (operations, capacity) => {
        const added: number[] = [];
        const queue = new BoundedQueue<number>({
          capacity,
          maxWeight: capacity * 2,
          weightOf: (item) => item,
          dropPolicy: "refuse",
          hooks: { onAdded: (item) => added.push(item) },
        });
        const model: number[] = [];
        const weight = (): number => model.reduce((sum, item) => sum + item, 0);
        let accepted = 0;
        for (const { kind, item } of operations) {
          if (kind === "take") {
            assert.equal(queue.tryTake(), model.shift());
            continue;
          }
          const fits = model.length < capacity && weight() + item <= capacity * 2;
          assert.equal(queue.offer(item), fits);
          if (fits) {
            model.push(item);
            accepted += 1;
          }
        }
        assert.equal(queue.length, model.length);
        assert.equal(queue.weight, weight());
        assert.equal(added.length, accepted);
      },
    ),
    { numRuns: 20 },
  );
});

test("bad options are refused", () => {
  assert.throws(() => new BoundedQueue({ capacity: 0, dropPolicy: "refuse" }), RangeError);
  assert.throws(() => new BoundedQueue({ capacity: 1, maxWeight: 5, dropPolicy: "refuse" }), RangeError);
});
