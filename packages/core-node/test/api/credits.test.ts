import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import { envelope } from "../pipeline/support/signed.ts";
import { accept, bill, grant, MIB, publishBalances, publishers, store, T, walk } from "./support/economy.ts";
import { type RealNode, startRealNode, testAccount } from "./support/real-node.ts";

type Entry = Record<string, unknown>;
type Page = Entry & { readonly credit_history: Entry[] };

const LATER_MS = 4_000_000_000_000;
const { address } = testAccount(7);
const PATH = `/api/v0/addresses/${address}/credit_history`;
const RESOURCE = "ab".repeat(32);

/** A history with every kind of entry, in the order of time. */
async function fill(node: RealNode): Promise<{ readonly stored: string; readonly refs: readonly string[] }> {
  await publishBalances(node, T, { [address]: 100 });
  const stored = await store(node, testAccount(7), T, 26 * MIB);
  const refs = [
    await grant(
      node,
      T + 1,
      { address, amount: 1_000, payment_method: "token_transfer", origin: "purchase", bonus_amount: 10 },
      { address, amount: 500, expiration: LATER_MS, price: 0.000001, tx_hash: "0xdef", ref: "r1" },
      { address: "0xOther", amount: 7 },
    ),
    await bill(
      node,
      T + 2.25,
      { address, amount: 100, execution_id: stored, node_id: "node", price: "0.010555", ref: "list" },
      { address, amount: 30, execution_id: "", ref: RESOURCE, count: 4, size: "12.50" },
    ),
    await bill(node, T + 3, { address, amount: 20, execution_id: RESOURCE }),
  ];
  return { stored, refs };
}

