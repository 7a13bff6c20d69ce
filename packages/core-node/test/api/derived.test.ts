import assert from "node:assert/strict";
import { test } from "node:test";
import { startRealNode, testAccount } from "./support/real-node.ts";

type Body = Record<string, unknown>;

test("posts: merged with their amend in both item versions, by cursor and by page", async (t) => {
  const node = await startRealNode(t);
  const original = await node.put({
    type: "POST",
    members: '"type":"note","ref":"r1","content":{"v":1,"tags":["old"],"n":1152921504606846977}',
  });
  await node.put({ type: "POST", members: '"type":"other","content":{"v":9}' });
  const amend = await node.put({
    type: "POST",
    members: `"type":"amend","ref":"${original}","content":{"v":2,"tags":["new"],"n":1152921504606846977}`,
    time: "1700000100.5",
  });
  const response = await node.get("/api/v0/posts.json?types=note");
  const text = await response.text();
  assert.match(text, /"n":1152921504606846977/);
  const v0 = JSON.parse(text);
  assert.equal(v0.pagination_item, "posts");
  assert.deepEqual(
    Object.keys(v0.posts[0]).sort(),
    [
      "address",
      "channel",
      "chain",
      "confirmations",
      "confirmed",
      "content",
      "hash",
      "item_content",
      "item_hash",
      "item_type",
      "original_item_hash",
      "original_signature",
      "original_type",
      "ref",
      "sender",
      "signature",
      "size",
      "time",
      "type",
    ].sort(),
  );
  assert.deepEqual([v0.posts[0].item_hash, v0.posts[0].original_item_hash], [amend, original]);
  assert.deepEqual([v0.posts[0].type, v0.posts[0].content.v], ["amend", 2]);

  const v1 = (await node.json("/api/v1/posts.json?types=note")) as { posts: Body[] };
  assert.match(String(v1.posts[0]?.last_updated), /\+00:00$/);
  const total = async (query: string): Promise<unknown> => {
    return ((await node.json(`/api/v0/posts.json?${query}`)) as Body).pagination_total;
  };
  assert.equal(await total("tags=new"), 1);
  assert.equal(await total("tags=old"), 0);
  assert.equal(await total("refs=r1,r2"), 1);
  assert.equal(await total(`hashes=${original}`), 1);
  assert.equal(await total(`hashes=${amend}`), 1);
  assert.equal(await total("post_types=note&chains=unknown"), 1);
  for (const version of ["v0", "v1"]) {
    const seen = new Set<unknown>();
    let cursor: unknown = "";
    while (cursor !== null) {
      const page = (await node.json(`/api/${version}/posts.json?pagination=1&cursor=${cursor}`)) as {
        posts: Body[];
        next_cursor: unknown;
      };
      for (const post of page.posts) seen.add(post.original_item_hash);
      cursor = page.next_cursor;
    }
    assert.equal(seen.size, 2);
    for (const query of [
      "cursor=!!!",
      "cursor=&pagination=0",
      "startDate=5&endDate=2",
      "hashes=zz",
      "page=0",
    ]) {
      assert.equal((await node.get(`/api/${version}/posts.json?${query}`)).status, 422, query);
    }
    assert.equal((await node.get(`/api/${version}/posts/page/x.json`)).status, 400);
    assert.equal((await node.get(`/api/${version}/posts/page/1.json`)).status, 200);
  }
});

test("aggregates of an address: keys, info, bare value, validator, 404", async (t) => {
  const node = await startRealNode(t);
  const { address } = node.account;
  const first = await node.put({ type: "AGGREGATE", members: '"key":"profile","content":{"a":1,"b":1}' });
  const last = await node.put({
    type: "AGGREGATE",
    members: '"key":"profile","content":{"b":2,"big":1152921504606846977}',
    time: "1700000200.5",
  });
  await node.put({ type: "AGGREGATE", members: '"key":"other","content":{"x":[]}' });
  const path = `/api/v0/aggregates/${address}.json`;

  const response = await node.get(`${path}?keys=profile,missing`);
  const text = await response.text();
  assert.match(text, /"big":1152921504606846977/);
  const { data, info, address: named } = JSON.parse(text);
  assert.deepEqual([named, Object.keys(data), data.profile.b, info], [address, ["profile"], 2, {}]);
  const etag = response.headers.get("etag") ?? "";
  const unchanged = await node.get(`${path}?keys=profile,missing`, { headers: { "if-none-match": etag } });
  assert.equal(unchanged.status, 304);
  assert.equal(await unchanged.text(), "");

  const all = (await node.json(path)) as { data: Body };
  assert.deepEqual(Object.keys(all.data), ["other", "profile"]);
  const withInfo = (await node.json(`${path}?with_info=true&keys=profile`)) as { info: Record<string, Body> };
  assert.deepEqual(Object.keys(withInfo.info), ["profile"]);
  const { original_item_hash, last_update_item_hash, first_item_hash, created } = withInfo.info.profile ?? {};
  assert.deepEqual([original_item_hash, last_update_item_hash, first_item_hash], [last, last, first]);
  assert.match(String(created), /\+00:00$/);
  assert.deepEqual(await node.json(`${path}?keys=other&value_only=1`), { x: [] });
  assert.equal((await node.get(`${path}?keys=missing&value_only=true&with_info=true`)).status, 404);
  assert.equal((await node.get("/api/v0/aggregates/0xNobody.json")).status, 404);
  assert.equal((await node.get("/api/v0/aggregates/a.b-c.json")).status, 404);
  const invalid = await node.get(`${path}?limit=abc`);
  assert.equal(invalid.status, 422);
  assert.deepEqual(((await invalid.json()) as { loc: string[] }[])[0]?.loc, ["limit"]);

  await node.put({ type: "AGGREGATE", members: '"key":"profile","content":{"b":3}', time: "1700000300.5" });
  const changed = await node.get(`${path}?keys=profile,missing`, { headers: { "if-none-match": etag } });
  assert.equal(changed.status, 200);
  assert.equal(((await changed.json()) as { data: { profile: Body } }).data.profile.b, 3);
});

