import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { readBalancePost, readCreditDistribution } from "@twentysix/protocol";
import { createClient } from "@twentysix/sdk";
import { all } from "../support/sdk-client.ts";
import { startTestNode, type TestNode } from "../support/test-node.ts";
import {
  account,
  definition,
  HOUR_MS,
  spendableCredits,
  startTestAuthority,
} from "./support/test-authority.ts";

const { authorities } = definition;
const [alice, bob] = [account("alice"), account("bob")];

let node: TestNode;
let startMs: number;
beforeEach(async () => {
  node = await startTestNode();
  startMs = Date.now();
});
afterEach(() => node.remove());

const client = () => createClient({ apiUrl: node.apiUrl });
const publishedOf = (owner: string, type: string) =>
  all(client().iteratePosts({ owners: [owner], types: [type], order: "ascending" }));
const balancePosts = () =>
  publishedOf(authorities.balances.addresses[0] ?? "", authorities.balances.postType);
const grantPosts = () =>
  publishedOf(authorities.credits.addresses[0] ?? "", authorities.credits.distributionPostType);

/** What a row of publications leaves an address on ETH with, as a node reads them. */
async function tokensOf(address: string): Promise<bigint | undefined> {
  let tokens: bigint | undefined;
  let height = -1n;
  for (const { content } of await balancePosts()) {
    const update = readBalancePost(content);
    assert.ok(update.ok);
    const said = new Map(update.value.balances).get(address);
    if (update.value.chain !== "ETH" || said === undefined || update.value.mainHeight <= height) continue;
    height = update.value.mainHeight;
    tokens = said;
  }
  return tokens;
}

describe("prices of an authority", { timeout: 60_000 }, () => {
  const prices = () =>
    client().fetchAggregate({ address: authorities.prices.address, key: authorities.prices.pricingKey });

  test("are those of the definition, published once", async () => {
    await using authority = await startTestAuthority(node.apiUrl, { startMs });
    await authority.running.whenIdle();
    const pricing = await prices();
    assert.deepEqual(Object.keys(pricing ?? {}).sort(), Object.keys(definition.pricing).sort());
    await authority.restart();
    await authority.pass(2 * HOUR_MS);
    const { total } = await client().listMessages({
      types: ["AGGREGATE"],
      owners: [authorities.prices.address],
    });
    assert.equal(total, 2, "prices and settings");
  });

  for (const updatesPrices of [false, true]) {
    test(`others of the network ${updatesPrices ? "are replaced when that is asked for" : "stay"}`, async () => {
      const storage = { price: { storage: { credit: "7" } } };
      const { pricingKey: key } = authorities.prices;
      await client().createAggregate({ account: account("prices"), key, content: { storage }, sync: true });
      const settings = { updatesPrices };
      await using authority = await startTestAuthority(node.apiUrl, { startMs: Date.now(), settings });
      await authority.running.whenIdle();
      const inForce = (await prices())?.storage as typeof storage;
      assert.equal(inForce.price.storage.credit === "7", !updatesPrices);
      const told = authority.log.records.filter(({ message }) => message.includes("other prices"));
      assert.equal(told.length, updatesPrices ? 0 : 1);
    });
  }
});

describe("balances of an authority", { timeout: 60_000 }, () => {
  test("come at the start and every hour, with growing heights", async () => {
    await using authority = await startTestAuthority(node.apiUrl, { startMs });
    await authority.running.whenIdle();
    assert.equal((await balancePosts()).length, 2, "one a chain");
    await authority.pass(2 * HOUR_MS + 60_000);
    const posts = await balancePosts();
    assert.equal(posts.length, 6);
    const heights = posts.map(({ content }) => Number((content as { main_height: number }).main_height));
    assert.deepEqual(
      heights,
      heights.toSorted((a, b) => a - b),
    );
    assert.equal(new Set(heights).size, 3);
    assert.equal(await tokensOf(alice.address), 10n ** 24n);
  });

  test("of holders that are gone are zeros, also after a restart and with a clock that was set back", async () => {
    {
      const balances = { ETH: { [alice.address]: 5.5, [bob.address]: 1 } };
      await using authority = await startTestAuthority(node.apiUrl, { startMs, settings: { balances } });
      await authority.running.whenIdle();
      assert.equal(await tokensOf(alice.address), 55n * 10n ** 17n);
    }
    const balances = { ETH: { [bob.address]: 2 } };
    await using authority = await startTestAuthority(node.apiUrl, {
      startMs: startMs - 5 * HOUR_MS,
      settings: { balances },
    });
    await authority.running.whenIdle();
    assert.equal(await tokensOf(alice.address), 0n);
    assert.equal(await tokensOf(bob.address), 2n * 10n ** 18n);
    await authority.pass(2 * HOUR_MS);
    const contents = (await balancePosts()).map(
      ({ content }) => content as { main_height: number; balances: object },
    );
    const last = contents.toSorted((a, b) => a.main_height - b.main_height).at(-1);
    assert.deepEqual(last?.balances, { [bob.address]: 2 }, "once is enough");
  });

  test("that somebody else published with the key of the authority stay", async () => {
    const height = Math.floor(startMs / 1_000) + 100;
    const content = { chain: "ETH", main_height: height, balances: { "0xGuest": 5 } };
    const type = authorities.balances.postType;
    await client().createPost({ account: account("registry"), type, content, sync: true });
    await using authority = await startTestAuthority(node.apiUrl, { startMs });
    await authority.running.whenIdle();
    assert.equal(await tokensOf("0xGuest"), 5n * 10n ** 18n);
    assert.equal(await tokensOf(alice.address), 10n ** 24n);
  });

  test("of more than 10,000 holders are several posts of one height", async () => {
    const holders = Array.from({ length: 12_000 }, (_value, index) => [`0x${index}`, index + 1] as const);
    const balances = { ETH: Object.fromEntries(holders) };
    await using authority = await startTestAuthority(node.apiUrl, { startMs, settings: { balances } });
    await authority.running.whenIdle();
    const posts = (await balancePosts()).map(({ content }) => readBalancePost(content));
    const [first, second] = posts;
    assert.ok(posts.length === 2 && first?.ok && second?.ok);
    assert.deepEqual([first.value.balances.length, second.value.balances.length], [10_000, 2_000]);
    assert.equal(first.value.mainHeight, second.value.mainHeight);
  });
});

