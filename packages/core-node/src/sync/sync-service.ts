import { NetworkError, PeerFault, type PeerStream, SALT_BYTES } from "@twentysix/network/reconcile";
import {
  createDeferred,
  type Deferred,
  isAbortOf,
  PlatformError,
  pick,
  raceAbort,
  Semaphore,
  shuffled,
} from "@twentysix/platform";
import { VisitAnswers } from "./answer-visits.ts";
import { BodyIntake } from "./body-intake.ts";
import { Checkpoints } from "./checkpoints.ts";
import { KeptCheckpoints } from "./kept-checkpoints.ts";
import { PeerPauses } from "./peer-pauses.ts";
import { NoRoomForMore, Reconciliation } from "./reconciliation.ts";
import { Reunion } from "./reunion.ts";
import type { SyncServiceOptions, SyncStatistics, VisitReport } from "./sync-options.ts";
import { SyncProgress, type SyncStatus } from "./sync-progress.ts";
import { SYNC_PROTOCOL } from "./sync-protocol.ts";
import { UnchangedKeys } from "./unchanged-keys.ts";
import { Visit, VisitRefused } from "./visit.ts";
import { MAX_WITNESSES, Witnesses } from "./witnesses.ts";

const PERIOD_MS = 10_000;
const ALONE_AFTER_MS = 60_000;
/** For how many periods those who come may be all that are visited. */
const PERIODS_OF_NEWCOMERS = 3;
/**
 * After a visit that brought something: others may have more of it. Twice as long after each such visit in a row: where
 * messages keep coming, a visit always finds some that gossip is just bringing.
 */
const SOON_MS = 500;
/** After a visit that failed: somebody else, or the same peer once its first pause is over. */
const RETRY_MS = 1_500;
/** Peers that are to be visited next. */
const MAX_WAITING = 64;
const MAX_POSITIONS = 4_096;
/** A visit that brought nothing and cost more than that is not repeated soon. */
const DEAR_BYTES = 256 * 1024;
/** Peers that are visited before a packer packs, and the time for all of them. */
const MAX_COLLECTED = 16;
const COLLECT_MS = 60_000;
/** A peer that broke the rules is left alone at least so long. */
const FAULT_PAUSE_MS = 60_000;

/**
 * Keeps this node's messages equal to those of its peers: it visits whoever connects, and one at random every few
 * seconds, takes what it lacks, and answers visitors. One visit at a time.
 */
