import {
  ByteReader,
  ByteWriter,
  decodeDigests,
  decodeLeaves,
  decodeNodes,
  encodeKeys,
  encodePrefixes,
  encodeWanted,
  frameOf,
  framesOf,
  type Leaf,
  PeerFault,
  type PeerStream,
  type PeerStreams,
  type RangeNode,
  type WantedLeaves,
} from "@twentysix/network/reconcile";
import { type Clock, onAbort, type Timers } from "@twentysix/platform";
import type { LogPart } from "@twentysix/storage";
import {
  ANSWER,
  type Hello,
  MAX_ANSWER_BYTES,
  MAX_ANSWER_FRAME_BYTES,
  MAX_BODIES_BYTES,
  mismatchOf,
  REQUEST,
  readWelcome,
  SYNC_PROTOCOL,
  type Welcome,
  writeHello,
} from "./sync-protocol.ts";

/** The peer will not answer, for a reason that is no fault of it. */
export class VisitRefused extends Error {}

export interface VisitOptions {
  readonly streams: Pick<PeerStreams, "open">;
  readonly peerId: string;
  readonly hello: Hello;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly timers: Timers;
  readonly signal: AbortSignal;
}

/** Lines of some messages, and how many of the messages asked for they answer. */
export interface ToldBodies {
  readonly bytes: Buffer;
  readonly covered: number;
}

/** A peer sends the next piece of an answer within that time, or the visit is over. */
const ANSWER_MS = 30_000;
/** And all of it within that. */
const WHOLE_ANSWER_MS = 180_000;
/** A peer that was waited for so long in all, and told less than that for each second of it, keeps nobody waiting. */
const PATIENCE_MS = 60_000;
const LEAST_BYTES_PER_SECOND = 4 * 1024;
const LEAVE_MS = 5_000;

/**
 * A visit to a peer: questions one after the other, answers of bounded size. Everything that comes back is no more than
 * well-formed.
 */
export class Visit {
  readonly peerId: string;
  readonly #stream: PeerStream;
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #timers: Timers;
  readonly #signal: AbortSignal;
  #waitedMs = 0;
  readonly #frames: AsyncGenerator<Uint8Array, void, undefined>;
  readonly #stopListening: () => void;
  /** Bytes that went and came, those of bodies left out. */
  overheadBytes = 0;
  bodyBytes = 0;

  private constructor(stream: PeerStream, { clock, timers, signal }: VisitOptions) {
    this.peerId = stream.peerId;
    this.#stream = stream;
    this.#clock = clock;
    this.#timers = timers;
    this.#signal = signal;
    this.#frames = framesOf(stream.source, MAX_ANSWER_FRAME_BYTES);
    this.#stopListening = onAbort(signal, (reason) => stream.abort(asError(reason)));
  }