test("a large aggregate is compressed and stays the same through the cache", async (t) => {
  const node = await startRealNode(t);
  const content = JSON.stringify(
    Object.fromEntries(Array.from({ length: 400 }, (_, n) => [`node${n}`, { n }])),
  );
  await node.put({ type: "AGGREGATE", members: `"key":"corechannel","content":${content}` });
  const path = `/api/v0/aggregates/${node.account.address}.json?keys=corechannel`;
  for (const encoding of ["gzip", "br", "gzip", "br", null]) {
    const response = await node.get(path, { headers: { "accept-encoding": encoding ?? "identity" } });
    assert.equal(response.headers.get("content-encoding"), encoding);
    assert.deepEqual(((await response.json()) as { data: Body }).data.corechannel, JSON.parse(content));
  }
});

test("all aggregates: page, cursor, both orders, bounds", async (t) => {
  const node = await startRealNode(t);
  for (const key of ["a", "b", "c"]) {
    await node.put({ type: "AGGREGATE", members: `"key":"${key}","content":{"k":"${key}"}` });
  }
  for (const path of ["/api/v0/aggregates", "/api/v0/aggregates.json"]) {
    const list = (await node.json(`${path}?keys=a,b&sortBy=creation_time&sort_order=1`)) as {
      aggregates: Body[];
      pagination_total: number;
    };
    assert.deepEqual(
      list.aggregates.map(({ key }) => key),
      ["a", "b"],
    );
    assert.deepEqual(Object.keys(list.aggregates[0] ?? {}).sort(), [
      "address",
      "content",
      "created",
      "key",
      "last_updated",
    ]);
    for (const bad of ["pagination=0", "pagination=501", "page=0", "sortBy=size"]) {
      assert.equal((await node.get(`${path}?${bad}`)).status, 422, bad);
    }
    assert.equal((await node.get(`${path}?pagination=500`)).status, 200);
  }
  const page = (await node.json("/api/v0/aggregates?cursor=&pagination=2")) as Body;
  const rest = (await node.json(`/api/v0/aggregates?cursor=${page.next_cursor}&pagination=2`)) as {
    aggregates: Body[];
    next_cursor: null;
  };
  assert.deepEqual([rest.aggregates.length, rest.next_cursor], [1, null]);
});

test("authorizations: granted, received, filters, pages, nothing", async (t) => {
  const node = await startRealNode(t);
  const { address } = node.account;
  const authorizations = JSON.stringify([
    { address: "0xOne", types: ["POST"], channels: ["c1"], chain: "ETH" },
    { address: "0xOne", types: ["STORE"] },
    { address: "0xTwo" },
    { types: ["POST"] },
  ]);
  await node.put({
    type: "AGGREGATE",
    members: `"key":"security","content":{"authorizations":${authorizations}}`,
  });
  const granted = (query: string): Promise<unknown> =>
    node.json(`/api/v0/authorizations/granted/${address}.json?${query}`);
  assert.deepEqual(await granted(""), {
    authorizations: {
      "0xOne": [{ types: ["POST"], channels: ["c1"], chain: "ETH" }, { types: ["STORE"] }],
      "0xTwo": [{}],
    },
    address,
    pagination_page: 1,
    pagination_per_page: 20,
    pagination_total: 2,
    pagination_item: "authorizations",
  });
  const keys = async (query: string): Promise<string[]> =>
    Object.keys(((await granted(query)) as { authorizations: object }).authorizations);
  assert.deepEqual(await keys("grantee=0xTwo"), ["0xTwo"]);
  assert.deepEqual(await keys("types=AGGREGATE"), ["0xTwo"]);
  assert.deepEqual(await keys("types=POST&channels=c9"), ["0xTwo"]);
  assert.deepEqual(await keys("pagination=1&page=2"), ["0xTwo"]);
  const received = (await node.json("/api/v0/authorizations/received/0xTwo.json")) as {
    authorizations: object;
  };
  assert.deepEqual(received.authorizations, { [address]: [{}] });
  const nobody = (await node.json("/api/v0/authorizations/granted/0xNobody.json")) as Body;
  assert.deepEqual([nobody.authorizations, nobody.pagination_total], [{}, 0]);
  for (const direction of ["granted", "received"]) {
    for (const bad of ["pagination=0", "pagination=501", "page=0", "types=NOPE", "chains=x"]) {
      assert.equal((await node.get(`/api/v0/authorizations/${direction}/0xA.json?${bad}`)).status, 422, bad);
    }
  }
});

