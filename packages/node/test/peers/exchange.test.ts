import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, rmSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
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
    // The second is got in pieces.
    for (const bytes of [randomBytes(3_000_000), randomBytes(20_000_000)]) {
      const stored = await clientOf(first).storeFile({ account, file: new Blob([bytes]), sync: true });
      for (const node of [second, third]) {
        await processedAt(node, stored.itemHash);
        const { fileHash } = stored;
        const raw = await fetch(`${node.apiUrl}/api/v0/storage/raw/${fileHash}`);
        assert.equal(raw.status, 200);
        assert.ok(Buffer.from(await raw.arrayBuffer()).equals(bytes));
      }
    }
    // The file is served first, then its pieces go.
    await eventually(async () => (await readdir(join(second.dataDir, "pieces"))).length === 0);
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

describe("bytes that a node has lost", { timeout: 120_000 }, () => {
  test("come back from others: when they are asked for, and by themselves once the loss is found", async () => {
    await using first = await peer();
    await using second = await peer(first);
    await connectedAt(second, 1);
    await giveTokens(first, { [account.address]: 1_000 });
    const contents = [randomBytes(400_000), randomBytes(500_000), randomBytes(600_000)];
    const stored = [];
    for (const bytes of contents)
      stored.push(await clientOf(first).storeFile({ account, file: new Blob([bytes]), sync: true }));
    for (const { itemHash } of stored) await processedAt(second, itemHash);
    const [asked, missing, corrupt] = stored.map(({ fileHash }) => fileHash);
    assert.ok(asked !== undefined && missing !== undefined && corrupt !== undefined);
    const pathOf = (hash: string): string =>
      join(second.dataDir, "contents", "files", hash.slice(0, 2), hash);
    const isWhole = async (hash: string, bytes: Uint8Array | undefined): Promise<boolean> =>
      existsSync(pathOf(hash)) && (await readFile(pathOf(hash))).equals(bytes ?? new Uint8Array());

    rmSync(pathOf(asked));
    const raw = await fetch(`${second.apiUrl}/api/v0/storage/raw/${asked}`);
    assert.equal(raw.status, 200);
    assert.ok(Buffer.from(await raw.arrayBuffer()).equals(contents[0] ?? Buffer.alloc(0)));
    assert.ok(await isWhole(asked, contents[0]));

    rmSync(pathOf(missing));
    await writeFile(pathOf(corrupt), randomBytes(600_000));
    await second.core.pipeline.noteFiles({ kind: "damaged", names: [missing], damage: "missing" });
    await second.core.pipeline.noteFiles({ kind: "damaged", names: [corrupt], damage: "corrupt" });
    await eventually(() => isWhole(missing, contents[1]));
    await eventually(() => isWhole(corrupt, contents[2]));
    await eventually(async () =>
      /^twentysix_damaged_files 0$/m.test(await (await fetch(`${second.apiUrl}/metrics`)).text()),
    );
  });
});
