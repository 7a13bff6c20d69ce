import { type NodeRecord, type NodeRegistration, nodeStatusOf } from "../model/node.ts";
import type { SchedulerSettings } from "../settings.ts";
import type { Changes } from "../state/changes.ts";
import type { SchedulerStore } from "../state/store.ts";
import { forgettableNodes } from "./forgettable-nodes.ts";
import type { MessageSource } from "./message-source.ts";

/** Keeps the nodes as the registry (and the configuration) has them. */
export class NodeRegistryKeeper {
  readonly #source: MessageSource;
  readonly #store: SchedulerStore;
  readonly #settings: Pick<SchedulerSettings, "extraNodes">;
  readonly #nowMs: () => number;
  #isComplete = false;

  constructor(
    source: MessageSource,
    store: SchedulerStore,
    settings: Pick<SchedulerSettings, "extraNodes">,
    nowMs: () => number,
  ) {
    this.#source = source;
    this.#store = store;
    this.#settings = settings;
    this.#nowMs = nowMs;
  }

  /** The registry was read once, empty or not. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** Reads the registry; an empty one changes nothing. true: something changed. Errors: those of the SDK. */
  async read(signal: AbortSignal): Promise<boolean> {
    const registered = await this.#source.registrations(signal);
    const nodes = [...(registered ?? []), ...this.#extraNodes()];
    const hasChanged = nodes.length > 0 && this.#apply(nodes, registered !== null);
    this.#forget();
    this.#isComplete = true;
    return hasChanged;
  }

  /** Nothing is decided on what is forgotten here. */
  #forget(): void {
    const forgettable = forgettableNodes(this.#store, this.#nowMs());
    if (forgettable.length === 0) return;
    this.#store.change((changes) => {
      for (const nodeHash of forgettable) changes.forgetNode(nodeHash);
    });
  }

  #extraNodes(): readonly NodeRegistration[] {
    return this.#settings.extraNodes.map(({ nodeHash, address, name }) => ({
      nodeHash,
      address,
      name,
      owner: null,
      isLinked: true,
      score: null,
      streamReward: null,
      termsAndConditions: null,
    }));
  }

  #apply(nodes: readonly NodeRegistration[], isWhole: boolean): boolean {
    return this.#store.change((changes) => {
      const present = new Set<string>();
      for (const registration of nodes) {
        present.add(registration.nodeHash);
        this.#put(changes, this.#updated(registration));
      }
      if (isWhole) for (const node of this.#store.nodes.values()) this.#drop(changes, node, present);
      return !changes.isEmpty;
    });
  }

  #updated(registration: NodeRegistration): NodeRecord {
    const nowMs = this.#nowMs();
    const known = this.#store.nodes.get(registration.nodeHash);
    const isZero = registration.score === 0;
    const changing = {
      registration,
      isRegistered: true,
      unlinkedSinceMs: registration.isLinked ? null : (known?.unlinkedSinceMs ?? nowMs),
      zeroScoreSinceMs: isZero ? (known?.zeroScoreSinceMs ?? nowMs) : null,
    };
    if (known !== undefined) return { ...known, ...changing };
    return {
      ...changing,
      order: 0,
      discoveredAtMs: nowMs,
      report: null,
      capabilities: null,
      observations: {},
      isPolled: false,
      isUnreachable: false,
      pushMode: "v1",
      isRefusing: false,
      updatedAtMs: nowMs,
    };
  }

  /** What left the registry keeps its last address: its machines may still be there. */
  #drop(changes: Changes, node: NodeRecord, present: ReadonlySet<string>): void {
    if (present.has(node.registration.nodeHash) || !node.isRegistered) return;
    const unlinkedSinceMs = node.unlinkedSinceMs ?? this.#nowMs();
    this.#put(changes, {
      ...node,
      registration: { ...node.registration, isLinked: false },
      isRegistered: false,
      unlinkedSinceMs,
    });
  }

  #put(changes: Changes, node: NodeRecord): void {
    const { nodeHash } = node.registration;
    const known = this.#store.nodes.get(nodeHash);
    if (known !== undefined && JSON.stringify(known) === JSON.stringify(node)) return;
    const taken = [...this.#store.nodes.values(), ...changes.nodes.values()].map((other) => other.order);
    const order = known?.order ?? Math.max(0, ...taken) + 1;
    changes.putNode({ ...node, order, updatedAtMs: this.#nowMs() });
    const status = nodeStatusOf(node);
    if (known === undefined || nodeStatusOf(known) !== status) {
      changes.event({ type: "NodeStatusChanged", nodeHash, status });
    }
  }
}
