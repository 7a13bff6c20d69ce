import assert from "node:assert/strict";
import { test } from "node:test";
import {
  balancePost,
  distribution,
  expense,
  ledgerNetwork,
  ledgerNode,
  outcomes,
} from "../ledger/support/ledger-node.ts";
import { storeOf } from "../ledger/support/paid-messages.ts";
import { evm } from "../pipeline/support/signed.ts";
import { folderOf, verifyFolder } from "./support.ts";

const T = 1_790_000_000;

test("verify counts the ledger, and files without those that are about to be removed", async () => {
  const definition = ledgerNetwork("local");
  await using node = await ledgerNode(definition);
  const alice = evm("alice of counted files");
  const stored = [await storeOf(node, alice, T + 2, 1), await storeOf(node, alice, T + 3, 60)];
  await outcomes(
    node,
    balancePost(T, { [alice.address]: 100, "0xOther": 3 }),
    balancePost(T + 1, { [alice.address]: 5 }, { chain: "SOL" }),
    distribution(T, { address: alice.address, amount: 10 }),
    expense(T + 1, { address: alice.address, amount: 4 }, { address: "0xOther", amount: 4 }),
    ...stored,
    balancePost(T + 4, { [alice.address]: 1 }),
  );
  await node.sweep();
  assert.equal(node.status(stored[1]?.hash ?? ""), "removing");
  const counters = async (): Promise<readonly string[]> => {
    const { problems } = await verifyFolder(folderOf(node), definition);
    return problems.filter((problem) => /^counters: .*, counted /.test(problem));
  };
  assert.deepEqual(await counters(), []);
  node.store.session.connection.run("UPDATE counters SET n = n + 1 WHERE dimension IN (15, 19, 20)");
  const reported = (await counters()).join("\n");
  for (const what of ["files by owner", "credit entries by account", "balances by chain"])
    assert.match(reported, new RegExp(what));
});
