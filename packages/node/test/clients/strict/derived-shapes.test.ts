import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { get, getJson, post, putRaw, rawAccount } from "../../support/raw-messages.ts";
import { startTestNode } from "../../support/test-node.ts";

type Item = Record<string, unknown>;

const POST_KEYS_V0 = [
  ...["chain", "item_hash", "sender", "type", "channel", "confirmed", "content", "item_content", "item_type"],
  ...["signature", "size", "time", "confirmations", "original_item_hash", "original_signature"],
  ...["original_type", "hash", "address", "ref"],
].sort();
const POST_KEYS_V1 = [
  ...["item_hash", "content", "original_item_hash", "original_type", "address", "ref", "channel", "created"],
  "last_updated",
].sort();
const STATS_KEYS = ["aggregate", "forget", "instance", "messages", "post", "program", "store"];
const PAGE_KEYS = ["pagination_item", "pagination_page", "pagination_per_page", "pagination_total"];

const node = await startTestNode();
after(() => node.remove());

const owner = rawAccount("derived owner");
const other = rawAccount("derived other");
const [fileHash, otherFileHash] = await Promise.all(['"one"', '"and two"'].map(upload));
let originalHash = "";
let originalSignature = "";
let amendHash = "";

function keysOf(value: unknown): string[] {
  return Object.keys(value as object).sort();
}

async function upload(json: string): Promise<string> {
  return (JSON.parse((await post(node, "/api/v0/storage/add_json", json)).text) as { hash: string }).hash;
}

before(async () => {
  const original = await putRaw(node, {
    account: owner,
    type: "POST",
    members: '"type":"note","ref":"r","content":{"v":1}',
  });
  originalHash = original.itemHash;
  originalSignature = original.signature;
  const amend = await putRaw(node, {
    account: owner,
    type: "POST",
    channel: "AMENDS",
    members: `"type":"amend","ref":"${originalHash}","content":{"v":2}`,
    time: "1700000002.25",
  });
  amendHash = amend.itemHash;
  await putRaw(node, { account: other, type: "POST", members: '"type":"plain","content":"a text"' });
  for (const [hash, time] of [
    [fileHash, "1700000000"],
    [otherFileHash, "1700000001"],
  ]) {
    const members = `"item_type":"storage","item_hash":"${hash}"`;
    await putRaw(node, { account: owner, type: "STORE", members, time: `${time}` });
  }
});

describe("posts", () => {
  test("v0: exactly the nineteen keys, from the original and from the latest revision", async () => {
    for (const mode of ["", "&cursor="]) {
      const path = `/api/v0/posts.json?hashes=${originalHash}${mode}`;
      const { posts } = await getJson<{ posts: Item[] }>(node, path);
      const [item] = posts;
      assert.deepEqual(keysOf(item), POST_KEYS_V0);
      assert.deepEqual(
        [item?.item_hash, item?.hash, item?.original_item_hash],
        [amendHash, originalHash, originalHash],
      );
      assert.deepEqual([item?.type, item?.original_type], ["amend", "note"]);
      assert.deepEqual([item?.sender, item?.address], [owner.address, owner.address]);
      assert.deepEqual([item?.channel, item?.ref, item?.chain], ["RAW", "r", "ETH"]);
      assert.deepEqual([item?.content, item?.time], [{ v: 2 }, 1_700_000_002.25]);
      assert.equal(item?.original_signature, originalSignature);
      assert.equal(item?.size, Buffer.byteLength(String(item?.item_content)));
      assert.deepEqual([item?.confirmed, item?.confirmations], [false, []]);
    }
  });

  test("v1: exactly the nine keys", async () => {
    const { posts } = await getJson<{ posts: Item[] }>(node, `/api/v1/posts.json?hashes=${originalHash}`);
    assert.deepEqual(keysOf(posts[0]), POST_KEYS_V1);
  });

  test("pages carry the four keys that every client requires, cursors the two", async () => {
    for (const [path, list] of [
      ["/api/v0/posts.json", "posts"],
      ["/api/v1/posts.json", "posts"],
      ["/api/v0/posts/page/1.json", "posts"],
      ["/api/v0/messages.json", "messages"],
      ["/api/v0/messages/page/1.json", "messages"],
      ["/api/v0/messages/hashes", "hashes"],
      ["/api/v0/aggregates", "aggregates"],
      ["/api/v0/aggregates.json", "aggregates"],
    ] as const) {
      const page = await getJson(node, path);
      assert.deepEqual(keysOf(page), [list, ...PAGE_KEYS].sort(), path);
      assert.equal(page.pagination_item, list);
      assert.equal(page.pagination_page, 1);
      assert.equal(page.pagination_per_page, 20);
      if (list === "hashes" || path.includes("/page/")) continue;
      const cursor = await getJson(node, `${path}?cursor=`);
      assert.deepEqual(keysOf(cursor), [list, "next_cursor", "pagination_per_page"].sort(), path);
    }
  });

  test("a page past the end is empty, and its totals stand", async () => {
    for (const path of ["/api/v0/posts.json", "/api/v0/messages.json"]) {
      const first = await getJson<{ pagination_total: number }>(node, path);
      const far = await getJson<Item>(node, `${path}?page=900`);
      assert.deepEqual(far[path.includes("posts") ? "posts" : "messages"], []);
      assert.equal(far.pagination_total, first.pagination_total);
    }
  });

  test("an unlimited page is not cut", async () => {
    const page = await getJson<{ messages: Item[]; pagination_total: number }>(
      node,
      "/api/v0/messages.json?pagination=10000000000&sort_order=1&sort_by=tx-time",
    );
    assert.equal(page.messages.length, page.pagination_total);
    assert.equal(page.messages.length, 5);
  });

  test("a hundred hashes without a page size are a hundred messages", async () => {
    const account = rawAccount("hundred");
    const hashes = await Promise.all(
      Array.from({ length: 30 }, async (_, number) => {
        const members = `"type":"many","content":${number}`;
        return (await putRaw(node, { account, type: "POST", members })).itemHash;
      }),
    );
    const { messages } = await getJson<{ messages: Item[] }>(
      node,
      `/api/v0/messages.json?hashes=${hashes.join(",")}`,
    );
    assert.equal(messages.length, 30);
  });
});

