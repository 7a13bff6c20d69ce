import { effectiveStatus, type VmStatus } from "../model/effective-status.ts";
import type { NodeRecord } from "../model/node.ts";
import type { VmRecord } from "../model/vm.ts";
import type { SchedulerSettings } from "../settings.ts";
import type { Liveness } from "./liveness.ts";
import type { SchedulerStore } from "./store.ts";

/** A machine with what follows from the lists of all nodes. */
export interface SeenVm {
  readonly vm: VmRecord;
  readonly status: VmStatus;
  /** Sorted. */
  readonly observedNodes: readonly string[];
  readonly lastObservedAtMs: number | null;
}

/** While nothing changes, time alone changes little: strangers may ask as often as they like. */
const FRESH_MS = 500;

/** What the stored rows mean at this moment. */
export class StateView {
  readonly #store: SchedulerStore;
  readonly #liveness: Liveness;
  readonly #settings: Pick<SchedulerSettings, "startGraceMs" | "missingGraceMs">;
  readonly #nowMs: () => number;
  #last: { readonly revision: number; readonly atMs: number; readonly vms: readonly SeenVm[] } | null = null;

  constructor(
    store: SchedulerStore,
    liveness: Liveness,
    settings: Pick<SchedulerSettings, "startGraceMs" | "missingGraceMs">,
    nowMs: () => number,
  ) {
    this.#store = store;
    this.#liveness = liveness;
    this.#settings = settings;
    this.#nowMs = nowMs;
  }

  /** Nodes by the machines that they list. */
  observers(): ReadonlyMap<string, readonly string[]> {
    const found = new Map<string, string[]>();
    for (const { registration, observations } of this.#store.nodes.values()) {
      for (const vmHash of Object.keys(observations)) {
        if (!this.#counts(vmHash, registration.nodeHash)) continue;
        const nodes = found.get(vmHash);
        if (nodes === undefined) found.set(vmHash, [registration.nodeHash]);
        else nodes.push(registration.nodeHash);
      }
    }
    for (const nodes of found.values()) nodes.sort();
    return found;
  }

  /** All machines in the order in which they were first seen. */
  vms(): readonly SeenVm[] {
    const { revision } = this.#store;
    const atMs = this.#nowMs();
    const isFresh = this.#last?.revision === revision && Math.abs(atMs - this.#last.atMs) < FRESH_MS;
    if (this.#last === null || !isFresh) this.#last = { revision, atMs, vms: this.#look() };
    return this.#last.vms;
  }

  #look(): readonly SeenVm[] {
    const observers = this.observers();
    return [...this.#store.vms.values()]
      .sort((a, b) => a.order - b.order || (a.facts.vmHash < b.facts.vmHash ? -1 : 1))
      .map((vm) => this.#seen(vm, observers.get(vm.facts.vmHash) ?? []));
  }

  vm(vmHash: string): SeenVm | null {
    const vm = this.#store.vms.get(vmHash);
    if (vm === undefined) return null;
    const observers = [...this.#store.nodes.values()]
      .filter(
        ({ observations, registration }) =>
          Object.hasOwn(observations, vmHash) && this.#counts(vmHash, registration.nodeHash),
      )
      .map(({ registration }) => registration.nodeHash);
    return this.#seen(vm, observers.sort());
  }

  /** All nodes in the order in which they were first seen. */
  nodes(): readonly NodeRecord[] {
    return [...this.#store.nodes.values()].sort(
      (a, b) => a.order - b.order || (a.registration.nodeHash < b.registration.nodeHash ? -1 : 1),
    );
  }

  /** A listed machine is there in whatever state; what another node than its own cannot run is no second copy. */
  #counts(vmHash: string, nodeHash: string): boolean {
    const isOwn = this.#store.vms.get(vmHash)?.allocatedNode === nodeHash;
    return isOwn || this.#store.nodes.get(nodeHash)?.observations[vmHash]?.failure === null;
  }

  #seen(vm: VmRecord, observedNodes: readonly string[]): SeenVm {
    const times = observedNodes.map((nodeHash) => this.#liveness.of(nodeHash).lastListMs ?? 0);
    const newestMs = Math.max(vm.lastObservedAtMs ?? 0, ...times);
    const lastObservedAtMs = newestMs > 0 ? newestMs : null;
    const { startGraceMs: startMs, missingGraceMs: missingMs } = this.#settings;
    const graces = { startMs, missingMs };
    const status = effectiveStatus(vm, observedNodes, lastObservedAtMs, this.#nowMs(), graces);
    return { vm, status, observedNodes, lastObservedAtMs };
  }
}