describe("the credit history of an address", () => {
  let node: RealNode;
  let stored = "";
  let refs: readonly string[] = [];
  const ends: (() => Promise<void>)[] = [];
  before(async () => {
    node = await startRealNode({ after: (end) => ends.unshift(end) });
    ({ stored, refs } = await fill(node));
  });
  after(async () => {
    for (const end of ends) await end();
  });
  const amounts = async (query: string): Promise<unknown[]> => {
    const response = await node.get(`${PATH}?${query}`);
    if (response.status === 404) return [];
    assert.equal(response.status, 200, query);
    return ((await response.json()) as Page).credit_history.map(({ amount }) => amount);
  };

  test("holds every field, newest first, and all of it unless a page is asked for", async () => {
    const page = (await node.json(PATH)) as Page;
    const { credit_history: entries, ...figures } = page;
    assert.deepEqual(figures, { address, pagination_page: 1, pagination_per_page: 0, pagination_total: 5 });
    const expense = { token: null, chain: null, provider: "ALEPH", payment_method: "credit_expense" };
    assert.deepEqual(entries, [
      {
        ...expense,
        amount: -20,
        price: null,
        bonus_amount: null,
        tx_hash: null,
        origin: RESOURCE,
        origin_ref: null,
        credit_ref: refs[2],
        credit_index: 0,
        expiration_date: null,
        message_timestamp: "2026-09-21T14:13:23.000000Z",
        expense_count: null,
        expense_size_mib: null,
      },
      {
        ...expense,
        amount: -30,
        price: null,
        bonus_amount: null,
        tx_hash: null,
        origin: "",
        origin_ref: RESOURCE,
        credit_ref: refs[1],
        credit_index: 1,
        expiration_date: null,
        message_timestamp: "2026-09-21T14:13:22.250000Z",
        expense_count: 4,
        expense_size_mib: "12.50",
      },
      {
        ...expense,
        amount: -100,
        price: "0.010555",
        bonus_amount: null,
        tx_hash: "node",
        origin: stored,
        origin_ref: "list",
        credit_ref: refs[1],
        credit_index: 0,
        expiration_date: null,
        message_timestamp: "2026-09-21T14:13:22.250000Z",
        expense_count: null,
        expense_size_mib: null,
      },
      {
        amount: 500,
        price: "0.000001",
        bonus_amount: null,
        tx_hash: "0xdef",
        token: "ALEPH",
        chain: "ETH",
        provider: "ALEPH",
        origin: null,
        origin_ref: "r1",
        payment_method: null,
        credit_ref: refs[0],
        credit_index: 1,
        expiration_date: "2096-10-02T07:06:40.000000Z",
        message_timestamp: "2026-09-21T14:13:21.000000Z",
        expense_count: null,
        expense_size_mib: null,
      },
      {
        amount: 1_000,
        price: "0.5",
        bonus_amount: 10,
        tx_hash: "0xabc",
        token: "ALEPH",
        chain: "ETH",
        provider: "ALEPH",
        origin: "purchase",
        origin_ref: null,
        payment_method: "token_transfer",
        credit_ref: refs[0],
        credit_index: 0,
        expiration_date: null,
        message_timestamp: "2026-09-21T14:13:21.000000Z",
        expense_count: null,
        expense_size_mib: null,
      },
    ]);
    const second = (await node.json(`${PATH}?pagination=2&page=2`)) as Page;
    assert.deepEqual(second.credit_history, entries.slice(2, 4));
    assert.deepEqual([second.pagination_total, second.pagination_per_page], [5, 2]);
    assert.deepEqual(await walk(node, PATH, "credit_history", 2), entries);
  });

  test("is filtered by every field, alone and together", async () => {
    for (const [query, expected] of [
      ["tx_hash=0xdef", [500]],
      ["txHash=node", [-100]],
      ["token=ALEPH", [500, 1_000]],
      ["chain=ETH&payment_method=token_transfer", [1_000]],
      ["provider=ALEPH", [-20, -30, -100, 500, 1_000]],
      ["origin=purchase", [1_000]],
      ["origin_ref=list", [-100]],
      ["payment_method=credit_expense", [-20, -30, -100]],
      ["has_expiration=true", [500]],
      ["has_expiration=no", [-20, -30, -100, 1_000]],
      ["exclude_payment_method=credit_expense", [1_000]],
      ["exclude_payment_method=credit_expense,token_transfer", []],
      ["direction=incoming", [500, 1_000]],
      ["direction=outgoing", [-20, -30, -100]],
      [`startDate=${T + 2.25}`, [-20, -30, -100]],
      [`start_date=${T + 2}&end_date=${T + 2.25}`, [-30, -100]],
      [`endDate=${T + 1}`, [500, 1_000]],
      ["endDate=0", []],
      [`resource=${RESOURCE}`, [-20, -30]],
      [`resource=${RESOURCE}&endDate=${T + 2.5}`, [-30]],
      ["resource=list", []],
      ["resourceTypes=STORE", [-100]],
      ["resource_types=STORE,PROGRAM", [-100]],
      ["resourceTypes=INSTANCE", []],
    ] as const) {
      assert.deepEqual(await amounts(query), expected, query);
      const sums = (await node.json(`${PATH}/summary?${query}`)) as Entry;
      const [incoming, outgoing] = [expected.filter((n) => n > 0), expected.filter((n) => n < 0)].map(
        (list) => list.reduce((sum: number, n) => sum + n, 0),
      );
      assert.deepEqual(
        sums,
        {
          address,
          entry_count: expected.length,
          total_amount: (incoming ?? 0) + (outgoing ?? 0),
          total_incoming: incoming,
          total_outgoing: outgoing,
        },
        query,
      );
    }
  });

  test("walks by cursor through any order as its pages do", async () => {
    const sorts = [
      "message_timestamp",
      "expiration_date",
      "payment_method",
      "amount",
      "origin",
      "tx_hash",
      "provider",
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...sorts),
        fc.constantFrom("1", "-1"),
        fc.integer({ min: 1, max: 6 }),
        fc.constantFrom("", "&direction=outgoing", "&provider=ALEPH", `&resource=${RESOURCE}`),
        async (sort, order, size, filter) => {
          const path = `${PATH}?sort_by=${sort}&sort_order=${order}${filter}`;
          const { credit_history: all } = (await node.json(path)) as Page;
          assert.deepEqual(await walk(node, path, "credit_history", size), all, path);
        },
      ),
      { numRuns: 60 },
    );
    assert.deepEqual(await amounts("sortBy=amount&sortOrder=1"), [-100, -30, -20, 500, 1_000]);
    assert.deepEqual(await amounts("sort_by=origin&sort_order=1&direction=incoming"), [1_000, 500]);
    assert.deepEqual(await amounts("sort_by=origin&sort_order=-1&direction=incoming"), [1_000, 500]);
    assert.deepEqual((await amounts("sort_by=expiration_date"))[0], 500);
  });

  test("refuses what it cannot read, before it says that there is nothing", async () => {
    const first = (await node.json(`${PATH}?pagination=2&cursor=`)) as Entry;
    for (const bad of [
      "startDate=-1",
      "start_date=x",
      "endDate=99999999999999",
      "startDate=9&endDate=3",
      "start_date=9&end_date=0",
      "direction=sideways",
      "resourceTypes=NOPE",
      "sort_by=size",
      "sort_order=0",
      "has_expiration=perhaps",
      "cursor=",
      "cursor=zz&pagination=2",
      `cursor=${first.next_cursor}&pagination=2&sort_by=amount`,
      `cursor=${first.next_cursor}&pagination=2&sort_order=1`,
    ]) {
      const response = await node.get(`/api/v0/addresses/0xNobody/credit_history?${bad}`);
      assert.equal(response.status, 422, bad);
      assert.ok(Array.isArray(await response.json()));
    }
    assert.deepEqual(await amounts(`exclude_payment_method=${",".repeat(60_000)}`), [-20, -30, -100, 1_000]);
    const nobody = await node.get(`/api/v0/addresses/0xNobody/credit_history?startDate=1&pagination=10`);
    assert.equal(nobody.status, 404);
    assert.match(JSON.stringify(await nobody.json()), /404: Not Found/);
    const opted = await node.get("/api/v0/addresses/0xNobody/credit_history?empty=200");
    assert.deepEqual(((await opted.json()) as Page).credit_history, []);
    assert.deepEqual(await node.json("/api/v0/addresses/0xNobody/credit_history/summary"), {
      address: "0xNobody",
      entry_count: 0,
      total_amount: 0,
      total_incoming: 0,
      total_outgoing: 0,
    });
  });

  test("gives what was spent for a resource", async () => {
    const consumed = async (hash: string) =>
      ((await node.json(`/api/v0/messages/${hash}/consumed_credits`)) as Entry).consumed_credits;
    assert.deepEqual(await node.json(`/api/v0/messages/${RESOURCE}/consumed_credits`), {
      item_hash: RESOURCE,
      consumed_credits: 50,
    });
    assert.deepEqual(
      [await consumed(stored), await consumed("no hash"), await consumed("list")],
      [100, 0, 0],
    );
  });
});

