import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient } from "../src/index.ts";
import { type Received, type Reply, startHttpDouble } from "./support/http-double.ts";
import { hashOf, listedMessage, take, withCode } from "./support/samples.ts";

const itemHash = hashOf("a");
const common = { item_hash: itemHash, reception_time: "2024-01-02T03:04:05.123456Z" };

test("what a node knows of a message is read for every status", async () => {
  const skeleton = { item_hash: itemHash, type: "STORE" };
  const single = listedMessage("a");
  const answers: readonly [Record<string, unknown>, Record<string, unknown>][] = [
    [{ status: "pending", messages: [skeleton] }, { messages: [skeleton] }],
    [{ status: "processed", message: single }, { message: single }],
    [
      { status: "removing", message: single, reason: "balance_insufficient" },
      { message: single, reason: "balance_insufficient" },
    ],
    [
      { status: "rejected", message: skeleton, error_code: 301, details: { errors: ["x"] } },
      { message: skeleton, errorCode: 301, details: { errors: ["x"] } },
    ],
    [
      { status: "forgotten", message: skeleton, forgotten_by: ["b"] },
      { message: skeleton, forgottenBy: ["b"] },
    ],
    [
      { status: "removed", message: skeleton, reason: "credit_insufficient", removed_at: 1.5, size: 3 },
      { message: skeleton, reason: "credit_insufficient" },
    ],
  ];
  let body: unknown;
  await using double = await startHttpDouble(() => ({ body }));
  const client = createClient({ apiUrl: double.apiUrl });
  for (const [answer, expected] of answers) {
    body = { ...common, ...answer };
    const view = await client.getMessage({ itemHash });
    const { reception_time: receptionTime } = common;
    assert.deepEqual(view, { status: answer.status, itemHash, receptionTime, ...expected });
  }
});

test("a message that the node has never seen is null", async () => {
  await using double = await startHttpDouble(() => ({ status: 404, body: "404: Not Found" }));
  const client = createClient({ apiUrl: double.apiUrl });
  assert.equal(await client.getMessage({ itemHash }), null);
  assert.equal(await client.getStatus({ itemHash: "../../version" }), null);
  assert.equal(double.requests[1]?.path, "/api/v0/messages/..%2F..%2Fversion/status");
  assert.equal(await client.fetchAggregate({ address: "a/b", key: "k" }), null);
  assert.equal(double.requests[2]?.path, "/api/v0/aggregates/a%2Fb.json");
});

test("every filter has the name that nodes know", async () => {
  await using double = await startHttpDouble(() => ({
    body: {
      messages: [listedMessage("a")],
      pagination_page: 2,
      pagination_per_page: 50,
      pagination_total: 51,
      pagination_item: "messages",
    },
  }));
  const page = await createClient({ apiUrl: double.apiUrl }).listMessages({
    types: ["POST", "STORE"],
    statuses: ["processed"],
    senders: ["a"],
    owners: ["b"],
    itemHashes: ["c"],
    refs: ["d"],
    contentHashes: ["e"],
    contentKeys: ["f"],
    contentTypes: ["g"],
    chains: ["ETH"],
    channels: ["é &="],
    tags: ["h"],
    paymentTypes: ["credit"],
    startTimeSeconds: 1.5,
    endTimeSeconds: 2.5,
    startBlock: 3,
    endBlock: 4,
    sortBy: "tx-time",
    order: "ascending",
    contentFormat: "headers",
    page: 2,
    pageSize: 50,
  });
  assert.deepEqual(page, { items: [listedMessage("a")], page: 2, pageSize: 50, total: 51 });
  assert.deepEqual(Object.fromEntries(double.requests[0]?.query ?? []), {
    msgTypes: "POST,STORE",
    msgStatuses: "processed",
    addresses: "a",
    owners: "b",
    hashes: "c",
    refs: "d",
    contentHashes: "e",
    contentKeys: "f",
    contentTypes: "g",
    chains: "ETH",
    channels: "é &=",
    tags: "h",
    paymentTypes: "credit",
    startDate: "1.5",
    endDate: "2.5",
    startBlock: "3",
    endBlock: "4",
    sortBy: "tx-time",
    sortOrder: "1",
    contentFormat: "headers",
    page: "2",
    pagination: "50",
  });
});

test("a filter that nodes would misread is not sent", async () => {
  await using double = await startHttpDouble(() => ({ status: 500 }));
  const client = createClient({ apiUrl: double.apiUrl });
  await assert.rejects(client.listMessages({ channels: [] }), withCode("SDK_INVALID_INPUT"));
  await assert.rejects(client.listMessages({ channels: ["a,b"] }), withCode("SDK_INVALID_INPUT"));
  await assert.rejects(take(client.iterateMessages({ pageSize: 201 }), 1), withCode("SDK_INVALID_INPUT"));
  assert.equal(double.requests.length, 0);
});

/** Five messages, two a page. */
function cursorPage({ query }: Received): Reply {
  const start = Number(query.get("cursor") || "0");
  const labels = ["0", "1", "2", "3", "4"].slice(start, start + 2);
  return {
    body: {
      messages: labels.map((label) => listedMessage(label)),
      pagination_per_page: 2,
      next_cursor: start + 2 < 5 ? String(start + 2) : null,
    },
  };
}

