import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bill,
  grant,
  instanceContent,
  MIB,
  payment,
  publishBalances,
  publishers,
  send,
  store,
  T,
  untilStatus,
  walk,
} from "./support/economy.ts";
import { startRealNode, testAccount } from "./support/real-node.ts";

type Body = Record<string, unknown>;
type Costs = { readonly summary: Body; readonly filters: Body; readonly resources: Body[] | null } & Body;

const ZERO = "0.000000000000000000";
const NOTHING = {
  total_consumed_credits: 0,
  total_cost_hold: ZERO,
  total_cost_stream: ZERO,
  total_cost_credit: ZERO,
  resource_count: 0,
};

test("costs of an empty node: zeros, and no list unless details are asked for", async (t) => {
  const node = await startRealNode(t);
  assert.deepEqual(await node.json("/api/v0/costs"), {
    summary: NOTHING,
    filters: { address: null, item_hash: null, payment_type: "credit" },
    resources: null,
    pagination_page: null,
    pagination_total: null,
    pagination_per_page: null,
    pagination_item: null,
  });
  for (const query of ["address=0xNobody", `item_hash=${"ab".repeat(32)}`, "item_hash=nothing&address=0xA"]) {
    const answer = (await node.json(`/api/v0/costs?${query}&include_details=2`)) as Costs;
    assert.deepEqual([answer.summary, answer.resources, answer.pagination_total], [NOTHING, [], 0], query);
  }
  for (const [bad, name] of [
    ["pagination=9", "pagination"],
    ["pagination=1001", "pagination"],
    ["page=0", "page"],
    ["include_details=3", "include_details"],
    ["include_details=-1", "include_details"],
    ["include_details=2", "include_details"],
    ["payment_type=barter", "payment_type"],
    ["include_size=perhaps", "include_size"],
  ]) {
    const response = await node.get(`/api/v0/costs?${bad}`);
    assert.equal(response.status, 422, bad);
    assert.deepEqual(((await response.json()) as Body[])[0]?.loc, [name]);
  }
  const refused = await (await node.get("/api/v0/costs?includeDetails=2")).text();
  assert.match(refused, /address or item_hash/);
});

