import { chmod, stat } from "node:fs/promises";
import { NetworkingError } from "../networking/errors.ts";
import { formatIpNetwork, overlaps } from "../networking/ip-network.ts";
import { networksOf } from "../networking/vm-addresses.ts";
import { TAP_PREFIX } from "../networking/vm-names.ts";
import { runTool } from "../processes/run-tool.ts";
import type { MachineUsers } from "./machine-user.ts";
import type { AttachedNetwork } from "./network-host.ts";
import type { HostNetwork } from "./network-settings.ts";
import { hardenDevice, hasIpv6 } from "./network-sysctls.ts";

export const TUN_DEVICE = "/dev/net/tun";

/**
 * Makes the tap of a machine: the user of its process may open it and nobody else, the host has an address on it, and
 * what the guest says on it teaches the host nothing.
 */
export async function makeTap(network: HostNetwork, users: MachineUsers, signal: AbortSignal): Promise<void> {
  const { tapName, addresses, vmNumber, vmHash } = network;
  await openTunDevice();
  const ofNetwork = (text: string): string => text.slice(text.indexOf("/"));
  const lines = [
    `tuntap add dev ${tapName} mode tap user ${users.of(vmNumber)}`,
    `link set dev ${tapName} alias ${vmHash}`,
    `address replace ${addresses.hostIpv4}${ofNetwork(addresses.ipv4Network)} dev ${tapName}`,
    ...(hasIpv6()
      ? [`address replace ${addresses.hostIpv6}${ofNetwork(addresses.ipv6Network)} dev ${tapName} nodad`]
      : []),
  ];
  await runTool("ip", ["-batch", "-"], { input: `${lines.join("\n")}\n`, signal });
  await hardenDevice(tapName);
  await runTool("ip", ["link", "set", "dev", tapName, "up"], { signal });
}

/** Anybody may open the device that makes taps, as distributions have it: a tap opens only for its own user. */
export async function openTunDevice(): Promise<void> {
  const { mode } = await stat(TUN_DEVICE);
  if ((mode & 0o006) !== 0o006) await chmod(TUN_DEVICE, 0o666);
}

export async function removeTap(tapName: string, signal: AbortSignal): Promise<void> {
  await runTool("ip", ["link", "delete", "dev", tapName], { signal });
}

/**
 * Refuses a network whose addresses some device of this host has already: a second node, a bridge of containers.
 *
 * @throws NetworkingError NETWORK_ADDRESS_TAKEN
 */
export function assertNobodyHas(network: HostNetwork, attached: readonly AttachedNetwork[]): void {
  const own = networksOf(network.addresses);
  if (own === null) return;
  for (const { device, network: other } of attached) {
    if (device === network.tapName) continue;
    // The IPv6 pool usually is part of the network of the outer device; on another tap it is a conflict.
    const isTap = device.startsWith(TAP_PREFIX);
    if (!overlaps(other, own.ipv4) && !(isTap && overlaps(other, own.ipv6))) continue;
    throw new NetworkingError(
      "NETWORK_ADDRESS_TAKEN",
      `${device} of this host has ${formatIpNetwork(other)}, which machine ${network.vmNumber} would have too: ` +
        "give the node another address pool",
    );
  }
}
