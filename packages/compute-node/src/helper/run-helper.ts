import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Clock, Logger, Timers } from "@twentysix/platform";
import { connectUnix, isNobodyThere } from "../hypervisor/qmp/connect-unix.ts";
import { createCgroupPart, lookAtCgroups } from "./cgroups.ts";
import { HelperClient } from "./helper-client.ts";
import { helperSocketOf } from "./helper-folders.ts";
import { type HelperSettings, hostNetworkSettings } from "./helper-settings.ts";
import type { HostPart } from "./host-parts.ts";
import { type Inventory, takeInventory } from "./inventory.ts";
import { machineUsers } from "./machine-user.ts";
import { createNetworkPart, lookAtNetworks } from "./network-part.ts";
import type { HostNetworkSettings } from "./network-settings.ts";
import { type RunningHelper, startHelper } from "./start-helper.ts";

export interface HelperSurroundings {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
}

const QEMU = "qemu-system-x86_64";

/**
 * The host helper with all its parts, until it is disposed of; machines outlive it.
 *
 * @throws HypervisorError HELPER_REFUSED, NetworkingError NETWORK_SETTING_INVALID
 */
export async function runHelper(
  settings: HelperSettings,
  surroundings: HelperSurroundings,
  signal: AbortSignal,
): Promise<RunningHelper> {
  const { dir } = settings;
  mkdirSync(dir, { recursive: true, mode: 0o711 });
  const imagesDir = settings.imagesDir ?? join(dir, "images");
  return await startHelper({
    dir,
    readOnlyDirs: [imagesDir],
    qemuProgram: QEMU,
    vsockProgram: settings.vsockProgram,
    exitWhenIdleMs: settings.exitWhenIdleMs,
    images: { kernelPath: join(imagesDir, "kernel"), initrdPath: join(imagesDir, "initrd") },
    userInternet: { allowedNetworks: settings.allowedNetworks, allowsMail: settings.allowsMail },
    parts: (closing, users) =>
      hostParts(hostNetworkSettings(settings, users), surroundings, AbortSignal.any([signal, closing])),
    ...surroundings,
  });
}

/** What is on the host of the machines of a folder. The helper is asked where one runs, otherwise it is looked for here. */
export async function inspectHost(
  settings: HelperSettings,
  { timers, log }: HelperSurroundings,
  signal: AbortSignal,
): Promise<Inventory> {
  const { dir } = settings;
  if (!existsSync(dir)) return { entries: [], orphans: [] };
  if (await isAnswering(helperSocketOf(dir))) {
    const ignore = (): void => undefined;
    using client = new HelperClient({ dir, command: null, timers, log, onExit: ignore, onConnected: ignore });
    return await client.call<Inventory>("inventory", {}, signal);
  }
  // Who owns a tap is not looked at.
  const network = hostNetworkSettings(settings, machineUsers(0));
  const lookers = [
    { inventory: () => lookAtCgroups(cgroupSettings(network, timers)) },
    { inventory: () => lookAtNetworks(network, signal) },
  ];
  return await takeInventory(dir, lookers, signal);
}

/** Whether a helper listens there. */
export async function isAnswering(path: string): Promise<boolean> {
  try {
    (await connectUnix(path)).destroy();
    return true;
  } catch (error) {
    if (isNobodyThere(error)) return false;
    throw error;
  }
}

async function hostParts(
  network: HostNetworkSettings,
  { timers, log }: HelperSurroundings,
  signal: AbortSignal,
): Promise<readonly HostPart[]> {
  // Limits first: what a machine may take is known before it has a network.
  return [
    await createCgroupPart(cgroupSettings(network, timers)),
    await createNetworkPart(network, { timers, log }, signal),
  ];
}

const cgroupSettings = ({ networkId, tablePrefix }: HostNetworkSettings, timers: Timers) => ({
  networkId,
  prefix: tablePrefix,
  timers,
});
