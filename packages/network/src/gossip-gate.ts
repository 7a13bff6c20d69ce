import type { Clock, Timers } from "@twentysix/platform";
import { Allowance } from "./allowance.ts";

export interface GossipGateOptions {
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly timers: Pick<Timers, "schedule">;
}

/** What became of a gossiped message, as far as its sender answers for it. */
export type GossipOutcome = "new" | "known" | "passed over" | "refused";

/** What has come to the gate since the start, and how it stands now. */
export interface GossipFigures {
  readonly frames: number;
  readonly frameBytes: number;
  /** Messages that were looked at, by what became of them. */
  readonly messages: ReadonlyMap<GossipOutcome, number>;
  /** Frames and messages that had to wait for their turn. */
  readonly heldBack: number;
  /** Frames and messages that wait now. */
  readonly waiting: number;
  /** Peers that are not read now, since they have used up what one may cost. */
  readonly exhaustedPeers: number;
  /** Units that all peers together may cost at once; less than nothing where they have cost more. */
  readonly unitsLeft: number;
}

/** Units. One is about what a new message costs that is what it should be. */
const COSTS: Readonly<Record<GossipOutcome, number>> = { new: 1, "passed over": 1, known: 0.1, refused: 20 };
const FRAME_COST = 0.2;
const COST_OF_BYTE = 1 / 8_192;
/** What one peer may cost, and what all of them together may. */
const OF_PEER = { perSecond: 250, burst: 2_500, first: 250 };
const OF_ALL = { perSecond: 1_000, burst: 10_000, first: 10_000 };
/** Messages that are looked at at once, of one peer and of all. */
const MAX_LOOKED_AT = 64;
const MAX_LOOKED_AT_OF_PEER = 32;
/** Then the main thread is somebody else's for a moment. */
const MAX_IN_A_TURN = 16;
const LOOK_AGAIN_MS = 10;
const MAX_PEERS = 1_024;

interface Waiting {
  readonly peerId: string;
  readonly enter: () => void;
}

/**
 * Where gossip waits for its turn. A peer that sends more than its share is not read any further until it has one
 * again, so that it costs no processor and no memory. Of those that wait, whoever has cost least of late goes first: a
 * peer that sends little does not notice those that send much. What gossip does not bring in time comes on visits.
 */
export class GossipGate {
  readonly #options: GossipGateOptions;
  readonly #all: Allowance;
  readonly #peers = new Map<string, Allowance>();
  readonly #lookedAt = new Map<string, number>();
  #lookedAtOfAll = 0;
  #line: Waiting[] = [];
  #frames = 0;
  #frameBytes = 0;
  readonly #outcomes = new Map<GossipOutcome, number>();
  #heldBack = 0;
  /** Somebody waits who has a share: whoever comes now waits behind him. */
  #isFull = false;
  #inThisTurn = 0;
  #isTurnTimed = false;
  #isClosed = false;
  #cancelLook: (() => void) | null = null;

  constructor(options: GossipGateOptions) {
    this.#options = options;
    this.#all = new Allowance(OF_ALL, options.clock.monotonicMs());
  }

  /** Resolves when the peer may be read further. */
  async read(peerId: string, frameBytes: number): Promise<void> {
    this.#frames += 1;
    this.#frameBytes += frameBytes;
    await this.#turnOf(peerId, () => this.#spend(peerId, FRAME_COST + frameBytes * COST_OF_BYTE));
  }

  /** Looks at a message when it is its turn, and books what came of it. */
  async look<T>(peerId: string, look: () => Promise<T>, outcomeOf: (result: T) => GossipOutcome): Promise<T> {
    await this.#turnOf(peerId, () => this.#count(peerId, 1));
    let outcome: GossipOutcome = "passed over";
    try {
      const result = await look();
      outcome = outcomeOf(result);
      return result;
    } finally {
      this.#count(peerId, -1);
      this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1);
      this.#spend(peerId, COSTS[outcome]);
      if (this.#line.length > 0) this.#lookSoon(0);
    }
  }

