import type { SchedulerStore } from "../state/store.ts";
import type { StateView } from "../state/view.ts";

/** Tells of machines whose status is another than a moment ago, by time or by what nodes answered. */
export class StatusTeller {
  readonly #store: SchedulerStore;
  readonly #view: StateView;
  #statuses: ReadonlyMap<string, string>;

  constructor(store: SchedulerStore, view: StateView) {
    this.#store = store;
    this.#view = view;
    this.#statuses = new Map(view.vms().map(({ vm, status }) => [vm.facts.vmHash, status]));
  }

  tell(): void {
    const earlier = this.#statuses;
    const seen = this.#view.vms();
    this.#statuses = new Map(seen.map(({ vm, status }) => [vm.facts.vmHash, status]));
    this.#store.change((changes) => {
      for (const { vm, status } of seen) {
        const { vmHash } = vm.facts;
        if (earlier.get(vmHash) === status) continue;
        changes.event({ type: "VmStatusChanged", vmHash, nodeHash: vm.allocatedNode, status }, vm.reason);
      }
    });
  }
}
