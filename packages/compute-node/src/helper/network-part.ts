import type { Logger, Timers } from "@twentysix/platform";
import type { HostPart, InventoryEntry } from "./host-parts.ts";
import { networkDrops } from "./network-drops.ts";
import { networkInventory } from "./network-inventory.ts";
import { NetworkKeeper } from "./network-keeper.ts";
import { missingNetworkAbilities } from "./network-probe.ts";
import type { HostNetworkSettings } from "./network-settings.ts";

/** How often it is looked whether another program has taken the rules away. */
const GUARD_PERIOD_MS = 5_000;

/**
 * Networks of machines on this host: taps, addresses and rules. What an earlier helper left and nobody needs is removed
 * first; until `signal` aborts, rules that another program removes are restored. Verbs: `createNetwork`, `setPorts`, `removeNetwork`, `recreateNetworks`, `networkDrops`.
 */
export async function createNetworkPart(
  settings: HostNetworkSettings,
  { timers, log }: { readonly timers: Timers; readonly log: Logger },
  signal: AbortSignal,
): Promise<HostPart> {
  const found = await missingNetworkAbilities(settings, signal);
  const keeper = new NetworkKeeper(settings, found.tap ?? null);
  const problem = await keeper.open(signal);
  if (problem !== null && found.tap === undefined) log.error("machines get no taps", { problem });
  const missing = problem === null ? found : { ...found, tap: problem };
  // A firewall that is loaded anew often flushes all rules of the host, and machines would be free.
  void timers.every(
    GUARD_PERIOD_MS,
    async (guardSignal) => {
      if (await keeper.restoreRules(guardSignal)) {
        log.error("another program has removed the rules of machines: they were made anew");
      }
    },
    { signal, onError: (error) => log.error("the rules of machines could not be looked at", { error }) },
  );
  return {
    name: "network",
    missing,
    verbs: {
      createNetwork: (parameters, verbSignal) => keeper.create(parameters, verbSignal),
      setPorts: (parameters) => keeper.setPorts(parameters),
      removeNetwork: (parameters, verbSignal) => keeper.remove(parameters, verbSignal),
      recreateNetworks: (parameters, verbSignal) => keeper.recreate(parameters, verbSignal),
      networkDrops: (_, verbSignal) => networkDrops(settings, missing, verbSignal),
    },
    attach: async (machine) => keeper.checkMachine(machine),
    // With its process, so that nothing is left when no node runs that could ask for it.
    async detach(machine) {
      if (missing.tap === undefined) await keeper.removeOf(machine);
    },
    inventory: (inventorySignal) => networkInventory(settings, missing, inventorySignal),
  };
}

/** Looks at what there is without changing it: for a host whose helper does not run. */
export async function lookAtNetworks(
  settings: HostNetworkSettings,
  signal: AbortSignal,
): Promise<readonly InventoryEntry[]> {
  return networkInventory(settings, await missingNetworkAbilities(settings, signal), signal);
}
