import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { MAX_QUEUED_PER_SENDER } from "../../src/pipeline/writer/sender-places.ts";
import { amend, evm, post, type Signed } from "./support/signed.ts";
import { networkDefinition, StateHarness, testFile } from "./support/state-harness.ts";
import { told } from "./support/told.ts";

/* Who sends much that has to wait holds back nobody else, and does not fill the queue. */

const mainnet = networkDefinition("mainnet");
const flooder = evm("sender of a flood");
const other = evm("sender of little");
const TIME = 1_700_000_000;

/** Messages that wait for others that never come. */
const waiting = (account: typeof flooder, count: number): Signed[] =>
  Array.from({ length: count }, (_, n) => amend(account, TIME + n, testFile(n).hash, `amend ${n}`));

const texts = (messages: readonly Signed[]): string[] => messages.map(({ text }) => text);

test("senders take turns when more is due than is taken, and what is taken keeps its order", async () => {
  await using node = StateHarness.inMemory(mainnet);
  const flood = waiting(flooder, 40);
  const few = waiting(other, 2);
  await node.submit(...texts([...flood, ...few]));
  node.nowMicros += 60_000_000n;
  const due = node.store.due(node.nowMicros, 6);
  const taken = due.map(({ hash }) => hash);
  assert.equal(taken.length, 6);
  for (const { hash } of few) assert.ok(taken.includes(hash), "the sender of little has his turn");
  const all = node.store.due(node.nowMicros, 100).map(({ hash }) => hash);
  assert.equal(all.length, 42);
  assert.deepEqual(
    taken,
    all.filter((hash) => taken.includes(hash)),
  );
});

test("large contents of one sender leave room for the others", async () => {
  await using node = StateHarness.inMemory(mainnet);
  await node.submit(...texts([...waiting(flooder, 10), ...waiting(other, 1)]));
  node.nowMicros += 60_000_000n;
  const { connection, addresses } = node.store.session;
  connection.run(
    "UPDATE candidates SET content = ? WHERE sender_id = ?",
    "x".repeat(1_000),
    addresses.intern(flooder.address),
  );
  const due = node.store.due(node.nowMicros, 100, 1_500);
  assert.equal(due.filter(({ contentText }) => contentText === null).length, 1);
  assert.ok(due.length <= 3);
});

test("a sender with too much in the queue gives up what waits longest, and nobody else does", async () => {
  await using node = StateHarness.inMemory(mainnet);
  const little = waiting(other, 1);
  await node.submit(...texts(little));
  const flood = waiting(flooder, MAX_QUEUED_PER_SENDER + 2);
  await node.submit(...texts(flood));
  const [first, second, third] = flood;
  const last = flood.at(-1);
  assert.ok(first && second && third && last && little[0]);
  assert.deepEqual(
    [first, second].map((one) => told(node, one)),
    ["rejected 101", "rejected 101"],
  );
  assert.deepEqual(
    [third, last, little[0]].map((one) => told(node, one)),
    ["pending", "pending", "pending"],
  );
  assert.match(inspect(node.reads.eventsOf(first.hash), { depth: 9 }), /messages of this sender wait/);
  const n = node.store.session.connection.get<{ n: number }>(
    "SELECT count(*) AS n FROM candidates WHERE next_attempt_us IS NOT NULL",
  )?.n;
  assert.equal(n, MAX_QUEUED_PER_SENDER + 1);
});

test("what was given up for room is applied when what it waits for arrives", async () => {
  await using node = StateHarness.inMemory(mainnet);
  const original = post(flooder, TIME, "comes late");
  const early = amend(flooder, TIME + 1, original.hash, "of what comes late");
  await node.submit(early.text);
  await node.submit(...texts(waiting(flooder, MAX_QUEUED_PER_SENDER)));
  assert.equal(told(node, early), "rejected 101");
  await node.submit(original.text);
  node.nowMicros += 1n;
  await node.runDue();
  assert.equal(told(node, early), "processed");
});
