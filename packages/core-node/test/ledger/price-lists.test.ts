import assert from "node:assert/strict";
import { test } from "node:test";
import { permutations } from "../pipeline/support/permutations.ts";
import { evm, forget } from "../pipeline/support/signed.ts";
import type { StateHarness } from "../pipeline/support/state-harness.ts";
import {
  authorities,
  balancePost,
  ledgerNetwork,
  ledgerNode,
  outcomes,
  priceListOf,
} from "./support/ledger-node.ts";
import { storeOf } from "./support/paid-messages.ts";

const T = 1_790_000_000;
const ATTO = 10n ** 18n;

test("a list that cannot be used leaves the one before in force, although nothing was priced by that", async () => {
  const definition = ledgerNetwork("local");
  await using node = await ledgerNode(definition);
  const alice = evm("alice of price lists");
  const storage = { price: { storage: { holding: "7", credit: "1" } } };
  await outcomes(
    node,
    balancePost(T, { [alice.address]: 1_000 }),
    priceListOf(T, { ...definition.pricing, storage }),
    priceListOf(T + 1, { storage: "free" }),
  );
  const file = await storeOf(node, alice, T + 2, 30);
  assert.deepEqual(await outcomes(node, file), ["processed"]);
  assert.equal(node.reads.billedMessage(file.hash)?.cost?.holdAtto, 210n * ATTO);
});

test("a list that cannot be used leaves the last one in force that can, after a restart and in every order of arrival", async () => {
  const definition = ledgerNetwork("local");
  const alice = evm("alice of price lists");
  const withStorage = (holding: string) => ({
    ...definition.pricing,
    storage: { price: { storage: { holding, credit: "1" } } },
  });
  const revisions = [
    priceListOf(T, withStorage("7")),
    priceListOf(T + 1, { storage: "free" }),
    priceListOf(T + 2, { program: 3 }),
    priceListOf(T, { compatible_gpus: "all" }, "settings"),
  ];
  const priceOfNext = async (node: StateHarness, time: number): Promise<bigint | undefined> => {
    const file = await storeOf(node, alice, time, 30);
    assert.deepEqual(await outcomes(node, file), ["processed"]);
    return node.reads.billedMessage(file.hash)?.cost?.holdAtto;
  };
  for (const order of permutations(revisions)) {
    const before = await ledgerNode(definition);
    await outcomes(before, balancePost(T, { [alice.address]: 10_000 }), ...order);
    await using node = before.restart();
    assert.equal(await priceOfNext(node, T + 10), 210n * ATTO);
    // What mends the list puts it into force, and an earlier revision that comes late does what it would have done.
    await outcomes(node, priceListOf(T + 1.5, withStorage("5")));
    assert.equal(await priceOfNext(node, T + 11), 150n * ATTO);
    await outcomes(node, priceListOf(T + 3, withStorage("2")));
    assert.equal(await priceOfNext(node, T + 12), 60n * ATTO);
  }
});

test("a good and a bad list in one batch, and a list that is forgotten", async () => {
  const definition = ledgerNetwork("local");
  await using node = await ledgerNode(definition);
  const alice = evm("alice of price lists");
  const good = priceListOf(T, { ...definition.pricing, storage: { price: { storage: { holding: "7" } } } });
  const bad = priceListOf(T + 1, { storage: "free" });
  await outcomes(node, balancePost(T, { [alice.address]: 1_000 }));
  await node.submit(good.text, bad.text);
  const first = await storeOf(node, alice, T + 2, 30);
  assert.deepEqual(await outcomes(node, first), ["processed"]);
  assert.equal(node.reads.billedMessage(first.hash)?.cost?.holdAtto, 210n * ATTO);
  await outcomes(node, forget(authorities.prices, T + 3, [good.hash]));
  const second = await storeOf(node, alice, T + 4, 30);
  assert.deepEqual(await outcomes(node, second), ["processed"]);
  assert.equal(node.reads.billedMessage(second.hash)?.cost?.holdAtto, 9_999_999_990n * 10n ** 9n);
});
