import type { Clock } from "@twentysix/platform";

export const SYNC_STATES = ["starting", "syncing", "ready"] as const;
export type SyncState = (typeof SYNC_STATES)[number];

/** How far this node is with what its peers have. */
export interface SyncStatus {
  readonly state: SyncState;
  /** Share of the messages that the peer has, 0 to 100 in steps of a tenth; null unless `syncing`. */
  readonly percent: number | null;
  /** Estimate, whole seconds; null when there is none. */
  readonly secondsLeft: number | null;
}

export interface SyncProgressOptions {
  /** The network has nodes to be found by: this one may lack what they have. */
  readonly hasBootstrap: boolean;
  /** After which a node that nobody answered takes itself for the only one. */
  readonly aloneAfterMs: number;
  readonly clock: Pick<Clock, "monotonicMs">;
}

/** A rate is told from so much on. */
const FIRST_ESTIMATE_MS = 2_000;

/**
 * `starting`: the network has other nodes and none was compared with so far. `syncing`: much is being caught up with.
 * `ready`: compared with one, or there are no others, or nobody answered for a while. A node that was told that it
 * lacks much is not ready before it has been through with somebody, however long that takes.
 */
export class SyncProgress {
  readonly #options: SyncProgressOptions;
  readonly #startedMs: number;
  #isCompared = false;
  #lacksMuch = false;
  #catchUp: { readonly startedMs: number; readonly heldAtStart: number; held: number; total: number } | null =
    null;

  constructor(options: SyncProgressOptions) {
    this.#options = options;
    this.#startedMs = options.clock.monotonicMs();
  }

  status(): SyncStatus {
    const nowMs = this.#options.clock.monotonicMs();
    if (this.#catchUp !== null) {
      const { startedMs, heldAtStart, held, total } = this.#catchUp;
      const percent = total === 0 ? 100 : Math.min(99.9, Math.floor((held / total) * 1_000) / 10);
      const spentMs = nowMs - startedMs;
      const taken = held - heldAtStart;
      const hasRate = taken > 0 && spentMs >= FIRST_ESTIMATE_MS;
      const secondsLeft = hasRate ? Math.ceil((Math.max(0, total - held) / taken) * (spentMs / 1_000)) : null;
      return { state: "syncing", percent, secondsLeft };
    }
    return { state: this.#isReady(nowMs) ? "ready" : "starting", percent: null, secondsLeft: null };
  }

  /** A part of a catch-up is there. */
  caughtUpTo(held: number, total: number): void {
    const startedMs = this.#options.clock.monotonicMs();
    this.#lacksMuch = true;
    this.#catchUp ??= { startedMs, heldAtStart: held, held, total };
    this.#catchUp.held = held;
    this.#catchUp.total = total;
  }

  /** A visit is over; `isThrough`: with all that the peer has. */
  visited(isThrough: boolean): void {
    this.#catchUp = null;
    if (!isThrough) return;
    this.#isCompared = true;
    this.#lacksMuch = false;
  }

  #isReady(nowMs: number): boolean {
    const { hasBootstrap, aloneAfterMs } = this.#options;
    if (this.#lacksMuch) return false;
    return this.#isCompared || !hasBootstrap || nowMs - this.#startedMs >= aloneAfterMs;
  }
}
