import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createMemoryLogger,
  createSystemClock,
  createSystemRandom,
  createSystemTimers,
} from "@twentysix/platform";
import type { DueChainEvent } from "@twentysix/storage";
import { EventProcessor } from "../../src/chain/event-processor.ts";
import { PipelineError } from "../../src/pipeline/errors.ts";

const eventOf = (id: number): DueChainEvent => ({
  id,
  chain: "ETH",
  txHash: `0x${id}`,
  logIndex: 0,
  height: 1,
  timeMicros: 1n,
  publisher: "0x1",
  kind: "messages",
  payload: '{"content":{"messages":[{}]}}',
  error: null,
  attempts: 0,
});

test("a round that fails has ended whole before it says so: nothing of it meets the next one", async () => {
  const begun: number[] = [];
  const slow = Promise.withResolvers<void>();
  const processor = new EventProcessor({
    records: { due: async () => Array.from({ length: 12 }, (_, id) => eventOf(id)) },
    pipeline: {
      submit: async () => ({}) as never,
      changeChain: async (change) => {
        const { id } = change as { readonly id: number };
        begun.push(id);
        if (id === 0) throw new PipelineError("PIPELINE_CLOSED", "the writer has ended");
        await slow.promise;
      },
    },
    archives: { open: () => assert.fail("no archive is named") },
    clock: createSystemClock(),
    timers: createSystemTimers(),
    random: createSystemRandom(),
    log: createMemoryLogger(),
  });
  let hasEnded = false;
  const round = assert.rejects(processor.run(new AbortController().signal), { code: "PIPELINE_CLOSED" });
  round.finally(() => {
    hasEnded = true;
  });
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([hasEnded, begun], [false, [0, 1, 2, 3]]);
  slow.resolve();
  await round;
  assert.deepEqual(begun, [0, 1, 2, 3], "no further event was begun");
});
