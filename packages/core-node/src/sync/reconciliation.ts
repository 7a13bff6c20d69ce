import { compareRanges, type Leaf, MAX_LEAVES, PeerFault, rangesFor } from "@twentysix/network/reconcile";
import { type Clock, raceAbort } from "@twentysix/platform";
import type { BodyIntake, TakenKeys } from "./body-intake.ts";
import type { OwnTree } from "./own-tree.ts";
import { LOG_ENTRIES, type Welcome } from "./sync-protocol.ts";
import type { UnchangedKeys } from "./unchanged-keys.ts";
import type { Visit } from "./visit.ts";
import type { Witnesses } from "./witnesses.ts";

export interface ReconciliationServices {
  readonly tree: OwnTree;
  readonly intake: BodyIntake;
  readonly unchanged: UnchangedKeys;
  /** Messages accepted here, whether the trees show them yet or not; those forgotten left out. */
  readonly heldMessages: () => Promise<number>;
  /** Brings the digests of ranges up to what is committed. */
  readonly sumUp: () => Promise<unknown>;
  readonly hasRoom: () => boolean;
  readonly clock: Pick<Clock, "monotonicMs">;
}

export interface ReconciliationOptions extends ReconciliationServices {
  readonly visit: Visit;
  readonly welcome: Welcome;
  readonly salt: Uint8Array;
  readonly witnesses: Witnesses;
  /** Where an earlier visit left the log of this peer; null on the first one. */
  readonly logPosition: number | null;
  /** Told after each part of a catch-up: messages that this node has, of those that the peer has. */
  readonly onCatchUp: (held: number, total: number) => void;
  readonly signal: AbortSignal;
}

export interface ReconciliationReport {
  /** Messages that this node has now as the peer has them. */
  readonly taken: number;
  /** Those that were fetched and are not here, or otherwise, all the same. */
  readonly unchanged: number;
  /** Both had the same state when they compared it, or this node got all that it lacked. */
  readonly isEqual: boolean;
  /** The peer has ranges that it could not tell of yet. */
  readonly hasUnready: boolean;
  /** It lacked so much that it followed the peer's log. */
  readonly isFarBehind: boolean;
  /** Where to go on in the log of this peer. */
  readonly logPosition: number;
}

/** There is no room for more in the data folder, or in memory. */
export class NoRoomForMore extends Error {}

/** From so many messages that the peer has more, they are taken in the order of its log. */
export const CATCH_UP_MESSAGES = 2_000;
/** A rest of the log up to that is read through; a longer one is searched. */
const WHOLE_REST_EVENTS = 16_384;
/** A part of the log of which a smaller share is missing is one that was gone through before. */
const KNOWN_BUT_FOR = 1 / 8;
/** Fewer wait for others, while the log is followed. */
const LEAST_FETCHED = 512;
const MAX_LEAP_EVENTS = 1_048_576;
/** Messages by which it is told where a leap has led. */
const PROBED_ENTRIES = 128;
/** A visit that brings nothing for so long is over. */
const STALLED_MS = 600_000;
/** Parts that are being decided while the next one is fetched. */
const MAX_UNDECIDED = 2;
/** More messages than any network has: what a peer claims beyond gives it no more patience. */
const MAX_COUNT = 2 ** 28;

interface Part {
  readonly leaves: readonly Leaf[];
  readonly decided: Promise<TakenKeys>;
}

/**
 * Takes from a peer what it has and this node has not. A node that lacks much follows the log of the peer: that is the
 * order in which the peer processed its messages, so what a message needs has come before it. Then the trees are
 * compared, and what the peer processed after its tree was summed up is read from the end of its log.
 */
export class Reconciliation {
  readonly #options: ReconciliationOptions;
  #undecided: Part[] = [];
  #taken = 0;
  #unchanged = 0;
  #lastProgressMs: number;
  #heldAtStart = 0;
  #isFarBehind = false;
  #hasUnready = false;

  constructor(options: ReconciliationOptions) {
    this.#options = options;
    this.#lastProgressMs = options.clock.monotonicMs();
  }

  /** @throws PeerFault, NetworkError, VisitRefused, NoRoomForMore; the signal's reason */
  async run(): Promise<ReconciliationReport> {
    const { tree, heldMessages, unchanged, welcome, signal } = this.#options;
    const atStart = await tree.state(signal);
    const isFarBehind = (held: number): boolean => welcome.count - held - unchanged.size >= CATCH_UP_MESSAGES;
    this.#heldAtStart = atStart.count;
    // To count what the trees do not show yet takes longer than all else that an equal peer costs.
    if (isFarBehind(atStart.count)) this.#heldAtStart = Math.max(await heldMessages(), atStart.count);
    this.#isFarBehind = isFarBehind(this.#heldAtStart);
    const position = await this.#followLog(this.#startOfLog());
    await this.#decideAll();
    const isEqual = atStart.root === welcome.root || (await this.#compareTrees());
    return {
      taken: this.#taken,
      unchanged: this.#unchanged,
      isEqual,
      hasUnready: this.#hasUnready,
      isFarBehind: this.#isFarBehind,
      logPosition: position,
    };
  }

  /** Where the last visit left it; without one where the tree ends, or for a node that lacks much its beginning. */
  #startOfLog(): number {
    const { welcome, logPosition } = this.#options;
    if (logPosition !== null && logPosition <= welcome.lastSeq) return logPosition;
    return this.#isFarBehind ? 0 : welcome.treeSeq;
  }

