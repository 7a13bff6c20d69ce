import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { amend, evm, forget, post, type Signed, withEnvelope } from "./support/signed.ts";
import { networkDefinition, StateHarness, testFile } from "./support/state-harness.ts";
import { tell, told } from "./support/told.ts";

/* What the tests of the reference pin, on a node of mainnet: copies that wait, retries, confirmations. */

const mainnet = networkDefinition("mainnet");
const author = evm("author who waits");
const TIME = 1_700_000_000;
const MICROS = 1_000_000n;

/** A message that waits for another that never comes. */
const waiting = amend(author, TIME, testFile(0).hash, "of nothing");

describe("a queued message", () => {
  test("that comes twice has one place in the queue, and its turn does not move", async () => {
    await using node = await StateHarness.open(mainnet);
    await node.submit(waiting.text);
    await node.nextRound();
    await node.nextRound();
    const place = () => ({
      due: node.store.nextDueMicros(),
      view: node.view(waiting.hash),
      events: node.reads.eventsOf(waiting.hash),
    });
    const before = place();
    assert.equal(node.store.countCandidates(waiting.hash).queued, 1);
    const [result] = await node.submit(waiting.text);
    assert.deepEqual([result?.status, result?.known], ["pending", true]);
    assert.equal(node.store.countCandidates(waiting.hash).queued, 1);
    assert.deepEqual(place(), before);
  });

  test("is tried again after a random time of at most min(2^n, 300) seconds, eleven times in all", async () => {
    const chosen: bigint[][] = [];
    for (const seed of [1, 2, 3]) {
      await using node = StateHarness.inMemory(mainnet, seed);
      let nowMicros = node.nowMicros;
      await node.submit(waiting.text);
      const delays: bigint[] = [];
      for (let due = node.store.nextDueMicros(); due !== null; due = node.store.nextDueMicros()) {
        const ceiling = BigInt(Math.min(2 ** delays.length, 300)) * MICROS;
        assert.ok(due >= nowMicros && due <= nowMicros + ceiling, `retry ${delays.length + 1}`);
        delays.push(due - nowMicros);
        nowMicros = await node.nextRound();
      }
      assert.equal(delays.length, 10);
      assert.equal(told(node, waiting), "rejected 101");
      assert.equal(node.view(waiting.hash)?.details, null);
      chosen.push(delays);
    }
    assert.equal(new Set(chosen.map((delays) => delays.join())).size, chosen.length);
  });

  test("that was given up begins anew when it comes again", async () => {
    await using node = await StateHarness.open(mainnet);
    assert.deepEqual(await tell(node, waiting), ["rejected 101"]);
    await node.submit(waiting.text);
    assert.equal(told(node, waiting), "pending");
    const due = node.store.nextDueMicros();
    assert.ok(due !== null && due <= node.nowMicros + MICROS);
  });
});

describe("the confirmation of a message", () => {
  const note = post(author, TIME, "on chain");
  const confirmation = (height: number, seconds: number) => ({
    hash: note.hash,
    chain: "ETH",
    txHash: `0x${height.toString(16).padStart(64, "0")}`,
    height,
    timeMicros: BigInt(TIME + seconds) * MICROS,
    publisher: "0x23eC28598DCeB2f7082Cc3a9D670592DfEd6e0dC",
  });
  const message = (node: StateHarness): Readonly<Record<string, unknown>> =>
    (node.view(note.hash)?.message ?? {}) as Readonly<Record<string, unknown>>;

  test("is recorded once and changes nothing else", async () => {
    await using node = await StateHarness.open(mainnet);
    await tell(node, note);
    const { confirmed, confirmations, ...before } = message(node);
    assert.deepEqual([confirmed, confirmations], [false, []]);
    const root = node.root();
    await node.confirm(confirmation(100, 60));
    await node.confirm(confirmation(100, 60));
    // The archive that the transaction names brings the message as well.
    await node.submit(withEnvelope(note, { time: TIME + 60 }).text);
    const { confirmed: isConfirmed, confirmations: list, ...after } = message(node);
    assert.equal(isConfirmed, true);
    assert.deepEqual(
      (list as readonly { height: number }[]).map(({ height }) => height),
      [100],
    );
    assert.deepEqual(after, before);
    assert.equal(node.root(), root);
  });

  test("that is the earliest counts as the first, whichever came first", async () => {
    await using node = await StateHarness.open(mainnet);
    await tell(node, note);
    for (const one of [confirmation(200, 120), confirmation(100, 60), confirmation(300, 180)])
      await node.confirm(one);
    assert.equal((message(node).confirmations as readonly unknown[]).length, 3);
    // By the range of blocks, which looks at the first confirmation alone.
    assert.deepEqual(node.messages({ startBlock: 100, endBlock: 101 }), [note.hash]);
    assert.deepEqual(node.messages({ startBlock: 200, endBlock: 301, confirmed: true }), []);
  });

  test("reaches a message that still waits, and is kept for one that is forgotten", async () => {
    await using node = await StateHarness.open(mainnet);
    await node.confirm(confirmation(100, 60));
    await tell(node, note);
    assert.equal(message(node).confirmed, true);
    const end: Signed = forget(author, TIME + 1, [note.hash]);
    await tell(node, end);
    await node.confirm(confirmation(200, 120));
    assert.deepEqual([told(node, note), told(node, end)], ["forgotten", "processed"]);
  });
});
