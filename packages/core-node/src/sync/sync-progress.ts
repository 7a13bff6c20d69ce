import type { Clock } from "@twentysix/platform";

export const SYNC_STATES = ["starting", "syncing", "ready"] as const;
export type SyncState = (typeof SYNC_STATES)[number];

/** How far this node is with what its peers have. */
export interface SyncStatus {
  readonly state: SyncState;
  /** Share of the messages that the peer has, 0 to 100 in steps of a tenth; null unless `syncing`, and it was told. */
  readonly percent: number | null;
  /** Estimate, whole seconds; null when there is none. */
  readonly secondsLeft: number | null;
}

/** Remembers, over a kill of the process too, that this node lacks much of what it was told of. */
export interface CatchUpMark {
  isSet(): boolean;
  set(): void;
  clear(): void;
}

export interface SyncProgressOptions {
  /** The network has nodes to be found by: this one may lack what they have. */
  readonly hasBootstrap: boolean;
  /** After which a node that nobody answered takes itself for the only one. */
  readonly aloneAfterMs: number;
  readonly mark: CatchUpMark;
  readonly clock: Pick<Clock, "monotonicMs">;
}

/** A rate is told from so much on. */
const FIRST_ESTIMATE_MS = 2_000;

/** One visit of a catch-up: what it began with, and its rate from there. */
interface Run {
  readonly startedMs: number;
  readonly heldAtStart: number;
}

/**
 * `starting`: the network has other nodes and none was compared with so far. `syncing`: much is being caught up with.
 * `ready`: compared with one, or there are no others, or nobody answered for a while. A node that was told that it
 * lacks much is not ready before it has been through with somebody, however long that takes and however often it is
 * started meanwhile.
 */
export class SyncProgress {
  readonly #options: SyncProgressOptions;
  readonly #startedMs: number;
  #isCompared = false;
  #lacksMuch: boolean;
  #run: Run | null = null;
  #held = 0;
  #total = 0;

  constructor(options: SyncProgressOptions) {
    this.#options = options;
    this.#startedMs = options.clock.monotonicMs();
    this.#lacksMuch = options.mark.isSet();
  }

  status(): SyncStatus {
    if (this.#lacksMuch) {
      const percent = this.#total === 0 ? null : Math.min(99.9, floorToTenth(this.#held / this.#total));
      return { state: "syncing", percent, secondsLeft: this.#secondsLeft() };
    }
    return { state: this.#isReady() ? "ready" : "starting", percent: null, secondsLeft: null };
  }

  /**
   * It has been through with a peer that was ready, or there are no others. To be `ready` is less: a node that nobody
   * answered says so too, and may have lost its disk.
   */
  get hasEverything(): boolean {
    return !this.#lacksMuch && (this.#isCompared || !this.#options.hasBootstrap);
  }

  /** A part of a catch-up is there: so many messages, at least, of those that the peer has. */
  caughtUpTo(held: number, total: number): void {
    if (!this.#lacksMuch) this.#options.mark.set();
    this.#lacksMuch = true;
    // What is held when a visit begins is an estimate that leaves some out.
    this.#held = total > this.#total ? held : Math.max(held, this.#held);
    this.#total = total;
    this.#run ??= { startedMs: this.#options.clock.monotonicMs(), heldAtStart: this.#held };
  }

  /** A visit is over; `isThrough`: with all that a peer has that is ready itself. */
  visited(isThrough: boolean): void {
    this.#run = null;
    if (!isThrough) return;
    if (this.#lacksMuch) this.#options.mark.clear();
    this.#isCompared = true;
    this.#lacksMuch = false;
    this.#held = 0;
    this.#total = 0;
  }

  #secondsLeft(): number | null {
    if (this.#run === null) return null;
    const spentMs = this.#options.clock.monotonicMs() - this.#run.startedMs;
    const taken = this.#held - this.#run.heldAtStart;
    if (taken <= 0 || spentMs < FIRST_ESTIMATE_MS) return null;
    return Math.ceil((Math.max(0, this.#total - this.#held) / taken) * (spentMs / 1_000));
  }

  #isReady(): boolean {
    const { hasBootstrap, aloneAfterMs, clock } = this.#options;
    return this.#isCompared || !hasBootstrap || clock.monotonicMs() - this.#startedMs >= aloneAfterMs;
  }
}

const floorToTenth = (share: number): number => Math.floor(share * 1_000) / 10;
