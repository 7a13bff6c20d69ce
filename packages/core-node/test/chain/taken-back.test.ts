import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { postgresDatabase, withoutPostgres } from "@twentysix/storage/test-postgres";
import { evm, type Signed, signed } from "../pipeline/support/signed.ts";
import { RICH, startChain } from "./support/chain.ts";
import { startChainNode } from "./support/chain-node.ts";
import { eventually } from "./support/eventually.ts";

const [FIRST, OTHER] = RICH;
const author = evm("author on a server");
const post = (n: number): Signed =>
  signed(author, "POST", 1_700_000_000 + n, { type: "note", content: { n } });

const PLACES = [
  ["in the folder of the node", null, false],
  ["onPostgres", postgresDatabase, withoutPostgres],
] as const;

for (const [where, makeDatabase, skip] of PLACES) {
  test(`what a chain takes back is undone and anchored again, ${where}`, { skip }, (context) =>
    undoneAndAgain(context, makeDatabase?.()),
  );
}

async function undoneAndAgain(context: TestContext, database: string | undefined): Promise<void> {
  const chain = await startChain(context);
  const node = await startChainNode(context, chain, {
    ...(database === undefined ? {} : { database }),
    emitters: [FIRST.address],
    settings: { packerKey: FIRST.key, packing: { periodMs: 50, handoverMs: 0 } },
  });
  const confirmedAt = (message: Signed) =>
    eventually(
      "the confirmation",
      () => node.confirmations(message.hash),
      (list) => list.length > 0,
    );
  const snapshot = await chain.rpc("evm_snapshot");
  await node.submit(post(1).text);
  const [before] = await confirmedAt(post(1));
  await chain.message(OTHER.address, "STORE_IPFS", "no CID");
  await eventually(
    "the refused event",
    () => node.metric('twentysix_chain_events{state="refused"}'),
    (count) => count === 1,
  );
  // The chain loses all of it; the message is packed again, for other blocks.
  await chain.rpc("evm_revert", snapshot);
  await chain.rpc("evm_increaseTime", 1_000);
  await chain.mine(8);
  const [after] = await eventually(
    "the new confirmation",
    () => node.confirmations(post(1).hash),
    (list) => list.length === 1 && list[0]?.height !== before?.height,
  );
  assert.ok(after);
  assert.equal(await node.metric('twentysix_chain_events{state="refused"}'), 0);
  assert.equal(await node.metric("twentysix_chain_rewinds_total"), 1);
}
