import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, test } from "node:test";
import type { MessageType } from "@aleph-sdk/message";
import { eventually } from "../support/eventually.ts";
import { giveCredits, giveTokens } from "../support/funds.ts";
import {
  ethereumAccount,
  publishedClient,
  publishedMessages,
  redirectPublicServer,
} from "../support/published-client.ts";
import { startTestNode } from "../support/test-node.ts";

const node = await startTestNode();
after(() => node.remove());

const { ItemType } = publishedMessages;

describe("posts by the published client", { timeout: 60_000 }, () => {
  const client = publishedClient(node, ethereumAccount("posts"));

  test("are created, read, amended and forgotten", async () => {
    const original = await client.createPost({
      postType: "note",
      content: { body: "first", tags: ["one"] },
      channel: "NOTES",
      sync: true,
    });
    const post = await client.getPost<{ body: string }>({ types: "note", hashes: [original.item_hash] });
    assert.equal(post.content.body, "first");
    assert.equal(post.original_item_hash, original.item_hash);

    const amend = await client.createPost({
      postType: "amend",
      ref: original.item_hash,
      content: { body: "second", tags: ["two"] },
      channel: "NOTES",
      sync: true,
    });
    const amended = await client.getPost<{ body: string }>({ types: "note", tags: ["two"] });
    assert.equal(amended.content.body, "second");
    assert.deepEqual([amended.item_hash, amended.original_item_hash], [amend.item_hash, original.item_hash]);
    await assert.rejects(client.getPost({ types: "note", tags: ["one"] }), { name: "MessageNotFoundError" });

    const forget = await client.forget({
      hashes: [original.item_hash],
      reason: "enough",
      channel: "NOTES",
      sync: true,
    });
    await assert.rejects(client.getMessage(original.item_hash), (error: Error) => {
      assert.equal(error.name, "ForgottenMessageError");
      assert.ok(error.message.includes(forget.item_hash), error.message);
      return true;
    });
    await assert.rejects(client.getMessage(amend.item_hash), { name: "ForgottenMessageError" });
    const left = await client.getPosts({ types: "note", addresses: [client.account.address] });
    assert.deepEqual(left.posts, []);
  });

  test("too long to be inline are stored first, with either engine", async () => {
    for (const storageEngine of [ItemType.inline, ItemType.ipfs]) {
      const body = "long ".repeat(12_000);
      const sent = await client.createPost({
        postType: "long",
        content: { body, storageEngine },
        channel: "NOTES",
        storageEngine,
        sync: true,
      });
      assert.equal(sent.item_content, undefined);
      const shown = await client.getMessage<MessageType.post, { body: string }>(sent.item_hash);
      assert.equal(shown.item_type, storageEngine === ItemType.ipfs ? "ipfs" : "storage");
      assert.equal(shown.content.content?.body, body);
    }
  });

  test("that are not awaited are pending or done at once, and done soon", async () => {
    const sent = await client.createPost({ postType: "later", content: {}, channel: "NOTES" });
    const first = await client.getMessage(sent.item_hash);
    assert.equal(first.item_hash, sent.item_hash);
    const status = async () =>
      (await (await fetch(`${node.apiUrl}/api/v0/messages/${sent.item_hash}/status`)).json()) as {
        status: string;
      };
    await eventually(async () => (await status()).status === "processed");
  });

  test("content by its own route is what was posted, unwrapped", async () => {
    const content = { deep: { list: [1, null, "x"] } };
    const sent = await client.createPost({ postType: "raw", content, channel: "NOTES", sync: true });
    const answer = await fetch(`${node.apiUrl}/api/v0/messages/${sent.item_hash}/content`);
    assert.deepEqual(await answer.json(), content);
  });
});

describe("aggregates by the published client", { timeout: 60_000 }, () => {
  const client = publishedClient(node, ethereumAccount("aggregates"));
  const { address } = client.account;

  test("are merged by key, and read one, several and all", async () => {
    await assert.rejects(client.fetchAggregates(address), { name: "MessageNotFoundError" });
    const writes: [string, Record<string, unknown>][] = [
      ["profile", { name: "Ada", city: "London" }],
      ["profile", { name: "Ada L." }],
      ["settings", { theme: "dark" }],
      ["limits", { most: 12 }],
    ];
    for (const [key, content] of writes) {
      await client.createAggregate({ key, content, channel: "KEYS", sync: true });
    }
    const profile = { name: "Ada L.", city: "London" };
    assert.deepEqual(await client.fetchAggregate(address, "profile"), profile);
    assert.deepEqual(await client.fetchAggregates(address, ["profile", "limits"]), {
      profile,
      limits: { most: 12 },
    });
    assert.deepEqual(await client.fetchAggregates(address), {
      profile,
      settings: { theme: "dark" },
      limits: { most: 12 },
    });
  });
});

