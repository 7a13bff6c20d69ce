import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { LocalAccount } from "@twentysix/protocol";
import { all, sdkClient } from "../support/sdk-client.ts";
import { startTestNode, type TestNode } from "../support/test-node.ts";
import { postedExpenses } from "./support/posted-expenses.ts";
import { account, definition, startTestAuthority } from "./support/test-authority.ts";

const [alice, bob] = [account("alice"), account("bob")];

let node: TestNode;
beforeEach(async () => {
  node = await startTestNode();
});
afterEach(() => node.remove());

const client = () => sdkClient(node);

async function runMachine(owner: LocalAccount, type: "credit" | "hold", name: string): Promise<string> {
  const { itemHash: rootfs } = await client().storeFile({
    account: owner,
    file: new Blob([name]),
    sync: true,
  });
  const content = {
    metadata: { name },
    allow_amend: false,
    environment: {},
    resources: { vcpus: 1, memory: 2_048 },
    rootfs: { parent: { ref: rootfs, use_latest: false }, persistence: "host", size_mib: 20_480 },
    volumes: [],
    payment: { chain: "ETH", type },
  };
  const { itemHash } = await client().createInstance({ account: owner, content, sync: true });
  return itemHash;
}

/** The price list by which the node says that a message is billed. */
async function listOf(itemHash: string): Promise<unknown> {
  const response = await fetch(`${node.apiUrl}/api/v0/price/${itemHash}`);
  return ((await response.json()) as { pricing_revision: string }).pricing_revision;
}

const publishStoragePrice = (credit: string) =>
  client().createAggregate({
    account: account("prices"),
    key: definition.authorities.prices.pricingKey,
    content: { storage: { price: { storage: { holding: "0.333333333", credit } } } },
    sync: true,
  });

describe("expenses of what a real node ran", { timeout: 120_000 }, () => {
  test("name the price list of each bill, also when the newest list cannot be used", async () => {
    await using authority = await startTestAuthority(node.apiUrl, { startMs: Date.now() });
    await authority.running.whenIdle();
    const first = await runMachine(alice, "credit", "first");
    await publishStoragePrice("0.2");
    const second = await runMachine(alice, "credit", "second");
    await publishStoragePrice("a lot");
    const third = await runMachine(alice, "credit", "third");
    // Two: the real clock may have come into the next one.
    await authority.passToFullHour();
    await authority.passToFullHour();

    const posts = await postedExpenses(node.apiUrl, "execution");
    const lines = posts.flatMap(({ credits }) => credits);
    const refs = new Map(lines.map(({ execution_id: id, ref }) => [id, ref]));
    assert.equal(refs.size, 3);
    for (const machine of [first, second, third]) assert.equal(refs.get(machine), await listOf(machine));
    assert.notEqual(refs.get(first), refs.get(second));
    assert.equal(refs.get(second), refs.get(third), "the last valid list stays in force");
    const path = `/api/v0/addresses/${alice.address}/credit_history?resource=${third}`;
    const history = (await (await fetch(node.apiUrl + path)).json()) as {
      credit_history: { origin: string; origin_ref: string }[];
    };
    assert.ok(history.credit_history.length > 0);
    for (const { origin, origin_ref: list } of history.credit_history)
      assert.deepEqual([origin, list], [third, refs.get(third)]);
  });

  test("cover what lived for less than the hour, from its start to its end", async () => {
    await using authority = await startTestAuthority(node.apiUrl, { startMs: Date.now() });
    await authority.running.whenIdle();
    const brief = await runMachine(alice, "credit", "brief");
    const list = await listOf(brief);
    await client().forget({ account: alice, itemHashes: [brief], sync: true });
    const [ended] = await all(client().iterateEndedCosts({ owner: alice.address, paymentType: "credit" }));
    assert.ok(ended?.startedAt != null);
    const micros = (date: string): number => Date.parse(date) * 1_000 + Number(date.slice(-4, -1));
    const seconds = (micros(ended.endedAt) - micros(ended.startedAt)) / 1e6;
    await authority.passToFullHour();
    await authority.restart({ losesDisk: true });
    await authority.passToFullHour();

    const posts = await postedExpenses(node.apiUrl, "execution");
    const lines = posts.flatMap(({ credits }) => credits);
    for (const { execution_id: id, ref } of lines) assert.deepEqual([id, ref], [brief, list]);
    const billed = lines.reduce((sum, { time }) => sum + time, 0);
    assert.ok(Math.abs(billed - seconds) < 1e-4, `${billed} of ${seconds}`);
    const due = Number(lines[0]?.price) * seconds;
    const amount = lines.reduce((sum, line) => sum + line.amount, 0);
    assert.ok(amount >= due && amount <= due + lines.length, `${amount} of ${due}`);
  });

  test("tell of what holds tokens, for which nobody pays", async () => {
    await using authority = await startTestAuthority(node.apiUrl, { startMs: Date.now() });
    await authority.running.whenIdle();
    const held = await runMachine(bob, "hold", "held");
    const paid = await runMachine(alice, "credit", "paid");
    const before = (await client().getBalance({ address: bob.address })).credits;
    await authority.passToFullHour();
    await authority.passToFullHour();
    const posts = await postedExpenses(node.apiUrl, "execution");
    assert.deepEqual(
      [...new Set(posts.flatMap(({ credits }) => credits.map(({ execution_id: id }) => id)))],
      [paid],
    );
    const told = posts.flatMap(({ hold }) => hold);
    assert.ok(told.length > 0);
    for (const { execution_id: id, address, ref, amount } of told) {
      assert.deepEqual([id, address, ref], [held, bob.address, await listOf(held)]);
      assert.ok(amount > 0);
    }
    assert.equal((await client().getBalance({ address: bob.address })).credits, before);
    const resource = await fetch(`${node.apiUrl}/api/v0/messages/${held}/consumed_credits`);
    assert.deepEqual(await resource.json(), { item_hash: held, consumed_credits: 0 });
  });
});
