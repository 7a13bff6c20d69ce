import type { Clock, Logger, Timers } from "@twentysix/platform";
import type { ExecutionStore } from "../executions/execution-store.ts";
import type { Executions } from "../executions/executions.ts";

export interface ExpiriesParts {
  readonly executions: Executions;
  readonly store: Pick<ExecutionStore, "fact" | "setFact" | "reason">;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
}

interface Expiry {
  readonly endsAtMs: number;
  /** A machine that is erased and started anew has another one: what was said of the earlier does not end it. */
  readonly definedAtMs: number;
}

const FACT = "ends-of-machines";
const RETRY_MS = 10_000;

/** Ends that owners have set for their machines; they outlive a restart of the node, and are kept until they are met. */
export class Expiries {
  readonly #parts: ExpiriesParts;
  readonly #expiries: Map<string, Expiry>;
  readonly #cancels = new Map<string, () => void>();
  readonly #closing = new AbortController();

  constructor(parts: ExpiriesParts) {
    this.#parts = parts;
    this.#expiries = new Map(Object.entries(JSON.parse(parts.store.fact(FACT) ?? "{}")));
    for (const [vmHash, { endsAtMs }] of this.#expiries) this.#schedule(vmHash, endsAtMs - this.#nowMs());
  }

  /** Takes the place of an earlier one. */
  set(vmHash: string, seconds: number): void {
    const execution = this.#parts.executions.get(vmHash);
    if (execution === null) return;
    const endsAtMs = this.#nowMs() + seconds * 1_000;
    this.#expiries.set(vmHash, { endsAtMs, definedAtMs: execution.times.definedAtMs });
    this.#keep();
    this.#schedule(vmHash, seconds * 1_000);
  }

  /** Its owner has decided anew. */
  cancel(vmHash: string): void {
    this.#cancels.get(vmHash)?.();
    this.#cancels.delete(vmHash);
    if (this.#expiries.delete(vmHash)) this.#keep();
  }

  /** They go on with the next start of the node. */
  close(): void {
    this.#closing.abort(new Error("the node stops: machines end when it is back"));
    for (const cancel of this.#cancels.values()) cancel();
    this.#cancels.clear();
  }

  #schedule(vmHash: string, delayMs: number): void {
    this.#cancels.get(vmHash)?.();
    const { timers, log } = this.#parts;
    const cancel = timers.schedule(Math.max(delayMs, 0), () => {
      this.#cancels.delete(vmHash);
      this.#end(vmHash).catch((error: unknown) => {
        if (this.#closing.signal.aborted) return;
        log.warn("a machine could not be stopped at its end: it is tried again", { vmHash, error });
        if (this.#expiries.has(vmHash) && !this.#cancels.has(vmHash)) this.#schedule(vmHash, RETRY_MS);
      });
    });
    this.#cancels.set(vmHash, cancel);
  }

  async #end(vmHash: string): Promise<void> {
    const { executions, store } = this.#parts;
    const expiry = this.#expiries.get(vmHash);
    if (expiry !== undefined && this.#isDue(vmHash, expiry)) {
      const text = "its owner let it end after a time; start it again when you want";
      await executions.stop(vmHash, store.reason("EXPIRED", text), this.#closing.signal);
    }
    if (this.#expiries.get(vmHash) === expiry) this.cancel(vmHash);
  }

  #isDue(vmHash: string, { definedAtMs }: Expiry): boolean {
    const execution = this.#parts.executions.get(vmHash);
    if (execution === null || execution.times.definedAtMs !== definedAtMs) return false;
    return execution.desired === "running" || execution.state === "stopping";
  }

  #keep(): void {
    this.#parts.store.setFact(FACT, JSON.stringify(Object.fromEntries(this.#expiries)));
  }

  #nowMs(): number {
    return Number(this.#parts.clock.nowMicros() / 1_000n);
  }
}