test("costs by owner, message and payment type, by page and by cursor", async (t) => {
  const node = await startRealNode(t);
  const [alice, bob] = [testAccount(21), testAccount(22)];
  await publishBalances(node, T, { [alice.address]: 10_000, [bob.address]: 100 });
  await grant(
    node,
    T,
    { address: alice.address, amount: 4_000_000 },
    { address: bob.address, amount: 10_000 },
  );
  const held = await store(node, bob, T + 1, 30 * MIB);
  const files: string[] = [];
  for (let at = 0; at < 11; at += 1) files.push(await store(node, alice, T + 2 + at, MIB, payment("credit")));
  const machine = await send(node, alice, "INSTANCE", T + 20, instanceContent(held, payment("credit")));
  const ofBob = await store(node, bob, T + 21, 100 * MIB, payment("credit"));
  await bill(
    node,
    T + 30,
    { address: alice.address, amount: 40, execution_id: machine },
    { address: alice.address, amount: 2, execution_id: files[0] },
    { address: bob.address, amount: 7, ref: "storage" },
  );
  const costs = async (query: string) => (await node.json(`/api/v0/costs?${query}`)) as Costs;

  const all = (await costs("")).summary;
  assert.deepEqual(
    [all.resource_count, all.total_consumed_credits, all.total_cost_credit],
    [13, 49, "3.977049467740235520"],
  );
  const ofAlice = await costs(`address=${alice.address}`);
  assert.deepEqual(
    [
      ofAlice.summary.resource_count,
      ofAlice.summary.total_consumed_credits,
      ofAlice.summary.total_cost_credit,
    ],
    [12, 42, "3.972058498565061602"],
  );
  const heldOnly = await costs(`address=${bob.address}&payment_type=hold&include_details=1`);
  assert.deepEqual(heldOnly.filters, { address: bob.address, item_hash: null, payment_type: "hold" });
  const { pricing_revision: list } = (await node.json(`/api/v0/price/${held}`)) as Body;
  assert.match(String(list), /^[0-9a-f]{64}$/);
  assert.deepEqual(heldOnly.resources, [
    {
      item_hash: held,
      owner: bob.address,
      payment_type: "hold",
      consumed_credits: 0,
      cost_hold: "9.999999990000000000",
      cost_stream: ZERO,
      cost_credit: "0.001497290752552175",
      detail: null,
      pricing_revision: list,
      started_at: new Date((T + 1) * 1_000).toISOString().replace("000Z", "000000Z"),
    },
  ]);
  assert.deepEqual(
    [heldOnly.summary.total_consumed_credits, heldOnly.summary.total_cost_hold, heldOnly.pagination_item],
    [7, "9.999999990000000000", "resources"],
  );

  const one = await costs(`itemHash=${machine}&include_details=2`);
  const lines = async (query: string) => {
    const { resources } = await costs(`item_hash=${machine}&include_details=2${query}`);
    const detail = (resources?.[0]?.detail ?? []) as Body[];
    return detail.map(({ type, size_mib: size }) => [type, size]);
  };
  assert.deepEqual([one.summary.resource_count, one.resources?.[0]?.consumed_credits], [1, 40]);
  assert.deepEqual(await lines(""), [
    ["EXECUTION", null],
    ["EXECUTION_INSTANCE_VOLUME_ROOTFS", null],
    ["EXECUTION_VOLUME_DISCOUNT", null],
  ]);
  assert.deepEqual((await lines("&include_size=true"))[1], ["EXECUTION_INSTANCE_VOLUME_ROOTFS", 20_480]);
  const combined = await costs(`item_hash=${machine}&address=${bob.address}&include_details=1`);
  assert.deepEqual([combined.summary, combined.resources], [NOTHING, []]);
  const unpaid = await costs(`item_hash=${machine}&payment_type=hold`);
  assert.deepEqual([unpaid.summary.resource_count, unpaid.summary.total_consumed_credits], [0, 40]);

  const sorted = [...files, machine, ofBob].sort();
  const hashesOf = (resources: Body[] | null) => (resources ?? []).map(({ item_hash: hash }) => hash);
  const first = await costs("include_details=1&pagination=10");
  assert.deepEqual(hashesOf(first.resources), sorted.slice(0, 10));
  assert.deepEqual([first.pagination_page, first.pagination_total, first.pagination_per_page], [1, 13, 10]);
  const second = await costs("include_details=1&pagination=10&page=2");
  assert.deepEqual(hashesOf(second.resources), sorted.slice(10));
  const beyond = await costs("include_details=1&pagination=10&page=5");
  assert.deepEqual([beyond.resources, beyond.pagination_total], [[], 13]);
  const walked = (await walk(node, "/api/v0/costs?include_details=1", "resources", 10)) as Body[];
  assert.deepEqual(hashesOf(walked), sorted);
  const walkedOfAlice = await walk(
    node,
    `/api/v0/costs?include_details=1&address=${alice.address}`,
    "resources",
    10,
  );
  assert.deepEqual(
    hashesOf(walkedOfAlice as Body[]),
    sorted.filter((hash) => hash !== ofBob),
  );

  await send(node, alice, "FORGET", T + 40, { hashes: files });
  assert.equal((await costs("")).summary.resource_count, 2, "what is forgotten costs nothing");
});

test("each bill names the price list that it was computed by, whatever was published since", async (t) => {
  const node = await startRealNode(t);
  const alice = testAccount(24);
  await grant(node, T, { address: alice.address, amount: 4_000_000 });
  const publish = (time: number, content: object) =>
    send(node, publishers.prices, "AGGREGATE", time, { key: "pricing", content });
  const first = await store(node, alice, T + 1, 30 * MIB, payment("credit"));
  await publish(T + 2, { storage: { price: { storage: { credit: "0.2", holding: "0.3" } } } });
  const second = await store(node, alice, T + 3, 30 * MIB, payment("credit"));
  await publish(T + 4, { storage: { price: { storage: { credit: "a lot" } } } });
  const third = await store(node, alice, T + 5, 30 * MIB, payment("credit"));

  const { resources } = (await node.json("/api/v0/costs?include_details=1")) as Costs;
  const listOf = async (hash: string): Promise<unknown> => {
    const named = (resources ?? []).find(({ item_hash: found }) => found === hash)?.pricing_revision;
    assert.equal(named, ((await node.json(`/api/v0/price/${hash}`)) as Body).pricing_revision);
    return named;
  };
  assert.notEqual(await listOf(first), await listOf(second));
  assert.equal(await listOf(second), await listOf(third), "the last valid list stays in force");
});

