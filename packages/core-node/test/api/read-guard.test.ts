import assert from "node:assert/strict";
import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createVirtualTime } from "@twentysix/platform";
import { ReadGuard } from "../../src/api/http/read-guard.ts";

const PIECES = 200;
const PIECE_BYTES = 64 * 1024;

function guarded() {
  const { timers, advance } = createVirtualTime();
  const stop = new AbortController();
  const request = new IncomingMessage(new Socket());
  const guard = new ReadGuard(request, {
    timeoutMs: 1_000,
    deadline: "stall",
    timers,
    signal: stop.signal,
  });
  return { guard, advance, stop, request };
}

describe("the reading of a body", () => {
  test("keeps nothing of what was read", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const { guard } = guarded();
    const read: WeakRef<Uint8Array>[] = [];
    for (let index = 0; index < PIECES; index += 1) {
      const { length } = await guard.race(
        Promise.resolve(new Uint8Array(PIECE_BYTES)).then((piece) => {
          read.push(new WeakRef(piece));
          return piece;
        }),
      );
      assert.equal(length, PIECE_BYTES);
    }
    // What a weak reference was made of stays until the end of the turn.
    await turn();
    collect();
    await turn();
    collect();
    const alive = read.filter((one) => one.deref() !== undefined).length;
    assert.ok(alive < PIECES / 10, `${alive} of ${PIECES} pieces are kept`);
    guard[Symbol.dispose]();
  });

  test("fails on its deadline, on an abort and with the connection, whether it waits or not", async () => {
    const never = (): Promise<never> => new Promise(() => undefined);
    const late = guarded();
    const waiting = assert.rejects(late.guard.race(never()), { code: "API_BODY_TIMEOUT" });
    await late.advance(1_000);
    await waiting;
    await assert.rejects(late.guard.race(never()), { code: "API_BODY_TIMEOUT" }, "and from then on");

    const stopped = guarded();
    stopped.stop.abort(new Error("the node stops"));
    await assert.rejects(stopped.guard.race(never()), /the node stops/);

    const broken = guarded();
    const reading = assert.rejects(broken.guard.race(never()), { code: "API_CLIENT_CLOSED" });
    broken.request.emit("close");
    await reading;
    for (const one of [late, stopped, broken]) one.guard[Symbol.dispose]();
  });

  test("goes on for as long as something comes", async () => {
    const { guard, advance } = guarded();
    for (let index = 0; index < 5; index += 1) {
      await advance(900);
      assert.equal(await guard.race(Promise.resolve(index)), index);
    }
    guard[Symbol.dispose]();
  });
});
