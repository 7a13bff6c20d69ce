import type { Clock } from "@twentysix/platform";

/** Wall clock and counter may drift apart this much while they agree. */
const TOLERANCE_MS = 60_000;

/**
 * Is a wall clock that stands far from where it is expected right? It is believed once it has gone along with the
 * monotonic counter for a while: a clock that is wrong at the start of a machine is mostly set right within that time.
 */
export class SteadyClock {
  readonly #clock: Clock;
  readonly #provingMs: number;
  #since: { readonly wallMs: number; readonly monotonicMs: number } | null = null;

  constructor(clock: Clock, provingMs: number) {
    this.#clock = clock;
    this.#provingMs = provingMs;
  }

  /** True when the clock has kept steady since the first call for long enough. */
  isProven(): boolean {
    const monotonicMs = this.#clock.monotonicMs();
    const wallMs = Number(this.#clock.nowMicros() / 1_000n);
    const since = this.#since ?? { wallMs, monotonicMs };
    const elapsedMs = monotonicMs - since.monotonicMs;
    const isSteady = Math.abs(wallMs - since.wallMs - elapsedMs) <= TOLERANCE_MS;
    this.#since = isSteady ? since : { wallMs, monotonicMs };
    return isSteady && elapsedMs >= this.#provingMs;
  }

  /** There is no doubt any more. */
  reset(): void {
    this.#since = null;
  }
}