test("what was forgotten is told of with what it cost and until when", async (t) => {
  const node = await startRealNode(t);
  const [alice, bob] = [testAccount(25), testAccount(26)];
  await publishBalances(node, T, { [bob.address]: 100 });
  await grant(node, T, { address: alice.address, amount: 4_000_000 });
  const files: string[] = [];
  for (let at = 1; at <= 12; at += 1)
    files.push(await store(node, alice, T + at, 30 * MIB, payment("credit")));
  const held = await store(node, bob, 4_000_000_000, 30 * MIB);
  const before = (await node.json(
    `/api/v0/costs?include_details=2&include_size=1&item_hash=${files[0]}`,
  )) as Costs;
  assert.deepEqual(((await node.json("/api/v1/costs/ended")) as Body).resources, []);

  const sinceMs = Date.now();
  for (const file of files) await send(node, alice, "FORGET", T + 40, { hashes: [file] });
  await send(node, bob, "FORGET", T + 41, { hashes: [held] });
  const ended = async (query: string) =>
    ((await node.json(`/api/v1/costs/ended?${query}`)) as { readonly resources: Body[] }).resources;
  const all = await ended("");
  assert.deepEqual(
    all.map(({ item_hash: hash }) => hash),
    [...files, held],
    "in the order in which they went",
  );
  const { consumed_credits: _, ...cost } = before.resources?.[0] ?? {};
  const { ended_at: endedAt, ...same } = all[0] ?? {};
  assert.deepEqual(same, cost);
  const endedMs = Date.parse(String(endedAt));
  assert.ok(endedMs >= sinceMs - 1 && endedMs <= Date.now() + 1, String(endedAt));
  const heldStart = Date.parse(String(all.at(-1)?.started_at));
  assert.ok(heldStart <= Date.now(), "a time in the future is not believed");

  assert.deepEqual(
    (await ended("payment_type=hold")).map(({ item_hash: hash }) => hash),
    [held],
  );
  assert.equal((await ended(`address=${alice.address}&pagination=10&page=2`)).length, 2);
  assert.deepEqual(await ended(`address=${testAccount(27).address}`), []);
  assert.deepEqual(await ended(`since=${Date.now() / 1_000 + 1}`), []);
  const walked = await walk(node, "/api/v1/costs/ended?since=1", "resources", 10);
  assert.deepEqual(walked, all);
});

test("a forecast tells how long credits last, what expires unspent, and what goes first", async (t) => {
  const node = await startRealNode(t);
  const alice = testAccount(23);
  const path = `/api/v1/addresses/${alice.address}/forecast`;
  const nobody = (await node.json(path)) as Body;
  assert.deepEqual(
    [nobody.runway_seconds, nobody.next_removal, nobody.upcoming_expirations, nobody.credit_balance],
    [null, null, [], 0],
  );
  const rootfs = await store(node, alice, T, MIB);
  await grant(
    node,
    T,
    { address: alice.address, amount: 500_000 },
    { address: alice.address, amount: 100_000, expiration: 4_000_000_000_000 },
  );
  const machine = await send(node, alice, "INSTANCE", T + 1, instanceContent(rootfs, payment("credit")));
  const ahead = (await node.json(path)) as Body & { next_removal: Body; upcoming_expirations: Body[] };
  assert.equal(ahead.credits_per_second, "3.958333333333333333");
  // 600,000 credits at 3.958… a second.
  assert.equal(ahead.runway_seconds, 151_578);
  assert.deepEqual(ahead.upcoming_expirations, [
    { expiration_date: "2096-10-02T07:06:40.000000Z", amount: 100_000, unspent: 0 },
  ]);
  assert.deepEqual(ahead.soonest_expiry_first, {
    runway_seconds: 151_578,
    runs_out_at: ahead.runs_out_at,
    upcoming_expirations: ahead.upcoming_expirations,
  });
  const { item_hash: first, status, reason, time } = ahead.next_removal;
  assert.deepEqual([first, status, reason], [machine, "expected", "credit_insufficient"]);
  // Less than a day of credits is left after 258,000 of them, and the grace is 25 hours.
  const secondsUntil = (Date.parse(String(time)) - Date.parse(String(ahead.at))) / 1_000;
  assert.ok(Math.abs(secondsUntil - (258_000 / 3.958333 + 90_000)) < 2, String(secondsUntil));

  await bill(node, T + 2, { address: alice.address, amount: 300_000, execution_id: machine });
  await untilStatus(node, machine, "removing");
  const marked = (await node.json(path)) as { next_removal: Body };
  assert.deepEqual([marked.next_removal.item_hash, marked.next_removal.status], [machine, "removing"]);
});
