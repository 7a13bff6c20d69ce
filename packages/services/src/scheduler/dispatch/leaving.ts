import type { Observations } from "../inputs/executions-list.ts";
import type { NodeRecord } from "../model/node.ts";
import type { LeftNode, VmRecord } from "../model/vm.ts";
import type { PushRecord } from "../state/push-record.ts";
import { fenceOf } from "./fences.ts";

/** What is known of the node that a machine is taken from. */
export interface LeftNodeFacts {
  readonly node: NodeRecord | null;
  readonly push: PushRecord;
  /** It cannot run there any more: that was waited for. */
  readonly hasEnded: boolean;
}

/** The nodes that have to end a machine, once it is taken from one more. */
export function leavingWith(vm: VmRecord, { node, push, hasEnded }: LeftNodeFacts): readonly LeftNode[] {
  const { vmHash } = vm.facts;
  const { nodeHash } = push;
  const others = (vm.leaving ?? []).filter((one) => one.nodeHash !== nodeHash);
  if (hasEnded || node === null) return others;
  const seen = node.observations[vmHash];
  const wasThere = seen !== undefined && seen.failure === null;
  if (!wasThere && !mayHaveBegun(vm, node, push)) return others;
  const fence = fenceOf(push, { vmHash, wasSeen: vm.isObservedSinceAllocation });
  return [...others, { nodeHash, wasThere, fenceMs: fence === undefined ? 0 : fence }];
}

/** A list that has it was sent, and the node has not said since then what came of it. */
function mayHaveBegun({ facts, missing, refusals }: VmRecord, node: NodeRecord, push: PushRecord): boolean {
  if (node.observations[facts.vmHash] !== undefined || missing !== null || node.isRefusing) return false;
  const isRefused = refusals.some(({ nodeHash }) => nodeHash === push.nodeHash);
  return !isRefused && Object.hasOwn(push.fencesMs, facts.vmHash);
}

/**
 * The nodes that still have to end a machine once one has answered with its list. One that it was never listed on must
 * have taken a list without it too: the one that has it may be on its way.
 */
export function leavingAfterList(vm: VmRecord, push: PushRecord, list: Observations): readonly LeftNode[] {
  const { vmHash } = vm.facts;
  const seen = list[vmHash];
  const isThere = seen?.isRunning === true && seen.failure === null;
  const wasTaken = !Object.hasOwn(push.fencesMs, vmHash);
  const hasEnded = ({ nodeHash, wasThere }: LeftNode): boolean =>
    nodeHash === push.nodeHash && !isThere && (wasThere || wasTaken);
  return (vm.leaving ?? []).filter((one) => !hasEnded(one));
}
