import type { NetworkDefinition } from "@twentysix/protocol";
import type { NodeConfig, Role } from "./config/index.ts";

/**
 * The roles of a process: those of its operator; else that of a node, and of an authority where everybody has the keys
 * of the authorities and nobody would be asked for them.
 */
export function rolesOf(
  config: Pick<NodeConfig, "roles">,
  definition: Pick<NetworkDefinition, "authorities" | "developmentAccounts">,
): readonly Role[] {
  if (config.roles !== null) return config.roles;
  const published = new Set(definition.developmentAccounts.map(({ address }) => address));
  const { prices, balances, credits } = definition.authorities;
  const isPublished = (addresses: readonly string[]): boolean =>
    addresses.some((address) => published.has(address));
  const areAllPublished = [[prices.address], balances.addresses, credits.addresses].every(isPublished);
  return areAllPublished ? ["ccn", "authority"] : ["ccn"];
}
