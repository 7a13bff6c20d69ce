import { chmod, mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { ExecutionError } from "../../executions/errors.ts";
import type { DriveSpec } from "../../hypervisor/vm-spec.ts";
import { ToolError } from "../../processes/run-tool.ts";
import { ensureExt4File } from "../../volumes/ext4-file.ts";
import type { ProgramFiles } from "./program-files.ts";
import type { PlannedVolume, ProgramPlan } from "./program-plan.ts";

/** A volume and the drive that it is on; code in an image is the first. */
export interface ProgramDrive {
  readonly mount: string;
  readonly path: string;
  readonly isReadOnly: boolean;
}

/** Of a template: what it was told of the size of each drive stays true for all that continue from it. */
export const PLACEHOLDER_BYTES = 16 * 1024 ** 3;
export const CODE_MOUNT = "/opt/code";

/** Where the disks of one program are. */
export function programFolder(computeDir: string, vmHash: string): string {
  return join(computeDir, "vms", vmHash);
}

/**
 * Makes the writable volumes of a program that are not there yet; ephemeral ones anew.
 *
 * @returns all its drives behind the runtime, in the order of its message
 * @throws ExecutionError VOLUME_INVALID
 */
export async function ensureProgramDrives(
  folder: string,
  plan: ProgramPlan,
  files: ProgramFiles,
  signal: AbortSignal,
): Promise<readonly ProgramDrive[]> {
  const isNew = (await mkdir(folder, { recursive: true, mode: 0o750 })) !== undefined;
  await removePassing(folder, plan);
  const drives: ProgramDrive[] = [];
  if (plan.code.isImage) drives.push({ mount: CODE_MOUNT, path: files.code.path, isReadOnly: true });
  try {
    for (const volume of plan.volumes) drives.push(await ensureDrive(folder, volume, files, signal));
    return drives;
  } catch (error) {
    // Nobody has written to them yet.
    if (isNew) await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function ensureDrive(
  folder: string,
  volume: PlannedVolume,
  files: ProgramFiles,
  signal: AbortSignal,
): Promise<ProgramDrive> {
  const { mount } = volume;
  if (volume.kind === "image") {
    const file = files.images.get(volume.ref);
    if (file === undefined) throw new Error(`the image ${volume.ref} was not acquired`);
    return { mount, path: file.path, isReadOnly: true };
  }
  const path = volumePath(folder, volume);
  try {
    await ensureExt4File(path, volume.sizeMib, signal);
  } catch (cause) {
    if (!(cause instanceof ToolError)) throw cause;
    const text = `the volume ${volume.name} of ${volume.sizeMib} MiB could not be made: ${cause.message}`;
    throw new ExecutionError("VOLUME_INVALID", text, { cause });
  }
  return { mount, path, isReadOnly: false };
}

/** Removes what is of one run alone: ephemeral volumes and the drives that stood in for none. */
export async function removePassing(folder: string, plan: ProgramPlan): Promise<void> {
  for (const volume of plan.volumes) {
    if (volume.kind === "ephemeral") await rm(volumePath(folder, volume), { force: true });
  }
  for (let index = 0; index < WRITABLE_SLOTS; index += 1) await rm(emptyPath(folder, index), { force: true });
}

function volumePath(folder: string, volume: Exclude<PlannedVolume, { kind: "image" }>): string {
  return join(folder, volume.kind === "ephemeral" ? `${volume.name}.ext4` : `volume-${volume.name}.ext4`);
}

/** Drives that every template has behind the runtime. */
export const READ_ONLY_SLOTS = 4;
export const WRITABLE_SLOTS = 4;

const emptyPath = (folder: string, index: number): string => join(folder, `empty-${index}`);

/**
 * The drives of a machine in the places that a template has for them; null where they do not fit.
 *
 * @param placeholder a sparse file of `PLACEHOLDER_BYTES` that is only read; @param folder gets the others, since two
 * machines cannot write one file
 */
export async function slotDrives(
  runtimePath: string,
  drives: readonly ProgramDrive[],
  placeholder: string,
  folder: string,
): Promise<PlacedDrives | null> {
  const readOnly = drives.filter(({ isReadOnly }) => isReadOnly);
  const writable = drives.filter(({ isReadOnly }) => !isReadOnly);
  if (readOnly.length > READ_ONLY_SLOTS || writable.length > WRITABLE_SLOTS) return null;
  const specs = [drive(runtimePath, true)];
  for (let index = 0; index < READ_ONLY_SLOTS; index += 1) {
    specs.push(drive(readOnly[index]?.path ?? placeholder, true));
  }
  for (let index = 0; index < WRITABLE_SLOTS; index += 1) {
    specs.push(drive(writable[index]?.path ?? (await ensureSparseFile(emptyPath(folder, index))), false));
  }
  return {
    specs,
    deviceOf: (given) =>
      deviceName(
        given.isReadOnly ? 1 + readOnly.indexOf(given) : 1 + READ_ONLY_SLOTS + writable.indexOf(given),
      ),
  };
}

/** The drives one after the other, as the reference has them. */
export function orderedDrives(runtimePath: string, drives: readonly ProgramDrive[]): PlacedDrives {
  return {
    specs: [drive(runtimePath, true), ...drives.map(({ path, isReadOnly }) => drive(path, isReadOnly))],
    deviceOf: (given) => deviceName(1 + drives.indexOf(given)),
  };
}

export interface PlacedDrives {
  readonly specs: readonly DriveSpec[];
  /** `vdb`, … */
  deviceOf(drive: ProgramDrive): string;
}

const drive = (path: string, isReadOnly: boolean): DriveSpec => ({
  path,
  format: "raw",
  isReadOnly,
  media: "disk",
});

const deviceName = (index: number): string => `vd${String.fromCharCode("a".charCodeAt(0) + index)}`;

/** A file that takes no room and reads as zeros. */
export async function ensureSparseFile(path: string): Promise<string> {
  const file = await open(path, "a", 0o600);
  try {
    await file.truncate(PLACEHOLDER_BYTES);
  } finally {
    await file.close();
  }
  await chmod(path, 0o600);
  return path;
}
