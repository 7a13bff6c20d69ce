import type { LocalAccount, NetworkDefinition } from "@twentysix/protocol";
import { developmentAccount } from "./development-account.ts";
import { AuthorityKeysError } from "./errors.ts";

/** Who signs what an authority publishes; null: somebody else does. */
export interface AuthorityAccounts {
  readonly prices: LocalAccount | null;
  readonly balances: LocalAccount | null;
  readonly credits: LocalAccount | null;
  readonly registry: LocalAccount | null;
}

/** The account of one of these addresses whose key is here; null: none is. A key file comes before published keys. */
export function accountAmong(
  addresses: readonly string[],
  definition: Pick<NetworkDefinition, "developmentAccounts">,
  keyFileAccounts: readonly LocalAccount[],
): LocalAccount | null {
  const own = keyFileAccounts.find(({ address }) => addresses.includes(address));
  if (own !== undefined) return own;
  const published = definition.developmentAccounts.find(({ address }) => addresses.includes(address));
  return published === undefined ? null : developmentAccount(published);
}

/**
 * The accounts of a network's authorities whose keys are here: among those of a key file, else among the published
 * ones of its development accounts.
 *
 * @throws AuthorityKeysError AUTHORITY_KEYS_MISSING when there is none at all
 */
export function authorityAccounts(
  definition: Pick<NetworkDefinition, "name" | "authorities" | "developmentAccounts">,
  keyFileAccounts: readonly LocalAccount[],
): AuthorityAccounts {
  const { prices, balances, credits, registry } = definition.authorities;
  const find = (addresses: readonly string[]): LocalAccount | null =>
    accountAmong(addresses, definition, keyFileAccounts);
  const found = {
    prices: find([prices.address]),
    balances: find(balances.addresses),
    credits: find(credits.addresses),
    registry: find([registry.address]),
  };
  if (Object.values(found).some((account) => account !== null)) return found;
  const wanted = [prices.address, ...balances.addresses, ...credits.addresses, registry.address];
  throw new AuthorityKeysError(
    "AUTHORITY_KEYS_MISSING",
    `no key of an authority of the network ${definition.name} is here: give a file with one of ${[...new Set(wanted)].join(", ")}, or take the role authority away`,
  );
}
