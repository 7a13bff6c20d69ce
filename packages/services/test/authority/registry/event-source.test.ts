import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { NetworkDefinition } from "@twentysix/protocol";
import { createConnection } from "@twentysix/sdk";
import { EventSource } from "../../../src/authority/registry/event-source.ts";

const DEFINITION = {
  authorities: {
    registry: { operationTag: "mainnet", operationPostType: "corechan-operation" },
    scoring: { addresses: ["0xS"], scoresPostType: "scores" },
    balances: { addresses: ["0xB"], postType: "balances-update" },
  },
  switches: { canonicalOrder: false },
} as unknown as NetworkDefinition;

interface Publication {
  readonly at: number;
  readonly height: number | null;
}

/** A node with publications of balances, the newest first, one a page. */
function nodeWith(publications: () => readonly Publication[], isBroken = (_page: number): boolean => false) {
  const asked: number[] = [];
  const fetch = async (address: string): Promise<Response> => {
    const query = new URL(address).searchParams;
    if (query.get("contentTypes") !== "balances-update")
      return Response.json({ messages: [], next_cursor: null });
    const page = Number(query.get("cursor") || 0);
    asked.push(page);
    if (isBroken(page)) return new Response("", { status: 500 });
    const all = publications();
    const messages = all.slice(page, page + 1).map(({ at, height }) => ({
      type: "POST",
      chain: "ETH",
      sender: "0xB",
      signature: "0x",
      item_type: "inline",
      item_content: null,
      item_hash: String(at).padStart(64, "0"),
      time: at,
      channel: null,
      content: {
        address: "0xB",
        time: at,
        type: "balances-update",
        content: { chain: "ETH", main_height: at, platform: "ALEPH", balances: { "0xA": at } },
      },
      confirmations: height === null ? [] : [{ chain: "ETH", height, hash: "0x1" }],
    }));
    return Response.json({ messages, next_cursor: page + 1 < all.length ? String(page + 1) : null });
  };
  const connection = createConnection({ apiUrl: "http://node.test", fetch, retries: 0 });
  const source = new EventSource(connection, DEFINITION, { monotonicMs: () => 0, nowMicros: () => 0n });
  return { asked, read: async () => await source.read(new AbortController().signal) };
}

describe("publications of balances", () => {
  test("are read once, the new ones alone after the first time", async () => {
    const all = [2, 1].map((at) => ({ at, height: at }));
    const node = nodeWith(() => all);
    assert.equal((await node.read()).length, 2);
    all.unshift({ at: 3, height: 3 });
    node.asked.length = 0;
    assert.equal((await node.read()).length, 3);
    assert.deepEqual(node.asked, [0, 1]);
  });

  test("are all there after a reading that broke off between two of them", async () => {
    const all = [{ at: 1, height: 1 }];
    let breaksAt = -1;
    const node = nodeWith(
      () => all,
      (page) => page === breaksAt,
    );
    await node.read();
    all.unshift({ at: 3, height: 3 }, { at: 2, height: 2 });
    breaksAt = 1;
    await assert.rejects(node.read());
    breaksAt = -1;
    assert.deepEqual(
      (await node.read()).map(({ timeSeconds }) => timeSeconds),
      [1, 2, 3],
    );
  });

  test("have the height of their confirmation as soon as there is one", async () => {
    let newest: number | null = null;
    const node = nodeWith(() => [
      { at: 2, height: newest },
      { at: 1, height: 10 },
    ]);
    const heights = async () => (await node.read()).map(({ height }) => height);
    assert.deepEqual(await heights(), [10, null]);
    newest = 11;
    assert.deepEqual(await heights(), [10, 11]);
  });
});

describe("operations", () => {
  const HOUR = 3_600;
  const NOW = 1_000 * HOUR;

  /** A node with operations, one a page, and a clock. */
  function nodeWithOperations() {
    const state = { nowSeconds: NOW, asked: 0, isBroken: false };
    const all = new Map<number, { height: number | null }>();
    const fetch = async (address: string): Promise<Response> => {
      const query = new URL(address).searchParams;
      if (Number(query.get("startDate") ?? 0) < 0) return new Response("", { status: 422 });
      if (query.get("contentTypes") !== "corechan-operation,amend")
        return Response.json({ messages: [], next_cursor: null });
      state.asked += 1;
      const since = Number(query.get("startDate") ?? 0);
      const listed = [...all].filter(([at]) => at >= since).sort(([a], [b]) => b - a);
      const page = Number(query.get("cursor") || 0);
      if (state.isBroken && page > 0) return new Response("", { status: 500 });
      const messages = listed.slice(page, page + 1).map(([at, { height }]) => ({
        ...{ type: "POST", chain: "ETH", sender: "0xO", signature: "0x", item_type: "inline" },
        ...{ item_content: null, item_hash: String(at).padStart(64, "0"), time: at, channel: null },
        content: { address: "0xO", time: at, type: "corechan-operation", content: { action: "x" } },
        confirmations: height === null ? [] : [{ chain: "ETH", height, hash: "0x1" }],
      }));
      return Response.json({ messages, next_cursor: page + 1 < listed.length ? String(page + 1) : null });
    };
    const connection = createConnection({ apiUrl: "http://node.test", fetch, retries: 0 });
    const source = new EventSource(connection, DEFINITION, {
      monotonicMs: () => state.nowSeconds * 1_000,
      nowMicros: () => BigInt(state.nowSeconds) * 1_000_000n,
    });
    const read = async () =>
      (await source.read(new AbortController().signal)).map(({ timeSeconds }) => timeSeconds);
    const heights = async () => (await source.read(new AbortController().signal)).map(({ height }) => height);
    return { state, all, read, heights };
  }

  test("are read once: later only what is new, with what may have come late or gone", async () => {
    const { state, all, read } = nodeWithOperations();
    for (let count = 50; count > 0; count -= 1) all.set(NOW - count * HOUR, { height: count });
    assert.equal((await read()).length, 50);
    state.asked = 0;
    all.set(NOW, { height: 51 }).set(NOW - 1_800, { height: 52 });
    assert.equal((await read()).length, 52);
    assert.ok(state.asked <= 4, `${state.asked} pages`);
    all.delete(NOW - 1_800);
    assert.equal((await read()).length, 51, "what is forgotten never was");
  });

  test("of long ago that come late, or are forgotten, are noticed within minutes", async () => {
    const { state, all, read } = nodeWithOperations();
    all.set(NOW - 10 * HOUR, { height: 1 }).set(NOW, { height: 2 });
    await read();
    all.delete(NOW - 10 * HOUR);
    all.set(NOW - 20 * HOUR, { height: 3 });
    state.nowSeconds += 600;
    assert.deepEqual(await read(), [NOW, NOW - 20 * HOUR]);
  });

  test("are told of by no time from the future, and lost by no reading that breaks off", async () => {
    const { state, all, read } = nodeWithOperations();
    all.set(NOW * 2, { height: 1 }).set(NOW - HOUR, { height: 2 });
    await read();
    all.set(NOW, { height: 3 });
    state.isBroken = true;
    await assert.rejects(read());
    state.isBroken = false;
    assert.equal((await read()).length, 3);
  });

  test("have the height of their confirmation as soon as there is one, a day long", async () => {
    const { all, heights } = nodeWithOperations();
    all.set(NOW - 20 * HOUR, { height: null }).set(NOW, { height: 7 });
    assert.deepEqual(await heights(), [7, null]);
    all.set(NOW - 20 * HOUR, { height: 6 });
    assert.deepEqual(await heights(), [6, 7]);
  });
});
