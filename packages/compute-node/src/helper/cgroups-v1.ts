import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Timers } from "@twentysix/platform";
import type { VmSpec } from "../hypervisor/vm-spec.ts";
import { CPU_PERIOD_MICROS, machineLimits } from "./cgroups-limits.ts";
import { CgroupTree, type Controller, type LimitFile } from "./cgroups-tree.ts";

const CONTROLLERS = ["memory", "pids", "cpu"] as const;
const SHARES_OF_A_PROCESSOR = 1_024;

/** A tree for each controller that the host has mounted, and the reason for each other. */
export async function versionOneTrees(
  mounts: string,
  name: string,
  timers: Timers,
): Promise<{ readonly trees: readonly CgroupTree[]; readonly missing: Readonly<Record<string, string>> }> {
  const trees: CgroupTree[] = [];
  const missing: Record<string, string> = { "io-limit": "control groups of version 1 do not count writes" };
  for (const controller of CONTROLLERS) {
    const mount = mountOf(mounts, controller);
    if (mount === null) {
      missing[`${controller}-limit`] = `no control groups with ${controller} are mounted`;
      continue;
    }
    const path = join(mount, name);
    const prepare = async (): Promise<void> => void (await mkdir(path, { recursive: true }));
    try {
      await prepare();
      trees.push(new CgroupTree({ version: 1, path, controllers: [controller], prepare, timers }));
    } catch (error) {
      missing[`${controller}-limit`] = `${path} cannot be made: ${(error as Error).message}`;
    }
  }
  return { trees, missing };
}

export function versionOneLimits(controllers: readonly Controller[], spec: VmSpec): readonly LimitFile[] {
  const { memoryBytes, processes, cpuQuotaMicros, vcpus } = machineLimits(spec);
  const files: Readonly<Record<Controller, readonly LimitFile[]>> = {
    memory: [{ file: "memory.limit_in_bytes", value: String(memoryBytes) }],
    pids: [{ file: "pids.max", value: String(processes) }],
    cpu: [
      { file: "cpu.cfs_period_us", value: String(CPU_PERIOD_MICROS) },
      { file: "cpu.cfs_quota_us", value: String(cpuQuotaMicros) },
      { file: "cpu.shares", value: String(vcpus * SHARES_OF_A_PROCESSOR) },
    ],
    io: [],
  };
  return controllers.flatMap((controller) => files[controller]);
}

/** Of a line such as `cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0`. */
function mountOf(mounts: string, controller: string): string | null {
  for (const line of mounts.split("\n")) {
    const [, path = "", type, options = ""] = line.split(" ");
    if (type === "cgroup" && options.split(",").includes(controller)) return path;
  }
  return null;
}
