import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { ethereumAccount, publishedClient, publishedMessages } from "../support/published-client.ts";
import { startTestNode } from "../support/test-node.ts";

const MESSAGES = 500;

const node = await startTestNode();
after(() => node.remove());
const client = publishedClient(node, ethereumAccount("lister"));
const { address } = client.account;
const { MessageType } = publishedMessages;

describe(`${MESSAGES} messages of the published client`, { timeout: 120_000 }, () => {
  const itemHashes: string[] = [];

  before(async () => {
    for (let start = 0; start < MESSAGES; start += 50) {
      const batch = Array.from({ length: 50 }, (_, index) =>
        client.createPost({ postType: "row", content: { index: start + index }, channel: "LIST" }),
      );
      itemHashes.push(...(await Promise.all(batch)).map((message) => message.item_hash));
    }
    await eventually(async () => (await firstPage()).pagination_total === MESSAGES);
  });

  const firstPage = () => client.getMessages({ addresses: [address], pagination: 1 });

  test("are read by pages, each once", async () => {
    const seen: string[] = [];
    for (let page = 1; ; page += 1) {
      const { messages, ...paging } = await client.getMessages({
        addresses: [address],
        page,
        pagination: 120,
      });
      assert.deepEqual(paging, {
        pagination_page: page,
        pagination_total: MESSAGES,
        pagination_per_page: 120,
        pagination_item: "messages",
      });
      if (messages.length === 0) break;
      seen.push(...messages.map((message) => message.item_hash));
    }
    assert.equal(seen.length, MESSAGES);
    assert.deepEqual(new Set(seen), new Set(itemHashes));
  });

  test("are read as posts by pages, each once", async () => {
    const seen: string[] = [];
    for (let page = 1; page <= 5; page += 1) {
      const { posts } = await client.getPosts({ types: "row", addresses: [address], page, pagination: 100 });
      seen.push(...posts.map((post) => post.item_hash));
    }
    assert.deepEqual(seen.sort(), [...itemHashes].sort());
  });

  // The published client has no cursor mode yet; these are the requests that its next version makes.
  for (const [list, query] of [
    ["messages", `addresses=${address}`],
    ["posts", `types=row&addresses=${address}`],
  ] as const) {
    test(`are walked by cursor as ${list}, each once, in the order of their time`, async () => {
      const times: number[] = [];
      const seen: string[] = [];
      let cursor: string | null = "";
      while (cursor !== null) {
        const path = `/api/v0/${list}.json?${query}&pagination=90&cursor=${cursor}`;
        const page = (await (await fetch(node.apiUrl + path)).json()) as CursorPage;
        assert.deepEqual(Object.keys(page).sort(), [list, "next_cursor", "pagination_per_page"].sort());
        for (const item of page[list] ?? []) {
          seen.push(item.item_hash);
          times.push(item.time);
        }
        cursor = page.next_cursor;
      }
      assert.deepEqual(seen.sort(), [...itemHashes].sort());
      assert.deepEqual(
        times,
        times.toSorted((a, b) => b - a),
      );
    });
  }

  test("are filtered by everything that the client can name", async () => {
    const hashes = itemHashes.slice(0, 3);
    const named = await client.getMessages({
      hashes,
      addresses: [address],
      channels: ["LIST"],
      contentTypes: ["row"],
      messageTypes: [MessageType.post],
      startDate: new Date("2020-01-01"),
      endDate: new Date("2100-01-01"),
    });
    assert.deepEqual(new Set(named.messages.map((message) => message.item_hash)), new Set(hashes));
    for (const filter of [
      { channels: ["OTHER"] },
      { messageTypes: [MessageType.aggregate] },
      { contentTypes: ["other"] },
      { contentKeys: ["profile"] },
      { tags: ["none"] },
      { refs: ["none"] },
      { endDate: new Date("2020-01-01") },
    ]) {
      const { messages } = await client.getMessages({ addresses: [address], ...filter });
      assert.deepEqual(messages, [], JSON.stringify(filter));
    }
  });
});

describe("a watch by the published client", { timeout: 60_000 }, () => {
  test("gives history, then what is new and fits", async () => {
    const watcher = publishedClient(node, ethereumAccount("watcher"));
    const author = publishedClient(node, ethereumAccount("author"));
    const post = (text: string, channel: string) =>
      author.createPost({ postType: "watched", content: { text }, channel, sync: true });
    const old = await post("old", "WATCH");
    // Its types do not name the history, which it passes on all the same.
    const filter = { channels: ["WATCH"], history: 5 };
    const socket = await watcher.watchMessages(filter);
    try {
      await eventually(() => socket.getData().length === 1);
      await post("elsewhere", "NOT-WATCHED");
      const fresh = await post("new", "WATCH");
      await eventually(() => socket.getData().length === 2);
      const frames = socket.getData();
      assert.deepEqual(
        frames.map((frame) => frame.item_hash),
        [old.item_hash, fresh.item_hash],
      );
      assert.deepEqual(
        frames.map((frame) => frame.item_content),
        [old.item_content, fresh.item_content],
      );
    } finally {
      socket.closeSocket();
    }
    await eventually(() => !socket.getIsOpen());
  });
});

type CursorPage = Partial<Record<string, { item_hash: string; time: number }[]>> & {
  readonly next_cursor: string | null;
};
