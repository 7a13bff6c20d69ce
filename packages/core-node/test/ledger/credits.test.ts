import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { replayLots, World } from "@twentysix/state";
import fc from "fast-check";
import { evm, type Signed, signed, withEnvelope } from "../pipeline/support/signed.ts";
import type { StateHarness } from "../pipeline/support/state-harness.ts";
import {
  accountIn,
  authorities,
  creditsIn,
  distribution,
  expense,
  historyIn,
  ledgerNetwork,
  ledgerNode,
  outcomes,
  transfer,
} from "./support/ledger-node.ts";

const local = ledgerNetwork("local");
const mainnet = ledgerNetwork("mainnet");
const [alice, bob, carol] = [evm("alice of credits"), evm("bob of credits"), evm("carol of credits")];
/** After the cut-over of precision, before the clock of the node. */
const T = 1_790_000_000;
const later = (seconds: number): number => (T + seconds) * 1_000;
const at = (seconds: number): number => T + seconds;

async function told(definition: typeof local, ...messages: readonly Signed[]): Promise<StateHarness> {
  const node = await ledgerNode(definition);
  node.nowMicros = BigInt(T) * 1_000_000n;
  assert.deepEqual(
    await outcomes(node, ...messages),
    messages.map(() => "processed"),
  );
  return node;
}

describe("credits", () => {
  test("what was granted first is spent first, whatever expires", async () => {
    const { address } = alice;
    const grants = [
      { address, amount: 1000 },
      { address, amount: 1000, expiration: later(100) },
    ];
    for (const [order, left] of [
      [grants, 0n],
      [[...grants].reverse(), 500n],
    ] as const) {
      const [first, second] = order;
      assert.ok(first !== undefined && second !== undefined);
      await using node = await told(
        local,
        distribution(at(1), first),
        distribution(at(2), second),
        expense(at(3), { address, amount: 1500 }),
      );
      assert.equal(creditsIn(node, address, at(50)), 500n);
      assert.equal(creditsIn(node, address, at(101)), left);
    }
  });

  test("a transfer splits by the expiry of what it takes", async () => {
    await using node = await told(
      local,
      distribution(at(1), { address: alice.address, amount: 100, expiration: later(1000) }),
      distribution(at(2), { address: alice.address, amount: 200 }),
      transfer(alice, at(3), { address: bob.address, amount: 250 }),
    );
    assert.deepEqual(historyIn(node, bob.address), [
      { amount: 100n, expiresAt: at(1000) },
      { amount: 150n, expiresAt: null },
    ]);
    assert.deepEqual(
      historyIn(node, alice.address).map(({ amount }) => amount),
      [100n, 200n, -250n],
    );
  });

  test("sending credits on never makes them last longer", async () => {
    await using node = await told(
      local,
      distribution(at(1), { address: alice.address, amount: 100, expiration: later(2400) }),
      distribution(at(2), { address: alice.address, amount: 100 }),
      transfer(alice, at(3), { address: bob.address, amount: 150, expiration: later(2200) }),
      transfer(bob, at(4), { address: carol.address, amount: 50, expiration: later(2100) }),
    );
    assert.deepEqual(historyIn(node, bob.address)[0], { amount: 150n, expiresAt: at(2200) });
    assert.deepEqual(historyIn(node, carol.address), [{ amount: 50n, expiresAt: at(2100) }]);
    const balances = (seconds: number): bigint[] =>
      [alice, bob, carol].map(({ address }) => creditsIn(node, address, at(seconds)));
    assert.deepEqual(balances(100), [50n, 100n, 50n]);
    assert.deepEqual(balances(2150), [50n, 100n, 0n]);
    assert.deepEqual(balances(2250), [50n, 0n, 0n]);
    assert.deepEqual(balances(2500), [50n, 0n, 0n]);
  });

  test("an expense that is dated before a grant cannot drain it, even when it arrives later", async () => {
    const { address } = alice;
    await using node = await told(
      local,
      distribution(at(10), { address, amount: 100 }),
      expense(at(5), { address, amount: 60 }),
    );
    assert.equal(creditsIn(node, address), 100n);
    assert.deepEqual(
      historyIn(node, address).map(({ amount }) => amount),
      [-60n, 100n],
    );
  });

  test("an overdraft leaves nothing, and the history the full amount", async () => {
    const { address } = alice;
    await using node = await told(
      local,
      distribution(at(1), { address, amount: 100 }),
      expense(at(2), { address, amount: 130 }),
      distribution(at(3), { address, amount: 10 }),
    );
    assert.equal(creditsIn(node, address), 10n);
    assert.equal(accountIn(node, address)?.creditsOut, 130n);
  });

  test("an amount that is no whole number above zero is refused, as is what nobody may issue", async () => {
    await using node = await ledgerNode(mainnet);
    for (const amount of [1.5, "10", 0, -5, true, 2 ** 70]) {
      const message = distribution(T, { address: alice.address, amount });
      assert.deepEqual(await outcomes(node, message), ["rejected"], String(amount));
      assert.match(
        JSON.stringify(node.view(message.hash)),
        /"error_code":0.*Invalid credit distribution content/,
      );
    }
    const strangers = withEnvelope(transfer(bob, T, { address: alice.address, amount: 1 }), {});
    assert.deepEqual(await outcomes(node, strangers), ["rejected"]);
    assert.match(JSON.stringify(node.view(strangers.hash)), /1 credits are required, 0 are available/);
    assert.equal(accountIn(node, alice.address), null);
  });

  test("a credit post with nothing in it is an ordinary post, and one with something else is refused", async () => {
    const options = { channel: "ALEPH_CREDIT" };
    const postOf = (content: unknown, index: number): Signed =>
      signed(authorities.credits, "POST", at(index), { type: "aleph_credit_expense", content }, options);
    await using node = await ledgerNode(local);
    const empty = [null, {}, [], "", 0, false].map(postOf);
    assert.deepEqual(
      await outcomes(node, ...empty),
      empty.map(() => "processed"),
    );
    const wrong = [[1], "credits", 1, true, { expense: {} }].map((content, index) =>
      postOf(content, 10 + index),
    );
    assert.deepEqual(
      await outcomes(node, ...wrong),
      wrong.map(() => "rejected"),
    );
  });

  test("a price that is a number is kept by its shortest text", async () => {
    const { address } = alice;
    const prices = [0.000001, 0.0001, 0.010555, 1e21, "0.000001", 2];
    const grants = prices.map((price) => ({ address, amount: 1, price }));
    await using node = await told(local, distribution(at(1), ...grants));
    const world = new World();
    node.store.fetch(world, [{ table: "creditHistory", key: address }], () => undefined);
    assert.deepEqual(
      world.index.creditHistory.get(address)?.map(({ price }) => price),
      ["1e-06", "0.0001", "0.010555", "1e+21", "0.000001", "2"],
    );
  });

  test("an authority sends what it does not have, with the expiry that it names", async () => {
    await using node = await told(
      mainnet,
      transfer(authorities.credits, T, { address: alice.address, amount: 7, expiration: later(9) }),
    );
    assert.deepEqual(historyIn(node, alice.address), [{ amount: 7n, expiresAt: at(9) }]);
    assert.equal(accountIn(node, authorities.credits.address), null);
  });

  test("amounts of before the cut-over are multiplied", async () => {
    const before = (mainnet.cutovers.creditPrecisionFromSeconds ?? 0) - 1;
    await using node = await told(
      mainnet,
      distribution(before, { address: alice.address, amount: 3 }),
      distribution(before + 1, { address: alice.address, amount: 4 }),
    );
    assert.equal(creditsIn(node, alice.address), 30_004n);
  });

  test("a credit post on another channel has no effect, until a copy on the right one comes", async () => {
    await using node = await ledgerNode(local);
    const granted = distribution(T, { address: alice.address, amount: 5 });
    const elsewhere = withEnvelope(granted, { channel: "SOMEWHERE" });
    assert.deepEqual(await outcomes(node, elsewhere), ["processed"]);
    assert.equal(creditsIn(node, alice.address), 0n);
    for (let time = 0; time < 2; time += 1) {
      assert.deepEqual(await outcomes(node, granted), ["processed"]);
      assert.equal(creditsIn(node, alice.address), 5n, "once");
    }
  });

  test("clearly wrong units of an expiry are refused at the door", async () => {
    await using node = await told(local, distribution(at(1), { address: alice.address, amount: 100 }));
    const seconds = transfer(alice, at(2), { address: bob.address, amount: 1, expiration: T + 86_400 });
    assert.deepEqual(await outcomes(node, seconds), ["rejected"]);
    await node.receive("p2p", seconds.text);
    assert.equal(node.status(seconds.hash), "processed", "what others accepted counts");
  });
});

