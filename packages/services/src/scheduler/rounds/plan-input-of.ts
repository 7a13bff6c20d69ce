import { fenceOf } from "../dispatch/fences.ts";
import { nodeStatusOf } from "../model/node.ts";
import type { VmRecord, Wishes } from "../model/vm.ts";
import type { PlanInput, PlanNode, PlanVm } from "../planner/plan-input.ts";
import type { SchedulerSettings } from "../settings.ts";
import type { Liveness } from "../state/liveness.ts";
import type { SchedulerStore } from "../state/store.ts";

export interface PlanInputSources {
  readonly store: SchedulerStore;
  readonly liveness: Liveness;
  readonly settings: SchedulerSettings;
  wishesOf(vmHash: string): Wishes | null;
  secondOpinionOf(nodeHash: string): "alive" | "silent" | null;
}

/** What a round looks at now. Machines that ended and have no node are left out: nothing is decided of them. */
export function planInputOf(sources: PlanInputSources, nowMs: number): PlanInput {
  const { store, settings } = sources;
  const { hasMigrations, unlinkDebounceMs, requiresPublicIpv6, placement, failover, migration } = settings;
  return {
    nowMs,
    settings: { hasMigrations, unlinkDebounceMs, requiresPublicIpv6, placement, failover, migration },
    vms: planVms(sources, nowMs),
    nodes: planNodes(sources),
    recentFailovers: store.failoversSince(nowMs - failover.windowMs),
  };
}

function planVms(sources: PlanInputSources, nowMs: number): readonly PlanVm[] {
  const { store, wishesOf } = sources;
  const observers = new Map<string, string[]>();
  for (const { registration, observations } of store.nodes.values()) {
    for (const [vmHash, { failure }] of Object.entries(observations)) {
      // What a node has and cannot run is not there.
      if (failure !== null) continue;
      const nodes = observers.get(vmHash) ?? [];
      nodes.push(registration.nodeHash);
      observers.set(vmHash, nodes);
    }
  }
  return [...store.vms.values()].flatMap((vm): PlanVm[] => {
    const { vmHash } = vm.facts;
    const isOver = !vm.isLive && vm.intent === "unscheduled" && vm.allocatedNode === null;
    if (isOver) return [];
    const job = store.jobs.get(vmHash);
    return [
      {
        facts: vm.facts,
        wishes: wishesOf(vmHash),
        isLive: vm.isLive,
        endReason: vm.endReason,
        intent: vm.intent,
        allocatedNode: vm.allocatedNode,
        allocatedAtMs: vm.allocatedAtMs,
        isObservedSinceAllocation: vm.isObservedSinceAllocation,
        hasRunSinceAllocation: vm.hasRunSinceAllocation,
        observedOn: (observers.get(vmHash) ?? []).sort(),
        missing: vm.missing,
        paymentStatus: vm.paymentStatus,
        refusals: vm.refusals.filter(({ untilMs }) => untilMs > nowMs),
        migrationTarget: vm.migration?.targetNode ?? null,
        migrationNotBeforeMs: job?.notBeforeMs ?? null,
        isUnmigratable: job?.isImpossible ?? false,
        fencedAtMs: fencedAtMs(sources, vm),
      },
    ];
  });
}

function fencedAtMs({ store, liveness }: PlanInputSources, vm: VmRecord): number | null {
  if (vm.allocatedNode === null) return 0;
  const { vmHash } = vm.facts;
  const fence = fenceOf(store.pushOf(vm.allocatedNode), { vmHash, wasSeen: vm.isObservedSinceAllocation });
  if (fence === undefined || fence === null) return fence === null ? null : 0;
  return liveness.of(vm.allocatedNode).lastContactBoundMs + fence;
}

function planNodes({ store, liveness, settings, secondOpinionOf }: PlanInputSources): readonly PlanNode[] {
  const { failover, drainedNodes } = settings;
  const busy = new Set(
    [...store.jobs.values()].flatMap(({ step, source, target }) =>
      step === "finished" ? [] : [source, target],
    ),
  );
  return [...store.nodes.values()].map((node): PlanNode => {
    const { nodeHash } = node.registration;
    const life = liveness.of(nodeHash);
    return {
      registration: node.registration,
      isRegistered: node.isRegistered,
      // What left the registry is still asked, and silence of it is silence.
      status: node.isUnreachable ? "Unreachable" : nodeStatusOf(node),
      unlinkedSinceMs: node.unlinkedSinceMs,
      zeroScoreSinceMs: node.zeroScoreSinceMs,
      report: node.report,
      capabilities: node.capabilities,
      isRefusing: node.isRefusing,
      isDrained: drainedNodes.includes(nodeHash),
      isMigrating: busy.has(nodeHash),
      lastProofMs: life.lastProofMs,
      fencedAtMs: life.lastContactBoundMs + failover.nodeLeaseMs + failover.fenceMarginMs,
      secondOpinion: secondOpinionOf(nodeHash),
    };
  });
}
