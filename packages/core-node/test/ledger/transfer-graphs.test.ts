import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { evm } from "../pipeline/support/signed.ts";
import type { StateHarness } from "../pipeline/support/state-harness.ts";
import {
  creditsIn,
  distribution,
  expense,
  historyIn,
  ledgerNetwork,
  ledgerNode,
  outcomes,
  transfer,
} from "./support/ledger-node.ts";

const T = 1_790_000_000;
const accounts = ["a", "b", "c", "d"].map((name) => evm(`graph ${name}`));
const accountOf = (index: number) => accounts[index % accounts.length] ?? assert.fail();
/** Seconds after T; null: never. */
const HORIZON = 120;
/** Every second at which something may have expired, and one after all of that. */
const MOMENTS = Array.from({ length: HORIZON + 2 }, (_, second) => T + second);

const lifetime = fc.option(fc.integer({ min: 1, max: 60 }), { nil: null });
const step = fc.oneof(
  fc.record({
    kind: fc.constant("grant" as const),
    to: fc.nat({ max: 3 }),
    amount: fc.integer({ min: 1, max: 500 }),
    lifetime,
  }),
  fc.record({
    kind: fc.constant("transfer" as const),
    from: fc.nat({ max: 3 }),
    /** How far behind the sender each recipient stands, and which part of the balance it gets, in eighths. */
    to: fc.uniqueArray(
      fc.record({ hop: fc.integer({ min: 1, max: 3 }), eighths: fc.integer({ min: 1, max: 9 }), lifetime }),
      { minLength: 1, maxLength: 3, selector: ({ hop }) => hop },
    ),
  }),
  fc.record({
    kind: fc.constant("expense" as const),
    from: fc.nat({ max: 3 }),
    amount: fc.integer({ min: 1, max: 200 }),
  }),
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** What all accounts together can spend at each moment. */
const totals = (node: StateHarness): bigint[] =>
  MOMENTS.map((moment) => accounts.reduce((sum, { address }) => sum + creditsIn(node, address, moment), 0n));
const signedSum = (node: StateHarness): bigint =>
  accounts.flatMap(({ address }) => historyIn(node, address)).reduce((sum, { amount }) => sum + amount, 0n);
const expiring = (second: number, life: number | null): { expiration?: number } =>
  life === null ? {} : { expiration: (T + second + life) * 1_000 };
const isAlive = (moment: number, second: number, life: number | null): boolean =>
  life === null || T + second + life > moment;

/** Takes one step at a second, and says what it may have done to the sums. */
async function take(node: StateHarness, done: Step, second: number): Promise<void> {
  const time = T + second;
  node.nowMicros = BigInt(time) * 1_000_000n;
  const before = totals(node);
  const sumBefore = signedSum(node);
  const each = (check: (before: bigint, after: bigint, moment: number) => void): void => {
    const after = totals(node);
    for (const [at, moment] of MOMENTS.entries())
      if (moment >= time) check(before[at] ?? 0n, after[at] ?? 0n, moment);
  };
  switch (done.kind) {
    case "grant": {
      const entry = { address: accountOf(done.to).address, amount: done.amount };
      const message = distribution(time, { ...entry, ...expiring(second, done.lifetime) });
      assert.deepEqual(await outcomes(node, message), ["processed"]);
      each((was, is, moment) => {
        assert.equal(is - was, isAlive(moment, second, done.lifetime) ? BigInt(done.amount) : 0n);
      });
      break;
    }
    case "expense": {
      const { address } = accountOf(done.from);
      const balance = creditsIn(node, address, time);
      assert.deepEqual(await outcomes(node, expense(time, { address, amount: done.amount })), ["processed"]);
      const spent = balance < BigInt(done.amount) ? balance : BigInt(done.amount);
      each((was, is, moment) => {
        if (moment === time) assert.equal(was - is, spent);
        else assert.ok(is <= was && was - is <= spent);
      });
      break;
    }
    case "transfer":
      await takeTransfer(node, done, second, each);
      assert.equal(signedSum(node), sumBefore, "what one has more another has less");
  }
}

async function takeTransfer(
  node: StateHarness,
  { from, to }: Extract<Step, { kind: "transfer" }>,
  second: number,
  each: (check: (before: bigint, after: bigint, moment: number) => void) => void,
): Promise<void> {
  const time = T + second;
  const sender = accountOf(from);
  const balance = Number(creditsIn(node, sender.address, time));
  const parts = to.map((part) => ({
    address: accountOf(from + part.hop).address,
    amount: Math.max(1, Math.floor((balance * part.eighths) / 8 / to.length)),
    ...expiring(second, part.lifetime),
    lifetime: part.lifetime,
  }));
  const required = parts.reduce((sum, { amount }) => sum + amount, 0);
  const known = parts.map(({ address }) => historyIn(node, address).length);
  const entries = parts.map(({ lifetime: _, ...entry }) => entry);
  const expected = required <= balance ? "processed" : "rejected";
  assert.deepEqual(await outcomes(node, transfer(sender, time, ...entries)), [expected]);
  each((was, is, moment) => {
    if (moment === time || expected === "rejected") assert.equal(is, was, "nothing is lost or made");
    else assert.ok(is <= was, `${is} credits live at ${moment - T} where ${was} did`);
  });
  for (const [at, { address, amount, lifetime: life }] of parts.entries()) {
    const got = historyIn(node, address).slice(known[at]);
    if (expected === "rejected") assert.deepEqual(got, []);
    else
      assert.equal(
        got.reduce((sum, portion) => sum + portion.amount, 0n),
        BigInt(amount),
      );
    for (const { expiresAt } of got)
      assert.ok(life === null || (expiresAt !== null && expiresAt <= T + second + life));
  }
}

test("credits that are sent on and on are never more, and never live longer, than those that were granted", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 14 }), async (steps) => {
      await using node = await ledgerNode(ledgerNetwork("local"));
      const alive = MOMENTS.map(() => 0n);
      for (const [index, done] of steps.entries()) {
        const second = 1 + index * 4;
        await take(node, done, second);
        if (done.kind !== "grant") continue;
        for (const [at, moment] of MOMENTS.entries())
          if (isAlive(moment, second, done.lifetime)) alive[at] = (alive[at] ?? 0n) + BigInt(done.amount);
      }
      for (const [at, total] of totals(node).entries()) assert.ok(total <= (alive[at] ?? 0n), `at ${at}`);
    }),
    { numRuns: 30, seed: 37 },
  );
});
