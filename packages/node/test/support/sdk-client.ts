import { createHash } from "node:crypto";
import { type Client, createClient, createEvmAccount, createSolanaAccount } from "@twentysix/sdk";
import { createNodeSha256 } from "@twentysix/sdk/node";

/** A key for tests, derived from a label. */
export function privateKey(label: string): Uint8Array {
  return createHash("sha256").update(`sdk on a node ${label}`).digest();
}

export const evmAccount = (label: string) => createEvmAccount({ privateKey: privateKey(label) });
export const solanaAccount = (label: string) => createSolanaAccount({ privateKey: privateKey(label) });

export function sdkClient(node: { readonly apiUrl: string }): Client {
  return createClient({ apiUrl: node.apiUrl, createSha256: createNodeSha256 });
}

/** Everything of a list that ends. */
export async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const taken: Item[] = [];
  for await (const item of items) taken.push(item);
  return taken;
}
