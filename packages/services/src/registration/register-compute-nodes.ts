import type { LocalAccount, NetworkDefinition } from "@twentysix/protocol";
import { createClient } from "@twentysix/sdk";
import { operation } from "./operation.ts";

/** A compute node that shall be in the registry, linked to the core node of its owner. */
export interface OwnedComputeNode {
  readonly name: string;
  /** Base URL of its API. */
  readonly address: string;
  readonly owner: LocalAccount;
}

export interface ComputeRegistrationOptions {
  readonly apiUrl: string;
  readonly definition: Pick<NetworkDefinition, "authorities">;
  readonly signal: AbortSignal;
}

interface RegisteredComputeNode {
  readonly hash: string;
  readonly owner: string;
  readonly name: string;
  readonly address: string;
  readonly parent: string | null;
}

/**
 * Registers the compute nodes that the registry does not have, and links them. The authority writes the registry some
 * seconds later.
 *
 * @returns the hash of each, in their order
 */
export async function registerComputeNodes(
  nodes: readonly OwnedComputeNode[],
  { apiUrl, definition, signal }: ComputeRegistrationOptions,
): Promise<readonly string[]> {
  const client = createClient({ apiUrl });
  const { address, key, operationTag, operationPostType: type } = definition.authorities.registry;
  const known = registeredNodes(await client.fetchAggregate({ address, key, signal }));
  const hashes: string[] = [];
  for (const { name, address: url, owner } of nodes) {
    const own = known.find((node) => node.owner === owner.address && node.name === name);
    const post = { account: owner, sync: true, signal };
    const content = operation("create-resource-node", operationTag, { name, address: url, type: "compute" });
    const hash = own?.hash ?? (await client.createPost({ ...post, type, content })).itemHash;
    if (own !== undefined && own.address !== url) {
      await client.amendPost({ ...post, content, originalHash: hash });
    }
    if ((own?.parent ?? null) === null) {
      await client.createPost({ ...post, type, content: operation("link", operationTag, {}), ref: hash });
    }
    hashes.push(hash);
  }
  return hashes;
}

function registeredNodes(content: unknown): readonly RegisteredComputeNode[] {
  const nodes = (content as { readonly resource_nodes?: readonly RegisteredComputeNode[] } | null)
    ?.resource_nodes;
  return nodes ?? [];
}
