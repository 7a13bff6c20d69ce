import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { loadIdentity } from "@twentysix/node/identity";
import type { LocalAccount, NetworkDefinition } from "@twentysix/protocol";
import { defaultAuthoritySettings } from "@twentysix/services";

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
