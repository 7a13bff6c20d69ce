import { rm } from "node:fs/promises";
import {
  type EphemeralVolume,
  type ImmutableVolume,
  isEphemeralVolume,
  isImmutableVolume,
  type MachineVolume,
  type PersistentVolume,
} from "@twentysix/protocol";
import { ExecutionError } from "../../executions/errors.ts";
import { MAX_PCI_DRIVES } from "../../hypervisor/command-line/pci-slots.ts";
import type { DriveSpec } from "../../hypervisor/vm-spec.ts";
import { ensureExt4File } from "../../volumes/ext4-file.ts";
import { exists } from "../../volumes/file-exists.ts";
import { volumeName } from "../../volumes/volume-names.ts";
import { acquireDiskFile } from "./acquire-disk-file.ts";
import { keepParent } from "./parent-image.ts";
import { createDisk, type RootDiskServices } from "./root-disk.ts";
import { removeUnusedImages } from "./unused-parents.ts";
import type { VmFolder } from "./vm-folder.ts";

/** Beside the root file system, that of a rescue, and what cloud-init reads. */
const MAX_VOLUMES = MAX_PCI_DRIVES - 3;

/**
 * Makes the disks beside the first, in the order of the message; the guest mounts them itself. Those that exist stay,
 * but the ones that shall be fresh at every start.
 *
 * @throws ExecutionError VOLUME_INVALID, IMAGE_INVALID, IMAGE_DOWNLOAD_FAILED
 */
export async function ensureDataDisks(
  folder: VmFolder,
  volumes: readonly MachineVolume[],
  services: RootDiskServices,
  signal: AbortSignal,
): Promise<readonly DriveSpec[]> {
  expectPossible(volumes);
  const drives: DriveSpec[] = [];
  for (const [index, volume] of volumes.entries()) {
    drives.push(await ensureDisk(folder, volume, index, services, signal));
  }
  await removeUnusedImages(
    folder,
    drives.map(({ path }) => path),
  );
  return drives;
}

/** Names of the files of persistent volumes: what a backup or a move takes along. */
export function persistentDisks(folder: VmFolder, volumes: readonly MachineVolume[]): readonly DataDisk[] {
  return volumes.flatMap((volume, index) => {
    if (isImmutableVolume(volume) || isEphemeralVolume(volume)) return [];
    const name = volumeName(volume, index);
    return [{ name, sizeMib: volume.size_mib, ...persistentDisk(folder, volume, name) }];
  });
}

export interface DataDisk {
  readonly name: string;
  readonly sizeMib: number;
  readonly path: string;
  readonly format: "raw" | "qcow2";
}

async function ensureDisk(
  folder: VmFolder,
  volume: MachineVolume,
  index: number,
  services: RootDiskServices,
  signal: AbortSignal,
): Promise<DriveSpec> {
  if (isImmutableVolume(volume)) return immutableDisk(folder, volume, services, signal);
  if (isEphemeralVolume(volume)) return ephemeralDisk(folder, volume, index, signal);
  return ensurePersistentDisk(folder, volume, volumeName(volume, index), services, signal);
}

async function immutableDisk(
  folder: VmFolder,
  volume: ImmutableVolume,
  services: RootDiskServices,
  signal: AbortSignal,
): Promise<DriveSpec> {
  const file = await acquireDiskFile(volume.ref, services, signal);
  try {
    const path = folder.image(file.sha256);
    await keepParent(file, path);
    // Whatever its bytes look like: a guest mounts a squashfs of them.
    return { path, format: "raw", isReadOnly: true, media: "disk" };
  } finally {
    file.release();
  }
}

async function ephemeralDisk(
  folder: VmFolder,
  volume: EphemeralVolume,
  index: number,
  signal: AbortSignal,
): Promise<DriveSpec> {
  const path = folder.volume(`ephemeral-${index}`);
  await rm(path, { force: true });
  await ensureExt4File(path, volume.size_mib, signal);
  return { path, format: "raw", isReadOnly: false, media: "disk" };
}

async function ensurePersistentDisk(
  folder: VmFolder,
  volume: PersistentVolume,
  name: string,
  services: RootDiskServices,
  signal: AbortSignal,
): Promise<DriveSpec> {
  const disk = persistentDisk(folder, volume, name);
  if (volume.parent === null) await ensureExt4File(disk.path, volume.size_mib, signal);
  else if (!(await exists(disk.path))) {
    await createDisk(folder, disk.path, volume.parent.ref, volume.size_mib, services, signal);
  }
  return { ...disk, isReadOnly: false, media: "disk" };
}

function persistentDisk(
  folder: VmFolder,
  volume: PersistentVolume,
  name: string,
): Pick<DataDisk, "path" | "format"> {
  return volume.parent === null
    ? { path: folder.volume(name), format: "raw" }
    : { path: folder.overlay(name), format: "qcow2" };
}

/**
 * Whether the volumes of a message can be disks of one machine, before anything of it is made.
 *
 * @throws ExecutionError VOLUME_INVALID
 */
export function expectPossible(volumes: readonly MachineVolume[]): void {
  if (volumes.length > MAX_VOLUMES) {
    const message = `the instance has ${volumes.length} volumes, and its board has places for ${MAX_VOLUMES}`;
    throw new ExecutionError("VOLUME_INVALID", message);
  }
  const seen = new Set<string>();
  for (const [index, volume] of volumes.entries()) {
    if (isImmutableVolume(volume) || isEphemeralVolume(volume)) continue;
    const name = volumeName(volume, index);
    if (volume.persistence === "store") {
      const message = `volume ${name} has persistence "store", which no node keeps: take "host"`;
      throw new ExecutionError("VOLUME_INVALID", message);
    }
    if (seen.has(name)) {
      throw new ExecutionError("VOLUME_INVALID", `two volumes are kept as ${name}: give them other names`);
    }
    seen.add(name);
  }
}
