import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createDeferred, createVirtualTime, type Deferred } from "@twentysix/platform";
import { TtlCache } from "../../src/messages/ttl-cache.ts";

const FOREVER = new AbortController().signal;

function openCache(staleMs = 0) {
  const time = createVirtualTime(1_700_000_000_000_000n);
  const cache = new TtlCache<string>({ ttlMs: 1_000, staleMs, maxEntries: 2, clock: time.clock });
  const loads: (Deferred<string> & { signal: AbortSignal })[] = [];
  const get = (key: string, signal: AbortSignal = FOREVER): Promise<string> =>
    cache.get(key, signal, (loading) => {
      const answer = Object.assign(createDeferred<string>(), { signal: loading });
      loads.push(answer);
      return answer.promise;
    });
  return { time, cache, loads, get };
}

describe("an answer that several wait for", () => {
  test("comes to those who still wait when the one who asked first has gone", async () => {
    const { loads, get } = openCache();
    const gone = new AbortController();
    const first = get("a", gone.signal);
    const second = get("a");
    gone.abort(new Error("the client has gone"));
    await assert.rejects(first, /the client has gone/);
    assert.equal(loads[0]?.signal.aborted, false);
    loads[0]?.resolve("answer");
    assert.equal(await second, "answer");
    assert.equal(loads.length, 1);
  });

  test("is asked for no longer when all have gone, and anew by the next", async () => {
    const { loads, get } = openCache();
    const gone = new AbortController();
    const waiting = [get("a", gone.signal), get("a", gone.signal)];
    gone.abort(new Error("the client has gone"));
    for (const each of waiting) await assert.rejects(each, /the client has gone/);
    assert.equal(loads[0]?.signal.aborted, true);
    const next = get("a");
    loads[0]?.reject(gone.signal.reason);
    loads[1]?.resolve("answer");
    assert.equal(await next, "answer");
  });

  test("is an older one while there is none, but for those who have gone", async () => {
    const { time, loads, get } = openCache(10_000);
    const early = get("a");
    loads[0]?.resolve("old");
    await early;
    await time.advance(2_000);
    const late = get("a");
    loads[1]?.reject(new Error("nobody answers"));
    assert.equal(await late, "old");
    const gone = new AbortController();
    const aborted = get("a", gone.signal);
    gone.abort(new Error("the client has gone"));
    await assert.rejects(aborted, /the client has gone/);
  });
});
