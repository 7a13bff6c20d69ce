import assert from "node:assert/strict";
import { test } from "node:test";
import { bill, grant, MIB, publishBalances, store, T, untilStatus, walk } from "./support/economy.ts";
import { startRealNode, testAccount } from "./support/real-node.ts";

type Body = Record<string, unknown>;

const LATER_MS = 4_000_000_000_000;
const SOONER_MS = 3_000_000_000_000;

test("the balance of an address: by chain, without applications, with what is locked and its credits", async (t) => {
  const node = await startRealNode(t);
  const { address } = node.account;
  await publishBalances(node, T, { [address]: 2000.5 });
  await publishBalances(node, T, { [address]: 1000 }, { chain: "AVAX" });
  await publishBalances(node, T, { [address]: 77 }, { dapp: "SABLIER" });
  await store(node, node.account, T + 1, 50 * MIB);
  await grant(
    node,
    T + 2,
    { address, amount: 1000, expiration: LATER_MS },
    { address, amount: 200, expiration: SOONER_MS },
    { address, amount: 30, expiration: LATER_MS },
    { address, amount: 5 },
    { address, amount: 9_999, expiration: 1_000 },
  );
  await bill(node, T + 3, { address, amount: 4, execution_id: "ab".repeat(32) });
  const path = `/api/v0/addresses/${address}/balance`;
  const expected = {
    address,
    balance: 3000.5,
    details: { AVAX: 1000, ETH: 2000.5 },
    locked_amount: 16.66666665,
    credit_balance: 1231,
    credit_balance_details: null,
  };
  assert.deepEqual(await node.json(path), expected);
  assert.deepEqual(await node.json(`${path}?chain=AVAX&include_credit_details=yes`), {
    ...expected,
    balance: 1000,
    details: {},
    credit_balance_details: [
      { expiration_date: null, amount: 5 },
      { expiration_date: "2065-01-24T05:20:00.000000Z", amount: 200 },
      { expiration_date: "2096-10-02T07:06:40.000000Z", amount: 1026 },
    ],
  });
  assert.equal(((await node.json(`${path}?chain=SOL`)) as Body).balance, 0);
  assert.equal((await node.get(`${path}?chain=NOPE`)).status, 422);
  assert.equal((await node.get(`${path}?include_credit_details=perhaps`)).status, 422);
});

test("all balances: by address, one row for each chain and application, by page and by cursor", async (t) => {
  const node = await startRealNode(t);
  const publish = (chain: string, balances: Record<string, number>, fields: object = {}) =>
    publishBalances(node, T, balances, { chain, ...fields });
  await publish("ETH", { "0xA": 12.5, "0xB": 0, "0xC": 5 });
  await publish("SOL", { "0xA": 1, "0xD": 0.5 });
  await publish("AVAX", { "0xA": 300, "0xB": 4 });
  await publish("ETH", { "0xA": 900 }, { dapp: "SABLIER" });
  const rows = [
    ["0xA", 300, "AVAX"],
    ["0xA", 12.5, "ETH"],
    ["0xA", 900, "ETH"],
    ["0xA", 1, "SOL"],
    ["0xB", 4, "AVAX"],
    ["0xB", 0, "ETH"],
    ["0xC", 5, "ETH"],
    ["0xD", 0.5, "SOL"],
  ].map(([address, balance, chain]) => ({ address, balance, chain }));
  const page = { pagination_page: 1, pagination_per_page: 100, pagination_item: "balances" };
  assert.deepEqual(await node.json("/api/v0/balances"), { balances: rows, pagination_total: 8, ...page });
  const onSome = rows.filter(({ chain }) => chain !== "SOL");
  assert.deepEqual(await node.json("/api/v0/balances?chains=ETH,AVAX"), {
    balances: onSome,
    pagination_total: 6,
    ...page,
  });
  const large = rows.filter(({ balance }) => Number(balance) >= 5);
  for (const spelling of ["min_balance", "minBalance"]) {
    const answer = (await node.json(`/api/v0/balances?${spelling}=5`)) as Body;
    assert.deepEqual([answer.balances, answer.pagination_total], [large, 4], spelling);
  }
  for (const [query, expected] of [
    ["", rows],
    ["chains=ETH,AVAX,BASE", onSome],
    ["chains=SOL", rows.filter(({ chain }) => chain === "SOL")],
    ["min_balance=5", large],
    ["min_balance=5&chains=ETH", large.filter(({ chain }) => chain === "ETH")],
  ] as const) {
    for (const size of [1, 2, 3, 200]) {
      assert.deepEqual(await walk(node, `/api/v0/balances?${query}`, "balances", size), expected, query);
    }
  }
  const second = (await node.json("/api/v0/balances?pagination=3&page=2")) as Body;
  assert.deepEqual([second.balances, second.pagination_total], [rows.slice(3, 6), 8]);
  const all = (await node.json("/api/v0/balances?pagination=0&page=7")) as Body;
  assert.deepEqual([all.balances, all.pagination_per_page], [rows, 0]);
  const beyond = (await node.json("/api/v0/balances?page=9&limit=1000&chains=ETH")) as Body;
  assert.deepEqual([beyond.balances, beyond.pagination_total], [[], 4]);
  for (const bad of ["min_balance=0", "min_balance=-1", "chains=ETH,NOPE", "page=0", "cursor=zz"]) {
    assert.equal((await node.get(`/api/v0/balances?${bad}`)).status, 422, bad);
  }
});

