import assert from "node:assert/strict";
import { test } from "node:test";
import {
  authorities,
  balancePost,
  distribution,
  expense,
  ledgerNetwork,
  ledgerNode,
  outcomes,
  transfer,
} from "../ledger/support/ledger-node.ts";
import { instanceOf, storeOf } from "../ledger/support/paid-messages.ts";
import { evm, type Signed } from "../pipeline/support/signed.ts";
import type { StateHarness } from "../pipeline/support/state-harness.ts";
import { folderOf, verifyFolder } from "./support.ts";

const local = ledgerNetwork("local");
const [owner, friend] = [evm("who is verified"), evm("whom credits were sent")];
const T = 1_790_000_000;
const GRACE_MICROS = BigInt(local.limits.removalGraceSeconds) * 1_000_000n;

/** A node with money in every state: paid, marked, removed, spent, sent. */
async function ledgerInUse(): Promise<{ node: StateHarness; removed: Signed; removing: Signed }> {
  const node = await ledgerNode(local);
  node.nowMicros = BigInt(T) * 1_000_000n;
  const { address } = owner;
  const [image, removed] = [await storeOf(node, owner, T + 1, 30), await storeOf(node, owner, T + 2, 31)];
  await outcomes(node, balancePost(T, { [address]: 25 }), image, removed);
  await outcomes(node, balancePost(T + 3, { [address]: 12 }));
  await node.sweep();
  node.nowMicros += GRACE_MICROS + 1n;
  await outcomes(node, balancePost(T + 4, { [friend.address]: 1 }));
  node.nowMicros += 3_600_000_000n;
  await node.sweep();
  assert.equal(node.status(removed.hash), "removed");
  const machine = instanceOf(owner, T + 5, image.hash, { payment: "credit" });
  await outcomes(
    node,
    distribution(
      T + 5,
      { address, amount: 500_000 },
      { address, amount: 9, expiration: (T + 500_000) * 1_000 },
    ),
    machine,
    transfer(owner, T + 6, { address: friend.address, amount: 100_005 }),
    expense(T + 7, { address, amount: 14_250, execution_id: machine.hash }),
    transfer(authorities.credits, T + 8, { address, amount: 3 }),
  );
  const removing = await storeOf(node, friend, T + 9, 26);
  await outcomes(node, balancePost(T + 9, { [friend.address]: 10 }), removing);
  await outcomes(node, balancePost(T + 10, { [friend.address]: 2 }));
  await node.sweep();
  assert.equal(node.status(removing.hash), "removing");
  return { node, removed, removing };
}

test("a ledger in use is verified: sums, lots, costs, and what funds did to messages", async () => {
  const { node } = await ledgerInUse();
  await using _ = node;
  const report = await verifyFolder(folderOf(node), local);
  assert.deepEqual(report.problems.filter(isOfLedger), []);
  assert.equal(report.root, node.root());
});

/** The node of this story is told that it holds files, whose bytes nobody made. */
const isOfLedger = (line: string): boolean => !line.startsWith("files: ");

/** Each damage, and what is said of it. */
const DAMAGES: readonly (readonly [sql: string, said: RegExp])[] = [
  ["UPDATE accounts SET tokens = '1'", /the tokens of 0x\w+ are 1, computed/],
  ["UPDATE accounts SET credits_out = '1'", /the credits that went out of/],
  ["UPDATE accounts SET credits_in = '1'", /the credits that came in of/],
  ["UPDATE accounts SET removable = 7", /the messages that can be removed of/],
  ["UPDATE accounts SET removing = 7", /the messages about to be removed of/],
  ["UPDATE accounts SET last_us = 1 WHERE last_us IS NOT NULL", /the last entry's time of/],
  ["UPDATE credit_lots SET remaining = remaining + 1", /the lots of/],
  ["DELETE FROM credit_lots", /the lots of/],
  ["UPDATE cost_totals SET hold = '1'", /the sum of costs of owner and payment/],
  ["DELETE FROM cost_totals WHERE owner_id = 0", /the sum of costs of owner and payment 0 \d is missing/],
  ["UPDATE consumed_credits SET credits = '1'", /the credits consumed for resource/],
  ["DELETE FROM consumed_credits", /are not summed up/],
  ["UPDATE price_lists SET id = id + 100", /has a cost by a price list that is not known/],
  ["DELETE FROM removals", /is about to be removed and nothing says until when/],
  ["UPDATE items SET status = 1 WHERE status = 4", /has a date of removal and is not about to be removed/],
  [
    "INSERT INTO costs SELECT id + 1000, zeroblob(32), owner_id, payment, hold, stream, credit, lines, time_us, price_list_id, billed, removable, file_size FROM costs LIMIT 1",
    /has a cost and is not live/,
  ],
  [
    "UPDATE costs SET hash = zeroblob(32) WHERE id = (SELECT min(id) FROM costs)",
    /has a cost under another hash/,
  ],
  ["UPDATE removed SET content_time_us = 1", /removed: /],
  ["UPDATE file_tags SET file_hash = zeroblob(32)", /file_tags: /],
];

for (const [sql, said] of DAMAGES) {
  test(`verify finds what ${sql.slice(0, 60)} does`, async () => {
    const { node } = await ledgerInUse();
    await using _ = node;
    node.store.session.connection.exec(sql);
    const report = await verifyFolder(folderOf(node), local);
    assert.ok(
      report.problems.some((line) => said.test(line)),
      report.problems.join("\n") || "nothing was found",
    );
  });
}
