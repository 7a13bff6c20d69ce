import type { EndReason, VmFacts, VmRecord, Wishes } from "../model/vm.ts";
import type { Changes } from "../state/changes.ts";
import type { SchedulerStore } from "../state/store.ts";
import { isRevision } from "./current-versions.ts";
import type { VmVersion } from "./vm-facts.ts";

/** Brings what messages say into the store. Each method tells whether anything changed. */
export class VmIntake {
  readonly #store: SchedulerStore;
  readonly #nowMs: () => number;
  #wishes: ReadonlyMap<string, Wishes> = new Map();

  constructor(store: SchedulerStore, nowMs: () => number) {
    this.#store = store;
    this.#nowMs = nowMs;
  }

  /** Wishes by machine; only those of the owner of a machine count for it. */
  wishesOf(vmHash: string): Wishes | null {
    return this.#wishes.get(vmHash) ?? null;
  }

  /** Owners of machines that live. */
  owners(): readonly string[] {
    const live = [...this.#store.vms.values()].filter(({ isLive }) => isLive);
    return [...new Set(live.map(({ facts }) => facts.owner))];
  }

  /** What these owners wish; wishes of others stay. */
  setWishes(
    owners: readonly string[],
    wishesByOwner: ReadonlyMap<string, ReadonlyMap<string, Wishes>>,
  ): boolean {
    const asked = new Set(owners);
    const wishes = new Map<string, Wishes>();
    for (const { facts } of this.#store.vms.values()) {
      const known = asked.has(facts.owner) ? undefined : this.#wishes.get(facts.vmHash);
      if (known !== undefined) wishes.set(facts.vmHash, known);
      const wish = wishesByOwner.get(facts.owner)?.get(facts.vmHash);
      if (wish !== undefined) wishes.set(facts.vmHash, wish);
    }
    const isSame = JSON.stringify([...wishes]) === JSON.stringify([...this.#wishes]);
    this.#wishes = wishes;
    return !isSame;
  }

  /** Machines whose messages are in force; what was ended and is in force again lives again. */
  see(facts: Iterable<VmFacts>): boolean {
    return this.#store.change((changes) => {
      let nextOrder = this.#store.vms.size + 1;
      let hasChanged = false;
      for (const one of facts) {
        const known = changes.vm(one.vmHash);
        if (known?.isLive === true && isSame(known.facts, one)) continue;
        changes.putVm(known === null ? this.#first(one, nextOrder++) : this.#again(known, one));
        hasChanged = true;
      }
      return hasChanged;
    });
  }

  /**
   * Whether a message that arrived by itself says something: of a machine that is new, or revised. Core nodes send some
   * twice, so that it says nothing of a machine that is known, and brings none back that has ended: that is for
   * snapshots. They also put together longer chains of revisions, and those of what is not known.
   */
  isNews({ facts, replaces, isPlaced }: VmVersion): boolean {
    const earlier = replaces === null ? undefined : this.#store.vms.get(replaces);
    if (replaces !== null && earlier?.isLive !== true) return false;
    const isRevised = earlier !== undefined && isRevision(facts, earlier.facts);
    return isRevised || (isPlaced && !this.#store.vms.has(facts.vmHash));
  }

  /** Takes in a message that arrived by itself. */
  hear(version: VmVersion): boolean {
    const { facts, replaces, isPlaced } = version;
    if (!this.isNews(version)) return false;
    const earlier = replaces === null ? undefined : this.#store.vms.get(replaces);
    if (earlier === undefined || !isRevision(facts, earlier.facts)) return this.see([facts]);
    const { vmHash, createdAtMs } = earlier.facts;
    if (!isPlaced) return this.end(new Map([[vmHash, "requirements_changed"]]));
    return this.see([{ ...facts, vmHash, createdAtMs }]);
  }

  /** Machines whose messages are gone for good, or ask for them no more. */
  end(vmHashes: ReadonlyMap<string, EndReason>): boolean {
    return this.#store.change((changes) => {
      let hasChanged = false;
      for (const [vmHash, endReason] of vmHashes) {
        const known = changes.vm(vmHash);
        if (known === null || !known.isLive) continue;
        changes.putVm({ ...known, isLive: false, endReason, updatedAtMs: this.#nowMs() });
        hasChanged = true;
      }
      return hasChanged;
    });
  }

  /** A payment was checked on its chain. */
  setPayments(changes: Changes, statuses: ReadonlyMap<string, VmRecord["paymentStatus"]>): boolean {
    let hasChanged = false;
    for (const [vmHash, paymentStatus] of statuses) {
      const known = changes.vm(vmHash);
      if (known === null || known.paymentStatus === paymentStatus) continue;
      changes.putVm({ ...known, paymentStatus, updatedAtMs: this.#nowMs() });
      hasChanged = true;
    }
    return hasChanged;
  }

  #first(facts: VmFacts, order: number): VmRecord {
    return {
      facts,
      order,
      isLive: true,
      endReason: null,
      intent: "unknown",
      allocatedNode: null,
      allocatedAtMs: null,
      isObservedSinceAllocation: false,
      hasRunSinceAllocation: false,
      lastObservedAtMs: null,
      lastAddresses: null,
      missing: null,
      paymentStatus: null,
      reason: null,
      reasonSinceMs: null,
      refusals: [],
      migration: null,
      updatedAtMs: this.#nowMs(),
    };
  }

  #again(known: VmRecord, facts: VmFacts): VmRecord {
    const isBack = !known.isLive;
    return {
      ...known,
      facts,
      isLive: true,
      endReason: null,
      // What was not taken from its node yet stays there.
      intent: isBack && known.allocatedNode === null ? "unknown" : known.intent,
      updatedAtMs: this.#nowMs(),
    };
  }
}

const isSame = (a: VmFacts, b: VmFacts): boolean => JSON.stringify(a) === JSON.stringify(b);
