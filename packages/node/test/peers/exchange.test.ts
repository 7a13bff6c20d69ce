import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { createClient, createEvmAccount } from "@twentysix/sdk";
import { createNodeSha256 } from "@twentysix/sdk/node";
import { eventually } from "../support/eventually.ts";
import { giveTokens } from "../support/funds.ts";
import { startTestNode, type TestNode } from "../support/test-node.ts";

const account = createEvmAccount({ privateKey: createHash("sha256").update("who writes to peers").digest() });
const clientOf = ({ apiUrl }: TestNode) => createClient({ apiUrl, createSha256: createNodeSha256 });

/** A node that listens for others, and calls those that are there. */
async function peer(...others: readonly TestNode[]): Promise<TestNode & AsyncDisposable> {
  const peers = others.map(({ core }) => core.peerAddresses()[0] ?? "");
  const node = await startTestNode({ p2pPort: 0, peers });
  return Object.assign(node, { [Symbol.asyncDispose]: () => node.remove() });
}

const processedAt = (node: TestNode, itemHash: string): Promise<void> =>
  eventually(async () => (await clientOf(node).getStatus({ itemHash }))?.status === "processed");

const connectedAt = (node: TestNode, count: number): Promise<void> =>
  eventually(async () => {
    const metrics = await (await fetch(`${node.apiUrl}/metrics`)).text();
    return Number(/^twentysix_connected_peers (\d+)$/m.exec(metrics)?.[1]) >= count;
  });

describe("nodes that are connected", { timeout: 120_000 }, () => {
  test("have each other's messages and files, whichever took them, and along a chain", async () => {
    await using first = await peer();
    await using second = await peer(first);
    await using third = await peer(second);
    await connectedAt(second, 2);
    const post = await clientOf(third).createPost({
      account,
      type: "peers",
      content: { body: "100%25 of what %20 was said" },
      sync: true,
    });
    for (const node of [first, second, third]) await processedAt(node, post.itemHash);

    await giveTokens(first, { [account.address]: 1_000 });
    const bytes = randomBytes(3_000_000);
    const stored = await clientOf(first).storeFile({ account, file: new Blob([bytes]), sync: true });
    for (const node of [second, third]) {
      await processedAt(node, stored.itemHash);
      const { fileHash } = stored;
      const raw = await fetch(`${node.apiUrl}/api/v0/storage/raw/${fileHash}`);
      assert.equal(raw.status, 200);
      assert.ok(Buffer.from(await raw.arrayBuffer()).equals(bytes));
    }
  });

  test("tell how many peers took a message, and where they are to be found", async () => {
    await using first = await peer();
    await using second = await peer(first);
    await connectedAt(first, 1);
    await eventually(async () => {
      const made = await clientOf(first).createPost({
        account,
        type: "count",
        content: { at: Math.random() },
      });
      await processedAt(first, made.itemHash);
      const metrics = await (await fetch(`${first.apiUrl}/metrics`)).text();
      return /^twentysix_publication_recipients_total [1-9]/m.test(metrics);
    });
    const info = (await (await fetch(`${second.apiUrl}/api/v0/info/public.json`)).json()) as {
      readonly node_multi_addresses: readonly string[];
    };
    assert.match(info.node_multi_addresses[0] ?? "", /^\/ip4\/127\.0\.0\.1\/tcp\/\d+\/p2p\/12D3Koo/);
  });
});
