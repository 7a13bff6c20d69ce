import type { VmKind, Wishes } from "../model/vm.ts";
import { fenceMs } from "../planner/failover.ts";
import type { SchedulerSettings } from "../settings.ts";
import type { SchedulerStore } from "../state/store.ts";

/** The complete list of a node: what is not in it is not wanted there. */
export interface PushList {
  readonly persistent_vms: readonly string[];
  readonly instances: readonly string[];
  /** Only for nodes that know verifiable programs. */
  readonly v_programs?: readonly string[];
  /** What runs there and shall not: nodes keep what is paid by credits or streams unless they are told. */
  readonly ended?: readonly string[];
  /**
   * Machines that may run elsewhere so long after the last signed request: they must have ended here by then. Nodes that
   * do not know of it say nothing to it.
   */
  readonly elsewhere_after_seconds: Readonly<Record<string, number>>;
  /** That many machines are gone from it is meant; only for nodes that ask for it. */
  readonly allow_mass_drop?: true;
}

export function pushListOf(
  store: SchedulerStore,
  nodeHash: string,
  held: ReadonlySet<string>,
  wishesOf: (vmHash: string) => Wishes | null,
  { failover }: Pick<SchedulerSettings, "failover">,
): PushList {
  const wanted = store
    .vmsOf(nodeHash)
    .filter((vm) => vm.isLive && vm.intent === "scheduled" && !held.has(vm.facts.vmHash));
  const of = (kind: VmKind): readonly string[] =>
    wanted
      .filter(({ facts }) => facts.kind === kind)
      .map(({ facts }) => facts.vmHash)
      .sort();
  const ended = endedOn(store, nodeHash);
  const fences = wanted.flatMap(({ facts }) => {
    const afterMs = fenceMs(facts, wishesOf(facts.vmHash), failover);
    return afterMs === null ? [] : [[facts.vmHash, afterMs / 1_000] as const];
  });
  const knowsVerifiable = (store.nodes.get(nodeHash)?.report?.vcpuTypes.length ?? 0) > 0;
  return {
    persistent_vms: of("persistent_program"),
    instances: of("instance"),
    ...(knowsVerifiable ? { v_programs: of("v_program") } : {}),
    elsewhere_after_seconds: Object.fromEntries(fences.sort()),
    ...(ended.length > 0 ? { ended } : {}),
  };
}

/** Machines that a node lists and that were taken back, or have another node. */
function endedOn(store: SchedulerStore, nodeHash: string): readonly string[] {
  const listed = Object.keys(store.nodes.get(nodeHash)?.observations ?? {});
  const isOver = (vmHash: string): boolean => {
    const vm = store.vms.get(vmHash);
    if (vm === undefined || vm.migration !== null || vm.allocatedNode === nodeHash) return false;
    return vm.allocatedNode !== null || vm.intent === "unscheduled";
  };
  return listed.filter(isOver).sort();
}

export const hashesOf = (list: PushList): readonly string[] => [
  ...list.persistent_vms,
  ...list.instances,
  ...(list.v_programs ?? []),
];
