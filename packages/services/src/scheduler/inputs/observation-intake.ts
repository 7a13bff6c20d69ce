import { leavingAfterList } from "../dispatch/leaving.ts";
import {
  type NodeCapabilities,
  type NodeRecord,
  type NodeReport,
  nodeStatusOf,
  type Observation,
} from "../model/node.ts";
import type { VmRecord } from "../model/vm.ts";
import type { Changes } from "../state/changes.ts";
import type { Liveness } from "../state/liveness.ts";
import type { SchedulerStore } from "../state/store.ts";
import type { Observations } from "./executions-list.ts";

/** A node counts as unreachable after so many polls that failed in a row. */
const MAX_FAILURES = 3;
/** Of machines that this scheduler does not know, on one node. */
const MAX_UNKNOWN = 1_000;
/** Of machines that are not its own, on a node that takes none. */
const MAX_OF_STRANGERS = 100;

/** Brings what nodes answer into the store. Each method tells whether something changed that is decided on. */
export class ObservationIntake {
  readonly #store: SchedulerStore;
  readonly #liveness: Liveness;
  readonly #refusalMs: number;
  readonly #nowMs: () => number;

  /** @param refusalMs how long a node that cannot run a machine is not asked again */
  constructor(store: SchedulerStore, liveness: Liveness, refusalMs: number, nowMs: () => number) {
    this.#store = store;
    this.#liveness = liveness;
    this.#refusalMs = refusalMs;
    this.#nowMs = nowMs;
  }

