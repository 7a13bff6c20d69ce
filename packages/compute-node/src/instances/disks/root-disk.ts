import { rename, rm } from "node:fs/promises";
import type { RootfsVolume } from "@twentysix/protocol";
import { ExecutionError } from "../../executions/errors.ts";
import type { FileCache } from "../../images/images.ts";
import { exists } from "../../volumes/file-exists.ts";
import { acquireDiskFile } from "./acquire-disk-file.ts";
import { expectSound, inspectImage, keepParent } from "./parent-image.ts";
import { createOverlay } from "./qemu-img.ts";
import type { VmFolder } from "./vm-folder.ts";

const MIB = 1_048_576;

export interface RootDiskServices {
  readonly cache: FileCache;
  /** Of a parent, whatever the message says of its size. */
  readonly maxParentBytes: number;
}

/**
 * Makes the disk that an instance boots from, unless it is there: what an instance has written stays through every
 * start, for as long as its message says so.
 *
 * @throws ExecutionError IMAGE_INVALID, IMAGE_DOWNLOAD_FAILED
 */
export async function ensureRootDisk(
  folder: VmFolder,
  rootfs: RootfsVolume,
  services: RootDiskServices,
  signal: AbortSignal,
): Promise<void> {
  if (rootfs.persistence === "host" && (await exists(folder.rootfs))) return;
  await createDisk(folder, folder.rootfs, rootfs.parent.ref, rootfs.size_mib, services, signal);
}

/** A fresh disk on a parent, in place of whatever is there. */
export async function createDisk(
  folder: VmFolder,
  path: string,
  parentHash: string,
  sizeMib: number,
  services: RootDiskServices,
  signal: AbortSignal,
): Promise<void> {
  const file = await acquireDiskFile(parentHash, services, signal);
  try {
    const { format, virtualSizeBytes } = await inspectImage(file.path, file.sizeBytes);
    const neededMib = Number((virtualSizeBytes + BigInt(MIB) - 1n) / BigInt(MIB));
    if (neededMib > sizeMib) {
      const message = `the parent ${parentHash} needs a disk of ${neededMib} MiB, and the message asks for ${sizeMib} MiB: raise size_mib`;
      throw new ExecutionError("IMAGE_INVALID", message);
    }
    if (format === "qcow2") await expectSound(file.path, signal);
    const parent = { path: folder.parent(file.sha256), format };
    await keepParent(file, parent.path);
    const partial = `${path}.new`;
    await rm(partial, { force: true });
    await createOverlay(partial, parent, sizeMib, signal);
    await rename(partial, path);
  } finally {
    file.release();
  }
}
