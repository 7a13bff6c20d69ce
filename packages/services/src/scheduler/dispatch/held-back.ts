import type { LeftNode, VmRecord } from "../model/vm.ts";
import type { SchedulerSettings } from "../settings.ts";
import type { Liveness } from "../state/liveness.ts";
import type { SchedulerStore } from "../state/store.ts";

/**
 * Machines that were given to a node and may still run on another one, which was told to stop them: they are on the list
 * of their new node once they have ended, or they would run twice meanwhile. A node that answers has some minutes for
 * that; of one that fell silent it is waited for the moment from which nothing can run there any more.
 */
export function heldBack(
  { store, liveness }: { readonly store: SchedulerStore; readonly liveness: Liveness },
  nodeHash: string,
  { handOverMs, failover }: Pick<SchedulerSettings, "handOverMs" | "failover">,
  nowMs: number,
): ReadonlySet<string> {
  const known = new Set([
    ...store.pushOf(nodeHash).acknowledged,
    ...Object.keys(store.nodes.get(nodeHash)?.observations ?? {}),
  ]);
  const mayRunOn = ({ nodeHash: left, fenceMs }: LeftNode, isNew: boolean): boolean => {
    const node = store.nodes.get(left);
    if (node === undefined) return false;
    if (!node.isUnreachable) return isNew;
    if (fenceMs === null) return true;
    const shortestMs = failover.nodeLeaseMs + failover.fenceMarginMs;
    return nowMs < liveness.of(left).lastContactBoundMs + Math.max(fenceMs, shortestMs);
  };
  const isHeldBack = (vm: VmRecord): boolean => {
    const { vmHash } = vm.facts;
    // What came with its disk is there, and a list without it would end it.
    if (vm.hasRunSinceAllocation || known.has(vmHash)) return false;
    const isNew = nowMs - (vm.allocatedAtMs ?? 0) < handOverMs;
    if ((vm.leaving ?? []).some((left) => mayRunOn(left, isNew))) return true;
    return isNew && runsElsewhere(store, nodeHash, vmHash);
  };
  return new Set(
    store
      .vmsOf(nodeHash)
      .filter(isHeldBack)
      .map(({ facts }) => facts.vmHash),
  );
}

function runsElsewhere(store: SchedulerStore, nodeHash: string, vmHash: string): boolean {
  return [...store.nodes.values()].some(({ registration, isUnreachable, observations }) => {
    const seen = observations[vmHash];
    const isOther = registration.nodeHash !== nodeHash && !isUnreachable;
    return isOther && seen?.isRunning === true && seen.failure === null;
  });
}
