import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { beforeEach, describe, test } from "node:test";
import { type PostedExpense, postedExpenses } from "./support/posted-expenses.ts";
import { type ListedCost, type PricedNode, startPricedNode } from "./support/priced-node.ts";
import { account, HOUR_MS, spendableCredits, startTestAuthority } from "./support/test-authority.ts";

const [alice, bob] = [account("alice"), account("bob")];
const FIRST_CREDITS = 1_000_000_000n;
const hash = (label: string): string => createHash("sha256").update(label).digest("hex");

let priced: PricedNode;
let startMs: number;
beforeEach(async () => {
  priced = await startPricedNode();
  startMs = Date.now();
});
const cleanUp = async (): Promise<void> => priced.remove();

const expenses = (kind: "storage" | "execution"): Promise<PostedExpense[]> =>
  postedExpenses(priced.node.apiUrl, kind);

/** How often each execution was billed. */
function billedTimes(posts: readonly PostedExpense[]): ReadonlyMap<string, number> {
  const times = new Map<string, number>();
  for (const { execution_id: id = "none" } of posts.flatMap(({ credits }) => credits)) {
    times.set(id, (times.get(id) ?? 0) + 1);
  }
  return times;
}

const instances = (count: number): ListedCost[] =>
  Array.from({ length: count }, (_value, index) => ({
    itemHash: hash(`instance ${index}`),
    owner: alice.address,
    credit: "0.001000000000000000",
    product: "instance",
  }));

