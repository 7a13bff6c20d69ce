import assert from "node:assert/strict";
import { test } from "node:test";
import { evm } from "../pipeline/support/signed.ts";
import { balancePost, ledgerNetwork, ledgerNode, outcomes, priceListOf } from "./support/ledger-node.ts";
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
