import {
  ByteReader,
  ByteWriter,
  decodeKeys,
  decodePrefixes,
  decodeWanted,
  encodeDigests,
  encodeLeaves,
  frameOf,
  framesOf,
  PeerFault,
  type PeerStream,
} from "@twentysix/network/reconcile";
import { type Clock, Semaphore, type Timers } from "@twentysix/platform";
import { writeExchangeLine } from "../archive/exchange-line.ts";
import type { OwnTree } from "./own-tree.ts";
import type { BodyLine } from "./read-bodies.ts";
import type { SyncState } from "./sync-progress.ts";
import {
  ANSWER,
  BODIES_CHARACTERS,
  type Hello,
  LOG_ENTRIES,
  MAX_ANSWER_FRAME_BYTES,
  MAX_REQUEST_BYTES,
  mismatchOf,
  REQUEST,
  readHello,
  type SyncIdentity,
  writeWelcome,
} from "./sync-protocol.ts";
import { MAX_CONTENT_CHARACTERS } from "./travelling-content.ts";
import { WorkBudgets } from "./work-budgets.ts";

export interface VisitAnswersOptions {
  readonly tree: OwnTree;
  readonly identity: SyncIdentity;
  /** The text of a content that is not inline; null when it is not here, or longer than that. */
  readonly readContent: (itemHash: string, maxBytes: number, signal: AbortSignal) => Promise<string | null>;
  readonly state: () => SyncState;
  /** This node was ready before it was started. */
  readonly isReturning: () => boolean;
  /** What this node signs of its state, as it travels. */
  readonly checkpoint: () => Promise<Uint8Array>;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly timers: Timers;
  readonly signal: AbortSignal;
}

/** Visits that are answered at once, and those of one peer. */
const MAX_VISITS = 16;
const MAX_VISITS_OF_PEER = 2;
/** Reads for all visitors together: the lists of the API get their turns in between. */
const MAX_READS = 2;
/** When all places are taken, one who has had his so long and was told less than that a second leaves it. */
const PATIENCE_MS = 10_000;
const LEAST_BYTES_PER_SECOND = 16 * 1024;
/** A visitor who asks nothing that long is shown out. */
const IDLE_MS = 60_000;
/** A visitor who does not take what it asked for within that time is shown out. */
const SEND_MS = 60_000;

/**
 * Answers visitors from what this node holds: one request of a visitor at a time, each by reads of bounded size. What
 * breaks the rules ends the visit.
 */
export class VisitAnswers {
  readonly #options: VisitAnswersOptions;
  readonly #reads = new Semaphore({ permits: MAX_READS, maxWaiters: 2 * MAX_VISITS });
  readonly #budgets = new WorkBudgets();
  readonly #visits = new Set<Visit>();

  constructor(options: VisitAnswersOptions) {
    this.#options = options;
  }

