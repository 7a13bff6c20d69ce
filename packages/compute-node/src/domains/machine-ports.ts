import type { Execution } from "../executions/execution.ts";
import type { MappedPort, VmAddresses } from "../networking/vm-network.ts";

/** Where a port of a machine is reached from this host. */
export interface PortAddress {
  readonly host: string;
  readonly port: number;
}

export interface MachinePortsOptions {
  readonly get: (vmHash: string) => Pick<Execution, "state"> | null;
  readonly addressesOf: (vmHash: string) => VmAddresses | null;
  readonly portsOf: (vmHash: string) => readonly MappedPort[];
  /** Whether this host reaches the addresses of machines: not on networks of QEMU. */
  readonly areReachable: boolean;
  readonly forwardHost: string;
}

export type MachinePorts = (vmHash: string, guestPort: number) => PortAddress | string;

/** Finds the way to a port of a machine that runs; a text says why there is none. */
export function createMachinePorts(options: MachinePortsOptions): MachinePorts {
  const { get, addressesOf, portsOf, areReachable, forwardHost } = options;
  return (vmHash, guestPort) => {
    if (get(vmHash)?.state !== "running") return "the machine of this name does not run";
    if (areReachable) {
      const addresses = addressesOf(vmHash);
      return addresses === null
        ? "the machine has no network"
        : { host: addresses.guestIpv4, port: guestPort };
    }
    const mapped = portsOf(vmHash).find((port) => port.tcp && port.guestPort === guestPort);
    if (mapped === undefined)
      return `port ${guestPort} of the machine is not forwarded: its owner asks for that`;
    return { host: isAny(forwardHost) ? "127.0.0.1" : forwardHost, port: mapped.hostPort };
  };
}

const isAny = (host: string): boolean => host === "0.0.0.0" || host === "::";