  figures(): GossipFigures {
    const waitingPeers = new Set(this.#line.map(({ peerId }) => peerId));
    return {
      frames: this.#frames,
      frameBytes: this.#frameBytes,
      messages: this.#outcomes,
      heldBack: this.#heldBack,
      waiting: this.#line.length,
      exhaustedPeers: [...waitingPeers].filter((peerId) => this.#leftOf(peerId) <= 0).length,
      unitsLeft: this.#all.left(this.#options.clock.monotonicMs()),
    };
  }

  /** Nobody is let in any more, and no timer runs: what waits is given up with its streams. */
  close(): void {
    this.#isClosed = true;
    this.#cancelLook?.();
    this.#line = [];
  }

  /** @param begin books what begins, at once, so that whoever is next finds it there */
  async #turnOf(peerId: string, begin: () => void): Promise<void> {
    const enter = (): void => {
      this.#takeTurn();
      begin();
    };
    if (!this.#isClosed && !this.#isFull && this.#hasShare(peerId) && this.#hasRoom()) {
      enter();
      return;
    }
    await new Promise<void>((resolve) => {
      const entered = (): void => {
        enter();
        resolve();
      };
      if (this.#isClosed) return;
      this.#heldBack += 1;
      this.#line.push({ peerId, enter: entered });
      this.#isFull ||= !this.#hasRoom();
      this.#lookSoon(this.#delayMs());
    });
  }

  #hasShare(peerId: string): boolean {
    return this.#leftOf(peerId) > 0 && (this.#lookedAt.get(peerId) ?? 0) < MAX_LOOKED_AT_OF_PEER;
  }

  #leftOf(peerId: string): number {
    return this.#peers.get(peerId)?.left(this.#options.clock.monotonicMs()) ?? OF_PEER.first;
  }

  #hasRoom(): boolean {
    const isTurn = this.#inThisTurn < MAX_IN_A_TURN && this.#lookedAtOfAll < MAX_LOOKED_AT;
    return isTurn && this.#all.left(this.#options.clock.monotonicMs()) > 0;
  }

  #delayMs(): number {
    return this.#inThisTurn >= MAX_IN_A_TURN ? 0 : LOOK_AGAIN_MS;
  }

  #takeTurn(): void {
    this.#inThisTurn += 1;
    if (this.#isTurnTimed) return;
    this.#isTurnTimed = true;
    this.#options.timers.schedule(0, () => {
      this.#isTurnTimed = false;
      this.#inThisTurn = 0;
    });
  }

  #lookSoon(delayMs: number): void {
    if (this.#cancelLook !== null || this.#isClosed) return;
    this.#cancelLook = this.#options.timers.schedule(delayMs, () => {
      this.#cancelLook = null;
      this.#letIn();
    });
  }

  /** Those that may; who waits for a share of his own keeps nobody up. */
  #letIn(): void {
    const left: Waiting[] = [];
    this.#isFull = false;
    const nowMs = this.#options.clock.monotonicMs();
    const costs = new Map(
      this.#line.map(({ peerId }) => [peerId, this.#peers.get(peerId)?.spentLately(nowMs) ?? 0]),
    );
    // Stable: what one peer has sent stays in its order.
    this.#line.sort((one, other) => (costs.get(one.peerId) ?? 0) - (costs.get(other.peerId) ?? 0));
    for (const one of this.#line) {
      if (!this.#hasShare(one.peerId)) left.push(one);
      else if (this.#hasRoom()) one.enter();
      else {
        left.push(one);
        this.#isFull = true;
      }
    }
    this.#line = left;
    if (left.length > 0) this.#lookSoon(this.#delayMs());
  }

  #count(peerId: string, change: number): void {
    this.#lookedAtOfAll += change;
    const count = (this.#lookedAt.get(peerId) ?? 0) + change;
    if (count === 0) this.#lookedAt.delete(peerId);
    else this.#lookedAt.set(peerId, count);
  }

  #spend(peerId: string, units: number): void {
    const nowMs = this.#options.clock.monotonicMs();
    // What somebody is to blame for is not everybody's.
    this.#all.spend(Math.min(1, units), nowMs);
    this.#allowanceOf(peerId).spend(units, nowMs);
  }

  #allowanceOf(peerId: string): Allowance {
    const known = this.#peers.get(peerId);
    const allowance = known ?? new Allowance(OF_PEER, this.#options.clock.monotonicMs());
    this.#peers.delete(peerId);
    this.#peers.set(peerId, allowance);
    for (const oldest of this.#peers.keys()) {
      if (this.#peers.size <= MAX_PEERS) break;
      this.#peers.delete(oldest);
    }
    return allowance;
  }
}
