import type { LocalAccount, NetworkDefinition } from "@twentysix/protocol";
import { createClient } from "@twentysix/sdk";
import { operation } from "./operation.ts";

/** A node and the account that it is registered by, which is its own: what one operator has counts as one. */
export interface OwnedNode {
  readonly name: string;
  /** Multiaddress with the name of the peer. */
  readonly peerAddress: string;
  readonly owner: LocalAccount;
}

export interface RegistrationOptions {
  /** Any node that has heard of what the owners have. */
  readonly apiUrl: string;
  readonly definition: Pick<NetworkDefinition, "authorities">;
  /** Backs each node, which makes it active. */
  readonly staker: LocalAccount;
  readonly signal: AbortSignal;
}

/**
 * Registers the nodes that the registry of the network does not have, backs them, and tells it of those that are
 * somewhere else now. The authority writes the registry some seconds later.
 */
export async function registerNodes(
  nodes: readonly OwnedNode[],
  { apiUrl, definition, staker, signal }: RegistrationOptions,
): Promise<void> {
  const client = createClient({ apiUrl });
  const { address, key, operationTag } = definition.authorities.registry;
  const known = registeredNodes(await client.fetchAggregate({ address, key, signal }));
  const postType = definition.authorities.registry.operationPostType;
  for (const { name, peerAddress, owner } of nodes) {
    const own = known.find((node) => node.owner === owner.address);
    const content = operation("create-node", operationTag, { name, multiaddress: peerAddress });
    const post = { account: owner, content, sync: true, signal };
    let hash = own?.hash;
    if (hash === undefined) hash = (await client.createPost({ ...post, type: postType })).itemHash;
    else if (own?.multiaddress !== peerAddress) await client.amendPost({ ...post, originalHash: hash });
    if (own?.stakers[staker.address] === undefined) {
      const stake = operation("stake-split", operationTag, {});
      await client.createPost({ ...post, account: staker, type: postType, content: stake, ref: hash });
    }
  }
}

interface RegisteredNode {
  readonly hash: string;
  readonly owner: string;
  readonly multiaddress: string;
  /** Tokens by address. */
  readonly stakers: Readonly<Record<string, number>>;
}

function registeredNodes(content: unknown): readonly RegisteredNode[] {
  const nodes = (content as { readonly nodes?: readonly RegisteredNode[] } | null)?.nodes;
  return nodes ?? [];
}
