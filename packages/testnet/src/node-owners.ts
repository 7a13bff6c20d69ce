import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { loadIdentity } from "@twentysix/node/identity";
import type { LocalAccount, NetworkDefinition } from "@twentysix/protocol";
import { createClient } from "@twentysix/sdk";
import { defaultAuthoritySettings } from "@twentysix/services";

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

/** Enough to own a node, and for each of them to make it active. */
const OWNER_TOKENS = 200_000;
const STAKED_TOKENS = 500_000;

/** The account of a node, which is made here when the node has never run. */
export const ownerOf = (dataDir: string): LocalAccount => loadIdentity(dataDir);

/** Writes what the authority publishes: what it would by itself, and enough for owners and staker of so many nodes. */
export async function writeAuthoritySettings(
  dataDir: string,
  definition: Pick<NetworkDefinition, "developmentAccounts">,
  owners: readonly LocalAccount[],
  staker: LocalAccount,
): Promise<string> {
  const path = join(dataDir, "authority.json");
  const { balances } = defaultAuthoritySettings(definition.developmentAccounts);
  const ofOwners = Object.fromEntries(owners.map(({ address }) => [address, OWNER_TOKENS]));
  const staked = { [staker.address]: STAKED_TOKENS * owners.length };
  const all = { ...balances, ETH: { ...balances.ETH, ...ofOwners, ...staked } };
  await writeFile(path, `${JSON.stringify({ balances: all }, null, 2)}\n`);
  return path;
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

const operation = (action: string, tag: string, details: Readonly<Record<string, string>>) => ({
  tags: [action, tag],
  action,
  details,
});

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
