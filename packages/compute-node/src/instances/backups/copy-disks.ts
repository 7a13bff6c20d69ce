import { join } from "node:path";
import type { Execution } from "../../executions/execution.ts";
import type { HeldMachine } from "../../executions/executions.ts";
import { exists } from "../../volumes/file-exists.ts";
import { persistentDisks } from "../disks/data-disks.ts";
import { flattenImage } from "../disks/flatten-image.ts";
import { checkImage, type ImageFormat } from "../disks/qemu-img.ts";
import type { VmFolder } from "../disks/vm-folder.ts";
import { instanceContent } from "../instance-runner.ts";
import { type FreezeServices, whileFrozen } from "./guest-freeze.ts";

export interface SourceDisk {
  /** Name in the archive: `rootfs.qcow2`. */
  readonly name: string;
  readonly path: string;
  readonly format: ImageFormat;
}

/** The disks of an instance that hold something of its owner's. */
export async function ownDisks(
  folder: VmFolder,
  execution: Execution,
  includesVolumes: boolean,
): Promise<readonly SourceDisk[]> {
  const rootfs: SourceDisk = { name: "rootfs.qcow2", path: folder.rootfs, format: "qcow2" };
  const volumes = persistentDisks(folder, instanceContent(execution).volumes);
  const all = [
    rootfs,
    ...(includesVolumes ? volumes.map((disk): SourceDisk => ({ ...disk, name: `${disk.name}.qcow2` })) : []),
  ];
  const present = await Promise.all(all.map(({ path }) => exists(path)));
  return all.filter((_, index) => present[index]);
}

/** Copies disks of a machine; `freeze` is null where its guest may go on writing meanwhile. */
export async function copyDisks(
  machine: HeldMachine,
  disks: readonly SourceDisk[],
  target: string,
  freeze: FreezeServices | null,
  signal: AbortSignal,
): Promise<void> {
  const vm = machine.vm();
  const copy = async (): Promise<void> => {
    for (const { name, ...source } of disks) {
      await flattenImage({ ...source, isInUse: vm !== null }, join(target, name), signal);
    }
  };
  await (vm === null || freeze === null ? copy() : whileFrozen(vm.runDir, freeze, copy));
  for (const { name } of disks) await checkImage(join(target, name), signal);
}