  /**
   * Leaps over what is here already but for a little, as after a catch-up that was broken off; the trees show what a
   * leap missed. Where one went too far, the place from which on most is new is searched for by halves.
   */
  async #followLog(from: number): Promise<number> {
    const { visit, welcome, onCatchUp } = this.#options;
    const leaps = welcome.lastSeq - from > WHOLE_REST_EVENTS;
    let [known, after, leap] = [from, from, 0];
    /** What was found to be mostly new. */
    let newFrom = welcome.lastSeq;
    let missing: Leaf[] = [];
    while (after < welcome.lastSeq) {
      this.#assertGoingOn();
      const part = await visit.log(after, leap > 0 ? PROBED_ENTRIES : LOG_ENTRIES);
      const news = await this.#missing(part.leaves);
      const isKnown = news.length <= part.leaves.length * KNOWN_BUT_FOR;
      if (!isKnown && leap > 0) {
        newFrom = after;
        leap = nextLeap(leap, newFrom - known);
        after = known + leap;
        continue;
      }
      if (this.#isFarBehind) onCatchUp(this.#heldAtStart + this.#taken, welcome.count);
      missing.push(...news);
      if (missing.length >= LEAST_FETCHED) {
        await this.#fetch(missing);
        missing = [];
      }
      known = part.nextSeq;
      if (part.isEnd) break;
      if (known >= newFrom) newFrom = welcome.lastSeq;
      leap = leaps && isKnown ? nextLeap(leap, newFrom - known) : 0;
      after = known + leap;
    }
    await this.#fetch(missing);
    return known;
  }

  async #compareTrees(): Promise<boolean> {
    const { tree, welcome, sumUp, signal, visit, salt } = this.#options;
    if (this.#taken > 0 && (await tree.state(signal)).root === welcome.root) return true;
    await raceAbort(sumUp(), signal);
    const own = await tree.state(signal);
    if (own.root === welcome.root) return true;
    // It will come for what is here; until then most of what is here would be a difference.
    if (welcome.isSyncing && welcome.count < own.count) return false;
    const before = this.#unchanged;
    const ranges = compareRanges({
      own: {
        nodes: (prefixes) => tree.nodes(prefixes, salt, signal),
        digests: (keys) => tree.digests(keys, signal),
      },
      remote: visit,
      salt,
      maxRanges: rangesFor(Math.min(MAX_COUNT, Math.max(welcome.count, own.count))),
      onUnready: () => {
        this.#hasUnready = true;
      },
      signal,
    });
    let passedOver = 0;
    for await (const leaves of ranges) {
      this.#assertGoingOn();
      passedOver += leaves.length - (await this.#fetch(leaves));
    }
    await this.#decideAll();
    return passedOver === 0 && !this.#hasUnready && this.#unchanged === before;
  }

  /** Those that are not here, or otherwise. */
  async #missing(leaves: readonly Leaf[]): Promise<readonly Leaf[]> {
    if (leaves.length === 0) return [];
    const { tree, signal } = this.#options;
    const digests = await tree.digests(
      leaves.map(({ key }) => key),
      signal,
    );
    return leaves.filter(({ digest }, index) => digests[index] !== digest);
  }

  /** Fetches what is due; gives how much that is. */
  async #fetch(leaves: readonly Leaf[]): Promise<number> {
    const { visit, intake, unchanged, clock, witnesses, signal, hasRoom } = this.#options;
    const due = leaves.filter((leaf) => unchanged.isDue(leaf, clock.monotonicMs()));
    for (let left = due; left.length > 0; ) {
      if (!hasRoom()) throw new NoRoomForMore("there is no room for more messages");
      const asked = left.slice(0, MAX_LEAVES);
      const { bytes, covered } = await visit.bodies(asked.map(({ key }) => key));
      while (this.#undecided.length >= MAX_UNDECIDED) await this.#decideOne();
      const confirm = (hashes: readonly string[]): Promise<ReadonlySet<string>> =>
        witnesses.confirm(visit, hashes);
      const { decided } = await intake.take(bytes, confirm, this.#isFarBehind, signal);
      this.#undecided.push({ leaves: asked.slice(0, covered), decided });
      left = left.slice(covered);
    }
    return due.length;
  }

  async #decideAll(): Promise<void> {
    while (this.#undecided.length > 0) await this.#decideOne();
  }

  async #decideOne(): Promise<void> {
    const part = this.#undecided.shift();
    if (part === undefined) return;
    const taken = await part.decided;
    const { unchanged, clock } = this.#options;
    // What came to be otherwise than the peer has it the trees show at the end.
    const doubtful = this.#isFarBehind ? part.leaves.filter(({ key }) => !taken.has(key)) : part.leaves;
    const still = new Set(await this.#missing(doubtful));
    for (const leaf of part.leaves) {
      if (still.has(leaf)) unchanged.note(leaf, clock.monotonicMs());
      else unchanged.forget(leaf.key);
    }
    this.#unchanged += still.size;
    this.#taken += part.leaves.length - still.size;
    if (still.size < part.leaves.length) this.#lastProgressMs = clock.monotonicMs();
  }

  #assertGoingOn(): void {
    const { clock, signal } = this.#options;
    signal.throwIfAborted();
    if (clock.monotonicMs() - this.#lastProgressMs > STALLED_MS)
      throw new PeerFault(`the peer brought nothing for ${STALLED_MS / 1_000} s`);
  }
}

/** Twice as far as the last one, and half of the way to what is new at most; a short one is not worth it. */
function nextLeap(last: number, room: number): number {
  const leap = Math.min(MAX_LEAP_EVENTS, Math.max(LOG_ENTRIES, last * 2), Math.floor(room / 2));
  return leap < LOG_ENTRIES ? 0 : leap;
}