describe("expenses on a real node", { timeout: 120_000 }, () => {
  test("take from everybody what he stored and ran in the hour", async (context) => {
    context.after(cleanUp);
    priced.costs.push(
      { itemHash: hash("file a"), owner: alice.address, credit: "0.500000000000000000", sizeMib: 30 },
      { itemHash: hash("file b"), owner: alice.address, credit: "0.000000000000000001", sizeMib: 1.5 },
      { itemHash: hash("machine"), owner: bob.address, credit: "3.958333333333333333", product: "instance" },
      { itemHash: hash("function"), owner: bob.address, credit: "9.000000000000000000", product: "program" },
    );
    await using authority = await startTestAuthority(priced.apiUrl, { startMs });
    await authority.running.whenIdle();
    assert.deepEqual(await expenses("storage"), [], "the hour has not ended");
    await authority.passToFullHour();
    const endMs = authority.nowMs() - (authority.nowMs() % HOUR_MS);

    const [storage, ...noOther] = await expenses("storage");
    assert.deepEqual(noOther, []);
    assert.ok(storage !== undefined);
    const { start_date, end_date, version, amount, complete } = storage;
    assert.deepEqual(
      [start_date, end_date, version, amount, complete],
      [endMs - HOUR_MS, endMs, 2, 1_801, true],
    );
    assert.deepEqual(storage.credits, [
      {
        address: alice.address,
        amount: 1_801,
        ref: "storage",
        count: 2,
        size: 31.5,
        price: "0.500000000000000001",
        time: 3_600,
      },
    ]);
    assert.deepEqual(storage.hold, [], "nobody holds tokens for anything");
    assert.deepEqual(storage.stats, { hold: { count: 0, amount: 0 } });
    assert.deepEqual([storage.credit_price_usdc, storage.credit_price_aleph], [0.000001, 0.00001]);
    const [execution] = await expenses("execution");
    assert.ok(execution !== undefined);
    const [line, ...noFunction] = execution.credits;
    assert.deepEqual(noFunction, [], "a function is billed by whoever ran it");
    assert.deepEqual([line?.amount, line?.execution_id, line?.time], [14_250, hash("machine"), 3_600]);
    assert.match(String(line?.ref), /^[0-9a-f]{64}$/, "the name of the price list");

    assert.equal(await spendableCredits(priced.node.apiUrl, alice), FIRST_CREDITS - 1_801n);
    assert.equal(await spendableCredits(priced.node.apiUrl, bob), FIRST_CREDITS - 14_250n);
    await authority.passToFullHour();
    assert.equal(await spendableCredits(priced.node.apiUrl, bob), FIRST_CREDITS - 2n * 14_250n);
    assert.equal((await expenses("storage")).length, 2);
  });

  test("tell of what holds tokens beside what is debited, and debit nothing for it", async (context) => {
    context.after(cleanUp);
    const held = instances(2_100).map((cost) => ({ ...cost, payment: "hold" as const, owner: bob.address }));
    priced.costs.push(
      ...held,
      { itemHash: hash("paid"), owner: alice.address, credit: "1.000000000000000000", product: "instance" },
      { itemHash: hash("paid too"), owner: bob.address, credit: "1.000000000000000000", product: "instance" },
      { itemHash: hash("file a"), owner: bob.address, credit: "0.100000000000000000", payment: "hold" },
      { itemHash: hash("file b"), owner: bob.address, credit: "0.100000000000000000", payment: "hold" },
      { itemHash: hash("file c"), owner: bob.address, credit: "0.500000000000000000" },
    );
    await using authority = await startTestAuthority(priced.apiUrl, { startMs });
    await authority.running.whenIdle();
    await authority.passToFullHour();
    const executions = await expenses("execution");
    const told = executions.flatMap(({ hold }) => hold.map(({ execution_id: id }) => id));
    assert.deepEqual(told.toSorted(), held.map(({ itemHash }) => itemHash).toSorted(), "each once");
    assert.deepEqual(
      executions.flatMap(({ credits }) => credits.map(({ execution_id: id }) => id)).toSorted(),
      [hash("paid"), hash("paid too")].toSorted(),
    );
    for (const { credits, hold, count, amount, stats } of executions) {
      assert.ok(credits.length > 0, "the ledger takes no post without a debit");
      assert.deepEqual([count, amount], [credits.length, 3_600 * credits.length]);
      assert.deepEqual(stats.hold, { count: hold.length, amount: 4 * hold.length });
    }
    const [storage] = await expenses("storage");
    assert.deepEqual(
      storage?.hold.map(({ address, amount, count }) => [address, amount, count]),
      [[bob.address, 720, 2]],
    );
    assert.deepEqual(storage?.stats, { hold: { count: 2, amount: 720 } }, "counted by files");
    assert.deepEqual(
      storage?.credits.map(({ address, amount }) => [address, amount]),
      [[bob.address, 1_800]],
    );
    assert.equal(await spendableCredits(priced.node.apiUrl, bob), FIRST_CREDITS - 3_600n - 1_800n);
    await authority.restart({ losesDisk: true });
    await authority.passToFullHour();
    assert.equal(await spendableCredits(priced.node.apiUrl, bob), FIRST_CREDITS - 2n * (3_600n + 1_800n));
    assert.equal((await expenses("execution")).flatMap(({ hold }) => hold).length, 4_200);
  });

  test("leave out what holds tokens while nothing is debited, and say so", async (context) => {
    context.after(cleanUp);
    priced.costs.push({ itemHash: hash("file"), owner: bob.address, credit: "0.1", payment: "hold" });
    await using authority = await startTestAuthority(priced.apiUrl, { startMs });
    await authority.passToFullHour();
    assert.deepEqual(await expenses("storage"), []);
    assert.ok(authority.log.records.some(({ message }) => message.includes("too few debits")));
  });

  const crashes = [
    { what: "the storage of the hour", number: 2, kind: "storage", before: 0 },
    { what: "the rest of its executions", number: 3, kind: "execution", before: 1 },
  ] as const;
  for (const { what, number, kind, before } of crashes) {
    for (const fate of ["is lost", "loses its answer"] as const) {
      for (const losesDisk of [false, true]) {
        const rest = losesDisk ? "with the disk" : "the disk stays";
        test(`a crash at ${what} bills nothing twice: the post ${fate}, ${rest}`, async (context) => {
          context.after(cleanUp);
          const file = { itemHash: hash("file"), owner: alice.address, credit: "1.000000000000000000" };
          priced.costs.push(...instances(2_100), file);
          await using authority = await startTestAuthority(priced.apiUrl, { startMs });
          await authority.running.whenIdle();
          await authority.passUntil(priced.breakAt(number, fate));
          assert.equal(
            (await expenses(kind)).length,
            fate === "is lost" ? before : before + 1,
            "it broke there",
          );
          await authority.restart({ losesDisk });
          await assertBilledOnce(1);
          await authority.passToFullHour();
          await assertBilledOnce(2);
        });
      }
    }
  }

  test("a post that the network hears of long after the crash is billed once, though all has changed", async (context) => {
    context.after(cleanUp);
    priced.costs.push(...instances(3));
    await using authority = await startTestAuthority(priced.apiUrl, { startMs });
    await authority.running.whenIdle();
    await authority.passUntil(priced.breakAt(1, "comes late"));
    priced.costs.push(...instances(6).slice(3));
    await authority.restart();
    await priced.deliverLate();
    await authority.passToFullHour();
    const times = billedTimes(await expenses("execution"));
    assert.deepEqual([...times.values()].sort(), [1, 1, 1, 2, 2, 2]);
    assert.equal((await expenses("execution")).length, 2);
  });

  test("what was not billed while the authority was away is billed when it is back", async (context) => {
    context.after(cleanUp);
    priced.costs.push({ itemHash: hash("file"), owner: alice.address, credit: "1.000000000000000000" });
    {
      await using authority = await startTestAuthority(priced.apiUrl, { startMs });
      await authority.passToFullHour();
    }
    await using later = await startTestAuthority(priced.apiUrl, { startMs: startMs + 6 * HOUR_MS });
    await later.running.whenIdle();
    const posts = await expenses("storage");
    assert.equal(posts.length, 2);
    assert.equal(posts[1]?.start_date, posts[0]?.end_date);
    const spanMs = Number(posts[1]?.end_date) - Number(posts[0]?.start_date);
    assert.equal(await spendableCredits(priced.node.apiUrl, alice), FIRST_CREDITS - BigInt(spanMs / 1_000));
  });

  test("a clock that is years ahead bills a day at most, and nothing before it has proven steady", async (context) => {
    context.after(cleanUp);
    priced.costs.push({ itemHash: hash("file"), owner: alice.address, credit: "1.000000000000000000" });
    {
      await using authority = await startTestAuthority(priced.apiUrl, { startMs });
      await authority.passToFullHour();
    }
    await using ahead = await startTestAuthority(priced.apiUrl, { startMs: startMs + 20_000 * HOUR_MS });
    await ahead.running.whenIdle();
    assert.equal((await expenses("storage")).length, 1);
    await ahead.pass(2 * HOUR_MS);
    const billed = (await expenses("storage")).map(({ amount }) => amount);
    assert.ok(billed.length >= 2);
    assert.ok(billed.slice(1).reduce((sum, amount) => sum + amount, 0) <= 86_400 + 7_200, billed.join());

    await using back = await startTestAuthority(priced.apiUrl, { startMs: startMs + 3 * HOUR_MS });
    await back.running.whenIdle();
    await back.passToFullHour();
    const still = (await expenses("storage")).length;
    assert.equal(still, billed.length, "and one that was set back bills no hour again");
    assert.ok(
      back.log.records.some(({ message }) => message.startsWith("the newest expense ends in the future")),
    );
  });

  test("a period in which nothing cost anything leaves no post and is not billed later", async (context) => {
    context.after(cleanUp);
    await using authority = await startTestAuthority(priced.apiUrl, { startMs });
    await authority.passToFullHour();
    await authority.passToFullHour();
    priced.costs.push({ itemHash: hash("file"), owner: alice.address, credit: "1.000000000000000000" });
    await authority.passToFullHour();
    assert.deepEqual(
      (await expenses("storage")).map(({ amount }) => amount),
      [3_600],
    );
  });
});

/** After so many hours, of 2,100 instances and a file. */
async function assertBilledOnce(hours: number): Promise<void> {
  const posts = await expenses("execution");
  const parts = posts.map(({ part, complete }) => `${part} ${complete}`);
  assert.deepEqual(parts, Array.from({ length: hours }, () => ["0 false", "1 true"]).flat());
  const times = billedTimes(posts);
  assert.equal(times.size, 2_100);
  assert.ok([...times.values()].every((count) => count === hours));
  assert.equal((await expenses("storage")).length, hours);
  const due = BigInt(hours) * (2_100n * 4n + 3_600n);
  assert.equal(await spendableCredits(priced.node.apiUrl, alice), FIRST_CREDITS - due);
}