test("a cursor is followed to its end, only as far as it is asked for", async () => {
  await using double = await startHttpDouble(cursorPage);
  const client = createClient({ apiUrl: double.apiUrl });
  const all = await take(client.iterateMessages({ channels: ["TEST"], pageSize: 2 }), 100);
  assert.deepEqual(
    all.map((message) => message.item_hash),
    ["0", "1", "2", "3", "4"].map(hashOf),
  );
  assert.deepEqual(
    double.requests.map(({ query }) => [query.get("cursor"), query.get("pagination"), query.get("channels")]),
    ["", "2", "4"].map((cursor) => [cursor, "2", "TEST"]),
  );
  assert.equal((await take(client.iterateMessages({ pageSize: 2 }), 2)).length, 2);
  assert.equal(double.requests.length, 4);
});

test("a cursor that does not move ends in an error, not in an endless loop", async () => {
  await using double = await startHttpDouble(() => ({ body: { messages: [], next_cursor: "same" } }));
  const client = createClient({ apiUrl: double.apiUrl });
  await assert.rejects(take(client.iterateMessages({}), 1), withCode("SDK_BAD_ANSWER"));
  assert.equal(double.requests.length, 2);
});

test("an abort ends an iteration between two pages", async () => {
  await using double = await startHttpDouble(cursorPage);
  const controller = new AbortController();
  const reason = new Error("enough");
  const messages = createClient({ apiUrl: double.apiUrl }).iterateMessages({
    pageSize: 2,
    signal: controller.signal,
  });
  await messages.next();
  controller.abort(reason);
  await messages.next();
  await assert.rejects(messages.next(), (error) => error === reason);
});

test("a list with something that is no message is refused", async () => {
  let bad: Record<string, unknown>;
  await using double = await startHttpDouble(() => ({
    body: { messages: [bad], pagination_page: 1, pagination_per_page: 20, pagination_total: 1 },
  }));
  const client = createClient({ apiUrl: double.apiUrl });
  const changes = [{ sender: 5 }, { time: "now" }, { content: "text" }, { item_content: {} }, { channel: 1 }];
  for (const change of changes) {
    bad = { ...listedMessage("a"), ...change };
    await assert.rejects(client.listMessages({}), withCode("SDK_BAD_ANSWER"));
  }
});

test("posts, aggregates, the node and its state root are read", async () => {
  const post = {
    item_hash: hashOf("amend"),
    content: { body: "better" },
    original_item_hash: hashOf("post"),
    original_type: "note",
    address: "0xA",
    ref: null,
    channel: null,
    created: "2024-01-01T00:00:00+00:00",
    last_updated: "2024-01-02T00:00:00+00:00",
  };
  const aggregate = {
    address: "0xA",
    key: "profile",
    content: { nick: "ann" },
    created: "2024-01-01T00:00:00+00:00",
    last_updated: "2024-01-02T00:00:00+00:00",
  };
  const paging = { pagination_page: 1, pagination_per_page: 20, pagination_total: 1 };
  const routes: Record<string, unknown> = {
    "/api/v1/posts.json": { posts: [post], ...paging, next_cursor: null },
    "/api/v0/aggregates.json": { aggregates: [aggregate], ...paging },
    "/api/v0/aggregates/0xA.json": { address: "0xA", data: { profile: { nick: "ann" } }, info: {} },
    "/api/v0/version": { version: "v1" },
    "/api/v0/info/public.json": { node_multi_addresses: ["/ip4/127.0.0.1/tcp/4025"] },
    "/api/v0/price/ab": { required_tokens: 0.5, payment_type: "credit", cost: "0.500000000000000001" },
    "/api/v1/state-root": { root: "ab", count: 3, algorithm: "merkle" },
  };
  await using double = await startHttpDouble(({ path }) => ({ body: routes[path] }));
  const client = createClient({ apiUrl: double.apiUrl });
  const page = { page: 1, pageSize: 20, total: 1 };
  const filter = {
    owners: ["0xA"],
    types: ["note"],
    originalHashes: [hashOf("post")],
    order: "ascending",
  } as const;
  assert.deepEqual(await client.listPosts(filter), { items: [post], ...page });
  assert.equal(
    double.requests[0]?.query.toString(),
    `addresses=0xA&hashes=${hashOf("post")}&types=note&sortOrder=1`,
  );
  assert.deepEqual(await take(client.iteratePosts({ owners: ["0xA"] }), 10), [post]);
  assert.deepEqual(await client.listAggregates({ keys: ["profile"], sortBy: "creation_time" }), {
    items: [aggregate],
    ...page,
  });
  assert.deepEqual(await client.fetchAggregate({ address: "0xA", key: "profile" }), { nick: "ann" });
  assert.equal(await client.fetchAggregate({ address: "0xA", key: "constructor" }), null);
  assert.deepEqual(await client.nodeInfo(), { version: "v1", multiaddresses: ["/ip4/127.0.0.1/tcp/4025"] });
  assert.deepEqual(await client.stateRoot(), { root: "ab", count: 3, algorithm: "merkle" });
  assert.deepEqual(await client.getPrice({ itemHash: "ab" }), {
    paymentType: "credit",
    cost: "0.500000000000000001",
  });
});