describe("accounts", () => {
  test("files: exactly five keys, by page and by cursor", async () => {
    const path = `/api/v0/addresses/${owner.address}/files`;
    const page = await getJson<{ files: Item[] }>(node, path);
    assert.deepEqual(
      keysOf(page),
      [
        "address",
        "files",
        "pagination_page",
        "pagination_per_page",
        "pagination_total",
        "total_size",
        ...(Object.hasOwn(page, "pagination_item") ? ["pagination_item"] : []),
      ].sort(),
    );
    const cursor = await getJson<{ files: Item[]; total_size: unknown }>(node, `${path}?cursor=`);
    assert.deepEqual(keysOf(cursor), [
      "address",
      "files",
      "next_cursor",
      "pagination_per_page",
      "total_size",
    ]);
    assert.equal(typeof cursor.total_size, "number");
    for (const item of [...page.files, ...cursor.files]) {
      assert.deepEqual(keysOf(item), ["created", "file_hash", "item_hash", "size", "type"]);
      assert.equal(item.type, "file");
    }
    assert.deepEqual(
      page.files.map((file) => file.file_hash),
      [otherFileHash, fileHash],
    );
    for (const spelling of ["sort_order", "sortOrder"]) {
      const ascending = await getJson<{ files: Item[] }>(node, `${path}?${spelling}=1`);
      assert.equal(ascending.files[0]?.file_hash, fileHash);
    }
  });

  test("files of nobody are 404 in both modes", async () => {
    for (const query of ["", "?cursor=", "?pagination=1000"]) {
      assert.equal((await get(node, `/api/v0/addresses/0xNobody/files${query}`)).status, 404);
    }
  });

  test("a balance is numbers, for nobody too", async () => {
    for (const address of [owner.address, "0xNobody"]) {
      const balance = await getJson(node, `/api/v0/addresses/${address}/balance`);
      assert.deepEqual(keysOf(balance), [
        "address",
        "balance",
        "credit_balance",
        "credit_balance_details",
        "details",
        "locked_amount",
      ]);
      assert.equal(balance.address, address);
      assert.deepEqual(
        [typeof balance.balance, typeof balance.locked_amount, typeof balance.credit_balance],
        ["number", "number", "number"],
      );
      assert.ok(Number.isInteger(balance.credit_balance) && Number(balance.credit_balance) >= 0);
    }
  });

  test("statistics v0: the addresses asked for that have messages, seven keys each", async () => {
    const asked = [owner.address, other.address, "0xNobody"].map((address) => `addresses[]=${address}`);
    const { data } = await getJson<{ data: Record<string, Item> }>(
      node,
      `/api/v0/addresses/stats.json?${asked.join("&")}`,
    );
    assert.deepEqual(keysOf(data), [owner.address, other.address].sort());
    assert.deepEqual(keysOf(data[owner.address]), STATS_KEYS);
    assert.deepEqual(
      [data[owner.address]?.messages, data[owner.address]?.post, data[owner.address]?.store],
      [4, 2, 2],
    );
    const escaped = await getJson<{ data: Item }>(
      node,
      `/api/v0/addresses/stats.json?addresses%5B%5D=${owner.address}`,
    );
    assert.deepEqual(keysOf(escaped.data), [owner.address]);
    const all = await getJson<{ data: Item }>(node, "/api/v0/addresses/stats.json");
    assert.ok(keysOf(all.data).length >= 2);
  });

  test("statistics v1: in the order asked for, seven keys each", async () => {
    const page = await getJson<{ data: Record<string, Item>; pagination_item: string }>(
      node,
      "/api/v1/addresses/stats.json?sortBy=store&sortOrder=-1",
    );
    assert.deepEqual(keysOf(page), ["data", ...PAGE_KEYS].sort());
    assert.equal(page.pagination_item, "addresses");
    assert.equal(Object.keys(page.data)[0], owner.address);
    for (const stats of Object.values(page.data)) assert.deepEqual(keysOf(stats), STATS_KEYS);
  });
});

describe("aggregates", () => {
  test("absent keys are absent; no key at all is 404", async () => {
    const account = rawAccount("keys");
    await putRaw(node, { account, type: "AGGREGATE", members: '"key":"here","content":{"a":1}' });
    const path = `/api/v0/aggregates/${account.address}.json`;
    const both = await getJson(node, `${path}?keys=here,gone&limit=1000`);
    assert.deepEqual([both.address, both.data], [account.address, { here: { a: 1 } }]);
    for (const absent of [`${path}?keys=gone`, "/api/v0/aggregates/0xNobody.json?keys=corechannel"]) {
      assert.equal((await get(node, absent)).status, 404);
    }
    const problem = await get(node, `${path}?limit=abc`);
    assert.equal(problem.status, 422);
    const [first] = JSON.parse(problem.text) as { loc: string[] }[];
    assert.deepEqual(first?.loc, ["limit"]);
    assert.match(problem.headers.get("content-type") ?? "", /^application\/json/);
  });

  test("list items have five keys", async () => {
    const { aggregates } = await getJson<{ aggregates: Item[] }>(node, "/api/v0/aggregates?keys=here");
    assert.deepEqual(keysOf(aggregates[0]), ["address", "content", "created", "key", "last_updated"]);
  });
});
