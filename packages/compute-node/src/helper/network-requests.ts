import { NetworkingError } from "../networking/errors.ts";
import { contains, overlaps } from "../networking/ip-network.ts";
import { ipv4NetworkOf, networksOf, vmAddresses } from "../networking/vm-addresses.ts";
import { tapNameOf } from "../networking/vm-names.ts";
import type { MappedPort, VmAddresses } from "../networking/vm-network.ts";
import { MAX_VM_NUMBER } from "./machine-user.ts";
import type { HostNetwork, HostNetworkSettings } from "./network-settings.ts";

/** Entries of one machine; more were never asked for by an honest node. */
const MAX_PORTS = 256;

/**
 * A network as the node describes it, checked: what it says of addresses must be what its number gives, and within the
 * pools of this host.
 *
 * @throws NetworkingError NETWORK_REQUEST_INVALID, NETWORK_POOL_EXHAUSTED
 */
export function checkNetwork(value: unknown, settings: HostNetworkSettings): HostNetwork {
  const request = record(value, "a network");
  const vmNumber = checkVmNumber(request);
  const macAddress = text(request, "macAddress", /^02(:[0-9a-f]{2}){5}$/);
  return {
    vmHash: text(request, "vmHash", /^[A-Za-z0-9]{1,128}$/),
    vmNumber,
    tapName: tapNameOf(settings.networkId, vmNumber),
    macAddress,
    addresses: checkAddresses(request.addresses, vmNumber, settings),
    hasInternet: request.hasInternet === true,
    ports: checkPorts(request.ports),
  };
}

/** @throws NetworkingError NETWORK_REQUEST_INVALID */
export function checkVmNumber(value: unknown): number {
  const vmNumber = record(value, "a request").vmNumber;
  if (typeof vmNumber === "number" && isWithin(vmNumber, 0, MAX_VM_NUMBER)) return vmNumber;
  throw invalid(`vmNumber must be a whole number up to ${MAX_VM_NUMBER}`);
}

/** @throws NetworkingError NETWORK_REQUEST_INVALID */
export function checkPorts(value: unknown): readonly MappedPort[] {
  if (!Array.isArray(value) || value.length > MAX_PORTS) {
    throw invalid(`ports must be a list of at most ${MAX_PORTS}`);
  }
  return value.map((entry: unknown) => {
    const { guestPort, hostPort, tcp, udp } = record(entry, "a port");
    return {
      guestPort: checkPort("guestPort", guestPort),
      hostPort: checkPort("hostPort", hostPort),
      tcp: tcp === true,
      udp: udp === true,
    };
  });
}

/**
 * Refuses a network that would take what another one has.
 *
 * @throws NetworkingError NETWORK_ADDRESS_TAKEN
 */
export function checkAgainst(network: HostNetwork, others: Iterable<HostNetwork>): void {
  const own = networksOf(network.addresses);
  for (const other of others) {
    if (other.vmNumber === network.vmNumber) {
      if (other.vmHash === network.vmHash) continue;
      throw taken(
        `machine ${network.vmNumber} exists, and is ${other.vmHash}`,
        "remove its network first, or take another number",
      );
    }
    const theirs = networksOf(other.addresses);
    if (own !== null && theirs !== null && overlaps(own.ipv6, theirs.ipv6)) {
      throw taken(
        `${network.addresses.ipv6Network} is the network of ${other.vmHash}: the hashes begin alike`,
        "run one of the two machines on another node",
      );
    }
    const ports = new Set(other.ports.map(({ hostPort }) => hostPort));
    const port = network.ports.find(({ hostPort }) => ports.has(hostPort));
    if (port !== undefined) {
      throw taken(`port ${port.hostPort} of the host is forwarded to ${other.vmHash}`, "map another port");
    }
  }
}

function checkAddresses(value: unknown, vmNumber: number, { pools }: HostNetworkSettings): VmAddresses {
  const claimed = record(value, "addresses") as unknown as VmAddresses;
  const networks = typeof claimed.ipv6Network === "string" ? networksOf(claimed) : null;
  const ipv6 = networks?.ipv6;
  if (ipv6 === undefined || !contains(pools.ipv6, ipv6) || ipv6.prefixLength !== pools.ipv6PrefixLength) {
    throw invalid(
      `addresses.ipv6Network must be a /${pools.ipv6PrefixLength} of the pool, got ${claimed.ipv6Network}`,
    );
  }
  const addresses = vmAddresses(pools, vmNumber, ipv6);
  if (addresses.ipv4Network === claimed.ipv4Network) return addresses;
  const network = ipv4NetworkOf(pools, vmNumber);
  throw invalid(
    `addresses.ipv4Network of machine ${vmNumber} must be its /${network.prefixLength}, ${addresses.ipv4Network}`,
  );
}

function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw invalid(`${what} must be an object`);
}

function text(owner: Record<string, unknown>, key: string, pattern: RegExp): string {
  const value = owner[key];
  if (typeof value === "string" && pattern.test(value)) return value;
  throw invalid(`${key} must be a text like ${pattern.source}`);
}

function checkPort(name: string, value: unknown): number {
  if (typeof value === "number" && isWithin(value, 1, 65_535)) return value;
  throw invalid(`${name} must be a port`);
}

const isWithin = (value: number, low: number, high: number): boolean =>
  Number.isInteger(value) && value >= low && value <= high;

const invalid = (message: string): NetworkingError => new NetworkingError("NETWORK_REQUEST_INVALID", message);

const taken = (what: string, remedy: string): NetworkingError =>
  new NetworkingError("NETWORK_ADDRESS_TAKEN", `${what}: ${remedy}`);
