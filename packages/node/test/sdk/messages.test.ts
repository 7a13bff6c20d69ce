import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import {
  createAvalancheAccount,
  createCosmosAccount,
  createNuls2Account,
  createNulsAccount,
  createSubstrateAccount,
  createTezosAccount,
  isSdkError,
  type LocalAccount,
  verifyMessage,
} from "@twentysix/sdk";
import { giveCredits, giveTokens } from "../support/funds.ts";
import { all, evmAccount, privateKey, sdkClient, solanaAccount } from "../support/sdk-client.ts";
import { startTestNode } from "../support/test-node.ts";

const node = await startTestNode();
after(() => node.remove());
const client = sdkClient(node);

describe("the SDK on a started node: accounts", { timeout: 60_000 }, () => {
  const key = { privateKey: privateKey("families") };
  const accounts: Readonly<Record<string, LocalAccount>> = {
    ETH: evmAccount("families"),
    SOL: solanaAccount("families"),
    AVAX: createAvalancheAccount({ ...key, chainLetter: "X" }),
    CSDK: createCosmosAccount(key),
    DOT: createSubstrateAccount({ seed: key.privateKey }),
    NULS: createNulsAccount(key),
    NULS2: createNuls2Account(key),
    TEZOS: createTezosAccount({ ...key, curve: "ed25519" }),
  };

  for (const [chain, account] of Object.entries(accounts)) {
    test(`${chain} signs, the node accepts, and anybody can check it`, async () => {
      const { itemHash, status } = await client.createPost({
        account,
        type: "family",
        content: chain,
        sync: true,
      });
      assert.equal(status, "processed");
      const view = await client.getMessage({ itemHash });
      assert.ok(view?.status === "processed");
      assert.equal(view.message.chain, chain);
      assert.equal(view.message.sender, account.address);
      assert.equal(verifyMessage({ message: view.message }).ok, true);
    });
  }
});

describe("the SDK on a started node: posts and aggregates", { timeout: 60_000 }, () => {
  const account = evmAccount("posts");
  const owners = [account.address];

  test("a post is created, amended and forgotten", async () => {
    const original = await client.createPost({
      account,
      type: "note",
      content: { body: "first", tags: ["one"] },
      channel: "SDK",
      sync: true,
    });
    const amend = await client.amendPost({
      account,
      originalHash: original.itemHash,
      content: { body: "second" },
      channel: "SDK",
      sync: true,
    });
    const { items, total } = await client.listPosts({ types: ["note"], owners });
    assert.equal(total, 1);
    assert.deepEqual(
      items.map((post) => [post.item_hash, post.original_item_hash, post.content]),
      [[amend.itemHash, original.itemHash, { body: "second" }]],
    );

    const [forgetting] = await client.forget({
      account,
      itemHashes: [original.itemHash],
      reason: "enough",
      sync: true,
    });
    const view = await client.getMessage({ itemHash: original.itemHash });
    assert.ok(view?.status === "forgotten");
    assert.deepEqual(view.forgottenBy, [forgetting?.itemHash]);
    assert.equal((await client.getStatus({ itemHash: amend.itemHash }))?.status, "forgotten");
    assert.deepEqual((await client.listPosts({ types: ["note"], owners })).items, []);
    const gone = client.waitForStatus({ itemHash: original.itemHash, timeoutMs: 10_000 });
    await assert.rejects(gone, (error) => isSdkError(error, "SDK_GONE"));
  });

  test("integers beyond 2^53 come back as they were signed", async () => {
    const content = { most: 2n ** 63n + 1n, less: -(2n ** 60n) };
    await client.createAggregate({ account, key: "exact", content, sync: true });
    assert.deepEqual(await client.fetchAggregate({ address: account.address, key: "exact" }), content);
    await client.createPost({ account, type: "exact", content, sync: true });
    const [post] = await all(client.iteratePosts({ types: ["exact"], owners }));
    assert.deepEqual(post?.content, content);
  });

  test("aggregates merge and are listed", async () => {
    await client.createAggregate({
      account,
      key: "profile",
      content: { name: "Ada", city: "X" },
      sync: true,
    });
    await client.createAggregate({ account, key: "profile", content: { name: "Ada L." }, sync: true });
    const profile = { name: "Ada L.", city: "X" };
    assert.deepEqual(await client.fetchAggregate({ address: account.address, key: "profile" }), profile);
    assert.equal(await client.fetchAggregate({ address: account.address, key: "none" }), null);
    const { items } = await client.listAggregates({ owners, keys: ["profile"] });
    assert.deepEqual(
      items.map((item) => item.content),
      [profile],
    );
  });

  test("a content of 50 000 bytes and more travels as a file", async () => {
    const content = { body: "é".repeat(30_000) };
    const { itemHash, message } = await client.createPost({ account, type: "long", content, sync: true });
    assert.equal(message.item_type, "storage");
    const view = await client.getMessage({ itemHash });
    assert.ok(view?.status === "processed");
    assert.deepEqual((view.message.content as { content: unknown }).content, content);
    assert.equal((await client.downloadFile({ fileHash: itemHash }))?.isVerified, true);
  });

  test("a right that was granted can be used on the owner's behalf", async () => {
    const delegate = evmAccount("delegate");
    const write = () =>
      client.createPost({
        account: delegate,
        owner: account.address,
        type: "on-behalf",
        content: 1,
        sync: true,
      });
    await assert.rejects(
      write(),
      (error) => isSdkError(error, "SDK_REJECTED") && error.details.errorCode === 2,
    );
    await client.createAggregate({
      account,
      key: "security",
      content: { authorizations: [{ address: delegate.address, types: ["POST"] }] },
      sync: true,
    });
    const { itemHash } = await write();
    const [post] = (await client.listPosts({ types: ["on-behalf"] })).items;
    assert.deepEqual([post?.item_hash, post?.address], [itemHash, account.address]);
  });
});

