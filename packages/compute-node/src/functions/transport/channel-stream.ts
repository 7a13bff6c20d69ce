import { Duplex } from "node:stream";
import { TransportError } from "./errors.ts";
import { START_WINDOW_BYTES } from "./frames.ts";

/** What a stream asks of the channel that it is part of. */
export interface StreamPort {
  /** Whether the port takes more just now. */
  canSend(): boolean;
  /** Calls back once, when it takes more and those who asked before have had their turn. */
  whenCanSend(turn: () => void): void;
  sendData(streamId: number, bytes: Buffer): void;
  sendEnd(streamId: number): void;
  sendReset(streamId: number, reason: string): void;
  sendCredit(streamId: number, bytes: number): void;
  /** Neither side has anything to say any more. */
  forget(streamId: number): void;
}

/** The other side is told of room once so much of it is free: small pieces would cost a frame each. */
const CREDIT_STEP_BYTES = START_WINDOW_BYTES / 4;
const MAX_WINDOW_BYTES = 2 ** 31;
/** Of one frame: streams take turns between frames. */
const MAX_PIECE_BYTES = 32_768;

interface PendingWrite {
  readonly bytes: Buffer;
  readonly done: (error?: Error | null) => void;
}

/**
 * One stream of a channel, with what makes it serve as a socket of `node:http`. What arrives waits here until it is read,
 * and the other side may only send what fits: `START_WINDOW_BYTES` at most.
 */
export class ChannelStream extends Duplex {
  readonly id: number;
  readonly #port: StreamPort;
  readonly #inbox: Buffer[] = [];
  #sendWindow = START_WINDOW_BYTES;
  #receiveWindow = START_WINDOW_BYTES;
  #uncredited = 0;
  #wantsData = false;
  #pending: PendingWrite | null = null;
  #awaitsTurn = false;
  #isEndPushed = false;
  #hasEnded = false;
  #otherHasEnded = false;

  constructor(id: number, port: StreamPort) {
    super({ allowHalfOpen: true, readableHighWaterMark: 65_536, writableHighWaterMark: 65_536 });
    this.id = id;
    this.#port = port;
  }

  override _read(): void {
    this.#wantsData = true;
    this.#deliver();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#pending = { bytes: chunk, done };
    this.#pump();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#hasEnded = true;
    this.#port.sendEnd(this.id);
    if (this.#otherHasEnded) this.#port.forget(this.id);
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const isOver = this.#hasEnded && this.#otherHasEnded;
    if (!isOver && !isFromOther(error)) this.#port.sendReset(this.id, error?.message ?? "closed");
    this.#port.forget(this.id);
    this.#inbox.length = 0;
    const pending = this.#pending;
    this.#pending = null;
    pending?.done(error ?? new TransportError("GUEST_STREAM_RESET", "the stream was closed"));
    done(error);
  }

  /** @internal Bytes of the other side. */
  receiveData(payload: Buffer): void {
    if (this.destroyed || this.#otherHasEnded) return;
    this.#receiveWindow -= payload.length;
    if (this.#receiveWindow < 0) {
      this.destroy(new TransportError("GUEST_PROTOCOL_BROKEN", "the guest sent more than it was allowed to"));
      return;
    }
    if (payload.length === 0) return;
    this.#inbox.push(Buffer.from(payload));
    this.#deliver();
  }

  /** @internal */
  receiveEnd(): void {
    if (this.#otherHasEnded) return;
    this.#otherHasEnded = true;
    this.#deliver();
    if (this.#hasEnded) this.#port.forget(this.id);
  }

  /** @internal */
  receiveReset(reason: string): void {
    this.destroy(new TransportError("GUEST_STREAM_RESET", reason));
  }

  /** @internal The other side has room for more. */
  receiveCredit(bytes: number): void {
    this.#sendWindow += bytes;
    if (this.#sendWindow > MAX_WINDOW_BYTES) {
      this.destroy(new TransportError("GUEST_PROTOCOL_BROKEN", "the guest allows more than there can be"));
      return;
    }
    this.#pump();
  }

  // What `node:http` calls on a socket, and what means nothing here.
  setKeepAlive(): this {
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setTimeout(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }

  #deliver(): void {
    while (this.#wantsData) {
      const chunk = this.#inbox.shift();
      if (chunk === undefined) break;
      this.#credit(chunk.length);
      this.#wantsData = this.push(chunk);
    }
    if (!this.#otherHasEnded || this.#inbox.length > 0 || this.#isEndPushed || this.destroyed) return;
    this.#isEndPushed = true;
    this.push(null);
  }

  #credit(bytes: number): void {
    this.#uncredited += bytes;
    if (this.#uncredited < CREDIT_STEP_BYTES || this.#otherHasEnded) return;
    const granted = this.#uncredited;
    this.#uncredited = 0;
    this.#receiveWindow += granted;
    this.#port.sendCredit(this.id, granted);
  }

  #pump(): void {
    while (this.#pending !== null && this.#sendWindow > 0) {
      if (!this.#port.canSend()) {
        this.#awaitTurn();
        return;
      }
      const { bytes, done } = this.#pending;
      const piece = bytes.subarray(0, Math.min(this.#sendWindow, MAX_PIECE_BYTES));
      const isLast = piece.length === bytes.length;
      this.#sendWindow -= piece.length;
      // Before it is sent: a port in memory may bring the other side's answer, and with it the next turn, within the call.
      this.#pending = isLast ? null : { bytes: bytes.subarray(piece.length), done };
      this.#port.sendData(this.id, piece);
      if (isLast) done();
    }
  }

  #awaitTurn(): void {
    if (this.#awaitsTurn) return;
    this.#awaitsTurn = true;
    this.#port.whenCanSend(() => {
      this.#awaitsTurn = false;
      this.#pump();
    });
  }
}

function isFromOther(error: Error | null): boolean {
  if (!(error instanceof TransportError)) return false;
  return error.code === "GUEST_STREAM_RESET" || error.code === "GUEST_CONNECTION_LOST";
}
