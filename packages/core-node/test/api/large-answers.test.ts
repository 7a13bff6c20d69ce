import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openSocket } from "./support/raw-socket.ts";
import { startRealNode, testAccount } from "./support/real-node.ts";
import { openWebsocket } from "./support/socket-client.ts";

/*
 * Rows of any size against a reader of little memory: what is asked for here is several times what the thread can
 * hold, so reading any of it at once would end the thread, and often the process.
 */

const MIB = 1024 * 1024;
const HEAP_MIB = 32;
/** Two bytes a character in memory. */
const CONTENT_CHARACTERS = 5 * MIB;
const LARGE = 7;

interface Item {
  readonly item_hash: string;
  readonly content: { readonly content: string };
}

interface Page {
  readonly messages: readonly Item[];
  readonly posts: readonly { readonly item_hash: string; readonly content: string }[];
  readonly pagination_per_page: number;
  readonly pagination_total: number;
  readonly next_cursor: string | null;
}

const bodyOf = (n: number): string => `${n}Ω${"x".repeat(CONTENT_CHARACTERS)}`;
const digest = (text: string): string => createHash("sha256").update(text).digest("hex");

test("messages larger than the memory of the reader", async (suite) => {
  const node = await startRealNode(suite, { reader: { maxHeapMib: HEAP_MIB } });
  const hashes: string[] = [];
  const digests = new Map<string, string>();

  for (let n = 0; n < LARGE; n += 1) {
    const members = `"type":"large","content":${JSON.stringify(bodyOf(n))}`;
    const itemHash = await node.putApart({
      type: "POST",
      members,
      channel: "LARGE",
      time: `170000000${n}.5`,
    });
    hashes.push(itemHash);
    digests.set(itemHash, digest(bodyOf(n)));
  }

  const assertWell = (): void => assert.equal(node.reader?.stats.threadsLost, 0);
  const assertWhole = (items: readonly Item[], expected: readonly string[]): void => {
    assert.deepEqual(
      items.map(({ item_hash }) => item_hash),
      expected,
    );
    for (const { item_hash, content } of items)
      assert.equal(digest(content.content), digests.get(item_hash), "the content is whole");
  };

  await suite.test("a page of them is sent in pieces, with its figures", async () => {
    for (const encoding of ["identity", "br"]) {
      const response = await node.get("/api/v0/messages.json?channels=LARGE&pagination=5", {
        headers: { "accept-encoding": encoding },
      });
      assert.equal(response.status, 200);
      assert.match(response.headers.get("link") ?? "", /page=2/);
      const page = (await response.json()) as Page;
      assertWhole(page.messages, hashes.toReversed().slice(0, 5));
      assert.deepEqual([page.pagination_per_page, page.pagination_total], [5, LARGE]);
    }
    assertWell();
  });

  await suite.test("pages by several clients at once, and a list without limit", async () => {
    const paths = ["pagination=0", "page=2&pagination=2", "pagination=2", "pagination=2000"];
    const pages = await Promise.all(
      paths.map(async (query) => (await node.json(`/api/v0/messages.json?channels=LARGE&${query}`)) as Page),
    );
    const newest = hashes.toReversed();
    const expected = [newest, newest.slice(2, 4), newest.slice(0, 2), newest];
    for (const [at, page] of pages.entries()) assertWhole(page.messages, expected[at] ?? []);
    assertWell();
  });

  await suite.test(
    "a cursor page ends early, says what was asked, and every cursor can be followed",
    async () => {
      const walked: Item[] = [];
      for (let cursor: string | null = ""; cursor !== null; ) {
        const response = await node.get(
          `/api/v0/messages.json?channels=LARGE&pagination=200&sortOrder=1&cursor=${cursor}`,
        );
        const page = (await response.json()) as Page;
        assert.equal(page.pagination_per_page, 200);
        assert.ok(page.messages.length >= 1 && page.messages.length < LARGE);
        assert.equal(response.headers.has("link"), page.next_cursor !== null);
        walked.push(...page.messages);
        cursor = page.next_cursor;
      }
      assertWhole(walked, hashes);
      assertWell();
    },
  );

  await suite.test("one of them by its hash, its content alone, and as a post", async () => {
    const [itemHash = ""] = hashes;
    const { message } = (await node.json(`/api/v0/messages/${itemHash}`)) as { message: Item };
    assertWhole([message], [itemHash]);
    const content = await node.get(`/api/v0/messages/${itemHash}/content`);
    assert.equal(digest(JSON.parse(await content.text()) as string), digests.get(itemHash));
    assert.ok(content.headers.has("etag"));
    assert.equal((await node.get(`/api/v0/messages/${itemHash}`, { method: "HEAD" })).status, 200);
    for (const version of ["v0", "v1"]) {
      const { posts } = (await node.json(`/api/${version}/posts.json?types=large&pagination=4`)) as Page;
      for (const post of posts) assert.equal(digest(post.content), digests.get(post.item_hash));
      assert.equal(posts.length, 4);
    }
    assertWell();
  });

  await suite.test(
    "a websocket gets them as history, after a cursor, and as they come, between small ones in order",
    async (t) => {
      const path = `${node.wsUrl}/api/ws0/messages?channels=LARGE`;
      const client = await openWebsocket(t, `${path}&history=4`);
      const bare = await openWebsocket(t, `${path}&history=4&contentFormat=none`);
      const frames = async (count: number): Promise<Item[]> =>
        (await Array.fromAsync({ length: count }, () => client.next())) as unknown as Item[];
      assertWhole(await frames(4), hashes.slice(-4));
      const first = (await node.json(
        "/api/v0/messages.json?channels=LARGE&sortOrder=1&cursor=&pagination=1",
      )) as Page;
      const replay = await openWebsocket(t, `${path}&since_cursor=${first.next_cursor}`);
      for (const hash of hashes.slice(1)) assert.equal((await replay.next()).item_hash, hash);

      const common = { type: "POST", channel: "LARGE", time: "1700001000.5" } as const;
      const members = `"type":"large","content":${JSON.stringify(bodyOf(99))}`;
      const before = await node.put({ ...common, members: '"type":"small","content":"1"' });
      const live = await node.putApart({ ...common, members });
      const after = await node.put({ ...common, members: '"type":"small","content":"2"' });
      digests.set(live, digest(bodyOf(99)));
      for (const [hash, body] of [
        [before, "1"],
        [after, "2"],
      ] as const)
        digests.set(hash, digest(body));
      assertWhole(await frames(3), [before, live, after]);
      for (const hash of [...hashes.slice(-4), before, live, after]) {
        const frame = await bare.next();
        assert.deepEqual([frame.item_hash, "content" in frame], [hash, false]);
      }
      assertWell();
    },
  );
});

