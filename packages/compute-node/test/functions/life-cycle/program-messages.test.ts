import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemoryLogger, createSystemClock, createSystemTimers } from "@twentysix/platform";
import { ProgramMessages } from "../../../src/functions/life-cycle/program-messages.ts";
import type { VmMessage } from "../../../src/messages/core-node-client.ts";
import { TtlCache } from "../../../src/messages/ttl-cache.ts";
import { hashOf, programMessage } from "../support/program-message.ts";

const FOREVER = new AbortController().signal;

const VM = hashOf("vm");
const never = new AbortController().signal;

/** Each question waits until the test answers it. */
function openMessages() {
  const questions: ((answer: VmMessage | null) => void)[] = [];
  const unfit: string[] = [];
  const messages = new ProgramMessages({
    coreNode: { vmMessage: () => new Promise((resolve) => questions.push(resolve)) },
    clock: createSystemClock(),
    timers: createSystemTimers(),
    log: createMemoryLogger(),
    signal: never,
    newestVersion: async (message) => message,
    onReplaced: () => {},
    onUnfit: (vmHash) => unfit.push(vmHash),
  });
  const answer = async (message: VmMessage | null): Promise<void> => {
    questions.shift()?.(message);
    for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  return { messages, questions, unfit, answer };
}

test("what is known of a program is asked once, until it is forgotten", async () => {
  const { messages, questions, answer } = openMessages();
  const first = messages.program(VM, "http", never);
  await answer(programMessage("vm"));
  assert.equal((await first).itemHash, VM);
  await messages.program(VM, "http", never);
  assert.equal(questions.length, 0);
  messages.forget(VM);
  const gone = assert.rejects(messages.program(VM, "http", never), /not found/);
  await answer(null);
  await gone;
});

test("an answer that was on its way when the message was forgotten is not believed again", async () => {
  const { messages, questions, unfit, answer } = openMessages();
  messages.refresh(VM);
  messages.forget(VM);
  await answer(programMessage("vm"));
  messages.refresh(VM);
  assert.equal(questions.length, 1, "it is asked anew");
  await answer(null);
  assert.deepEqual(unfit, [VM]);
});

test("a question that was open when its key was forgotten is not shared, and its answer not kept", async () => {
  const cache = new TtlCache<string>({
    ttlMs: 60_000,
    staleMs: 0,
    maxEntries: 10,
    clock: createSystemClock(),
  });
  const old = Promise.withResolvers<string>();
  const waiting = cache.get("key", FOREVER, () => old.promise);
  cache.forget("key");
  assert.equal(await cache.get("key", FOREVER, async () => "new"), "new");
  old.resolve("old");
  assert.equal(await waiting, "old");
  assert.equal(await cache.get("key", FOREVER, () => assert.fail("it is known")), "new");
});

test("a program starts in the version that served last while nobody can say which is the newest", async () => {
  const newest = programMessage("newer");
  let isReachable = true;
  const messages = new ProgramMessages({
    coreNode: { vmMessage: async () => programMessage("vm") },
    clock: { monotonicMs: () => (isReachable ? 0 : 3_600_000) },
    timers: createSystemTimers(),
    log: createMemoryLogger(),
    signal: never,
    newestVersion: async () => {
      if (isReachable) return newest;
      throw new Error("no core node answers");
    },
    onReplaced: () => {},
    onUnfit: () => {},
  });
  isReachable = false;
  assert.equal((await messages.program(VM, "http", never)).itemHash, VM, "nothing else is known");
  messages.forget(VM);
  isReachable = true;
  assert.equal((await messages.program(VM, "http", never)).itemHash, newest.itemHash);
  isReachable = false;
  assert.equal((await messages.program(VM, "http", never)).itemHash, newest.itemHash);
});
