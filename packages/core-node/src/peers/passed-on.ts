import type { Clock } from "@twentysix/platform";

/** As long as gossip knows a payload by its bytes. */
const KNOWN_MS = 1_800_000;
const MAX_KNOWN = 8_192;

/**
 * What this node has found genuine and passed on. Gossip knows a payload by its bytes alone: with another blank in it a
 * message would go through the whole network once more, and cost whoever repeats it nothing.
 */
export class PassedOn {
  readonly #clock: Pick<Clock, "monotonicMs">;
  /** By the identity of a copy: until when. The oldest first. */
  readonly #known = new Map<string, number>();

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
  }

  /** True for a copy that is new. Only of what is genuine may be asked: else a forged copy would hold the real one up. */
  add(identity: string): boolean {
    const nowMs = this.#clock.monotonicMs();
    for (const [oldest, untilMs] of this.#known) {
      if (untilMs > nowMs && this.#known.size < MAX_KNOWN) break;
      this.#known.delete(oldest);
    }
    if (this.#known.has(identity)) return false;
    this.#known.set(identity, nowMs + KNOWN_MS);
    return true;
  }
}