  /** @throws PeerFault, NetworkError, ReadError; the signal's reason */
  readonly answer = async (stream: PeerStream): Promise<void> => {
    const ofPeer = [...this.#visits].filter(({ peerId }) => peerId === stream.peerId).length;
    const isRefused = ofPeer >= MAX_VISITS_OF_PEER || !this.#hasPlace();
    const shared = { reads: this.#reads, budgets: this.#budgets };
    const visit = new Visit(stream, this.#options, shared);
    if (isRefused) {
      await visit.run("too many visits at once: come later");
      return;
    }
    this.#visits.add(visit);
    try {
      await visit.run(null);
    } finally {
      this.#visits.delete(visit);
    }
  };

  /** Whoever stays and asks for next to nothing keeps nobody else out; what he was told is not lost to him. */
  #hasPlace(): boolean {
    if (this.#visits.size < MAX_VISITS) return true;
    const nowMs = this.#options.clock.monotonicMs();
    const rateOf = ({ toldBytes, startedMs }: Visit): number => toldBytes / ((nowMs - startedMs) / 1_000);
    const [slowest] = [...this.#visits]
      .filter((one) => nowMs - one.startedMs >= PATIENCE_MS && rateOf(one) < LEAST_BYTES_PER_SECOND)
      .sort((one, other) => rateOf(one) - rateOf(other));
    if (slowest === undefined) return false;
    this.#visits.delete(slowest);
    slowest.leave(new Error("others wait, and the visitor asks for next to nothing"));
    return true;
  }
}

class Visit {
  readonly #stream: PeerStream;
  readonly #options: VisitAnswersOptions;
  readonly #reads: Semaphore;
  readonly #budgets: WorkBudgets;
  readonly startedMs: number;
  toldBytes = 0;
  #hello: Hello | null = null;

  constructor(
    stream: PeerStream,
    options: VisitAnswersOptions,
    { reads, budgets }: { readonly reads: Semaphore; readonly budgets: WorkBudgets },
  ) {
    this.#stream = stream;
    this.#options = options;
    this.#reads = reads;
    this.#budgets = budgets;
    this.startedMs = options.clock.monotonicMs();
  }

  get peerId(): string {
    return this.#stream.peerId;
  }

  leave(reason: Error): void {
    this.#stream.abort(reason);
  }

  async run(refusal: string | null): Promise<void> {
    const { timers, signal } = this.#options;
    const frames = framesOf(this.#stream.source, MAX_REQUEST_BYTES);
    for (;;) {
      const next = await timers.withTimeout(IDLE_MS, () => frames.next(), signal);
      if (next.done === true) break;
      if (refusal !== null) {
        await this.#send(ANSWER.refused, Buffer.from(refusal));
        break;
      }
      if (!(await this.#answer(new ByteReader(next.value)))) break;
    }
    await this.#stream.end();
  }

  /** False after which the visit is over. */
  async #answer(request: ByteReader): Promise<boolean> {
    const kind = request.u8();
    if (kind === REQUEST.hello) return await this.#welcome(readHello(request.rest()));
    if (this.#hello === null) throw new PeerFault("the visitor did not say hello");
    const { salt } = this.#hello;
    const { signal } = this.#options;
    switch (kind) {
      case REQUEST.nodes: {
        const prefixes = decodePrefixes(request.rest());
        await this.#send(ANSWER.last, await this.#read((tree) => tree.encodedNodes(prefixes, salt, signal)));
        return true;
      }
      case REQUEST.leaves: {
        const wanted = decodeWanted(request.rest());
        await this.#send(ANSWER.last, await this.#read((tree) => tree.encodedLeaves(wanted, salt, signal)));
        return true;
      }
      case REQUEST.digests: {
        const keys = decodeKeys(request.rest());
        const digests = await this.#read((tree) => tree.digests(keys, signal));
        await this.#send(ANSWER.last, encodeDigests(digests));
        return true;
      }
      case REQUEST.log:
        await this.#sendLog(request.u64(), request.u16());
        return true;
      case REQUEST.bodies:
        await this.#sendBodies(decodeKeys(request.rest()));
        return true;
      case REQUEST.checkpoint:
        await this.#send(ANSWER.last, await this.#options.checkpoint());
        return true;
      default:
        throw new PeerFault(`the visitor asked for ${kind}, which is not known`);
    }
  }

  async #welcome(hello: Hello): Promise<boolean> {
    const { identity, state, isReturning, signal } = this.#options;
    const mismatch = mismatchOf(identity, hello);
    if (mismatch !== null) {
      await this.#send(ANSWER.refused, Buffer.from(mismatch));
      return false;
    }
    this.#hello = hello;
    const welcome = {
      ...identity,
      ...(await this.#read((tree) => tree.state(signal))),
      isSyncing: state() === "syncing",
      isReady: state() === "ready",
      isReturning: state() === "starting" && isReturning(),
      signs: true,
    };
    await this.#send(ANSWER.last, writeWelcome(welcome));
    return true;
  }

  async #sendLog(afterSeq: number, limit: number): Promise<void> {
    const { signal } = this.#options;
    const entries = Math.min(limit, LOG_ENTRIES);
    const part = await this.#read((tree) => tree.log(afterSeq, entries, signal));
    const answer = new ByteWriter()
      .u64(part.nextSeq)
      .u8(part.isEnd ? 1 : 0)
      .bytes(encodeLeaves(part.leaves))
      .finish();
    await this.#send(ANSWER.last, answer);
  }

  async #sendBodies(keys: readonly string[]): Promise<void> {
    const { signal } = this.#options;
    const { lines, covered } = await this.#read((tree) => tree.bodies(keys, BODIES_CHARACTERS, signal));
    let held: Buffer[] = [];
    let bytes = 0;
    for (const line of lines) {
      const text = Buffer.from(`${await this.#lineOf(line)}\n`);
      held.push(text);
      bytes += text.length;
      if (bytes < MAX_ANSWER_FRAME_BYTES / 2) continue;
      await this.#sendMore(Buffer.concat(held));
      held = [];
      bytes = 0;
    }
    if (bytes > 0) await this.#sendMore(Buffer.concat(held));
    await this.#send(ANSWER.last, new ByteWriter().u32(covered).finish());
  }

  async #read<T>(work: (tree: OwnTree) => Promise<T>): Promise<T> {
    const { tree, clock, timers, signal } = this.#options;
    const { found, waitMs } = await this.#inTurn(async () => {
      const startedMs = clock.monotonicMs();
      const result = await work(tree);
      const nowMs = clock.monotonicMs();
      return { found: result, waitMs: this.#budgets.spend(this.#stream.peerId, nowMs - startedMs, nowMs) };
    });
    if (waitMs > 0) await timers.sleep(waitMs, signal);
    return found;
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    using _turn = await this.#reads.acquire(this.#options.signal);
    return await work();
  }

  async #lineOf({ text, contentOf }: BodyLine): Promise<string> {
    if (contentOf === null) return text;
    const { readContent, signal } = this.#options;
    return writeExchangeLine(text, await readContent(contentOf, MAX_CONTENT_CHARACTERS, signal));
  }

  async #sendMore(bytes: Buffer): Promise<void> {
    const step = MAX_ANSWER_FRAME_BYTES - 1;
    for (let at = 0; at < bytes.length; at += step)
      await this.#send(ANSWER.more, bytes.subarray(at, at + step));
  }

  async #send(status: number, payload: Uint8Array): Promise<void> {
    const { timers, signal } = this.#options;
    const frame = frameOf(new ByteWriter().u8(status).bytes(payload).finish());
    await timers.withTimeout(SEND_MS, () => this.#stream.send(frame), signal);
    this.toldBytes += frame.length;
  }
}