test("credits beyond 2^53 are told exactly", async (t) => {
  const node = await startRealNode(t);
  const text = `{"address":"0xRich","amount":9007199254740993,"price":"1","tx_hash":"0x","provider":"P"}`;
  const content = `{"type":"aleph_credit_distribution","content":{"distribution":{"token":"A","chain":"ETH","credits":[${text},${text}]}}}`;
  const body = content.replace("{", `{"address":"${publishers.credits.address}","time":${T},`);
  await accept(node, envelope(publishers.credits, "POST", body, { time: T, channel: "ALEPH_CREDIT" }));
  const path = "/api/v0/addresses/0xRich";
  assert.match(await (await node.get(`${path}/credit_history`)).text(), /"amount":9007199254740993,/);
  assert.match(await (await node.get(`${path}/balance`)).text(), /"credit_balance":18014398509481986,/);
  const summary = await (await node.get(`${path}/credit_history/summary?direction=incoming`)).text();
  assert.match(summary, /"total_incoming":18014398509481986,/);
});

test("what a resource consumed is told exactly beyond 2^53", async (t) => {
  const node = await startRealNode(t);
  const publish = (time: number, type: string, content: string) =>
    accept(
      node,
      envelope(
        publishers.credits,
        "POST",
        `{"address":"${publishers.credits.address}","time":${time},"type":"${type}","content":${content}}`,
        { time, channel: "ALEPH_CREDIT" },
      ),
    );
  const granted = `{"address":"0xRich","amount":4611686018427387905,"price":"1","tx_hash":"0x","provider":"P"}`;
  await publish(
    T,
    "aleph_credit_distribution",
    `{"distribution":{"token":"A","chain":"ETH","credits":[${granted}]}}`,
  );
  const spent = (amount: string) => `{"address":"0xRich","amount":${amount},"execution_id":"${RESOURCE}"}`;
  await publish(
    T + 1,
    "aleph_credit_expense",
    `{"expense":{"count":2,"credits":[${spent("9007199254740993")},${spent("2305843009213693953")}]}}`,
  );
  // 2^53 + 1 and 2^61 + 1.
  const sum = "2314850208468434946";
  assert.equal(
    await (await node.get(`/api/v0/messages/${RESOURCE}/consumed_credits`)).text(),
    `{"item_hash":"${RESOURCE}","consumed_credits":${sum}}`,
  );
  const costs = await (await node.get(`/api/v0/costs?item_hash=${RESOURCE}`)).text();
  assert.match(costs, new RegExp(`"total_consumed_credits":${sum},`));
  const balance = await (await node.get("/api/v0/addresses/0xRich/balance")).text();
  assert.match(balance, /"credit_balance":2296835809958952959,/);
  const list = await (await node.get("/api/v0/credit_balances?min_balance=2296835809958952959")).text();
  assert.match(list, /"address":"0xRich","credits":2296835809958952959/);
});
