import { vmNumberOfTap } from "../networking/vm-names.ts";
import type { NetworkDrops } from "../networking/vm-network.ts";
import { DROP_REASONS } from "./network-chains.ts";
import type { HostNetworkSettings } from "./network-settings.ts";
import { tableElements } from "./network-table.ts";

/** What machines tried and may not do, counted since their networks were made. */
export async function networkDrops(
  settings: HostNetworkSettings,
  missing: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<readonly NetworkDrops[]> {
  if (missing.tap !== undefined) return [];
  const reasons = new Set<string>(DROP_REASONS);
  const elements = (await tableElements(settings, signal)) ?? [];
  return elements.flatMap(({ set, value, packets, bytes }) => {
    const vmNumber = vmNumberOfTap(settings.networkId, value);
    return vmNumber === null || !reasons.has(set) ? [] : [{ vmNumber, reason: set, packets, bytes }];
  });
}