describe("the SDK on a started node: machines", { timeout: 60_000 }, () => {
  const account = evmAccount("machines");
  const environment = { reproducible: false, internet: true, aleph_api: true, shared_cache: false };
  const stored = (text: string) => client.storeFile({ account, file: encode(text), sync: true });

  test("a program and an instance are published, served unmodified and found by their types", async () => {
    const [code, disk] = [await stored("code"), await stored("disk")];
    const program = {
      type: "vm-function",
      allow_amend: false,
      code: { encoding: "zip", entrypoint: "main:app", ref: code.itemHash, use_latest: false },
      on: { http: true, persistent: false },
      environment,
      resources: { vcpus: 1, memory: 128, seconds: 30 },
      runtime: { ref: disk.itemHash, use_latest: false, comment: "" },
      volumes: [],
    };
    const parent = { ref: disk.itemHash, use_latest: false };
    const instance = {
      allow_amend: false,
      environment: { internet: true, aleph_api: true },
      resources: { vcpus: 1, memory: 2_048, seconds: 30 },
      rootfs: { parent, persistence: "host", size_mib: 20_480 },
      volumes: [],
      payment: { chain: "ETH", type: "credit" },
    };
    await giveTokens(node, { [account.address]: 10_000 });
    await giveCredits(node, account.address, 10_000_000);
    const created = [
      await client.createProgram({ account, content: program, sync: true }),
      await client.createInstance({ account, content: instance, sync: true }),
    ];
    const { items } = await client.listMessages({
      senders: [account.address],
      types: ["PROGRAM", "INSTANCE"],
      order: "ascending",
    });
    assert.deepEqual(
      items.map((message) => message.content),
      created.map(({ message }) => JSON.parse(String(message.item_content))),
    );
  });
});

describe("the SDK on a started node: statuses", { timeout: 60_000 }, () => {
  const account = solanaAccount("statuses");

  for (const useWebSocket of [false, true]) {
    test(`a message is awaited ${useWebSocket ? "with" : "without"} the websocket`, async () => {
      const { itemHash } = await client.createPost({ account, type: "awaited", content: { useWebSocket } });
      const view = await client.waitForStatus({ itemHash, useWebSocket, timeoutMs: 30_000 });
      assert.equal(view.status, "processed");
    });
  }

  test("a refusal carries its code and stays readable", async () => {
    const theirs = await client.createPost({ account, type: "theirs", content: null, sync: true });
    const stranger = evmAccount("stranger");
    const forgetting = client.forget({ account: stranger, itemHashes: [theirs.itemHash], sync: true });
    const refusal = await forgetting.then(
      () => assert.fail("a FORGET of somebody else's message was accepted"),
      (error: unknown) => error,
    );
    assert.ok(isSdkError(refusal, "SDK_REJECTED"));
    assert.equal(refusal.details.errorName, "PERMISSION_DENIED");
    const view = await client.getMessage({ itemHash: refusal.details.itemHash });
    assert.ok(view?.status === "rejected");
    assert.deepEqual([view.errorCode, view.details], [2, refusal.details.details]);
  });

  test("what nobody sent is unknown", async () => {
    assert.equal(await client.getMessage({ itemHash: "0".repeat(64) }), null);
    assert.equal(await client.getStatus({ itemHash: "0".repeat(64) }), null);
  });
});

describe("the SDK on a started node: lists", { timeout: 60_000 }, () => {
  const account = solanaAccount("lists");

  test("pages and cursors give every message once", async () => {
    const sent: string[] = [];
    for (let index = 0; index < 45; index += 1) {
      const created = await client.createPost({ account, type: "row", content: index, channel: "SDK-LIST" });
      sent.push(created.itemHash);
    }
    for (const itemHash of sent) await client.waitForStatus({ itemHash, timeoutMs: 30_000 });
    const channels = ["SDK-LIST"];
    const hashes = (items: readonly { readonly item_hash: string }[]) => items.map((item) => item.item_hash);

    const paged: string[] = [];
    for (let page = 1; page <= 5; page += 1) {
      const answer = await client.listMessages({ channels, page, pageSize: 10, order: "ascending" });
      assert.deepEqual([answer.page, answer.pageSize, answer.total], [page, 10, 45]);
      paged.push(...hashes(answer.items));
    }
    assert.deepEqual(paged, sent);
    const newestFirst = sent.toReversed();
    assert.deepEqual(hashes(await all(client.iterateMessages({ channels, pageSize: 7 }))), newestFirst);
    assert.deepEqual(hashes(await all(client.iteratePosts({ channels, pageSize: 7 }))), newestFirst);
    const everything = await client.listMessages({ channels, pageSize: 0, contentFormat: "none" });
    assert.deepEqual(hashes(everything.items), newestFirst);
  });
});

describe("the SDK on a started node: the node", () => {
  test("says who it is, and its state root counts what was accepted", async () => {
    assert.match((await client.nodeInfo()).version, /\d+\.\d+\.\d+/);
    const before = await client.stateRoot();
    assert.match(before.root, /^[0-9a-f]{64}$/);
    await client.createPost({ account: evmAccount("root"), type: "root", content: {}, sync: true });
    const later = await client.stateRoot();
    assert.equal(later.count, before.count + 1);
    assert.notEqual(later.root, before.root);
    assert.equal(later.algorithm, before.algorithm);
  });
});

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
