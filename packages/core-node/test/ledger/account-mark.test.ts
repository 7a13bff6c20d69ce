import assert from "node:assert/strict";
import { test } from "node:test";
import { evm, forget } from "../pipeline/support/signed.ts";
import {
  balancePost,
  distribution,
  expense,
  ledgerNetwork,
  ledgerNode,
  outcomes,
} from "./support/ledger-node.ts";
import { storeOf } from "./support/paid-messages.ts";

const T = 1_790_000_000;
const [owner, other] = [evm("whose account is watched"), evm("somebody else")];
const { address } = owner;

test("the mark of an account changes with what it has and owes, and with nothing else", async () => {
  await using node = await ledgerNode(ledgerNetwork("local"));
  node.nowMicros = BigInt(T) * 1_000_000n;
  assert.equal(node.reads.accountMark(address), null);
  const file = await storeOf(node, owner, T + 3, 30);
  const paid = await storeOf(node, owner, T + 4, 30, { payment: "credit" });
  const marks = new Set<string | null>([null]);
  for (const message of [
    balancePost(T, { [address]: 100 }),
    distribution(T + 1, { address, amount: 5_000, expiration: (T + 900) * 1_000 }),
    distribution(T + 2, { address, amount: 5_000 }),
    file,
    paid,
    expense(T + 5, { address, amount: 7 }),
    balancePost(T + 6, { [address]: 1 }),
    forget(owner, T + 7, [file.hash]),
  ]) {
    assert.deepEqual(await outcomes(node, message), ["processed"]);
    await node.sweep();
    const mark = node.reads.accountMark(address);
    assert.ok(!marks.has(mark), "something has changed");
    marks.add(mark);
    const foreign = [balancePost(T + 100 + marks.size, { [other.address]: marks.size })];
    assert.deepEqual(await outcomes(node, ...foreign), ["processed"]);
    await node.sweep();
    assert.equal(node.reads.accountMark(address), mark, "nothing has");
  }
  node.nowMicros = BigInt(T + 901) * 1_000_000n;
  await node.sweep();
  assert.ok(!marks.has(node.reads.accountMark(address)), "credits have expired");
});
