import type { Clock } from "@twentysix/platform";

/** The clock of one machine: wrong by so much, which may change while it runs. */
export class SkewedClock implements Clock {
  readonly #world: Clock;
  skewMs = 0;

  constructor(world: Clock) {
    this.#world = world;
  }

  nowMicros(): bigint {
    return this.#world.nowMicros() + BigInt(Math.round(this.skewMs * 1_000));
  }

  monotonicMs(): number {
    return this.#world.monotonicMs();
  }
}
