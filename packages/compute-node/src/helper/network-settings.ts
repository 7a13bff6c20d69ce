import type { AddressPools } from "../networking/network-settings.ts";
import type { MappedPort, VmAddresses } from "../networking/vm-network.ts";
import type { MachineUsers } from "./machine-user.ts";

/** What the operator decides about the networks of machines; the helper reads it, no request can change it. */
export interface HostNetworkSettings {
  /** Names taps and tables: `networkIdOf(dataDir)`. */
  readonly networkId: string;
  /** Owners of taps. */
  readonly machineUsers: MachineUsers;
  /** Where the helper writes down which networks shall be. */
  readonly stateFile: string;
  readonly pools: AddressPools;
  /** Leads to the outside; null: whatever device the routes of the host say. */
  readonly outsideInterface: string | null;
  /** First part of the names of tables: `aleph`. */
  readonly tablePrefix: string;
  /** Private networks (`10.1.0.0/16`) that machines may reach all the same. */
  readonly allowedNetworks: readonly string[];
  /** Addresses of name servers: reached on port 53 even where they are private. */
  readonly nameServers: readonly string[];
  /** Whether machines may send mail to other servers (TCP port 25). */
  readonly allowsMail: boolean;
  /** Connections of one machine at a time in each direction, and new ones a second. */
  readonly maxConnections: number;
  readonly maxNewConnectionsPerSecond: number;
  /** What one machine may exchange with others in each direction, on average; null: as much as there is. */
  readonly maxBytesPerSecond: number | null;
}

export const DEFAULT_TABLE_PREFIX = "aleph";
/** A machine that crawls the web has some hundreds; the table of a host of 4 GB holds 65,536 of all machines. */
export const DEFAULT_MAX_CONNECTIONS = 4_096;
export const DEFAULT_MAX_NEW_CONNECTIONS_PER_SECOND = 500;

/** The network of a machine that shall be: written down, and made into a device and rules. */
export interface HostNetwork {
  readonly vmHash: string;
  readonly vmNumber: number;
  readonly tapName: string;
  readonly macAddress: string;
  readonly addresses: VmAddresses;
  readonly hasInternet: boolean;
  readonly ports: readonly MappedPort[];
}
