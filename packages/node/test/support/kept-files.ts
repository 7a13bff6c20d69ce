import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createClient, createEvmAccount } from "@twentysix/sdk";
import { createNodeSha256 } from "@twentysix/sdk/node";
import { eventually } from "./eventually.ts";
import type { TestNode } from "./test-node.ts";

/** What `GET /api/v1/files/{hash}/durability` answers. */
export interface Durability {
  readonly class: "everyone" | "copies" | "erasure";
  readonly copies_proven: number;
  readonly lost_if: readonly string[];
  readonly survives_losses: number;
  readonly erasure: {
    readonly shards_proven: number;
    readonly shard_size: number | null;
    readonly shards: readonly {
      readonly placed_on: string | null;
      readonly holders: readonly { readonly node: string; readonly proven_at: string | null }[];
    }[];
  } | null;
  readonly nodes: readonly {
    readonly node: string;
    readonly is_this_node: boolean;
    readonly is_placed: boolean;
    readonly domain: string | null;
    readonly faults: number;
    readonly proven_at: string | null;
  }[];
  readonly faults: readonly { readonly node: string; readonly kind: string; readonly evidence: unknown }[];
}

export interface StoredFile {
  readonly hash: string;
  readonly bytes: Buffer;
}

export const storer = createEvmAccount({
  privateKey: createHash("sha256").update("who stores copies").digest(),
});

export const clientOf = ({ apiUrl }: TestNode) => createClient({ apiUrl, createSha256: createNodeSha256 });

/** The whole file stands on the disk of a node. */
export const holdsWhole = ({ dataDir }: TestNode, hash: string): boolean =>
  existsSync(join(dataDir, "contents", "files", hash.slice(0, 2), hash));

export const holdersOf = (nodes: readonly TestNode[], hash: string): readonly TestNode[] =>
  nodes.filter((node) => holdsWhole(node, hash));

export const peerIdOf = (node: TestNode): string => node.core.peerAddresses()[0]?.split("/p2p/")[1] ?? "";

export async function durabilityAt({ apiUrl }: TestNode, hash: string): Promise<Durability> {
  return (await (await fetch(`${apiUrl}/api/v1/files/${hash}/durability`)).json()) as Durability;
}

/** A node gives the file to whoever asks. */
export async function served(node: TestNode, { hash, bytes }: StoredFile): Promise<void> {
  const url = `${node.apiUrl}/api/v0/storage/raw/${hash}`;
  const head = await fetch(url, { method: "HEAD" });
  assert.deepEqual([head.status, head.headers.get("content-length")], [200, String(bytes.length)]);
  const raw = await fetch(url);
  assert.equal(raw.status, 200);
  assert.ok(Buffer.from(await raw.arrayBuffer()).equals(bytes));
}

/** Stores files of random bytes; resolves when every node has taken all of them in. */
export async function storeFiles(
  nodes: readonly TestNode[],
  sizes: readonly number[],
): Promise<StoredFile[]> {
  const [first] = nodes;
  assert.ok(first !== undefined);
  const files: StoredFile[] = [];
  const messages: { readonly itemHash: string }[] = [];
  for (const size of sizes) {
    const bytes = randomBytes(size);
    const stored = await clientOf(first).storeFile({ account: storer, file: new Blob([bytes]), sync: true });
    files.push({ hash: stored.fileHash, bytes });
    messages.push(stored);
  }
  for (const message of messages)
    for (const node of nodes)
      await eventually(async () => (await clientOf(node).getStatus(message))?.status === "processed");
  return files;
}
