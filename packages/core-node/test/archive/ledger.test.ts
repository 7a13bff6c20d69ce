import assert from "node:assert/strict";
import { test } from "node:test";
import { ledgerInUse, local } from "../ledger/support/ledger-in-use.ts";
import { folderOf, verifyFolder } from "./support.ts";

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
  ["UPDATE accounts SET held = '1'", /the tokens to be held of/],
  ["UPDATE accounts SET streamed = '1'", /the tokens a second of/],
  ["UPDATE accounts SET credit_rate = '1'", /the credits a second of/],
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
    "INSERT INTO costs SELECT id + 1000, zeroblob(32), owner_id, payment, hold, stream, credit, lines, time_us, price_list_id, billed, removable, file_size, acceptance FROM costs LIMIT 1",
    /has a cost and is not live/,
  ],
  [
    "UPDATE costs SET hash = zeroblob(32) WHERE id = (SELECT min(id) FROM costs)",
    /has a cost under another hash/,
  ],
  ["UPDATE items SET status = 1 WHERE status = 5", /has the bill of a removed message and is not removed/],
  [
    "UPDATE removed_bills SET price_list_id = 100",
    /was removed with a bill by a price list that is not known/,
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
