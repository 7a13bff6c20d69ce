import { readdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Execution } from "../../executions/execution.ts";
import { backingName } from "./backing-image.ts";
import type { VmFolder } from "./vm-folder.ts";

/**
 * Removes the parents that no disk of an instance stands on any more: its owner may name as many as there are, and each
 * takes its room for as long as it has a name here. While nothing else changes the folder.
 */
export async function removeUnusedParents(folder: VmFolder): Promise<void> {
  const names = await readdir(folder.path);
  const used = new Set<string>();
  for (const name of names.filter((one) => one.endsWith(".qcow2"))) {
    const parent = await backingName(join(folder.path, name));
    if (parent !== null) used.add(basename(parent));
  }
  await removeOthers(folder, names, "parent-", used);
}

/** Removes what a restore or a rescue has left that ended with the node. While neither is on its way. */
export async function removeLeftovers(folder: VmFolder, mode: Execution["mode"]): Promise<void> {
  await rm(folder.restoredRootfs, { force: true });
  if (mode !== "rescue") await rm(folder.rescueRootfs, { force: true });
}

/** Removes the immutable volumes that an instance has no longer. */
export async function removeUnusedImages(folder: VmFolder, used: readonly string[]): Promise<void> {
  const kept = new Set(used.map((path) => basename(path)));
  await removeOthers(folder, await readdir(folder.path), "image-", kept);
}

async function removeOthers(
  { path }: VmFolder,
  names: readonly string[],
  prefix: string,
  kept: ReadonlySet<string>,
): Promise<void> {
  for (const name of names) {
    if (name.startsWith(prefix) && !kept.has(name)) await rm(join(path, name), { force: true });
  }
}
