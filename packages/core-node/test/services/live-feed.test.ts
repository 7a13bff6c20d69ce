import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemoryLogger, createSystemTimers } from "@twentysix/platform";
import type { LiveChunk, LiveMessage, PointReads } from "@twentysix/storage";
import { createLiveFeed } from "../../src/services/live-feed.ts";
import { startRealNode } from "../api/support/real-node.ts";

const MIB = 1024 * 1024;

test("the live feed reads a burst of large messages in bounded parts, all of them and in order", async (t) => {
  const node = await startRealNode(t);
  const chunks: LiveChunk[] = [];
  const reads: Pick<PointReads, "liveMessages" | "lastSeq"> = {
    lastSeq: async () => node.reads.lastSeq(),
    liveMessages: async (afterSeq, limits) => {
      const chunk = node.reads.liveMessages(afterSeq, limits);
      chunks.push(chunk);
      return chunk;
    },
  };
  const timers = createSystemTimers();
  const feed = createLiveFeed({ commits: node.pipeline, reads, timers, log: createMemoryLogger() });
  t.after(() => feed.close());
  const count = 40;
  const told: LiveMessage[] = [];
  const all = Promise.withResolvers<void>();
  const stop = await feed.subscribe((message) => {
    told.push(message);
    if (told.length === count + 1) all.resolve();
  });
  const text = "x".repeat(150_000);
  const small = Array.from({ length: count }, (_, n) =>
    node.put({ type: "POST", members: `"type":"note","content":"${n} ${text}"` }),
  );
  // A long content is not even read for it.
  const long = node.putApart({ type: "POST", members: `"type":"note","content":"${text.repeat(30)}"` });
  const hashes = new Set(await Promise.all([...small, long]));
  await all.promise;
  assert.deepEqual(new Set(told.map(({ facts }) => facts.itemHash)), hashes);
  const seqs = told.map(({ seq }) => seq);
  assert.deepEqual(
    seqs,
    seqs.toSorted((a, b) => a - b),
  );
  for (const { messages } of chunks) {
    const bytes = messages.reduce((sum, { heldBytes }) => sum + heldBytes, 0);
    assert.ok(bytes < 2 * MIB, `${bytes} bytes at once`);
  }
  stop();
  const before = chunks.length;
  await node.put({ type: "POST", members: '"type":"note","content":"last"' });
  assert.equal(chunks.length, before, "nothing is read for nobody");
});
