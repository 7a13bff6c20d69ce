import type { Clock } from "@twentysix/platform";
import { GuestApiError } from "./errors.ts";

const PER_SECOND = 200;
const BURST = 400;
const MAX_PROGRAMS = 10_000;

/** How often a program may ask: one that asks for ever must not take this node from the others. */
export class RequestBudget {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #programs = new Map<string, { units: number; filledAtMs: number }>();

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
  }

  /** @throws GuestApiError 429 */
  charge(vmHash: string): void {
    const nowMs = this.#clock.monotonicMs();
    if (this.#programs.size >= MAX_PROGRAMS) this.#programs.clear();
    const budget = this.#programs.get(vmHash) ?? { units: BURST, filledAtMs: nowMs };
    this.#programs.set(vmHash, budget);
    budget.units = Math.min(BURST, budget.units + ((nowMs - budget.filledAtMs) / 1_000) * PER_SECOND);
    budget.filledAtMs = nowMs;
    if (budget.units < 1)
      throw new GuestApiError(429, `A program has ${PER_SECOND} requests a second: try again`);
    budget.units -= 1;
  }
}
