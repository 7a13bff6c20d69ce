import type { InstanceContent, MachineVolume, ProgramContent } from "@twentysix/protocol";
import type { Execution } from "../execution.ts";

/** The disk that an instance boots from during a rescue, beside its own. */
export const RESCUE_DISK_MIB = 10_240;

/** What a machine takes of its host. */
export interface Needs {
  readonly kind: "program" | "instance";
  readonly vcpus: number;
  readonly memoryMib: number;
  /** Root file system and volumes, as promised. */
  readonly diskMib: number;
}

export function needsOf(content: ProgramContent | InstanceContent): Needs {
  const { vcpus, memory } = content.resources;
  const rootfsMib = "rootfs" in content ? content.rootfs.size_mib : 0;
  const volumesMib = content.volumes.reduce((sum, volume) => sum + sizeMibOf(volume), 0);
  const kind = "rootfs" in content ? "instance" : "program";
  return { kind, vcpus, memoryMib: memory, diskMib: rootfsMib + volumesMib };
}

/** What a machine may fill of the disk as it is now. */
export function promisedDiskMib({ content, mode }: Pick<Execution, "content" | "mode">): number {
  return needsOf(content).diskMib + (mode === "rescue" ? RESCUE_DISK_MIB : 0);
}

/** Immutable volumes are files of the cache, which has a quota of its own. */
function sizeMibOf(volume: MachineVolume): number {
  return "size_mib" in volume ? volume.size_mib : 0;
}
