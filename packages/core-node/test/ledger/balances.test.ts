import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { evm, type Signed } from "../pipeline/support/signed.ts";
import {
  accountIn,
  balancePost,
  creditsIn,
  distribution,
  ledgerNetwork,
  ledgerNode,
  outcomes,
} from "./support/ledger-node.ts";

const definition = ledgerNetwork("mainnet");
const [alice, bob] = [evm("alice of balances").address, evm("bob of balances").address];
const T = 1_790_000_000;
const ATTO = 10n ** 18n;

const tokensOf = async (address: string, ...messages: readonly Signed[]): Promise<bigint | undefined> => {
  await using node = await ledgerNode(definition);
  await outcomes(node, ...messages);
  return accountIn(node, address)?.tokensAtto;
};

describe("balances", () => {
  test("are the sum over chains of what an authority says, without what lies in applications", async () => {
    const tokens = await tokensOf(
      alice,
      balancePost(T, { [alice]: 1234.5 }),
      balancePost(T + 1, { [alice]: 0.1 }, { chain: "SOL" }),
      balancePost(T + 2, { [alice]: 1000 }, { dapp: "SABLIER" }),
    );
    assert.equal(tokens, 12346n * (ATTO / 10n));
  });

  test("keep what a later post leaves out, and what an equal or lower height says otherwise", async () => {
    const posts = [
      balancePost(T, { [alice]: 10, [bob]: 20 }, { main_height: 100 }),
      balancePost(T + 1, { [alice]: 11 }, { main_height: 100 }),
      balancePost(T + 2, { [alice]: 0, [bob]: 0 }, { main_height: 0 }),
      balancePost(T + 3, { [bob]: 21 }, { main_height: 101 }),
    ];
    assert.equal(await tokensOf(alice, ...posts), 10n * ATTO);
    assert.equal(await tokensOf(bob, ...posts), 21n * ATTO);
    assert.equal(await tokensOf(bob, ...[...posts].reverse()), 21n * ATTO, "in any order");
  });

  test("count from an authority alone", async () => {
    const stranger = balancePost(T, { [alice]: 10 }, {}, evm("a stranger"));
    await using node = await ledgerNode(definition);
    assert.deepEqual(await outcomes(node, stranger), ["processed"]);
    assert.equal(accountIn(node, alice), null);
  });

  test("that are malformed are refused as a whole", async () => {
    await using node = await ledgerNode(definition);
    const malformed = [
      balancePost(T, { [alice]: 10 }, { chain: "NOWHERE" }),
      balancePost(T + 1, { [alice]: 10 }, { chain: undefined }),
      balancePost(T + 2, { [alice]: 10 }, { main_height: null }),
      balancePost(T + 3, { [alice]: 10, [bob]: -1 }),
      balancePost(T + 4, { [alice]: 10 }, { balances: [1] }),
      balancePost(T + 5, { [alice]: 10, ["é".repeat(513)]: 1 }),
      balancePost(T + 6, { [alice]: 10 }, { dapp: "x".repeat(1_025) }),
    ];
    assert.deepEqual(
      await outcomes(node, ...malformed),
      malformed.map(() => "rejected"),
    );
    for (const { hash } of malformed) assert.equal(node.view(hash)?.error_code, 0);
    assert.equal(accountIn(node, alice), null);
  });

  test("of the longest names that the ledger takes", async () => {
    await using node = await ledgerNode(definition);
    const [name, app] = [unlike(1_024), unlike(1_024, "of apps")];
    const posts = [
      balancePost(T, { [name]: 10 }),
      balancePost(T + 1, { [name]: 5 }, { dapp: app }),
      distribution(T + 2, { address: name, amount: 7 }),
    ];
    assert.deepEqual(
      await outcomes(node, ...posts),
      posts.map(() => "processed"),
    );
    assert.equal(accountIn(node, name)?.tokensAtto, 10n * ATTO);
    assert.equal(creditsIn(node, name), 7n);
  });
});

/** A text that does not shrink when it is compressed, as an index of a server does with texts. */
function unlike(length: number, salt = ""): string {
  let text = "";
  for (let part = 0; text.length < length; part += 1)
    text += createHash("sha256").update(`${salt} ${part}`).digest("base64");
  return text.slice(0, length);
}
