import { readFile } from "node:fs/promises";
import type { Timers } from "@twentysix/platform";
import type { CgroupTree, LimitFile } from "./cgroups-tree.ts";
import { versionOneLimits, versionOneTrees } from "./cgroups-v1.ts";
import { versionTwoLimits, versionTwoTree } from "./cgroups-v2.ts";
import type { HostMachine, HostPart, InventoryEntry } from "./host-parts.ts";

export interface CgroupSettings {
  /** Names the group of all machines of this node: `networkIdOf(dataDir)`. */
  readonly networkId: string;
  /** First part of that name: `aleph`. */
  readonly prefix: string;
  /** Where the host has its file systems of groups: `/proc/self/mounts` says it. */
  readonly mountsFile?: string;
  readonly timers: Timers;
}

const GROUP_NAME = /^vm-(\d+)-([A-Za-z0-9-]+)$/;

/**
 * Limits of machines on this host: each has a group of its own, in which its process is before QEMU runs. Version 2 of
 * control groups where the host has it, version 1 where that holds the controllers; otherwise the reason is told.
 */
export async function createCgroupPart(settings: CgroupSettings): Promise<HostPart> {
  const { trees, missing } = await openTrees(settings);
  for (const tree of trees) await removeEmptyGroups(tree);
  const limitsOf = async (
    { version, controllers }: CgroupTree,
    { spec }: HostMachine,
  ): Promise<readonly LimitFile[]> =>
    version === 2 ? versionTwoLimits(controllers, spec) : versionOneLimits(controllers, spec);
  /** One change at a time: the group of all machines goes with the last of them, and comes with the first. */
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = (change: () => Promise<void>): Promise<void> => {
    const result = turn.then(change);
    turn = result.catch(() => undefined);
    return result;
  };
  return {
    name: "cgroups",
    missing,
    verbs: {},
    attach: (machine) =>
      inTurn(async () => {
        const group = groupNameOf(machine);
        for (const tree of trees) await tree.place(group, machine.pid, await limitsOf(tree, machine));
      }),
    detach: (machine) =>
      inTurn(async () => {
        for (const tree of trees) await tree.remove(groupNameOf(machine));
      }),
    inventory: async () => (await Promise.all(trees.map(groupsOf))).flat(),
  };
}

/** Looks at what there is without changing it: for a host whose helper does not run. */
export async function lookAtCgroups(settings: CgroupSettings): Promise<readonly InventoryEntry[]> {
  const { trees } = await openTrees(settings);
  const entries = (await Promise.all(trees.map(groupsOf))).flat();
  for (const tree of trees) await tree.removeIfEmpty();
  return entries;
}

async function openTrees(settings: CgroupSettings) {
  const name = `${settings.prefix}-${settings.networkId}`;
  const mounts = await readFile(settings.mountsFile ?? "/proc/self/mounts", "utf8");
  const two = await versionTwoTree(mounts, name, settings.timers);
  const one = two.tree === null ? await versionOneTrees(mounts, name, settings.timers) : null;
  const trees = two.tree === null ? (one?.trees ?? []) : [two.tree];
  const missing = trees.length === 0 ? { ...two.missing, ...one?.missing } : (one?.missing ?? two.missing);
  return { trees, missing };
}

const groupNameOf = ({ vmNumber, vmHash }: Pick<HostMachine, "vmNumber" | "vmHash">): string =>
  `vm-${vmNumber}-${vmHash}`;

/** Of machines that ended while no helper ran; and the one that finding out what this host can do has made. */
async function removeEmptyGroups(tree: CgroupTree): Promise<void> {
  await tree.removeIfEmpty();
  for (const group of await tree.groups()) {
    if ((await tree.processes(group)).length === 0) await tree.remove(group);
  }
}

async function groupsOf(tree: CgroupTree): Promise<readonly InventoryEntry[]> {
  const entries: InventoryEntry[] = [];
  for (const group of await tree.groups()) {
    const [, vmNumber, vmHash] = GROUP_NAME.exec(group) ?? [];
    entries.push({
      kind: "cgroup",
      name: tree.pathOf(group),
      vmHash: vmHash ?? null,
      vmNumber: vmNumber === undefined ? null : Number(vmNumber),
      detail: await tree.describe(group),
    });
  }
  return entries;
}