describe("credits of an authority", { timeout: 60_000 }, () => {
  test("are granted to development accounts once", async () => {
    await using authority = await startTestAuthority(node.apiUrl, { startMs });
    await authority.running.whenIdle();
    assert.equal(await spendableCredits(node.apiUrl, alice), 1_000_000_000n);
    await authority.restart({ losesDisk: true });
    await authority.pass(3 * HOUR_MS);
    assert.equal((await grantPosts()).length, 1);
  });

  test("come to an address that is added later, and to no other again", async () => {
    const grants = { [alice.address]: 10n };
    {
      await using authority = await startTestAuthority(node.apiUrl, { startMs, settings: { grants } });
      await authority.running.whenIdle();
    }
    const more = { [alice.address]: 99n, [bob.address]: 20n };
    await using authority = await startTestAuthority(node.apiUrl, { startMs, settings: { grants: more } });
    await authority.running.whenIdle();
    assert.equal(await spendableCredits(node.apiUrl, alice), 10n);
    assert.equal(await spendableCredits(node.apiUrl, bob), 20n);
  });
});

describe("the faucet", { timeout: 60_000 }, () => {
  const settings = { grants: {}, faucet: { credits: 7n, grantsPerDay: 2, expiryDays: 1 } };
  const ask = async (url: string | null, body: object | string) => {
    const response = await fetch(`${url}/api/v0/faucet`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
    const answer = (await response.json()) as { item_hash?: string; error?: { code: string } };
    return { status: response.status, hash: answer.item_hash, code: answer.error?.code };
  };

  test("gives a few times a day, and the same for the same nonce, over a restart", async () => {
    await using authority = await startTestAuthority(node.apiUrl, { startMs, settings });
    await authority.running.whenIdle();
    const give = (nonce: string) => ask(authority.running.faucetUrl, { address: alice.address, nonce });
    const first = await give("one");
    assert.equal(first.status, 200);
    await authority.restart({ losesDisk: true });
    assert.deepEqual(await give("one"), first);
    assert.equal((await give("two")).status, 200);
    assert.deepEqual(await give("three"), { status: 429, hash: undefined, code: "FAUCET_LIMIT_REACHED" });
    assert.deepEqual(await give("one"), first, "what was given is told when all is spent");
    assert.equal(await spendableCredits(node.apiUrl, alice), 14n);
    const other = await ask(authority.running.faucetUrl, { address: bob.address, nonce: "one" });
    assert.equal(other.status, 200);
    await authority.pass(24 * HOUR_MS);
    assert.equal((await give("tomorrow")).status, 200);
  });

  test("has room for no more when many ask at once", async () => {
    await using authority = await startTestAuthority(node.apiUrl, { startMs, settings });
    await authority.running.whenIdle();
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_value, index) =>
        ask(authority.running.faucetUrl, { address: alice.address, nonce: String(index) }),
      ),
    );
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 200, 429, 429, 429, 429, 429, 429]);
    for (const { content } of await grantPosts()) {
      const grant = readCreditDistribution(content);
      assert.ok(grant.ok && grant.value.grants[0]?.expirationMicros !== null);
    }
  });

  for (const body of [
    "",
    "{",
    { address: alice.address },
    { address: "", nonce: "1" },
    { address: 5, nonce: "1" },
  ]) {
    test(`refuses ${JSON.stringify(body)}`, async () => {
      await using authority = await startTestAuthority(node.apiUrl, { startMs, settings });
      const { status, code } = await ask(authority.running.faucetUrl, body);
      assert.deepEqual([status, code], [400, "FAUCET_BAD_REQUEST"]);
    });
  }
});
