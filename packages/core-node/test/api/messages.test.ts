import assert from "node:assert/strict";
import { test } from "node:test";
import { startRealNode, testAccount } from "./support/real-node.ts";

interface Listed {
  readonly messages: {
    readonly item_hash: string;
    readonly time: number;
    readonly type: string;
    readonly content?: Record<string, unknown>;
  }[];
  readonly pagination_page: number;
  readonly pagination_per_page: number;
  readonly pagination_total: number;
  readonly pagination_item: string;
  readonly next_cursor: string | null;
}

const note = (n: number, extra = ""): string => `"type":"note","content":{"n":${n}${extra}}`;

test("one message: view, status, content, events, and 404 for what is unknown or malformed", async (t) => {
  const node = await startRealNode(t);
  const itemHash = await node.put({ type: "POST", members: note(1, ',"big":1152921504606846977') });
  const path = `/api/v0/messages/${itemHash}`;

  const view = await node.get(path);
  const text = await view.text();
  assert.equal(view.status, 200);
  assert.equal(view.headers.get("content-type"), "application/json; charset=utf-8");
  assert.match(text, /"big":1152921504606846977/);
  const body = JSON.parse(text);
  assert.deepEqual([body.status, body.item_hash], ["processed", itemHash]);
  assert.match(body.reception_time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  assert.equal(body.message.content.content.n, 1);
  assert.equal(body.message.time, 1700000000.5);

  const status = (await node.json(`${path}/status`)) as Record<string, unknown>;
  assert.deepEqual(Object.keys(status), ["status", "item_hash", "reception_time"]);

  const content = await node.get(`${path}/content`);
  assert.equal(await content.text(), '{"n":1,"big":1152921504606846977}');
  const etag = content.headers.get("etag") ?? "";
  const again = await node.get(`${path}/content`, { headers: { "if-none-match": etag } });
  assert.equal(again.status, 304);

  const events = (await node.json(`${path}/events`)) as { events: { kind: string }[] };
  assert.ok(events.events.some(({ kind }) => kind === "processed"));
  const amend = await node.put({
    type: "POST",
    members: `"type":"amend","ref":"${itemHash}","content":{}`,
    time: "1700000005.5",
  });
  const after = (await node.json(`${path}/events`)) as { events: { kind: string; cause: object | null }[] };
  const revised = after.events.find(({ kind }) => kind === "revised");
  assert.deepEqual(revised?.cause, { by: amend }, "the cause is JSON, not a text of it");

  for (const hash of ["ab".repeat(32), "not-a-hash", "AB".repeat(32)]) {
    for (const suffix of ["", "/status", "/content", "/events"]) {
      assert.equal((await node.get(`/api/v0/messages/${hash}${suffix}`)).status, 404, hash + suffix);
    }
  }
});

test("a rejected message tells its code; its content is 422", async (t) => {
  const node = await startRealNode(t);
  const { text, itemHash } = await node.sign({ type: "FORGET", members: '"hashes":[]' });
  const response = await node.post("/api/v0/messages", `{"sync":true,"message":${text}}`);
  assert.equal(response.status, 422);
  const outcome = (await response.json()) as Record<string, unknown>;
  const view = (await node.json(`/api/v0/messages/${itemHash}`)) as Record<string, unknown>;
  assert.deepEqual([view.status, view.error_code], ["rejected", outcome.error_code]);
  assert.equal((await node.get(`/api/v0/messages/${itemHash}/content`)).status, 422);
});

test("a forgotten message: 410 when posted again, its view and the forgotten list", async (t) => {
  const node = await startRealNode(t);
  const message = { type: "POST", members: note(1) } as const;
  const itemHash = await node.put(message);
  const forget = await node.put({
    type: "FORGET",
    members: `"hashes":["${itemHash}"]`,
    time: "1700000100.25",
  });
  const view = (await node.json(`/api/v0/messages/${itemHash}`)) as Record<string, unknown>;
  assert.equal(view.status, "forgotten");
  assert.deepEqual(view.forgotten_by, [forget]);
  const { text } = await node.sign(message);
  const again = await node.post("/api/v0/messages", `{"message":${text}}`);
  assert.equal(again.status, 410);

  const list = (await node.json("/api/v0/messages.json?msgStatuses=forgotten")) as Listed;
  assert.deepEqual(
    list.messages.map(({ item_hash }) => item_hash),
    [itemHash],
  );
  for (const query of [
    "msgStatuses=forgotten,processed",
    "msgStatuses=forgotten&cursor=",
    "msgStatuses=removed&refs=a",
    "msgStatuses=removed&tags=a",
    "msgStatuses=forgotten&contentTypes=a",
    "msgStatuses=forgotten&startBlock=1",
  ]) {
    assert.equal((await node.get(`/api/v0/messages.json?${query}`)).status, 400, query);
  }
});

test("lists: pages, filters in both spellings, order, formats", async (t) => {
  const node = await startRealNode(t);
  const other = testAccount(1);
  const hashes: string[] = [];
  for (let n = 0; n < 25; n += 1) {
    hashes.push(await node.put({ type: "POST", members: note(n), time: `17000000${10 + n}.5` }));
  }
  await node.put({
    type: "AGGREGATE",
    members: '"key":"profile","content":{"a":1}',
    account: other,
    channel: "C2",
  });
  const list = async (query: string): Promise<Listed> =>
    (await node.json(`/api/v0/messages.json?${query}`)) as Listed;

  const first = await list("msgType=POST");
  assert.deepEqual(
    [first.pagination_page, first.pagination_per_page, first.pagination_total, first.pagination_item],
    [1, 20, 25, "messages"],
  );
  assert.deepEqual(
    first.messages.map(({ item_hash }) => item_hash),
    hashes.toReversed().slice(0, 20),
  );
  const second = await node.get("/api/v0/messages/page/2.json?message_type=POST&page=9");
  assert.equal(((await second.json()) as Listed).messages.length, 5);
  assert.equal(second.headers.get("link"), null);
  const withNext = await node.get("/api/v0/messages.json?msgType=POST&pagination=10");
  assert.match(withNext.headers.get("link") ?? "", /^<\/api\/v0\/messages\.json\?.*page=2.*>; rel="next"$/);

  const far = await list("page=1000");
  assert.deepEqual([far.messages.length, far.pagination_total], [0, 26]);
  const unlimited = await list("pagination=0&page=7&sort_order=1&msgTypes=POST");
  assert.deepEqual(
    unlimited.messages.map(({ item_hash }) => item_hash),
    hashes,
  );
  assert.deepEqual(
    [unlimited.pagination_page, unlimited.pagination_per_page, unlimited.pagination_total],
    [1, 0, 25],
  );
  const huge = await list("pagination=10000000000");
  assert.deepEqual(
    [huge.messages.length, huge.pagination_per_page, huge.pagination_total],
    [26, 10_000_000_000, 26],
  );
  assert.equal((await list("pagination=10000000000&page=2")).messages.length, 0);
  assert.equal((await list("pagination=20.0")).messages.length, 20);

  assert.equal((await list(`addresses=${other.address}`)).pagination_total, 1);
  assert.equal((await list("channels=C2,TEST&msgType=AGGREGATE")).pagination_total, 1);
  assert.equal((await list("contentKeys=profile")).pagination_total, 1);
  assert.equal((await list("content_types=note&pagination=5")).messages.length, 5);
  assert.equal((await list("msgType=POST&msgTypes=AGGREGATE")).messages.length, 0);
  assert.equal((await list("channels=")).messages.length, 0);
  assert.equal((await list("channels=C2&channels=TEST")).pagination_total, 1);
  assert.equal((await list("unknown=1&limit=x")).pagination_total, 26);
  assert.equal((await list("msgStatuses=pending")).messages.length, 0);
  assert.equal((await list("startDate=1e308")).messages.length, 0);
  assert.equal((await list("startDate=1700000012&endDate=1700000014.5")).messages.length, 2);
  assert.equal((await list(`hashes=${hashes.join(",")}`)).messages.length, 25);
  assert.equal((await list(`hashes=${hashes.join(",")}&pagination=3`)).messages.length, 3);

  const [item] = (await list("pagination=1&msgType=POST")).messages;
  assert.deepEqual(Object.keys(item ?? {}).sort(), [
    "chain",
    "channel",
    "confirmations",
    "confirmed",
    "content",
    "item_content",
    "item_hash",
    "item_type",
    "sender",
    "signature",
    "size",
    "time",
    "type",
  ]);
  const headers = (await list("contentFormat=headers&excludeContent=false&msgType=POST&pagination=1"))
    .messages[0];
  assert.deepEqual(headers?.content, { address: node.account.address, type: "note" });
  assert.ok(!("content" in ((await list("excludeContent=true")).messages[0] ?? {})));
  assert.ok("content" in ((await list("excludeContent=TRUE&contentFormat=full")).messages[0] ?? {}));
  assert.ok("status" in ((await list("fields=status,owner")).messages[0] ?? {}));
});

test("cursors walk every message once in both directions, capped at 200 a page", async (t) => {
  const node = await startRealNode(t);
  const hashes: string[] = [];
  for (let n = 0; n < 23; n += 1) {
    hashes.push(await node.put({ type: "POST", members: note(n), time: `170000000${n % 3}.25` }));
  }
  for (const sortOrder of [1, -1]) {
    const seen: string[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const path = `/api/v0/messages.json?sortOrder=${sortOrder}&pagination=5&page=3&cursor=${cursor}`;
      const page = (await node.json(path)) as Listed;
      assert.deepEqual(Object.keys(page).sort(), ["messages", "next_cursor", "pagination_per_page"]);
      seen.push(...page.messages.map(({ item_hash }) => item_hash));
      cursor = page.next_cursor;
    }
    assert.equal(seen.length, 23);
    assert.deepEqual(seen.toSorted(), hashes.toSorted());
  }
  const capped = (await node.json("/api/v0/messages.json?cursor=&pagination=5000")) as Listed;
  assert.equal(capped.pagination_per_page, 200);
});

test("a cursor can be followed in every order in which it is given", async (t) => {
  const node = await startRealNode(t);
  const hashes: string[] = [];
  for (let n = 0; n < 11; n += 1) {
    const itemHash = await node.put({ type: "POST", members: note(n), time: `17000000${10 + n}.5` });
    hashes.push(itemHash);
    if (n % 3 === 0) continue;
    // Two of a kind are confirmed at the same moment, in another order than they were made.
    const height = 20 - Math.floor(n / 2);
    await node.pipeline.confirm({
      chain: "ETH",
      txHash: `0x${n}`,
      hash: itemHash,
      height,
      timeMicros: 1_700_001_000_000_000n + BigInt(height),
      publisher: "0xP",
    });
  }
  for (const path of [
    "messages.json?sortBy=tx-time",
    "messages.json?startBlock=17",
    "messages.json?endBlock=19",
    "messages.json?startBlock=16&endBlock=19",
    "posts.json?sortBy=tx-time",
  ]) {
    for (const order of ["1", "-1"]) {
      const url = `/api/v0/${path}&sortOrder=${order}`;
      const key = path.startsWith("posts") ? "posts" : "messages";
      const hashesOf = (body: unknown) =>
        (body as Record<string, { item_hash: string }[]>)[key]?.map(({ item_hash }) => item_hash) ?? [];
      const page = hashesOf(await node.json(`${url}&pagination=100`));
      assert.ok(page.length >= 3, url);
      const walked: string[] = [];
      for (let cursor: string | null = ""; cursor !== null; ) {
        const response = await node.get(`${url}&pagination=2&cursor=${cursor}`);
        assert.equal(response.status, 200, url);
        const body = (await response.json()) as Listed;
        walked.push(...hashesOf(body));
        cursor = body.next_cursor;
      }
      assert.deepEqual(walked, page, url);
    }
  }
  const byTime = (await node.json("/api/v0/messages.json?pagination=2&cursor=")) as Listed;
  const mixed = await node.get(`/api/v0/messages.json?sortBy=tx-time&cursor=${byTime.next_cursor}`);
  assert.equal(mixed.status, 422, "a cursor of another order");
});

test("bad parameters are 422 with the parameter as it was written", async (t) => {
  const node = await startRealNode(t);
  for (const [query, loc] of [
    ["page=0", ["page"]],
    ["page=-3", ["page"]],
    ["page=abc", ["page"]],
    ["page=1e3", ["page"]],
    ["page=", ["page"]],
    ["pagination=-1", ["pagination"]],
    ["cursor=&pagination=0", ["pagination"]],
    ["cursor=nonsense", ["cursor"]],
    ["cursor=e30", ["cursor"]],
    ["msgType=NOPE", ["msgType"]],
    ["message_types=POST,post", ["message_types", 1]],
    ["chains=", ["chains", 0]],
    ["hashes=zz", ["hashes", 0]],
    ["content_hashes=zz", ["content_hashes", 0]],
    ["startDate=-1", ["startDate"]],
    ["start_date=soon", ["start_date"]],
    ["startDate=10&endDate=5", ["endDate"]],
    ["startBlock=10&endBlock=5", ["endBlock"]],
    ["contentFormat=some", ["contentFormat"]],
    ["excludeContent=perhaps", ["excludeContent"]],
    ["sortBy=colour", ["sortBy"]],
    ["sort_order=2", ["sort_order"]],
  ] as const) {
    const response = await node.get(`/api/v0/messages.json?${query}`);
    assert.equal(response.status, 422, query);
    const problems = (await response.json()) as { type: string; loc: unknown[]; msg: string }[];
    assert.deepEqual(problems[0]?.loc, loc, query);
    assert.ok(problems[0]?.type !== "" && problems[0]?.msg !== "");
  }
  assert.equal((await node.get("/api/v0/messages/page/abc.json")).status, 400);
  assert.equal((await node.get("/api/v0/messages/page/0.json")).status, 422);
  assert.equal((await node.get("/api/v0/messages/page/-2.json")).status, 422);
});

test("hashes by reception: every status, both forms, pages and cursors", async (t) => {
  const node = await startRealNode(t);
  const hashes = [];
  for (let n = 0; n < 5; n += 1) hashes.push(await node.put({ type: "POST", members: note(n) }));
  const rejected = await node.put({ type: "FORGET", members: '"hashes":[]' });
  const plain = (await node.json("/api/v0/messages/hashes?sortOrder=1")) as Record<string, unknown>;
  assert.deepEqual(plain.hashes, hashes);
  assert.equal(plain.pagination_item, "hashes");
  const objects = (await node.json("/api/v0/messages/hashes?hash_only=false&status=rejected")) as {
    hashes: Record<string, unknown>[];
  };
  assert.deepEqual(Object.keys(objects.hashes[0] ?? {}).sort(), ["item_hash", "reception_time", "status"]);
  assert.equal(objects.hashes[0]?.item_hash, rejected);
  const page = (await node.json("/api/v0/messages/hashes?cursor=&pagination=2&sortOrder=1")) as Record<
    string,
    unknown
  >;
  assert.deepEqual(page.hashes, hashes.slice(0, 2));
  assert.ok(typeof page.next_cursor === "string");
});

test("long answers are compressed when the client takes it, short ones never", async (t) => {
  const node = await startRealNode(t);
  for (let n = 0; n < 20; n += 1) await node.put({ type: "POST", members: note(n) });
  for (const [accepted, encoding] of [
    ["gzip", "gzip"],
    ["gzip, br;q=0.5", "br"],
    ["br;q=0, gzip", "gzip"],
    ["identity", null],
  ] as const) {
    for (const path of ["/api/v0/messages.json", "/api/v0/messages.json?pagination=0"]) {
      const response = await node.get(path, { headers: { "accept-encoding": accepted } });
      assert.equal(response.headers.get("content-encoding"), encoding, `${accepted} ${path}`);
      assert.match(response.headers.get("vary") ?? "", /Accept-Encoding/);
      assert.equal(((await response.json()) as Listed).messages.length, 20);
    }
  }
  const short = await node.get("/version", { headers: { "accept-encoding": "gzip" } });
  assert.equal(short.headers.get("content-encoding"), null);
});