  /** The node answered with its list of machines. */
  listed(nodeHash: string, list: Observations): boolean {
    const nowMs = this.#nowMs();
    const observations = this.#kept(nodeHash, list);
    const earlierListMs = this.#liveness.of(nodeHash).lastListMs;
    this.#liveness.answered(nodeHash, nowMs, true);
    return this.#store.change((changes) => {
      const node = changes.node(nodeHash);
      if (node === null) return false;
      const wasSilent = !node.isPolled || node.isUnreachable;
      const hasOther = !isSame(node.observations, observations);
      if (wasSilent || hasOther) {
        this.#putNode(changes, { ...node, observations, isPolled: true, isUnreachable: false });
      }
      for (const vmHash of Object.keys(node.observations)) {
        if (!Object.hasOwn(observations, vmHash)) this.#lost(changes, vmHash, earlierListMs);
      }
      for (const [vmHash, observation] of Object.entries(observations)) {
        this.#seen(changes, vmHash, nodeHash, observation);
      }
      this.#absent(changes, nodeHash, observations);
      this.#left(changes, nodeHash, list);
      return wasSilent || usableIn(node.observations) !== usableIn(observations);
    });
  }

  reported(nodeHash: string, report: NodeReport): boolean {
    return this.#update(nodeHash, (node) => (isSame(node.report, report) ? node : { ...node, report }));
  }

  capable(nodeHash: string, capabilities: NodeCapabilities): boolean {
    return this.#update(nodeHash, (node) =>
      isSame(node.capabilities, capabilities) ? node : { ...node, capabilities },
    );
  }

  /** The node takes its list on the newer route. */
  takesPlans(nodeHash: string): void {
    this.#update(nodeHash, (node) => (node.pushMode === "v2" ? node : { ...node, pushMode: "v2" }));
  }

  /** A poll failed: the last answers count until the node is given up, then they are forgotten. */
  failed(nodeHash: string): boolean {
    const lastListMs = this.#liveness.of(nodeHash).lastListMs;
    if (this.#liveness.failed(nodeHash) < MAX_FAILURES) return false;
    return this.#store.change((changes) => {
      const node = changes.node(nodeHash);
      if (node === null || node.isUnreachable) return false;
      for (const vmHash of Object.keys(node.observations)) this.#lost(changes, vmHash, lastListMs);
      this.#forgetAbsences(changes, nodeHash);
      this.#putNode(changes, { ...node, observations: {}, isUnreachable: true });
      return true;
    });
  }

  /** Writes down when machines were last seen, so that a restart does not forget it. */
  keepTimes(): void {
    this.#store.change((changes) => {
      for (const { registration, observations } of this.#store.nodes.values()) {
        const { lastListMs } = this.#liveness.of(registration.nodeHash);
        for (const vmHash of Object.keys(observations)) this.#lost(changes, vmHash, lastListMs);
      }
    });
  }

  /** Anybody may register nodes, and have them list what they like: what nothing is decided on takes little room. */
  #kept(nodeHash: string, list: Observations): Observations {
    const { vms, nodes } = this.#store;
    const isLinked = nodes.get(nodeHash)?.registration.isLinked === true;
    const own: [string, Observation][] = [];
    const known: [string, Observation][] = [];
    const others: [string, Observation][] = [];
    for (const [vmHash, observation] of Object.entries(list)) {
      const vm = vms.get(vmHash);
      if (vm?.allocatedNode === nodeHash) own.push([vmHash, observation]);
      else (vm === undefined ? others : known).push([vmHash, { ...observation, addresses: null }]);
    }
    const foreign = isLinked
      ? [...known, ...others.slice(0, MAX_UNKNOWN)]
      : [...known, ...others].slice(0, MAX_OF_STRANGERS);
    return Object.fromEntries([...own, ...foreign]);
  }

  #seen(changes: Changes, vmHash: string, nodeHash: string, observation: Observation): void {
    const vm = changes.vm(vmHash);
    if (vm === null) return;
    const isOwnNode = vm.allocatedNode === nodeHash;
    if (isOwnNode && observation.failure !== null) {
      this.#failing(changes, vm, nodeHash, observation.failure);
      return;
    }
    const lastAddresses = isOwnNode ? (observation.addresses ?? vm.lastAddresses) : vm.lastAddresses;
    const next: VmRecord = {
      ...vm,
      lastAddresses,
      isObservedSinceAllocation: vm.isObservedSinceAllocation || isOwnNode,
      hasRunSinceAllocation: vm.hasRunSinceAllocation || (isOwnNode && observation.isRunning),
      missing: isOwnNode ? null : vm.missing,
    };
    if (!isSame(vm, next)) changes.putVm({ ...next, updatedAtMs: this.#nowMs() });
  }

  /** A machine that its node cannot run is as good as absent; one that never ran there may go elsewhere. */
  #failing(changes: Changes, vm: VmRecord, nodeHash: string, text: string): void {
    const nowMs = this.#nowMs();
    const missing = vm.migration === null ? (vm.missing ?? { sinceMs: nowMs, pushes: 0 }) : vm.missing;
    const others = vm.refusals.filter((one) => one.nodeHash !== nodeHash && one.untilMs > nowMs);
    const refused = { nodeHash, untilMs: nowMs + this.#refusalMs, text };
    const isNew =
      !vm.hasRunSinceAllocation &&
      !vm.refusals.some((one) => one.nodeHash === nodeHash && one.untilMs > nowMs);
    if (missing === vm.missing && !isNew) return;
    changes.putVm({
      ...vm,
      missing,
      refusals: isNew ? [...others, refused] : vm.refusals,
      updatedAtMs: nowMs,
    });
  }

  /** Machines of this node that its list has not. */
  #absent(changes: Changes, nodeHash: string, observations: Observations): void {
    for (const { facts, missing } of this.#store.vmsOf(nodeHash)) {
      if (missing !== null || Object.hasOwn(observations, facts.vmHash)) continue;
      const vm = changes.vm(facts.vmHash);
      if (vm === null || vm.migration !== null) continue;
      changes.putVm({ ...vm, missing: { sinceMs: this.#nowMs(), pushes: 0 } });
    }
  }

  /** Machines that were taken from this node, and have ended on it. */
  #left(changes: Changes, nodeHash: string, list: Observations): void {
    for (const { facts, leaving } of this.#store.vms.values()) {
      if (leaving?.some((one) => one.nodeHash === nodeHash) !== true) continue;
      const vm = changes.vm(facts.vmHash);
      if (vm === null) continue;
      const left = leavingAfterList(vm, this.#store.pushOf(nodeHash), list);
      const { leaving: _, ...rest } = vm;
      if (left.length < leaving.length) changes.putVm(left.length === 0 ? rest : { ...rest, leaving: left });
    }
  }

  /** A node that comes back may have been booted: what it lacked before says nothing of what it starts now. */
  #forgetAbsences(changes: Changes, nodeHash: string): void {
    for (const { facts, missing } of this.#store.vmsOf(nodeHash)) {
      if (missing === null) continue;
      const vm = changes.vm(facts.vmHash);
      if (vm !== null) changes.putVm({ ...vm, missing: null });
    }
  }

  #lost(changes: Changes, vmHash: string, lastListMs: number | null): void {
    const vm = changes.vm(vmHash);
    if (vm === null || lastListMs === null || lastListMs <= (vm.lastObservedAtMs ?? 0)) return;
    changes.putVm({ ...vm, lastObservedAtMs: lastListMs });
  }

  #update(nodeHash: string, work: (node: NodeRecord) => NodeRecord): boolean {
    this.#liveness.answered(nodeHash, this.#nowMs(), false);
    return this.#store.change((changes) => {
      const node = changes.node(nodeHash);
      const next = node === null ? null : work(node);
      if (next === null || next === node) return false;
      this.#putNode(changes, next);
      return true;
    });
  }

  #putNode(changes: Changes, node: NodeRecord): void {
    const { nodeHash } = node.registration;
    const known = changes.node(nodeHash);
    changes.putNode({ ...node, updatedAtMs: this.#nowMs() });
    const status = nodeStatusOf(node);
    if (known === null || nodeStatusOf(known) !== status) {
      changes.event({ type: "NodeStatusChanged", nodeHash, status });
    }
  }
}

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

const usableIn = (observations: Observations): string =>
  Object.entries(observations)
    .map(([vmHash, { failure }]) => `${vmHash} ${failure === null}`)
    .sort()
    .join();
