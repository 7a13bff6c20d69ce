import type { NodeRecord } from "../model/node.ts";
import type { SchedulerStore } from "../state/store.ts";

/** How long a node that left the registry is shown. */
const KEPT_MS = 30 * 86_400_000;
/** Anybody may register nodes and take them back: so many of them are remembered, the last ones that left. */
const MAX_KEPT = 1_000;

/**
 * Nodes that left the registry and are to be forgotten. Never one that a machine has, moves to or has to end on; one
 * that lists machines is kept beyond its time, but not beyond the number of them.
 */
export function forgettableNodes(
  store: Pick<SchedulerStore, "nodes" | "vms" | "jobs">,
  nowMs: number,
): readonly string[] {
  const left = [...store.nodes.values()].filter(({ isRegistered }) => !isRegistered);
  if (left.length === 0) return [];
  const used = usedNodes(store);
  const unused = left
    .filter(({ registration }) => !used.has(registration.nodeHash))
    .sort((a, b) => leftMs(b) - leftMs(a) || b.order - a.order);
  return unused
    .filter((node, index) => index >= MAX_KEPT || (isEmpty(node) && nowMs - leftMs(node) >= KEPT_MS))
    .map(({ registration }) => registration.nodeHash);
}

function usedNodes({ vms, jobs }: Pick<SchedulerStore, "vms" | "jobs">): ReadonlySet<string> {
  const used = new Set<string>();
  for (const { allocatedNode, migration, leaving } of vms.values()) {
    if (allocatedNode !== null) used.add(allocatedNode);
    if (migration !== null) used.add(migration.targetNode);
    for (const { nodeHash } of leaving ?? []) used.add(nodeHash);
  }
  for (const { source, target } of jobs.values()) used.add(source).add(target);
  return used;
}

const leftMs = ({ unlinkedSinceMs, updatedAtMs }: NodeRecord): number => unlinkedSinceMs ?? updatedAtMs;

const isEmpty = ({ observations }: NodeRecord): boolean => Object.keys(observations).length === 0;
