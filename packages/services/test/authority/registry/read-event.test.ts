import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { JsonObject } from "@twentysix/protocol";
import type { MessageObject } from "@twentysix/sdk";
import { compareEvents } from "../../../src/authority/registry/events.ts";
import { readBalances, readOperation, readScores } from "../../../src/authority/registry/read-event.ts";

const READER = { operationPostType: "corechan-operation", byHeight: true };

const message = (content: JsonObject, more: Partial<MessageObject> = {}): MessageObject => ({
  type: "POST",
  chain: "ETH",
  sender: "0xDelegate",
  signature: "0x",
  item_type: "inline",
  item_content: null,
  item_hash: "aa",
  time: 9,
  channel: "FOUNDATION",
  content: { address: "0xA", time: 7.5, ...content },
  ...more,
});

describe("a message to the registry", () => {
  test("is an operation of the address in its content, at the height of its first confirmation on Ethereum", () => {
    const inner = { action: "link", tags: ["mainnet"] };
    const confirmations = [
      { chain: "ETH", height: 12, hash: "0x1" },
      { chain: "ETH", height: 10, hash: "0x2" },
      { chain: "TEZOS", height: 1, hash: "0x3" },
    ];
    const post = message({ type: "corechan-operation", ref: "bb", content: inner }, { confirmations });
    const expected = {
      kind: "operation",
      itemHash: "aa",
      timeSeconds: 7.5,
      height: 10,
      address: "0xA",
      isAmend: false,
      ref: "bb",
      content: inner,
    };
    assert.deepEqual(readOperation(post, READER), expected);
    assert.deepEqual(readOperation(post, { ...READER, byHeight: false }), { ...expected, height: null });
    assert.equal(readOperation(message({ type: "amend", ref: "bb", content: inner }), READER)?.isAmend, true);
    assert.equal(readOperation(message({ type: "chat", content: inner }), READER), null);
    assert.equal(readOperation(message({ type: "corechan-operation", content: "text" }), READER), null);
  });

  test("gives balances as they were written, to the last digit, of Ethereum alone", () => {
    const balances = { "0xA": 0.1, "0xB": 250_000, "0xC": 1e-7, "0xD": -1, "0xE": "5", "0xF": 500_000_000n };
    const content = { chain: "ETH", main_height: 26, platform: "ALEPH_ETH", balances };
    const event = readBalances(message({ content }), READER);
    assert.deepEqual(
      [...(event?.balances ?? [])],
      [
        ["0xA", 10n ** 17n],
        ["0xB", 250_000n * 10n ** 18n],
        ["0xC", 10n ** 11n],
        ["0xF", 500_000_000n * 10n ** 18n],
      ],
    );
    assert.deepEqual([event?.platform, event?.balancesHeight], ["ALEPH_ETH", 26n]);
    for (const bad of [{ chain: "SOL" }, { main_height: 1.5 }, { balances: [] }]) {
      assert.equal(readBalances(message({ content: { ...content, ...bad } }), READER), null);
    }
  });

  test("gives scores from 0 to 1, and passes over what is none", () => {
    const ccn = [
      { node_id: "n1", total_score: 1.5, performance: 0.5, decentralization: -1 },
      { node_id: "n2" },
      null,
    ];
    const scores = { ccn, crn: [{ node_id: "c1", total_score: 0.25 }] };
    assert.deepEqual(
      [...(readScores(message({ content: { scores } }), READER)?.scores.values() ?? [])],
      [
        { nodeId: "n1", score: 1, performance: 0.5, decentralization: 0 },
        { nodeId: "c1", score: 0.25, performance: 0, decentralization: 0 },
      ],
    );
    assert.equal(readScores(message({ content: { scores: [] } }), READER), null);
  });
});

test("events count by height as numbers, what is not confirmed last, then by time and hash", () => {
  const order = [
    { height: 999, timeSeconds: 5, itemHash: "c" },
    { height: 1_000, timeSeconds: 1, itemHash: "d" },
    { height: 1_000, timeSeconds: 2, itemHash: "a" },
    { height: 1_000, timeSeconds: 2, itemHash: "b" },
    { height: null, timeSeconds: 0, itemHash: "e" },
  ];
  assert.deepEqual(order.toReversed().toSorted(compareEvents), order);
});
