import type { NetworkSpec } from "../hypervisor/vm-spec.ts";

/** Which kind of machine it is: part of its IPv6 address. Source: aleph-vm `network/ipaddresses.py`. */
export type VmKind = "microvm" | "persistent_program" | "instance";

/** The addresses of a machine, which follow from its number, its hash and the pools of the node. */
export interface VmAddresses {
  /** `172.16.3.0/24` */
  readonly ipv4Network: string;
  readonly hostIpv4: string;
  readonly guestIpv4: string;
  /** `fc00:1:2:3:3:deca:deca:dec0/124` */
  readonly ipv6Network: string;
  readonly hostIpv6: string;
  readonly guestIpv6: string;
}

/** A port of the guest that is reached through one of the host. */
export interface MappedPort {
  readonly guestPort: number;
  readonly hostPort: number;
  readonly tcp: boolean;
  readonly udp: boolean;
}

/** A port of the guest that its owner wants to be reached. */
export type WantedPort = Pick<MappedPort, "guestPort" | "tcp" | "udp">;

/** The network of one machine while it exists. */
export interface VmNetwork {
  readonly addresses: VmAddresses;
  /** What its machine is started with. */
  readonly spec: NetworkSpec;
  /** Whether others reach its addresses: not on a user network. */
  readonly isReachable: boolean;
}

export interface VmNetworkRequest {
  readonly vmHash: string;
  readonly vmNumber: number;
  readonly kind: VmKind;
  readonly hasInternet: boolean;
  readonly mappedPorts: readonly MappedPort[];
}

/** Packets of a machine that were dropped for one reason since its network was made. */
export interface NetworkDrops {
  readonly vmNumber: number;
  /** `spoofed`, `to_host`, `to_machines`, `to_private`, `mail`, `flood`, `offline`, `bandwidth`. */
  readonly reason: string;
  readonly packets: number;
  readonly bytes: number;
}

/** Makes and removes networks of machines: with tap devices and nftables where it may, with QEMU's own elsewhere. */
export interface VmNetworks {
  readonly mode: "tap" | "user";
  addressesOf(request: Pick<VmNetworkRequest, "vmHash" | "vmNumber" | "kind">): VmAddresses;
  /** Idempotent: what exists already stays. @throws NetworkingError */
  create(request: VmNetworkRequest, signal: AbortSignal): Promise<VmNetwork>;
  /** In tap mode by rules; in user mode the caller passes the forwards to the running machine. */
  setPorts(request: VmNetworkRequest, signal: AbortSignal): Promise<void>;
  remove(vmNumber: number, signal: AbortSignal): Promise<void>;
  /** Builds all rules anew from those that shall be; networks of other machines are removed. Resolves to hashes. */
  recreate(requests: readonly VmNetworkRequest[], signal: AbortSignal): Promise<readonly string[]>;
  /** What machines tried and may not do; nothing in user mode, where nobody counts. */
  drops(signal: AbortSignal): Promise<readonly NetworkDrops[]>;
}

/** Which ports of the host stand for which of the guests; kept in the node's database. */
export interface PortMappings {
  of(vmHash: string): readonly MappedPort[];
  /**
   * What the owner wants, with port 22 always: keeps the host ports that exist, takes free ones for new guest ports.
   *
   * With `replacesTaken`, which is for a machine that does not run, a host port that somebody else has bound meanwhile
   * is replaced too.
   *
   * @throws NetworkingError when no port is free
   */
  assign(
    vmHash: string,
    wanted: readonly WantedPort[],
    options?: { readonly replacesTaken?: boolean },
  ): Promise<readonly MappedPort[]>;
  release(vmHash: string): void;
}
