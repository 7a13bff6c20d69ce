import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { postgresDatabase, withoutPostgres } from "@twentysix/storage/test-postgres";
import { giveCredits, giveTokens } from "../support/funds.ts";
import { CREDITS_EACH, FUNDED, MACHINES, submitMachines, TOKENS_EACH } from "../support/machines-at-once.ts";
import { type NodeProcess, startNode } from "../support/node-process.ts";
import { getJson, post, rawAccount, signRaw } from "../support/raw-messages.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { startTestNode } from "../support/test-node.ts";

const EXPECTED = { processed: FUNDED, rejected: MACHINES - FUNDED };

/** What a replica says became of these messages, and of the account that paid. */
async function seenBy(replica: NodeProcess, hashes: readonly string[], address: string): Promise<unknown> {
  const ends: Record<string, number> = {};
  for (const hash of hashes) {
    const { status } = await getJson<{ status: string }>(replica, `/api/v0/messages/${hash}/status`);
    ends[status] = (ends[status] ?? 0) + 1;
  }
  const balance = await getJson(replica, `/api/v0/addresses/${address}/balance`);
  return { ends, balance };
}

describe("an account onPostgres", { skip: withoutPostgres }, () => {
  test("cannot spend twice, and both replicas see the same", async (t) => {
    using folder = temporaryFolder("replicas");
    const database = postgresDatabase();
    const writer = await startTestNode({ database });
    t.after(() => writer.remove());
    const flags = ["--roles", "api", "--database", database];
    await using first = await startNode(`${folder.path}/first`, { flags });
    await using second = await startNode(`${folder.path}/second`, { flags });
    await giveTokens(writer, { [rawAccount("holder").address]: FUNDED * TOKENS_EACH + TOKENS_EACH - 1 });
    await giveCredits(writer, rawAccount("credited").address, FUNDED * CREDITS_EACH);
    for (const [label, payment] of [
      ["holder", "hold"],
      ["credited", "credit"],
    ] as const) {
      const { hashes, ends } = await submitMachines(writer, label, payment);
      assert.deepEqual(ends, EXPECTED, payment);
      const { address } = rawAccount(label);
      const seen = await seenBy(first, hashes, address);
      assert.deepEqual(await seenBy(second, hashes, address), seen);
      assert.deepEqual((seen as { ends: unknown }).ends, EXPECTED, payment);
      const balance = await getJson(writer, `/api/v0/addresses/${address}/balance`);
      assert.deepEqual((seen as { balance: unknown }).balance, balance);
    }
    const more = await signRaw({
      type: "POST",
      account: rawAccount("holder"),
      members: '"type":"t","content":1',
    });
    for (const replica of [first, second]) {
      const answer = await post(replica, "/api/v0/messages", `{"sync":true,"message":${more.envelope}}`);
      assert.equal(answer.status, 503, "only the writer takes what spends");
    }
  });

  test("is explained, priced and listed by a replica as by the writer", async (t) => {
    using folder = temporaryFolder("replica");
    const database = postgresDatabase();
    const writer = await startTestNode({ database });
    t.after(() => writer.remove());
    await using replica = await startNode(folder.path, { flags: ["--roles", "api", "--database", database] });
    const { address } = rawAccount("explained");
    await giveTokens(writer, { [address]: TOKENS_EACH * MACHINES });
    const { hashes } = await submitMachines(writer, "explained", "hold");
    await giveCredits(writer, address, 10, 4_000_000_000_000);
    await giveCredits(writer, address, 20);
    const withLots = `/api/v0/addresses/${address}/balance?include_credit_details=true`;
    const { credit_balance_details: lots } = await getJson<{
      credit_balance_details: readonly { readonly amount: number }[];
    }>(replica, withLots);
    assert.deepEqual(
      lots.map(({ amount }) => amount),
      [20, 10],
      "those that never expire come first",
    );
    const path = `/api/v1/messages/${hashes[0] ?? ""}/explanation`;
    const explained = await getJson<{ status: string }>(replica, path);
    assert.equal(explained.status, "processed");
    assert.deepEqual(explained, await getJson(writer, path));
    for (const list of [
      `/api/v0/costs?address=${address}`,
      "/api/v0/balances",
      `/api/v0/price/${hashes[0] ?? ""}`,
    ])
      assert.deepEqual(await getJson(replica, list), await getJson(writer, list), list);
  });
});
