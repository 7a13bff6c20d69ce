import type { PeerOpinions } from "@twentysix/network";
import type { Clock, Logger } from "@twentysix/platform";
import type { FileRecords, PeerFault } from "@twentysix/storage";

/**
 * What a peer can be caught at: a signed answer to a challenge that proves nothing (which anyone can check), content
 * that is not what was asked for, a visit against the rules, an answer that nobody understands.
 */
export type FaultKind = "false-claim" | "wrong-content" | "visit" | "malformed-proof";

/** How much each counts. A visit that stalls may be that of an honest node with too much to do. */
const WEIGHTS: Readonly<Record<FaultKind, number>> = {
  "false-claim": 5,
  "wrong-content": 2,
  visit: 0.5,
  "malformed-proof": 1,
};
/** After so long half of it is forgotten. */
const HALF_LIFE_MS = 3_600_000;
/** A peer of this weight is kept away, for longer each time. */
const BARRED_FROM = 5;
const BARRED_MS = 60_000;
const MAX_BARRED_MS = 24 * 3_600_000;
const MAX_PEERS = 10_000;
/** Faults of the last run that are remembered. */
const MAX_REMEMBERED = 1_000;

export interface PeerScoresOptions {
  readonly records: Pick<FileRecords, "peerFaults">;
  /** Makes a fault durable. */
  readonly note: (fault: PeerFault) => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Score {
  readonly weight: number;
  readonly atMs: number;
  readonly faults: number;
  readonly timesBarred: number;
  readonly barredUntilMs: number;
}

const CLEAN: Score = { weight: 0, atMs: 0, faults: 0, timesBarred: 0, barredUntilMs: 0 };

/**
 * What peers did wrong, of whatever kind, in one place: the score that gossip takes off, and for how long a peer is kept
 * away. Faults are kept with their evidence, over restarts.
 */
export class PeerScores implements PeerOpinions {
  readonly #options: PeerScoresOptions;
  readonly #scores = new Map<string, Score>();
  readonly #counts = new Map<FaultKind, number>();
  #onBarred: (peerId: string) => void = () => undefined;

  constructor(options: PeerScoresOptions) {
    this.#options = options;
  }

  /** Called with each peer that is to be kept away from now on. */
  set onBarred(callback: (peerId: string) => void) {
    this.#onBarred = callback;
  }

  /** Takes up what earlier runs noted. */
  async load(): Promise<void> {
    const faults = await this.#options.records.peerFaults(null, MAX_REMEMBERED);
    for (const { peerId, kind, atMicros } of faults.toReversed())
      if (isFaultKind(kind)) this.#count(peerId, kind, Number(atMicros / 1_000n));
  }

  /** Holds something against a peer. `evidence`: what others can check, or at least what was seen. */
  fault(
    peerId: string,
    kind: FaultKind,
    file: string | null,
    evidence: Readonly<Record<string, unknown>>,
  ): void {
    const { clock, log, note } = this.#options;
    const atMicros = clock.nowMicros();
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
    const { barredUntilMs, faults } = this.#count(peerId, kind, Number(atMicros / 1_000n));
    log.warn("A peer was caught", { peerId, kind, file, faults });
    note({ peerId, kind, file, atMicros, evidence: JSON.stringify(evidence) }).catch((error: unknown) =>
      log.error("What a peer did cannot be noted", { peerId, kind, error }),
    );
    if (barredUntilMs > this.#nowMs()) this.#onBarred(peerId);
  }

  scoreOf(peerId: string): number {
    const { weight, atMs } = this.#of(peerId);
    return 0 - weight * 2 ** (-(this.#nowMs() - atMs) / HALF_LIFE_MS);
  }

  isBarred(peerId: string): boolean {
    return this.#of(peerId).barredUntilMs > this.#nowMs();
  }

  faultsOf(peerId: string): number {
    return this.#of(peerId).faults;
  }

  /** Faults since the start, by kind. */
  counts(): ReadonlyMap<FaultKind, number> {
    return this.#counts;
  }

  /** Peers that are kept away now. */
  get barred(): number {
    return [...this.#scores.keys()].filter((peerId) => this.isBarred(peerId)).length;
  }

  #count(peerId: string, kind: FaultKind, atMs: number): Score {
    const before = this.#of(peerId);
    const left = before.weight * 2 ** (-Math.max(0, atMs - before.atMs) / HALF_LIFE_MS);
    const weight = left + WEIGHTS[kind];
    const isBarred = weight >= BARRED_FROM;
    const forMs = Math.min(MAX_BARRED_MS, BARRED_MS * 2 ** Math.min(before.timesBarred, 20));
    const score: Score = {
      weight,
      atMs,
      faults: before.faults + 1,
      timesBarred: before.timesBarred + Number(isBarred),
      barredUntilMs: isBarred ? atMs + forMs : before.barredUntilMs,
    };
    this.#scores.delete(peerId);
    this.#scores.set(peerId, score);
    for (const oldest of this.#scores.keys()) {
      if (this.#scores.size <= MAX_PEERS) break;
      this.#scores.delete(oldest);
    }
    return score;
  }

  #of(peerId: string): Score {
    return this.#scores.get(peerId) ?? CLEAN;
  }

  #nowMs(): number {
    return Number(this.#options.clock.nowMicros() / 1_000n);
  }
}

const isFaultKind = (kind: string): kind is FaultKind => Object.hasOwn(WEIGHTS, kind);
