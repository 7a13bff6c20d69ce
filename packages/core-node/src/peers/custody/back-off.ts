import type { Clock, Random } from "@twentysix/platform";

const FIRST_MS = 1_000;
const MAX_MS = 600_000;
const MAX_NAMES = 20_000;

/** When something that failed may be tried again: later and later, and not all at once. */
export class BackOff {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #random: Random;
  readonly #failed = new Map<string, { readonly times: number; readonly nextMs: number }>();

  constructor(clock: Pick<Clock, "monotonicMs">, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  isDue(name: string): boolean {
    return this.#clock.monotonicMs() >= (this.#failed.get(name)?.nextMs ?? 0);
  }

  failed(name: string): void {
    const times = (this.#failed.get(name)?.times ?? 0) + 1;
    const ceilingMs = Math.min(MAX_MS, FIRST_MS * 2 ** Math.min(times, 20));
    const nextMs = this.#clock.monotonicMs() + ceilingMs / 2 + this.#random.uniform(ceilingMs);
    this.#failed.delete(name);
    this.#failed.set(name, { times, nextMs });
    for (const oldest of this.#failed.keys()) {
      if (this.#failed.size <= MAX_NAMES) return;
      this.#failed.delete(oldest);
    }
  }

  succeeded(name: string): void {
    this.#failed.delete(name);
  }

  /** There is somebody new to ask. */
  clear(): void {
    this.#failed.clear();
  }
}
