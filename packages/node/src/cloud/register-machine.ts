import type { Logger, Timers } from "@twentysix/platform";
import type { LocalAccount, NetworkDefinition } from "@twentysix/protocol";
import { developmentAccount, keepRegistered } from "@twentysix/services";

/** Who owns, and who backs, the nodes of a machine that is a whole network for development. */
const OWNER = "node-operator";
const STAKER = "carol";

/** The published account that owns the nodes of this machine; null: the network has none. */
export function publishedOwner(
  definition: Pick<NetworkDefinition, "developmentAccounts">,
): LocalAccount | null {
  return accountOf(definition, OWNER);
}

/** Brings both nodes of this machine into the registry of its network; null where nobody here has the keys for it. */
export function registerMachine(options: {
  readonly definition: NetworkDefinition;
  readonly apiUrl: string;
  readonly peerAddress: string;
  readonly computeUrl: string;
  readonly timers: Timers;
  readonly log: Logger;
}): AsyncDisposable | null {
  const owner = publishedOwner(options.definition);
  const staker = accountOf(options.definition, STAKER);
  if (owner === null || staker === null) return null;
  return keepRegistered({ ...options, owner, staker, onRegistered: () => undefined });
}

function accountOf(
  { developmentAccounts }: Pick<NetworkDefinition, "developmentAccounts">,
  role: string,
): LocalAccount | null {
  const account = developmentAccounts.find((each) => each.role === role);
  return account === undefined ? null : developmentAccount(account);
}
