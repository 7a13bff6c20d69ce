import { budgetKey, type Clock, type Permit, PlatformError, Semaphore } from "@twentysix/platform";
import type { ColdStartLimits } from "../settings.ts";
import { FunctionError } from "./function-error.ts";

interface Budget {
  units: number;
  filledAtMs: number;
}

const MAX_CLIENTS = 10_000;

/** Bounds how many programs visitors can have started: each takes seconds of processors and memory. */
export class ColdStarts {
  readonly #limits: ColdStartLimits;
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #permits: Semaphore;
  readonly #budgets = new Map<string, Budget>();

  constructor(limits: ColdStartLimits, clock: Pick<Clock, "monotonicMs">) {
    this.#limits = limits;
    this.#clock = clock;
    this.#permits = new Semaphore({ permits: limits.simultaneous, maxWaiters: limits.waiting });
  }

  /** Counts one start for the client of an address. @throws FunctionError 429 */
  charge(address: string): void {
    const client = budgetKey(address);
    const { perMinute, burst } = this.#limits;
    const budget = this.#budgetOf(client);
    const nowMs = this.#clock.monotonicMs();
    budget.units = Math.min(burst, budget.units + ((nowMs - budget.filledAtMs) / 60_000) * perMinute);
    budget.filledAtMs = nowMs;
    if (budget.units >= 1) {
      budget.units -= 1;
      return;
    }
    const seconds = Math.max(1, Math.ceil(((1 - budget.units) / perMinute) * 60));
    throw new FunctionError(
      429,
      `Too many programs were started for ${client}: try again in ${seconds} s, or call one that runs`,
      { headers: { "retry-after": String(seconds) } },
    );
  }

  /** Waits for a turn. @throws FunctionError 503 when too many wait already; the signal's reason */
  async acquire(signal: AbortSignal): Promise<Permit> {
    try {
      return await this.#permits.acquire(signal);
    } catch (error) {
      if (!(error instanceof PlatformError)) throw error;
      const text = "This CRN starts as many programs as it can: try again in some seconds";
      throw new FunctionError(503, text, { headers: { "retry-after": "5" }, cause: error });
    }
  }

  #budgetOf(client: string): Budget {
    const known = this.#budgets.get(client);
    if (known !== undefined) return known;
    if (this.#budgets.size >= MAX_CLIENTS) this.#forgetOldest();
    const budget = { units: this.#limits.burst, filledAtMs: this.#clock.monotonicMs() };
    this.#budgets.set(client, budget);
    return budget;
  }

  /** Which can only be in its favour. */
  #forgetOldest(): void {
    for (const client of this.#budgets.keys()) {
      this.#budgets.delete(client);
      return;
    }
  }
}