describe("the credit ledger", () => {
  const step = fc.record({
    kind: fc.constantFrom("grant", "expense"),
    second: fc.nat({ max: 40 }),
    amount: fc.integer({ min: 1, max: 500 }),
    lifetime: fc.option(fc.integer({ min: 1, max: 60 }), { nil: null }),
  });

  test("is the same whatever the order in which grants and expenses become known", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 2, maxLength: 8 }),
        fc.infiniteStream(fc.nat()),
        async (steps, dice) => {
          const { address } = alice;
          const messages = steps.map(({ kind, second, amount, lifetime }, index) => {
            const time = at(second) + index / 1_000;
            if (kind === "expense") return expense(time, { address, amount });
            return distribution(time, {
              address,
              amount,
              ...(lifetime === null ? {} : { expiration: later(second + lifetime) }),
            });
          });
          const shuffled = messages
            .map((message) => ({ message, rank: dice.next().value ?? 0 }))
            .sort((a, b) => a.rank - b.rank)
            .map(({ message }) => message);
          const seen: unknown[] = [];
          for (const order of [messages, shuffled, [...messages].reverse()]) {
            await using node = await told(local, ...order);
            const world = new World();
            node.store.fetch(
              world,
              [
                { table: "lots", key: address },
                { table: "creditHistory", key: address },
              ],
              () => undefined,
            );
            const lots = world.facts.lots.get(address) ?? [];
            assert.deepEqual(lots, replayLots(world.index.creditHistory.get(address) ?? []));
            seen.push(lots);
          }
          assert.deepEqual(seen[1], seen[0]);
          assert.deepEqual(seen[2], seen[0]);
        },
      ),
      { numRuns: 25, seed: 26 },
    );
  });
});