test("many inline messages on one page are read in steps, by as many clients as there is room for", async (t) => {
  const node = await startRealNode(t, {
    reader: { maxHeapMib: HEAP_MIB },
    settings: { lists: { maxStreams: 1 } },
  });
  const count = 190;
  // As long as a submission may be: the network relays no longer one.
  const text = "Ω".repeat(120_000);
  const submitted = Array.from({ length: count }, (_, n) =>
    node.put({
      type: "POST",
      members: `"type":"note","content":"${n} ${text}"`,
      time: `1700000${100 + n}.5`,
    }),
  );
  const hashes = new Set(await Promise.all(submitted));
  for (const path of ["messages.json?pagination=1000", "messages.json?pagination=0"]) {
    const page = (await node.json(`/api/v0/${path}`)) as Page;
    assert.deepEqual(new Set(page.messages.map(({ item_hash }) => item_hash)), hashes);
    assert.equal(page.pagination_total, count);
  }
  const slow = await openSocket(node.port);
  slow.write("GET /api/v0/messages.json?pagination=1000 HTTP/1.1\r\nHost: node\r\n\r\n");
  await once(slow, "readable");
  const refused = await node.get("/api/v0/messages.json?pagination=1000");
  assert.equal(refused.status, 503);
  assert.ok(Number(refused.headers.get("retry-after")) > 0);
  assert.equal(
    (await node.get("/api/v0/messages.json?pagination=1")).status,
    200,
    "small answers need no room",
  );
  slow.destroy();
  while ((await node.get("/api/v0/messages.json?pagination=1000")).status !== 200)
    await new Promise((resolve) => setImmediate(resolve));
  assert.equal(node.reader?.stats.threadsLost, 0);
});

