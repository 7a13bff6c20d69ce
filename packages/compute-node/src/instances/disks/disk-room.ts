import { stat } from "node:fs/promises";
import { InstanceServiceError } from "../../control/instance-services.ts";
import type { DiskClaim, DiskRoom } from "../../executions/admission/disk-claims.ts";
import { backingImage } from "./backing-image.ts";
import type { ImageFormat } from "./qemu-img.ts";

/** What a file takes on its disk: sparse files take less than they are long. */
export async function allocatedBytes(path: string): Promise<number> {
  const { blocks } = await stat(path);
  return blocks * 512;
}

/** What a flat copy of a disk may take: what it stands on is in it. */
export async function flatBytes(disk: {
  readonly path: string;
  readonly format: ImageFormat;
}): Promise<number> {
  const backing = disk.format === "qcow2" ? await backingImage(disk.path) : null;
  return (await allocatedBytes(disk.path)) + (backing === null ? 0 : await allocatedBytes(backing.path));
}

/**
 * Holds room that no machine was promised: a full disk would pause all of them.
 *
 * @param what takes it: `a backup`
 * @throws InstanceServiceError NO_ROOM
 */
export async function claimRoom(
  room: DiskRoom,
  what: string,
  path: string,
  bytes: number,
): Promise<DiskClaim> {
  const claim = await room.claim(path, bytes);
  if (claim === null) throw noRoom(`${what} may need ${bytes} bytes`);
  return claim;
}

export function noRoom(need: string): InstanceServiceError {
  const message = `${need}, and this node has too little room that its machines were not promised: try again later`;
  return new InstanceServiceError("NO_ROOM", message);
}
