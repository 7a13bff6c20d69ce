import { getServers } from "node:dns";
import { realpathSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import { checkAddressPools, DEFAULT_ADDRESS_POOLS } from "../networking/network-settings.ts";
import { networkIdOf } from "../networking/vm-names.ts";
import { recordsFolderOf } from "./helper-folders.ts";
import type { MachineUsers } from "./machine-user.ts";
import {
  DEFAULT_MAX_CONNECTIONS,
  DEFAULT_MAX_NEW_CONNECTIONS_PER_SECOND,
  DEFAULT_TABLE_PREFIX,
  type HostNetworkSettings,
} from "./network-settings.ts";
import { VSOCK_PROGRAM } from "./vsock-device.ts";

/** What the operator tells the helper where it is started; no request of the node changes it. */
export interface HelperSettings {
  /** Folder of the compute node; whoever owns it is the user that the helper obeys. */
  readonly dir: string;
  /** Folder of `kernel` and `initrd`; null: `images` in the folder of the node. */
  readonly imagesDir: string | null;
  readonly ipv4Pool: string;
  readonly ipv6Pool: string;
  readonly ipv6Policy: "static" | "dynamic";
  /** Leads to the outside; null: what the routes of the host say. */
  readonly networkInterface: string | null;
  /** Private networks that machines may reach. */
  readonly allowedNetworks: readonly string[];
  /** null: those of the host. */
  readonly nameServers: readonly string[] | null;
  readonly allowsMail: boolean;
  /** What one machine may exchange with others in each direction; null: as much as there is. */
  readonly maxMbitPerSecond: number | null;
  /** The vsock device of machines: the name of a program, or its path. */
  readonly vsockProgram: string;
  /** How long the helper stays when no machine runs and no node is connected; null: for ever. */
  readonly exitWhenIdleMs: number | null;
}

const BYTES_OF_MBIT = 125_000;

export function defaultHelperSettings(dir: string): HelperSettings {
  return {
    dir,
    imagesDir: null,
    ipv4Pool: DEFAULT_ADDRESS_POOLS.ipv4Pool,
    ipv6Pool: DEFAULT_ADDRESS_POOLS.ipv6Pool,
    ipv6Policy: DEFAULT_ADDRESS_POOLS.ipv6Policy,
    networkInterface: null,
    allowedNetworks: [],
    nameServers: null,
    allowsMail: false,
    maxMbitPerSecond: null,
    vsockProgram: VSOCK_PROGRAM,
    exitWhenIdleMs: null,
  };
}

/** The arguments of `twentysix` that start a helper with these settings. */
export function helperArguments(settings: HelperSettings): string[] {
  return [
    ...["compute", "helper", "--dir", settings.dir],
    ...(settings.imagesDir === null ? [] : ["--images", settings.imagesDir]),
    ...["--ipv4-pool", settings.ipv4Pool, "--ipv6-pool", settings.ipv6Pool],
    ...["--ipv6-policy", settings.ipv6Policy],
    ...(settings.networkInterface === null ? [] : ["--interface", settings.networkInterface]),
    ...settings.allowedNetworks.flatMap((network) => ["--allow-network", network]),
    ...(settings.nameServers ?? []).flatMap((server) => ["--name-server", server]),
    ...(settings.allowsMail ? ["--allow-mail"] : []),
    ...(settings.maxMbitPerSecond === null ? [] : ["--bandwidth", String(settings.maxMbitPerSecond)]),
    ...(settings.vsockProgram === VSOCK_PROGRAM ? [] : ["--vsock-device", settings.vsockProgram]),
    ...(settings.exitWhenIdleMs === null
      ? []
      : ["--exit-when-idle", String(Math.ceil(settings.exitWhenIdleMs / 1_000))]),
  ];
}

/** @throws NetworkingError NETWORK_SETTING_INVALID */
export function hostNetworkSettings(
  settings: HelperSettings,
  machineUsers: MachineUsers,
): HostNetworkSettings {
  const { ipv4Pool, ipv6Pool, ipv6Policy } = settings;
  return {
    // Two paths of one folder are one node.
    networkId: networkIdOf(realpathSync(settings.dir)),
    machineUsers,
    stateFile: join(recordsFolderOf(settings.dir), "networks.json"),
    pools: checkAddressPools({ ...DEFAULT_ADDRESS_POOLS, ipv4Pool, ipv6Pool, ipv6Policy }),
    outsideInterface: settings.networkInterface,
    tablePrefix: DEFAULT_TABLE_PREFIX,
    allowedNetworks: settings.allowedNetworks,
    nameServers: settings.nameServers ?? getServers().filter((server) => isIP(server) !== 0),
    allowsMail: settings.allowsMail,
    maxConnections: DEFAULT_MAX_CONNECTIONS,
    maxNewConnectionsPerSecond: DEFAULT_MAX_NEW_CONNECTIONS_PER_SECOND,
    maxBytesPerSecond: settings.maxMbitPerSecond === null ? null : settings.maxMbitPerSecond * BYTES_OF_MBIT,
  };
}
