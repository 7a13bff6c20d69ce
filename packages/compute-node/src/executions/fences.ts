import type { ExecutionStore } from "./execution-store.ts";

/** What the end of a lease takes where the shell that holds leases sees to it, and what renewing one takes. */
const SLACK_MS = 4_000;
/** How long a start that lacks proof of contact waits before it looks again. */
export const CONTACT_WAIT_MS = 5_000;
const FACT = "fences";

/**
 * Machines that a scheduler starts elsewhere once it has not spoken to this node for so long. Whoever reaches this node
 * meanwhile, such a machine must have ended by then: this node promises it to the scheduler, which counts on it.
 */
export class Fences {
  readonly #store: Pick<ExecutionStore, "fact" | "setFact">;
  readonly #leaseMs: number;
  readonly #renewalPeriodMs: number;
  #elsewhereAfterMs: ReadonlyMap<string, number>;

  /** Those of the process before this one go on. */
  constructor(
    store: Pick<ExecutionStore, "fact" | "setFact">,
    { leaseMs, renewalPeriodMs }: { readonly leaseMs: number; readonly renewalPeriodMs: number },
  ) {
    this.#store = store;
    this.#leaseMs = leaseMs;
    this.#renewalPeriodMs = renewalPeriodMs;
    const kept = JSON.parse(store.fact(FACT) ?? "{}") as Readonly<Record<string, number>>;
    this.#elsewhereAfterMs = new Map(Object.entries(kept));
  }

  /**
   * Takes what a list says in place of what the one before it said, and writes it down. What was said of machines that
   * the list ends counts until the next one: they may still run for a while, and the scheduler knows that.
   *
   * @param ending machines that run, and which the list ends
   * @returns the machines of which this node promises it; not those that would have to end sooner than its leases do
   */
  promise(elsewhereAfterMs: ReadonlyMap<string, number>, ending: readonly string[] = []): readonly string[] {
    const kept = [...elsewhereAfterMs].filter(
      ([, afterMs]) => this.#silenceMs(afterMs) >= this.#renewalPeriodMs,
    );
    const earlier = ending.flatMap((vmHash) => {
      const afterMs = this.#elsewhereAfterMs.get(vmHash);
      return afterMs === undefined ? [] : [[vmHash, afterMs] as const];
    });
    const all = [...earlier, ...kept];
    const text = JSON.stringify(Object.fromEntries(all));
    if (text !== (this.#store.fact(FACT) ?? "{}")) this.#store.setFact(FACT, text);
    this.#elsewhereAfterMs = new Map(all);
    return kept.map(([vmHash]) => vmHash);
  }

  /** One more, until the next list says. */
  add(vmHash: string, afterMs: number): void {
    this.promise(new Map([...this.#elsewhereAfterMs, [vmHash, afterMs]]));
  }

  has(vmHash: string): boolean {
    return this.#elsewhereAfterMs.has(vmHash);
  }

  /** How long its scheduler may be silent for the lease of a machine to be renewed; null: that does not matter. */
  maxSilenceMs(vmHash: string): number | null {
    const afterMs = this.#elsewhereAfterMs.get(vmHash);
    return afterMs === undefined ? null : this.#silenceMs(afterMs);
  }

  /** How long after its scheduler's last word a machine may be started here without being told to; null: as before. */
  maxAbsenceMs(vmHash: string): number | null {
    const afterMs = this.#elsewhereAfterMs.get(vmHash);
    return afterMs === undefined ? null : afterMs - SLACK_MS - CONTACT_WAIT_MS;
  }

  #silenceMs(afterMs: number): number {
    return afterMs - this.#leaseMs - SLACK_MS;
  }
}
