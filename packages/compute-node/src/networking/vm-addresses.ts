import { createHash } from "node:crypto";
import { NetworkingError } from "./errors.ts";
import { addressAt, formatIpNetwork, type IpNetwork, parseIpNetwork, subnetAt } from "./ip-network.ts";
import type { AddressPools } from "./network-settings.ts";
import type { VmAddresses, VmKind } from "./vm-network.ts";

/** The group that says what a machine is. Source: aleph-vm `network/ipaddresses.py`; 4 is reserved there. */
const KIND_GROUPS: Readonly<Record<VmKind, bigint>> = {
  microvm: 1n,
  persistent_program: 2n,
  instance: 3n,
};

/** Both networks of a machine: the host has the first usable address of each, the guest the next. */
export function vmAddresses(pools: AddressPools, vmNumber: number, ipv6: IpNetwork): VmAddresses {
  const ipv4 = ipv4NetworkOf(pools, vmNumber);
  return {
    ipv4Network: formatIpNetwork(ipv4),
    hostIpv4: addressAt(ipv4, 1n),
    guestIpv4: addressAt(ipv4, 2n),
    ipv6Network: formatIpNetwork(ipv6),
    hostIpv6: addressAt(ipv6, 0n),
    guestIpv6: addressAt(ipv6, 1n),
  };
}

/**
 * The n-th network of the pool.
 *
 * @throws NetworkingError NETWORK_POOL_EXHAUSTED
 */
export function ipv4NetworkOf(pools: AddressPools, vmNumber: number): IpNetwork {
  const network = Number.isInteger(vmNumber)
    ? subnetAt(pools.ipv4, pools.ipv4PrefixLength, BigInt(vmNumber))
    : null;
  if (network !== null) return network;
  const count = 2 ** (pools.ipv4PrefixLength - pools.ipv4.prefixLength);
  throw new NetworkingError(
    "NETWORK_POOL_EXHAUSTED",
    `machine ${vmNumber} has no network: ${formatIpNetwork(pools.ipv4)} holds ${count} of them; ` +
      "remove machines, or give the node a larger IPv4 pool",
  );
}

/**
 * The network that anyone can compute: the first four groups of the pool, the kind, and 44 bits of the hash. The first
 * address of a network may be used: it is the host's. Source: aleph-vm `network/ipaddresses.py`.
 */
export function staticIpv6NetworkOf(pools: AddressPools, vmHash: string, kind: VmKind): IpNetwork {
  const hashBits = BigInt(`0x${hexOf(vmHash).slice(0, 11)}`) << 4n;
  const base = pools.ipv6.base | (KIND_GROUPS[kind] << 48n) | hashBits;
  return { family: 6, base, prefixLength: pools.ipv6PrefixLength };
}

/** Hashes that are no hexadecimal text (of messages stored elsewhere) have no formula: theirs is of their SHA-256. */
const hexOf = (vmHash: string): string =>
  /^[0-9a-f]{64}$/.test(vmHash) ? vmHash : createHash("sha256").update(vmHash).digest("hex");

/** Addresses that were written down: of networks, the text form; null where one is none. */
export function networksOf(
  addresses: VmAddresses,
): { readonly ipv4: IpNetwork; readonly ipv6: IpNetwork } | null {
  const ipv4 = parseIpNetwork(addresses.ipv4Network);
  const ipv6 = parseIpNetwork(addresses.ipv6Network);
  return ipv4?.family === 4 && ipv6?.family === 6 ? { ipv4, ipv6 } : null;
}