  /** @throws VisitRefused, PeerFault, NetworkError; the signal's reason */
  static async open(options: VisitOptions): Promise<{ readonly visit: Visit; readonly welcome: Welcome }> {
    const { streams, peerId, hello, timers, signal } = options;
    const stream = await timers.withTimeout(
      ANSWER_MS,
      (within) => streams.open(peerId, SYNC_PROTOCOL, within),
      signal,
    );
    const visit = new Visit(stream, options);
    try {
      const welcome = readWelcome(await visit.#ask(REQUEST.hello, writeHello(hello)));
      const mismatch = mismatchOf(hello, welcome);
      if (mismatch !== null) throw new VisitRefused(mismatch);
      return { visit, welcome };
    } catch (error) {
      visit.#giveUp(error);
      throw error;
    }
  }

  async nodes(prefixes: readonly string[]): Promise<readonly RangeNode[]> {
    return decodeNodes(await this.#ask(REQUEST.nodes, encodePrefixes(prefixes)), prefixes.length);
  }

  async leaves(wanted: readonly WantedLeaves[]): Promise<readonly Leaf[]> {
    return decodeLeaves(await this.#ask(REQUEST.leaves, encodeWanted(wanted)));
  }

  async digests(keys: readonly string[]): Promise<readonly (string | null)[]> {
    return decodeDigests(await this.#ask(REQUEST.digests, encodeKeys(keys)), keys.length);
  }

  /** @param entries `LOG_ENTRIES` at most */
  async log(afterSeq: number, entries: number): Promise<LogPart> {
    const request = new ByteWriter().u64(afterSeq).u16(entries).finish();
    const reader = new ByteReader(await this.#ask(REQUEST.log, request));
    const [nextSeq, isEnd] = [reader.u64(), reader.u8() === 1];
    const leaves = decodeLeaves(reader.rest());
    if (!isEnd && nextSeq <= afterSeq) throw new PeerFault("the peer's log does not go on");
    return { nextSeq, isEnd, leaves };
  }

  async bodies(keys: readonly string[]): Promise<ToldBodies> {
    const before = this.overheadBytes;
    await this.#send(REQUEST.bodies, encodeKeys(keys));
    const { parts, last } = await this.#receiveInTime(MAX_BODIES_BYTES);
    const bytes = Buffer.concat(parts);
    this.bodyBytes += bytes.length;
    this.overheadBytes = Math.max(before, this.overheadBytes - bytes.length);
    const covered = new ByteReader(last).u32();
    if (covered === 0 || covered > keys.length)
      throw new PeerFault("the peer answers none of what was asked");
    return { bytes, covered };
  }

  /** What the peer signs of its state now, unread; null when it has nothing to sign. */
  async checkpoint(): Promise<Uint8Array | null> {
    const bytes = await this.#ask(REQUEST.checkpoint, new Uint8Array());
    return bytes.length === 0 ? null : bytes;
  }

  /** Takes leave; a peer that does not let go is left. */
  async close(): Promise<void> {
    try {
      await this.#timers.withTimeout(LEAVE_MS, () => this.#stream.end(), this.#signal);
      this.#stopListening();
    } catch (error) {
      this.#giveUp(error);
    }
  }

  abort(reason: unknown): void {
    this.#giveUp(reason);
  }

  #giveUp(reason: unknown): void {
    this.#stopListening();
    this.#stream.abort(asError(reason));
  }

  async #ask(kind: number, payload: Uint8Array): Promise<Buffer> {
    await this.#send(kind, payload);
    const { parts, last } = await this.#receiveInTime(MAX_ANSWER_BYTES);
    return Buffer.concat([...parts, last]);
  }

  async #send(kind: number, payload: Uint8Array): Promise<void> {
    const frame = frameOf(new ByteWriter().u8(kind).bytes(payload).finish());
    this.overheadBytes += frame.length;
    await this.#timers.withTimeout(ANSWER_MS, () => this.#stream.send(frame), this.#signal);
  }

  #receiveInTime(maxBytes: number): Promise<Answer> {
    return this.#timers.withTimeout(WHOLE_ANSWER_MS, () => this.#receive(maxBytes), this.#signal);
  }

  async #receive(maxBytes: number): Promise<Answer> {
    const parts: Buffer[] = [];
    for (let bytes = 0; ; ) {
      const reader = new ByteReader(await this.#nextFrame());
      const status = reader.u8();
      const part = reader.rest();
      bytes += part.length;
      if (bytes > maxBytes) throw new PeerFault(`the peer answers with more than ${maxBytes} bytes`);
      if (status === ANSWER.refused) throw new VisitRefused(part.toString("utf8").slice(0, 200));
      if (status === ANSWER.last) return { parts, last: part };
      if (status !== ANSWER.more) throw new PeerFault(`the peer sent an answer of kind ${status}`);
      if (part.length === 0) throw new PeerFault("the peer sends parts with nothing in them");
      parts.push(part);
    }
  }

  async #nextFrame(): Promise<Uint8Array> {
    const askedMs = this.#clock.monotonicMs();
    const next = await this.#timers.withTimeout(ANSWER_MS, () => this.#frames.next(), this.#signal);
    if (next.done === true) throw new VisitRefused("the peer ended the visit");
    this.#waitedMs += this.#clock.monotonicMs() - askedMs;
    const leastBytes = (this.#waitedMs / 1_000) * LEAST_BYTES_PER_SECOND;
    if (this.#waitedMs > PATIENCE_MS && this.overheadBytes + this.bodyBytes < leastBytes)
      throw new VisitRefused("the peer tells next to nothing");
    this.overheadBytes += next.value.byteLength + FRAME_BYTES;
    return next.value;
  }
}

interface Answer {
  readonly parts: readonly Buffer[];
  readonly last: Buffer;
}

/** Of the length before each frame. */
const FRAME_BYTES = 4;

const asError = (reason: unknown): Error => (reason instanceof Error ? reason : new Error(String(reason)));
