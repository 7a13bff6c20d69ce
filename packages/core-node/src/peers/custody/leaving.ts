import type { Clock } from "@twentysix/platform";

/** Beyond it the oldest stay for now. */
const MAX_LEAVING = 20_000;

/**
 * What this node is about to give up, and since when. Whoever asks is told so and counts on it no more; and it counts
 * on nobody's proof from before. Of several nodes that give up one thing at the same time, the last to begin relies only
 * on such as did not: however many go, as many as were wanted stay.
 */
export class Leaving {
  readonly #clock: Pick<Clock, "nowMicros">;
  readonly #since = new Map<string, bigint>();

  constructor(clock: Pick<Clock, "nowMicros">) {
    this.#clock = clock;
  }

  has(root: string): boolean {
    return this.#since.has(root);
  }

  /** Since when, from now on. */
  begin(root: string): bigint {
    const since = this.#since.get(root) ?? this.#clock.nowMicros();
    this.#since.set(root, since);
    for (const oldest of this.#since.keys()) {
      if (this.#since.size <= MAX_LEAVING) break;
      this.#since.delete(oldest);
    }
    return since;
  }

  /** It is gone, or stays after all. */
  end(root: string): void {
    this.#since.delete(root);
  }
}
