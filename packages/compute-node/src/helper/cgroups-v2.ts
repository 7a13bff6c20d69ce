import { existsSync } from "node:fs";
import { mkdir, readFile, realpath, rmdir, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Timers } from "@twentysix/platform";
import type { VmSpec } from "../hypervisor/vm-spec.ts";
import { CPU_PERIOD_MICROS, machineLimits } from "./cgroups-limits.ts";
import { CgroupTree, type Controller, type LimitFile } from "./cgroups-tree.ts";

const CONTROLLERS: readonly Controller[] = ["memory", "pids", "cpu", "io"];
const WEIGHT_OF_A_PROCESSOR = 100;
const MAX_WEIGHT = 10_000;

/**
 * The tree of version 2 with the controllers that could be had for it; null with the reasons where it has none of them:
 * then they belong to version 1, or to nobody.
 */
export async function versionTwoTree(
  mounts: string,
  name: string,
  timers: Timers,
): Promise<{ readonly tree: CgroupTree | null; readonly missing: Readonly<Record<string, string>> }> {
  const mount = mounts
    .split("\n")
    .find((line) => line.split(" ")[2] === "cgroup2")
    ?.split(" ")[1];
  if (mount === undefined) return { tree: null, missing: all("no control groups of version 2 are mounted") };
  const offered = (await readFile(join(mount, "cgroup.controllers"), "utf8")).split(/\s+/);
  const missing: Record<string, string> = {};
  const path = join(mount, name);
  try {
    if (!CONTROLLERS.some((controller) => offered.includes(controller))) {
      return { tree: null, missing: all(`${mount} has none of the controllers`) };
    }
    await mkdir(path, { recursive: true });
  } catch (error) {
    return { tree: null, missing: all(`${path} cannot be made: ${(error as Error).message}`) };
  }
  const controllers: Controller[] = [];
  for (const controller of CONTROLLERS) {
    const failure = offered.includes(controller)
      ? await enable(controller, [mount, path])
      : `${mount} does not have it`;
    if (failure === null) controllers.push(controller);
    else missing[`${controller}-limit`] = failure;
  }
  if (controllers.length > 0) {
    const prepare = async (): Promise<void> => {
      await mkdir(path, { recursive: true });
      for (const controller of controllers) {
        const failure = await enable(controller, [mount, path]);
        if (failure !== null) throw new Error(failure);
      }
    };
    return { tree: new CgroupTree({ version: 2, path, controllers, prepare, timers }), missing };
  }
  await rmdir(path);
  return { tree: null, missing };
}

const all = (reason: string): Readonly<Record<string, string>> =>
  Object.fromEntries(CONTROLLERS.map((controller) => [`${controller}-limit`, reason]));

/** A controller reaches a group when every group above it passes it on. */
async function enable(controller: Controller, groups: readonly string[]): Promise<string | null> {
  for (const group of groups) {
    const path = join(group, "cgroup.subtree_control");
    try {
      if (!(await readFile(path, "utf8")).split(/\s+/).includes(controller)) {
        await writeFile(path, `+${controller}`);
      }
    } catch (error) {
      return `${path} refuses it: ${(error as Error).message}`;
    }
  }
  return null;
}

export async function versionTwoLimits(
  controllers: readonly Controller[],
  spec: VmSpec,
): Promise<readonly LimitFile[]> {
  const { memoryBytes, processes, cpuQuotaMicros, vcpus } = machineLimits(spec);
  const files: Readonly<Record<Controller, readonly LimitFile[]>> = {
    memory: [
      { file: "memory.max", value: String(memoryBytes) },
      // One process or none: a machine without some of its threads is no machine.
      { file: "memory.oom.group", value: "1" },
    ],
    pids: [{ file: "pids.max", value: String(processes) }],
    cpu: [
      { file: "cpu.max", value: `${cpuQuotaMicros} ${CPU_PERIOD_MICROS}` },
      { file: "cpu.weight", value: String(Math.min(vcpus * WEIGHT_OF_A_PROCESSOR, MAX_WEIGHT)) },
    ],
    io: controllers.includes("io") ? await diskLimits(spec) : [],
  };
  return controllers.flatMap((controller) => files[controller]);
}

/** Of each disk of the host on which a drive lies; file systems without one (memory, network) have no limit. */
async function diskLimits(spec: VmSpec): Promise<readonly LimitFile[]> {
  const rate = machineLimits(spec).diskBytesPerSecond;
  if (rate === null) return [];
  const disks = new Set<string>();
  for (const { path } of spec.drives) {
    const disk = await diskOf((await stat(path)).dev);
    if (disk !== null) disks.add(disk);
  }
  return [...disks].map((disk) => ({ file: "io.max", value: `${disk} rbps=${rate} wbps=${rate}` }));
}

/** `8:0` of the whole disk: the kernel limits no partitions. */
async function diskOf(device: number): Promise<string | null> {
  const [major, minor] = [(device >> 8) & 0xfff, (device & 0xff) | ((device >> 12) & 0xfff00)];
  const entry = `/sys/dev/block/${major}:${minor}`;
  if (!existsSync(entry)) return null;
  const folder = await realpath(entry);
  const isPartition = existsSync(join(folder, "partition"));
  const disk = isPartition ? dirname(folder) : folder;
  return basename(disk) === "" ? null : (await readFile(join(disk, "dev"), "utf8")).trim();
}
