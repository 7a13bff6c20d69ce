import type { Clock } from "@twentysix/platform";
import type { StateRules } from "@twentysix/state";
import type { MessageStore } from "@twentysix/storage";

export interface RetainedEraserOptions {
  readonly store: Pick<MessageStore, "eraseRetained">;
  readonly clock: Clock;
  readonly rules: Pick<StateRules, "finalityWindowMicros">;
}

const SLICE = 256;
const PAUSE_MS = 600_000;

/**
 * Erases, while the writer has nothing else to do, the texts that were retained behind FORGETs of delegates, once
 * no revocation has come in for the length of the finality window.
 */
export class RetainedEraser {
  readonly #options: RetainedEraserOptions;
  #restUntilMs = 0;

  constructor(options: RetainedEraserOptions) {
    this.#options = options;
  }

  /** One slice; false when there is none left, for now. */
  advance(): boolean {
    const { store, clock, rules } = this.#options;
    if (clock.monotonicMs() < this.#restUntilMs) return false;
    const erased = store.eraseRetained(clock.nowMicros() - rules.finalityWindowMicros, SLICE);
    if (erased === SLICE) return true;
    this.#restUntilMs = clock.monotonicMs() + PAUSE_MS;
    return false;
  }
}
