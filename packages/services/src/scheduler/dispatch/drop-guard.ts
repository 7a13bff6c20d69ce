import type { SchedulerSettings } from "../settings.ts";
import type { SchedulerStore } from "../state/store.ts";
import { hashesOf, type PushList } from "./push-list.ts";

/**
 * Machines of a node that a list would end without anybody having said why. Nodes stop what a list has not, and may
 * delete its disk: a list that is wrong is worse than none.
 */
export function unexplainedDrops(store: SchedulerStore, nodeHash: string, list: PushList): readonly string[] {
  const kept = new Set(hashesOf(list));
  return [...presentOn(store, nodeHash)].filter((vmHash) => {
    if (kept.has(vmHash)) return false;
    const vm = store.vms.get(vmHash);
    if (vm === undefined) return true;
    const isElsewhere = vm.allocatedNode !== null && vm.allocatedNode !== nodeHash;
    return vm.isLive && vm.intent !== "unscheduled" && !isElsewhere;
  });
}

/** The list, which says that it means it where it ends many machines, each for a reason. */
export function withMeaning(
  store: SchedulerStore,
  nodeHash: string,
  list: PushList,
  { minDropped }: Pick<SchedulerSettings, "minDropped">,
): PushList {
  const kept = new Set(hashesOf(list));
  const dropped = [...presentOn(store, nodeHash)].filter((vmHash) => !kept.has(vmHash)).length;
  return dropped > minDropped ? { ...list, allow_mass_drop: true } : list;
}

/** Whether a list may be sent. */
export function isSafeList(
  store: SchedulerStore,
  nodeHash: string,
  list: PushList,
  { maxDroppedShare, minDropped }: Pick<SchedulerSettings, "maxDroppedShare" | "minDropped">,
): boolean {
  const dropped = unexplainedDrops(store, nodeHash, list).length;
  return dropped <= Math.max(minDropped, Math.floor(presentOn(store, nodeHash).size * maxDroppedShare));
}

/** What the node has: what it last was told, and what it lists. */
function presentOn(store: SchedulerStore, nodeHash: string): ReadonlySet<string> {
  const observed = Object.keys(store.nodes.get(nodeHash)?.observations ?? {});
  return new Set([...store.pushOf(nodeHash).acknowledged, ...observed]);
}