test("aggregates of any size are put together by the reader, kept when they are worth it, else streamed", async (t) => {
  const lists = { maxCachedAggregateBytes: 2 * MIB };
  const node = await startRealNode(t, { reader: { maxHeapMib: HEAP_MIB }, settings: { lists } });
  const put = async (key: string, elements: number, account = node.account): Promise<object> => {
    const expected: Record<string, string> = {};
    for (let n = 0; n < elements; n += 1) {
      const value = `${key} ${n} ${"Ω".repeat(90_000)}`;
      expected[`field ${n}`] = value;
      const members = `"key":"${key}","content":{"field ${n}":"${value}"}`;
      await node.put({ type: "AGGREGATE", members, account, time: `1700000${100 + n}.5` });
    }
    return expected;
  };
  const medium = await put("medium", 6);
  const path = `/api/v0/aggregates/${node.account.address}.json`;
  for (const encoding of ["gzip", "br", "identity"]) {
    const headers = { "accept-encoding": encoding };
    const answers = await Promise.all([1, 2, 3].map(() => node.get(`${path}?keys=medium`, { headers })));
    for (const answer of answers) {
      assert.equal(answer.headers.get("content-encoding") ?? "identity", encoding);
      assert.deepEqual(((await answer.json()) as { data: object }).data, { medium });
    }
    const etag = answers[0]?.headers.get("etag") ?? "";
    const unchanged = await node.get(`${path}?keys=medium`, { headers: { "if-none-match": etag } });
    assert.equal(unchanged.status, 304);
  }
  const large = await put("large", 90);
  const whole = await Promise.all([1, 2, 3].map(() => node.json(`${path}?with_info=true`)));
  for (const answer of whole as { data: object; info: Record<string, { created: string }> }[]) {
    assert.deepEqual(answer.data, { large, medium });
    assert.deepEqual(Object.keys(answer.info).sort(), ["large", "medium"]);
  }
  assert.deepEqual(await node.json(`${path}?keys=large&value_only=true`), large);
  assert.equal((await node.get(`${path}?keys=missing`)).status, 404);
  const listed = (await node.json("/api/v0/aggregates.json?keys=large")) as {
    aggregates: { content: object }[];
  };
  assert.deepEqual(listed.aggregates[0]?.content, large);
  // Many fields are as much to read as large ones.
  const many = Object.fromEntries(Array.from({ length: 600 }, (_, n) => [`f${n}`, n]));
  const other = testAccount(1);
  const members = `"key":"many","content":${JSON.stringify(many)}`;
  await node.put({ type: "AGGREGATE", members, account: other });
  const answer = await node.get(`/api/v0/aggregates/${other.address}.json`);
  assert.deepEqual(((await answer.json()) as { data: object }).data, { many });
  const etag = answer.headers.get("etag") ?? "";
  const again = await node.get(`/api/v0/aggregates/${other.address}.json`, {
    headers: { "if-none-match": etag },
  });
  assert.equal(again.status, 304);
  assert.equal(node.reader?.stats.threadsLost, 0);
});

test("a lost reader is a 503 that says when to come back, and the next request has a new one", async (t) => {
  const link = join(tmpdir(), `twentysix-reader-${process.pid}`);
  const node = await startRealNode(t, { reader: { databasePath: link } });
  const lost = await node.get("/api/v0/messages.json");
  assert.equal(lost.status, 503);
  assert.ok(Number(lost.headers.get("retry-after")) > 0);
  assert.equal(((await lost.json()) as { error: { code: string } }).error.code, "API_OVERLOADED");
  await symlink(node.databasePath, link);
  assert.equal((await node.get("/api/v0/messages.json")).status, 200);
  assert.deepEqual([node.reader?.stats.threadsLost, node.services.log.records.length], [1, 0]);
});