export class SyncService implements AsyncDisposable {
  readonly #options: SyncServiceOptions;
  readonly #end = new AbortController();
  readonly #progress: SyncProgress;
  readonly #reunion: Reunion;
  readonly #intake: BodyIntake;
  /** What peers and this node signed of their states. */
  readonly checkpoints: Checkpoints;
  readonly #unchanged = new UnchangedKeys();
  readonly #pauses = new PeerPauses();
  /** Where the log of a peer was left. */
  readonly #positions = new Map<string, number>();
  readonly #waiting = new Set<string>();
  /** When a visit to a peer came to its end last. */
  readonly #visitedMs = new Map<string, number>();
  /** When a peer was picked last that had not just come. */
  #pickedMs: number;
  /** How soon the next visit follows one that brought something. */
  #soonMs = SOON_MS;
  readonly #stops: (() => void)[] = [];
  /** One visit at a time. */
  readonly #turn = new Semaphore({ permits: 1, maxWaiters: MAX_WAITING });
  #wake: Deferred<void> = createDeferred<void>();
  #running: Promise<void>;
  #isToldComplete = false;
  #statistics: SyncStatistics = {
    visits: 0,
    failedVisits: 0,
    faults: 0,
    taken: 0,
    overheadBytes: 0,
    bodyBytes: 0,
  };

  constructor(options: SyncServiceOptions) {
    const { peers, identity, intake, readContent, timers, clock, hasBootstrap } = options;
    this.#options = options;
    this.#pickedMs = clock.monotonicMs();
    this.#progress = new SyncProgress({
      hasBootstrap,
      mark: options.catchUpMark,
      aloneAfterMs: options.aloneAfterMs ?? ALONE_AFTER_MS,
      clock,
    });
    this.#reunion = new Reunion({
      ...options.lastReady,
      sought: () => peers.sought(),
      clock,
      onError: (what, error) => options.log.warn(what, { error }),
    });
    this.#intake = new BodyIntake({ ...intake, timers });
    this.checkpoints = new Checkpoints({
      identity,
      signatures: peers.signatures,
      kept: new KeptCheckpoints(options.checkpoints),
      stateRoot: options.sumUp,
      clock,
      timers,
      signal: this.#end.signal,
    });
    const answers = new VisitAnswers({
      checkpoint: () => this.checkpoints.encoded(),
      tree: intake.tree,
      identity,
      readContent,
      state: () => this.status().state,
      isReturning: () => this.#reunion.isReturning,
      clock,
      timers,
      signal: this.#end.signal,
    });
    const answer = async (stream: PeerStream): Promise<void> => {
      try {
        await answers.answer(stream);
      } catch (error) {
        if (error instanceof PeerFault) this.#fault(stream.peerId, error);
        throw error;
      }
    };
    this.#stops.push(peers.streams.handle(SYNC_PROTOCOL, answer));
    this.#stops.push(peers.onPeers((peerId, isConnected) => this.#onPeer(peerId, isConnected)));
    for (const peerId of peers.streams.peersWith(SYNC_PROTOCOL)) this.#onPeer(peerId, true);
    this.#tellComplete();
    this.#running = this.#run();
  }

  status(): SyncStatus {
    return this.#progress.status();
  }

  #tellComplete(): void {
    const isComplete = this.#progress.hasEverything;
    if (isComplete === this.#isToldComplete) return;
    this.#isToldComplete = isComplete;
    this.#options.onComplete(isComplete);
  }

  statistics(): SyncStatistics {
    return this.#statistics;
  }

  /** Visits a peer now and tells what came of it. Throws as `Reconciliation`, after the peer has borne the costs. */
  async visit(peerId: string, signal: AbortSignal = this.#end.signal): Promise<VisitReport> {
    using _turn = await this.#turn.acquire(signal);
    await this.#reunion.loaded();
    try {
      const report = await this.#reconcile(peerId, signal);
      await this.#visited(peerId, report);
      if (report.taken === 0 && report.overheadBytes > DEAR_BYTES) this.#pause(peerId);
      else this.#pauses.end(peerId);
      return report;
    } catch (error) {
      this.#progress.visited(false);
      this.#count({ failedVisits: this.#statistics.failedVisits + 1 });
      this.#blame(peerId, error);
      throw error;
    }
  }

  /**
   * Visits the peers that were not visited for so long, so that what they have and this node lacks is here. A peer that
   * takes too long, or fails, is done without.
   */
  async collect(freshMs: number, signal: AbortSignal): Promise<void> {
    const { peers, random, clock, timers, log } = this.#options;
    const nowMs = clock.monotonicMs();
    const isDue = (peerId: string): boolean =>
      nowMs - (this.#visitedMs.get(peerId) ?? Number.NEGATIVE_INFINITY) >= freshMs &&
      !this.#pauses.isPaused(peerId, nowMs);
    const due = shuffled(random, peers.streams.peersWith(SYNC_PROTOCOL)).filter(isDue);
    const visits = async (stop: AbortSignal): Promise<void> => {
      for (const peerId of due.slice(0, MAX_COLLECTED)) {
        // A visit that is given up here goes on by itself.
        await raceAbort(this.#visitQuietly(peerId), stop);
      }
    };
    try {
      await timers.withTimeout(COLLECT_MS, visits, AbortSignal.any([signal, this.#end.signal]));
    } catch (error) {
      if (signal.aborted || !isExpected(error)) throw error;
      log.debug("Not all peers were visited in time", { error });
    }
  }

  async #visited(peerId: string, { isThrough, isReunion }: VisitReport): Promise<void> {
    this.#visitedMs.delete(peerId);
    this.#visitedMs.set(peerId, this.#options.clock.monotonicMs());
    const [oldest] = this.#visitedMs.keys();
    if (this.#visitedMs.size > MAX_POSITIONS && oldest !== undefined) this.#visitedMs.delete(oldest);
    if (isReunion) this.#reunion.met(peerId);
    const isStarting = this.status().state === "starting";
    this.#progress.visited(isThrough || (isStarting && this.#reunion.isComplete));
    this.#tellComplete();
    if (this.status().state === "ready") await this.#reunion.noteReady();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const stop of this.#stops) stop();
    this.#end.abort(new Error("the node is shutting down"));
    this.#wake.resolve();
    await this.#running;
    if (this.status().state === "ready") await this.#reunion.noteReady();
  }

  #onPeer(peerId: string, isConnected: boolean): void {
    if (!isConnected) {
      this.#waiting.delete(peerId);
      return;
    }
    this.#pauses.end(peerId);
    if (this.#waiting.size >= MAX_WAITING) return;
    this.#waiting.add(peerId);
    this.#wake.resolve();
  }

  async #run(): Promise<void> {
    const { signal } = this.#end;
    const { clock, random } = this.#options;
    const periodMs = this.#periodMs;
    await this.#reunion.loaded();
    for (let delayMs: number | null = null; !signal.aborted; ) {
      if (this.#waiting.size === 0) await this.#sleep(delayMs ?? periodMs / 2 + random.uniform(periodMs));
      if (signal.aborted) return;
      const peerId = this.#nextPeer();
      delayMs = null;
      if (peerId === undefined || this.#pauses.isPaused(peerId, clock.monotonicMs())) continue;
      delayMs = await this.#visitQuietly(peerId);
    }
  }

  /** Whoever has just come goes first; while somebody always has, one of the others is visited now and then. */
  #nextPeer(): string | undefined {
    const nowMs = this.#options.clock.monotonicMs();
    const [connected] = this.#waiting;
    if (connected !== undefined && nowMs - this.#pickedMs < PERIODS_OF_NEWCOMERS * this.#periodMs) {
      this.#waiting.delete(connected);
      return connected;
    }
    this.#pickedMs = nowMs;
    const picked = this.#pickPeer();
    if (picked !== undefined) this.#waiting.delete(picked);
    return picked;
  }

  get #periodMs(): number {
    return this.#options.periodMs ?? PERIOD_MS;
  }

  /** When the next visit is due; null: at its usual time. */
  async #visitQuietly(peerId: string): Promise<number | null> {
    try {
      const { taken } = await this.visit(peerId);
      const delayMs = this.#soonMs;
      this.#soonMs = taken > 0 ? Math.min(delayMs * 2, this.#periodMs) : SOON_MS;
      return taken > 0 ? delayMs : null;
    } catch (error) {
      if (isAbortOf(this.#end.signal, error)) return null;
      this.#options.log.debug("A visit to a peer failed", { peerId, error });
      return RETRY_MS;
    }
  }

  #pickPeer(): string | undefined {
    const { peers, clock, random } = this.#options;
    const nowMs = clock.monotonicMs();
    const there = peers.streams.peersWith(SYNC_PROTOCOL);
    return pick(
      random,
      there.filter((peerId) => !this.#pauses.isPaused(peerId, nowMs)),
    );
  }

  async #reconcile(peerId: string, signal: AbortSignal): Promise<VisitReport> {
    const { intake, sumUp, heldMessages, hasRoom, clock, random } = this.#options;
    const salt = random.randomBytes(SALT_BYTES);
    const { visit, welcome } = await this.#open(peerId, salt, signal);
    const witnesses = new Witnesses({
      peers: shuffled(random, this.#othersThan(peerId)),
      open: (other) => this.#openWitness(other, signal),
    });
    try {
      const found = await new Reconciliation({
        tree: intake.tree,
        intake: this.#intake,
        unchanged: this.#unchanged,
        sumUp,
        heldMessages,
        hasRoom,
        clock,
        visit,
        welcome,
        salt,
        witnesses,
        logPosition: this.#positions.get(peerId) ?? null,
        onCatchUp: (held, total) => {
          this.#progress.caughtUpTo(held, total);
          this.#tellComplete();
        },
        signal,
      }).run();
      await this.checkpoints.hold(visit, welcome, found, signal);
      await visit.close();
      this.#remember(peerId, found.logPosition);
      this.#count({ taken: this.#statistics.taken + found.taken });
      const { overheadBytes, bodyBytes } = visit;
      const isThrough = welcome.isReady && !found.hasUnready;
      const isReunion = welcome.isReturning && !found.hasUnready;
      return { ...found, isThrough, isReunion, overheadBytes, bodyBytes };
    } catch (error) {
      visit.abort(error);
      throw error;
    } finally {
      await witnesses.close();
      const { visits, overheadBytes, bodyBytes } = this.#statistics;
      this.#count({
        visits: visits + 1,
        overheadBytes: overheadBytes + visit.overheadBytes,
        bodyBytes: bodyBytes + visit.bodyBytes,
      });
    }
  }

  #open(peerId: string, salt: Uint8Array, signal: AbortSignal): ReturnType<typeof Visit.open> {
    const { peers, identity, clock, timers } = this.#options;
    const hello = { ...identity, salt };
    return Visit.open({ streams: peers.streams, peerId, hello, clock, timers, signal });
  }

  async #openWitness(peerId: string, signal: AbortSignal): Promise<Visit | null> {
    try {
      return (await this.#open(peerId, this.#options.random.randomBytes(SALT_BYTES), signal)).visit;
    } catch (error) {
      if (signal.aborted) throw error;
      this.#blame(peerId, error);
      return null;
    }
  }

  #othersThan(peerId: string): readonly string[] {
    const others = this.#options.peers.streams.peersWith(SYNC_PROTOCOL).filter((other) => other !== peerId);
    return others.slice(0, MAX_WITNESSES * 4);
  }

  #remember(peerId: string, position: number): void {
    this.#positions.delete(peerId);
    this.#positions.set(peerId, position);
    const [oldest] = this.#positions.keys();
    if (this.#positions.size > MAX_POSITIONS && oldest !== undefined) this.#positions.delete(oldest);
  }

  /** What a failure costs the peer. A defect of this node costs nobody, and is not hidden. */
  #blame(peerId: string, error: unknown): void {
    if (this.#end.signal.aborted) return;
    if (error instanceof PeerFault) {
      this.#fault(peerId, error);
      return;
    }
    this.#pause(peerId);
    if (!isExpected(error)) this.#options.log.warn("A visit to a peer failed", { peerId, error });
  }

  #fault(peerId: string, fault: PeerFault): void {
    this.#pause(peerId, FAULT_PAUSE_MS);
    this.#count({ faults: this.#statistics.faults + 1 });
    this.#options.onFault(peerId, fault.message);
  }

  #pause(peerId: string, leastMs?: number): void {
    this.#pauses.pause(peerId, this.#options.clock.monotonicMs(), leastMs);
  }

  #count(changes: Partial<SyncStatistics>): void {
    this.#statistics = { ...this.#statistics, ...changes };
  }

  async #sleep(delayMs: number): Promise<void> {
    this.#wake = createDeferred<void>();
    const cancel = this.#options.timers.schedule(delayMs, () => this.#wake.resolve());
    await this.#wake.promise;
    cancel();
  }
}

/** Peers come and go, and are slow. */
function isExpected(error: unknown): boolean {
  return (
    error instanceof NetworkError ||
    error instanceof VisitRefused ||
    error instanceof NoRoomForMore ||
    (error instanceof PlatformError && error.code === "TIMEOUT")
  );
}
