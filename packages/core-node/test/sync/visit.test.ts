import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteReader, frameOf, framesOf } from "@twentysix/network/reconcile";
import { MemoryNetwork } from "@twentysix/network/test-streams";
import { createVirtualTime } from "@twentysix/platform";
import { ANSWER, REQUEST, SYNC_PROTOCOL, writeWelcome } from "../../src/sync/sync-protocol.ts";
import { Visit } from "../../src/sync/visit.ts";

const { signal } = new AbortController();
const identity = { network: "this one", trees: "as here" };

test("a peer that makes a visitor wait, and tells next to nothing, is left", async () => {
  const network = new MemoryNetwork();
  const { clock, timers, advance } = createVirtualTime();
  const { streams } = network.peer("visitor");
  const answer = (status: number, payload: Uint8Array) =>
    frameOf(Buffer.concat([Buffer.of(status), payload]));
  network.peer("miser").streams.handle(SYNC_PROTOCOL, async (stream) => {
    for await (const frame of framesOf(stream.source, 1_000)) {
      const kind = new ByteReader(frame).u8();
      const state = { count: 9, root: "ab".repeat(32), treeSeq: 0, lastSeq: 0 };
      const flags = { isSyncing: false, isReady: true, isReturning: false, signs: false };
      if (kind === REQUEST.hello)
        await stream.send(answer(ANSWER.last, writeWelcome({ ...identity, ...state, ...flags })));
      else
        for (;;) {
          await timers.sleep(25_000);
          await stream.send(answer(ANSWER.more, Buffer.alloc(10)));
        }
    }
  });
  network.connect("visitor", "miser");
  const hello = { ...identity, salt: Buffer.alloc(16) };
  const { visit } = await Visit.open({ streams, peerId: "miser", hello, clock, timers, signal });
  const told = assert.rejects(visit.nodes([""]), /next to nothing/);
  await advance(80_000);
  await told;
  visit.abort(new Error("enough"));
});