describe("files by the published client", { timeout: 60_000 }, () => {
  const client = publishedClient(node, ethereumAccount("files"));
  // A Blob: a Buffer becomes a text field on the client's side, with its line ends rewritten.
  const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * index) >> 7));
  const fileObject = new Blob([bytes]);

  for (const storageEngine of [ItemType.storage, ItemType.ipfs] as const) {
    test(`are stored and downloaded with ${storageEngine}`, async () => {
      const sent = await client.createStore({ fileObject, storageEngine, channel: "FILES", sync: true });
      const { item_hash: fileHash } = sent.content;
      if (storageEngine === ItemType.storage) {
        assert.equal(fileHash, createHash("sha256").update(bytes).digest("hex"));
      } else assert.match(fileHash, /^Qm/);
      const shown = await client.getMessage<MessageType.store>(sent.item_hash);
      assert.equal(shown.content.item_hash, fileHash);
      assert.deepEqual(Buffer.from(await client.downloadFile(fileHash)), bytes);
    });
  }

  test("from a Buffer of one line arrive too", async () => {
    const line = Buffer.from("one line");
    const sent = await client.createStore({ fileObject: line, channel: "FILES", sync: true });
    assert.deepEqual(Buffer.from(await client.downloadFile(sent.content.item_hash)), line);
  });

  test("are pinned by their hash", async () => {
    const uploaded = await publishedMessages.pushFileToStorageEngine({
      apiServer: node.apiUrl,
      storageEngine: ItemType.ipfs,
      file: Buffer.from("uploaded before its message"),
    });
    const sent = await client.createStore({
      fileHash: uploaded,
      storageEngine: ItemType.ipfs,
      channel: "FILES",
      sync: true,
    });
    assert.equal((await client.getMessage(sent.item_hash)).item_hash, sent.item_hash);
    assert.equal(Buffer.from(await client.downloadFile(uploaded)).toString(), "uploaded before its message");
  });

  test("that nobody has are 404", async () => {
    await assert.rejects(client.downloadFile("0".repeat(64)), { status: 404 });
  });
});

describe("machines by the published client", { timeout: 60_000 }, () => {
  const client = publishedClient(node, ethereumAccount("machines"));
  before(async () => {
    await giveTokens(node, { [client.account.address]: 10_000 });
    await giveCredits(node, client.account.address, 10_000_000);
  });
  const stored = async (text: string): Promise<string> =>
    (await client.createStore({ fileObject: Buffer.from(text), channel: "VM", sync: true })).item_hash;

  test("a program is served as it was signed", async () => {
    const [programRef, runtime] = [await stored("code"), await stored("runtime")];
    const sent = await client.createProgram({
      programRef,
      runtime,
      entrypoint: "main:app",
      metadata: { name: "tested", tags: ["vm"] },
      variables: { KEY: "value" },
      channel: "VM",
    });
    const { content } = await client.getMessage<MessageType.program>(sent.item_hash);
    assert.deepEqual(content, JSON.parse(String(sent.item_content)));
    const { messages } = await client.getMessages({ tags: ["vm"] });
    assert.deepEqual(
      messages.map((message) => message.content),
      [content],
    );
  });

  test("an instance is served as it was signed", async () => {
    const rootfs = { parent: { ref: await stored("disk"), use_latest: true }, size_mib: 20_480 };
    const sent = await client.createInstance({
      rootfs,
      authorized_keys: ["ssh-ed25519 AAAA"],
      channel: "VM",
    });
    const { content } = await client.getMessage<MessageType.instance>(sent.item_hash);
    assert.deepEqual(content, JSON.parse(String(sent.item_content)));
  });
});

describe("errors, as the published client reads them", { timeout: 60_000 }, () => {
  const client = publishedClient(node, ethereumAccount("errors"));

  test("a rejected message says why", async () => {
    using _ = redirectPublicServer(node.apiUrl);
    const stranger = publishedClient(node, ethereumAccount("stranger"));
    const theirs = await stranger.createPost({ postType: "x", content: {}, channel: "ERRORS", sync: true });
    const forget = client.forget({ hashes: [theirs.item_hash], channel: "ERRORS", sync: true });
    const refused = await forget.then(
      () => assert.fail("a FORGET of somebody else's message was accepted"),
      (error: Error) => error,
    );
    assert.equal(refused.name, "InvalidMessageError");
    const itemHash = /\\"item_hash\\":\\"([0-9a-f]{64})/.exec(refused.message)?.[1];
    assert.ok(itemHash !== undefined, refused.message);
    const why = await client.getMessageError(itemHash);
    assert.equal(why?.error_code, 2);
    assert.ok("details" in why);
  });

  test("a processed message has no error; an unknown one is not found", async () => {
    using _ = redirectPublicServer(node.apiUrl);
    const sent = await client.createPost({ postType: "fine", content: {}, channel: "ERRORS", sync: true });
    assert.equal(await client.getMessageError(sent.item_hash), null);
    await assert.rejects(client.getMessage("e".repeat(64)), { name: "MessageNotFoundError" });
  });
});
