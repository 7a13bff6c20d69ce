import { accessSync, chmodSync, chownSync, constants, statSync } from "node:fs";
import { KVM_GROUP_ID } from "./machine-user.ts";

const DEVICE = "/dev/kvm";

/** Why nothing of this process can use the host's virtualisation; null: it may be tried. */
export function kvmRefusal(): string | null {
  try {
    accessSync(DEVICE, constants.R_OK | constants.W_OK);
    return null;
  } catch (error) {
    const isAbsent = (error as NodeJS.ErrnoException).code === "ENOENT";
    return isAbsent ? `this host has no ${DEVICE}` : `${DEVICE} may not be opened: join its group`;
  }
}

export const openKvmToMachines = (isRoot: boolean): (() => void) => openToMachines(DEVICE, isRoot);

/**
 * Where only root may use a device (in a container, say) machines get at it through a group of theirs, which nobody
 * else is in. Gives what takes that back.
 */
export function openToMachines(device: string, isRoot: boolean): () => void {
  const { uid, gid, mode } = statSync(device);
  if (!isRoot || gid !== 0 || (mode & 0o006) === 0o006) return () => undefined;
  chownSync(device, uid, KVM_GROUP_ID);
  chmodSync(device, (mode & 0o777) | 0o060);
  return () => {
    chownSync(device, uid, gid);
    chmodSync(device, mode & 0o777);
  };
}

/** The group by which a machine uses a device; null: everybody may, or only root. */
export function deviceGroupId(device: string = DEVICE): number | null {
  try {
    const { gid, mode } = statSync(device);
    return gid !== 0 && (mode & 0o060) === 0o060 ? gid : null;
  } catch {
    return null;
  }
}
