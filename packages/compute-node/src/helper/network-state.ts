import { readFile, rename, writeFile } from "node:fs/promises";
import { checkNetwork } from "./network-requests.ts";
import type { HostNetwork, HostNetworkSettings } from "./network-settings.ts";

/**
 * The networks that shall be, as the last helper wrote them down. An entry that the settings of today do not allow (the
 * operator has changed a pool) is left out, and so its device is removed.
 */
export async function readNetworkState(settings: HostNetworkSettings): Promise<readonly HostNetwork[]> {
  const entries = await readEntries(settings.stateFile);
  return entries.flatMap((entry) => checkedOrNull(entry, settings) ?? []);
}

export async function writeNetworkState(
  settings: HostNetworkSettings,
  networks: readonly HostNetwork[],
): Promise<void> {
  const temporary = `${settings.stateFile}.new`;
  await writeFile(temporary, `${JSON.stringify(networks)}\n`, { mode: 0o600 });
  await rename(temporary, settings.stateFile);
}

async function readEntries(path: string): Promise<readonly unknown[]> {
  try {
    const entries: unknown = JSON.parse(await readFile(path, "utf8"));
    return Array.isArray(entries) ? entries : [];
  } catch (error) {
    const isNothing = (error as NodeJS.ErrnoException).code === "ENOENT" || error instanceof SyntaxError;
    if (isNothing) return [];
    throw error;
  }
}

function checkedOrNull(entry: unknown, settings: HostNetworkSettings): HostNetwork | null {
  try {
    return checkNetwork(entry, settings);
  } catch (error) {
    if (error instanceof Error && "code" in error) return null;
    throw error;
  }
}