test("all credits: whoever ever got some, those without any left included", async (t) => {
  const node = await startRealNode(t);
  await publishBalances(node, T, { "0xTokens": 3 });
  await grant(
    node,
    T + 1,
    { address: "0xC", amount: 100 },
    { address: "0xA", amount: 7 },
    { address: "0xB", amount: 50, expiration: 1_000 },
    { address: "0xD", amount: 60 },
    { address: "0xD", amount: 41, expiration: LATER_MS },
  );
  await bill(node, T + 2, { address: "0xA", amount: 9 }, { address: "0xNever", amount: 1 });
  const rows = [
    { address: "0xA", credits: 0 },
    { address: "0xB", credits: 0 },
    { address: "0xC", credits: 100 },
    { address: "0xD", credits: 101 },
  ];
  const page = { pagination_page: 1, pagination_per_page: 100, pagination_item: "credit_balances" };
  const path = "/api/v0/credit_balances";
  assert.deepEqual(await node.json(path), { credit_balances: rows, pagination_total: 4, ...page });
  assert.deepEqual(await node.json(`${path}?minBalance=100`), {
    credit_balances: rows.slice(2),
    pagination_total: 2,
    ...page,
  });
  for (const size of [1, 3, 200]) {
    assert.deepEqual(await walk(node, path, "credit_balances", size), rows);
    assert.deepEqual(await walk(node, `${path}?min_balance=101`, "credit_balances", size), rows.slice(3));
  }
  const second = (await node.json(`${path}?pagination=3&page=2`)) as Body;
  assert.deepEqual([second.credit_balances, second.pagination_total], [rows.slice(3), 4]);
  for (const bad of [
    "min_balance=0",
    "min_balance=x",
    "pagination=-1",
    "cursor=zz",
    "cursor=&pagination=0",
  ]) {
    assert.equal((await node.get(`${path}?${bad}`)).status, 422, bad);
  }
});

test("a file that its owner cannot pay for leaves his files at once, and comes back with his funds", async (t) => {
  const node = await startRealNode(t);
  const account = testAccount(5);
  const { address } = account;
  await publishBalances(node, T, { [address]: 100 });
  const small = await store(node, account, T + 1, 10);
  const large = await store(node, account, T + 2, 30 * MIB);
  const files = async () =>
    (await node.json(`/api/v0/addresses/${address}/files`)) as Body & { files: Body[] };
  const hashes = async () => (await files()).files.map(({ item_hash }) => item_hash);
  const byMessage = async () => (await node.get(`/api/v0/storage/by-message-hash/${large}`)).status;
  assert.deepEqual([await hashes(), await byMessage()], [[large, small], 200]);

  await publishBalances(node, T + 3, { [address]: 1 });
  await untilStatus(node, large, "removing");
  assert.deepEqual([await hashes(), await byMessage()], [[small], 404]);
  const { total_size: totalSize, pagination_total: total } = await files();
  assert.deepEqual([totalSize, total], [10, 1]);
  assert.deepEqual(
    (await walk(node, `/api/v0/addresses/${address}/files`, "files", 1)).map(
      (file) => (file as Body).item_hash,
    ),
    [small],
  );
  const view = (await node.json(`/api/v0/messages/${large}`)) as Body;
  assert.deepEqual([view.status, view.reason], ["removing", "balance_insufficient"]);
  assert.equal((await node.get(`/api/v0/price/${large}`)).status, 200);
  const ahead = (await node.json(`/api/v1/addresses/${address}/forecast`)) as Body & { next_removal: Body };
  assert.deepEqual(
    [ahead.next_removal.item_hash, ahead.next_removal.status, ahead.next_removal.reason],
    [large, "removing", "balance_insufficient"],
  );

  await publishBalances(node, T + 4, { [address]: 100 });
  await untilStatus(node, large, "processed");
  assert.deepEqual([await hashes(), await byMessage()], [[large, small], 200]);
});
