import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemoryLogger, createSeededRandom, createTimers } from "@twentysix/platform";
import { type FailureKind, RemoteFailure } from "../../src/blobs/remote/remote-failure.ts";
import { RemoteServer } from "../../src/blobs/remote/remote-server.ts";
import { rejectsWith } from "./expect-code.ts";

const never = new AbortController().signal;

/** A server whose calls are made here; waits pass at once and are noted. */
function server(seed = 7) {
  const waitsMs: number[] = [];
  const timers = createTimers((delayMs, callback) => {
    const handle = setImmediate(() => {
      waitsMs.push(delayMs);
      callback();
    });
    return () => clearImmediate(handle);
  });
  const random = createSeededRandom(seed);
  const log = createMemoryLogger();
  const probe = async (): Promise<void> => undefined;
  return { server: new RemoteServer({ name: "s3://test", probe, timers, random, log }), waitsMs, log };
}

/** Fails so often, then gives 1. */
function failing(kind: FailureKind, times: number) {
  const calls = { count: 0 };
  const work = async (): Promise<number> => {
    calls.count += 1;
    if (calls.count <= times) throw new RemoteFailure(kind, "this time");
    return 1;
  };
  return { calls, work };
}

test("what may pass is tried a few times with growing pauses, and then no more", async () => {
  for (const [kind, code, attempts] of [
    ["away", "BLOB_SERVER_AWAY", 5],
    ["timeout", "BLOB_SERVER_TIMEOUT", 2],
  ] as const) {
    const { server: one, waitsMs } = server();
    const once = failing(kind, attempts - 1);
    assert.equal(await one.attempt(once.work, never), 1);
    assert.equal(once.calls.count, attempts);
    assert.equal(waitsMs.length, attempts - 1);
    for (const [at, waitMs] of waitsMs.entries()) {
      const stepMs = Math.min(200 * 2 ** at, 2_000);
      assert.ok(waitMs >= stepMs / 2 && waitMs <= stepMs, `${waitMs} ms before attempt ${at + 2}`);
    }
    const { server: other } = server();
    const always = failing(kind, Number.POSITIVE_INFINITY);
    await rejectsWith(code, () => other.attempt(always.work, never));
    assert.equal(always.calls.count, attempts);
  }
});

test("while it is away a call is tried once; the first that works brings it back", async () => {
  const { server: one, log } = server();
  await rejectsWith("BLOB_SERVER_AWAY", () => one.attempt(failing("away", 99).work, never));
  assert.equal(one.state.isUsable, false);
  const again = failing("away", 99);
  await rejectsWith("BLOB_SERVER_AWAY", () => one.attempt(again.work, never));
  assert.equal(again.calls.count, 1);
  assert.equal(await one.attempt(failing("away", 0).work, never), 1);
  assert.equal(one.state.isUsable, true);
  const told = log.records.map(({ level, message }) => `${level}: ${message}`);
  assert.deepEqual(told, [
    "error: The server of the blobs cannot be used",
    "info: The server of the blobs can be used again",
  ]);
});

test("a refusal and a loss are not tried again and do not make it unusable", async () => {
  const { server: one } = server();
  for (const [kind, code, count] of [
    ["refused", "BLOB_SERVER_REFUSED", 1],
    ["missing", "BLOB_CORRUPT", 1],
    ["short", "BLOB_CORRUPT", 2],
  ] as const) {
    const always = failing(kind, 99);
    await rejectsWith(code, () => one.attempt(always.work, never));
    assert.equal(always.calls.count, count);
    assert.equal(one.state.isUsable, true);
  }
});

test("a defect is not made a failure of the server, and an abort ends the waiting", async () => {
  const { server: one } = server();
  const defect = new TypeError("a defect");
  await assert.rejects(
    one.attempt(() => Promise.reject(defect), never),
    defect,
  );
  const abort = new AbortController();
  const work = failing("away", 99);
  const running = one.attempt(async () => {
    if (work.calls.count === 1) abort.abort(new Error("enough"));
    return await work.work();
  }, abort.signal);
  await assert.rejects(running, /enough/);
  assert.equal(work.calls.count, 2);
});