test("addresses: balance of nobody, types, channels, statistics in both versions", async (t) => {
  const node = await startRealNode(t);
  const { address } = node.account;
  await node.put({ type: "POST", members: '"type":"blog","content":{}', channel: "b" });
  await node.put({ type: "POST", members: '"type":"chat","content":{}', channel: "a" });
  const other = testAccount(1);
  await node.put({ type: "AGGREGATE", members: '"key":"k","content":{}', account: other, channel: null });

  assert.deepEqual(await node.json("/api/v0/addresses/0xNobody/balance"), {
    address: "0xNobody",
    balance: 0,
    details: {},
    locked_amount: 0,
    credit_balance: 0,
    credit_balance_details: null,
  });
  assert.equal((await node.get("/api/v0/addresses/0xA/balance?chain=NOPE")).status, 422);
  assert.deepEqual(await node.json(`/api/v0/addresses/${address}/post_types`), {
    address,
    post_types: ["blog", "chat"],
  });
  assert.deepEqual(await node.json(`/api/v0/addresses/${address}/channels`), {
    address,
    channels: ["a", "b"],
  });
  assert.deepEqual(await node.json("/api/v0/addresses/0xNobody/channels"), {
    address: "0xNobody",
    channels: [],
  });
  assert.deepEqual(await node.json("/api/v0/channels/list.json"), { channels: ["a", "b"] });

  const own = { messages: 2, aggregate: 0, forget: 0, instance: 0, post: 2, program: 0, store: 0 };
  const theirs = { ...own, messages: 1, aggregate: 1, post: 0 };
  const some = await node.json(`/api/v0/addresses/stats.json?addresses[]=${address}&addresses[]=0xNobody`);
  assert.deepEqual(some, { data: { [address]: own } });
  assert.deepEqual(await node.json("/api/v0/addresses/stats.json"), {
    data: { [address]: own, [other.address]: theirs },
  });
  const v1 = (await node.json(`/api/v1/addresses/stats.json?sortOrder=1`)) as Body & { data: Body };
  assert.deepEqual(Object.keys(v1.data), [other.address, address]);
  assert.deepEqual([v1.pagination_item, v1.pagination_total], ["addresses", 2]);
  const found = (await node.json(
    `/api/v1/addresses/stats.json?address_contains=${address.slice(5, 20).toLowerCase()}`,
  )) as {
    data: Body;
  };
  assert.deepEqual(Object.keys(found.data), [address]);
  assert.equal(
    Object.keys(((await node.json("/api/v1/addresses/stats.json?pagination=0")) as { data: Body }).data)
      .length,
    2,
  );
  for (const bad of [`addressContains=${"x".repeat(67)}`, "sortBy=size", "pagination=-1", "cursor=zz"]) {
    assert.equal((await node.get(`/api/v1/addresses/stats.json?${bad}`)).status, 422, bad);
  }
  assert.equal((await node.get(`/api/v0/price/${"ab".repeat(32)}`)).status, 404);
});

test("node lists: programs on message and measurements", async (t) => {
  const node = await startRealNode(t);
  assert.deepEqual(await node.json("/api/v0/programs/on/message?sort_order=1&anything=2"), []);
  assert.equal((await node.get("/api/v0/programs/on/message?sort_order=up")).status, 422);
  for (const kind of ["core", "compute"]) {
    assert.equal((await node.get(`/api/v0/${kind}/nobody/metrics`)).status, 404);
    for (const bad of ["sort=UP", "start_date=x", "start_date=9&end_date=3"]) {
      assert.equal((await node.get(`/api/v0/${kind}/nobody/metrics?${bad}`)).status, 422, bad);
    }
  }
  const root = (await node.json("/api/v1/state-root")) as Body;
  assert.deepEqual(Object.keys(root), ["root", "count", "algorithm"]);
});
