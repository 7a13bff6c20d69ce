import { overlaps } from "../networking/ip-network.ts";
import { networksOf } from "../networking/vm-addresses.ts";
import { TAP_PREFIX } from "../networking/vm-names.ts";
import { runTool } from "../processes/run-tool.ts";
import { type AttachedNetwork, attachedNetworks, outsideIpv6Device } from "./network-host.ts";
import type { HostNetwork, HostNetworkSettings } from "./network-settings.ts";
import { enableNeighbourProxy, hasIpv6 } from "./network-sysctls.ts";

/**
 * Where the pool is the network of the outer device itself, its neighbours ask there for the address of a guest, and the
 * host answers; where the pool is routed to this host nothing is needed.
 */
export async function answerForGuest(
  network: HostNetwork,
  attached: readonly AttachedNetwork[],
  { outsideInterface }: HostNetworkSettings,
  signal: AbortSignal,
): Promise<void> {
  if (!hasIpv6()) return;
  const outside = outsideInterface ?? (await outsideIpv6Device());
  const device = devicesAround(network, attached).find((name) => name === outside);
  if (device === undefined) return;
  await enableNeighbourProxy(device);
  const address = network.addresses.guestIpv6;
  await runTool("ip", ["-6", "neighbour", "replace", "proxy", address, "dev", device], { signal });
}

/** The host answers for these guests no more. */
export async function stopAnswering(networks: readonly HostNetwork[], signal: AbortSignal): Promise<void> {
  const attached = await attachedNetworks();
  const concerned = networks.filter((network) => devicesAround(network, attached).length > 0);
  if (concerned.length === 0) return;
  const addresses = new Set(concerned.map(({ addresses: { guestIpv6 } }) => guestIpv6));
  const output = await runTool("ip", ["-json", "-6", "neighbour", "show", "proxy"], { signal });
  for (const { dst, dev } of jsonList<{ dst: string; dev: string }>(output)) {
    if (dst === undefined || dev === undefined || !addresses.has(dst)) continue;
    await runTool("ip", ["-6", "neighbour", "delete", "proxy", dst, "dev", dev], { signal });
  }
}

/** Devices that are no taps, and on whose own network the guest has its address. */
function devicesAround(network: HostNetwork, attached: readonly AttachedNetwork[]): string[] {
  const ipv6 = networksOf(network.addresses)?.ipv6;
  if (ipv6 === undefined) return [];
  return attached
    .filter((other) => !other.device.startsWith(TAP_PREFIX) && overlaps(other.network, ipv6))
    .map(({ device }) => device);
}

/** `ip` writes nothing at all where it has nothing to list. */
export const jsonList = <Entry>(output: string): readonly Partial<Entry>[] =>
  output.trim() === "" ? [] : (JSON.parse(output) as readonly Partial<Entry>[]);
