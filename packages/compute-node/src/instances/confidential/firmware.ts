import { copyFile, rename } from "node:fs/promises";
import { ExecutionError } from "../../executions/errors.ts";
import { acquireDiskFile } from "../disks/acquire-disk-file.ts";
import type { RootDiskServices } from "../disks/root-disk.ts";
import type { VmFolder } from "../disks/vm-folder.ts";

/** A firmware is some four MiB. */
const MAX_BYTES = 32 * 1_048_576;

/**
 * The firmware of a confidential instance, beside its disks: what its owner measures must not change under it.
 *
 * @throws ExecutionError UNSUPPORTED, IMAGE_INVALID, IMAGE_DOWNLOAD_FAILED
 */
export async function ensureFirmware(
  folder: VmFolder,
  firmwareHash: string | null,
  services: RootDiskServices,
  signal: AbortSignal,
): Promise<void> {
  if (firmwareHash === null) {
    throw new ExecutionError("UNSUPPORTED", "the message names no firmware: set trusted_execution.firmware");
  }
  const file = await acquireDiskFile(firmwareHash, { ...services, maxParentBytes: MAX_BYTES }, signal);
  try {
    await copyFile(file.path, `${folder.firmware}.new`);
    await rename(`${folder.firmware}.new`, folder.firmware);
  } finally {
    file.release();
  }
}
