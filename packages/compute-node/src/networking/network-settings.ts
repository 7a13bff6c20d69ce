import { NetworkingError } from "./errors.ts";
import { type IpNetwork, parseIpNetwork } from "./ip-network.ts";

/** The address pools of a node, as its operator writes them. Source of names: aleph-vm `conf.py`. */
export interface AddressPoolSettings {
  /** `172.16.0.0/12` */
  readonly ipv4Pool: string;
  /** Of the network of each machine: 24. */
  readonly ipv4PrefixLength: number;
  /** `fc00:1:2:3::/64`; a public one makes machines reachable by IPv6. */
  readonly ipv6Pool: string;
  /** `static`: anyone can compute the address from pool, kind and hash. `dynamic`: one network after the other. */
  readonly ipv6Policy: "static" | "dynamic";
  /** Of the network of each machine: 124. */
  readonly ipv6PrefixLength: number;
}

export const DEFAULT_ADDRESS_POOLS: AddressPoolSettings = {
  ipv4Pool: "172.16.0.0/12",
  ipv4PrefixLength: 24,
  ipv6Pool: "fc00:1:2:3::/64",
  ipv6Policy: "static",
  ipv6PrefixLength: 124,
};

/** Pools that have been checked. */
export interface AddressPools {
  readonly ipv4: IpNetwork;
  readonly ipv4PrefixLength: number;
  readonly ipv6: IpNetwork;
  readonly ipv6Policy: "static" | "dynamic";
  readonly ipv6PrefixLength: number;
}

/** @throws NetworkingError NETWORK_SETTING_INVALID */
export function checkAddressPools(settings: AddressPoolSettings): AddressPools {
  const { ipv4PrefixLength, ipv6PrefixLength, ipv6Policy } = settings;
  const ipv4 = poolOf("IPv4", settings.ipv4Pool, 4);
  const ipv6 = poolOf("IPv6", settings.ipv6Pool, 6);
  // A machine needs its own address, the host's, and in IPv4 those of the network and of the broadcast.
  if (!isWithin(ipv4PrefixLength, ipv4.prefixLength, 30)) {
    throw invalid(`a machine's IPv4 prefix must be from ${ipv4.prefixLength} to 30, got ${ipv4PrefixLength}`);
  }
  if (ipv6Policy === "static") {
    // The formula fills the four groups behind the first four, and leaves the last four bits to the machine.
    if (ipv6.prefixLength !== 64 && ipv6.prefixLength !== 56) {
      throw invalid(`the IPv6 pool of the static policy must be a /64 or a /56, got ${settings.ipv6Pool}`);
    }
    if (!isWithin(ipv6PrefixLength, 124, 127)) {
      throw invalid(
        `a machine's IPv6 prefix must be from 124 to 127 with the static policy, got ${ipv6PrefixLength}`,
      );
    }
  } else if (!isWithin(ipv6PrefixLength, ipv6.prefixLength + 1, 127)) {
    throw invalid(
      `a machine's IPv6 prefix must be from ${ipv6.prefixLength + 1} to 127, got ${ipv6PrefixLength}`,
    );
  }
  return { ipv4, ipv4PrefixLength, ipv6, ipv6Policy, ipv6PrefixLength };
}

function poolOf(name: string, text: string, family: 4 | 6): IpNetwork {
  const pool = parseIpNetwork(text);
  if (pool?.family === family) return pool;
  throw invalid(
    `${text} is no ${name} network: write its first address, a slash and the length of its prefix`,
  );
}

const isWithin = (value: number, low: number, high: number): boolean =>
  Number.isInteger(value) && value >= low && value <= high;

const invalid = (message: string): NetworkingError => new NetworkingError("NETWORK_SETTING_INVALID", message);
