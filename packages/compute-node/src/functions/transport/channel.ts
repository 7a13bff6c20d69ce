import type { Duplex } from "node:stream";
import { isJsonObject, type JsonObject, parseJson } from "@twentysix/protocol";
import { ChannelStream, type StreamPort } from "./channel-stream.ts";
import { TransportError } from "./errors.ts";
import { FrameParser } from "./frame-parser.ts";
import { encodeFrame, FRAME, type Frame, type FrameType, PREAMBLE } from "./frames.ts";

/** HELLO and HALTED come from the guest, WAKE and HALT from the host; all on stream 0. */
export type ControlType = typeof FRAME.hello | typeof FRAME.wake | typeof FRAME.halt | typeof FRAME.halted;

export interface ChannelOptions {
  /** The host's streams have odd numbers, the guest's even ones. */
  readonly side: "host" | "guest";
  /** Streams that the other side may have open at once. */
  readonly maxTheirStreams: number;
  readonly maxOwnStreams: number;
  /** A stream of the other side, and where it wants to go. */
  readonly onOpen: (stream: ChannelStream, target: JsonObject) => void;
  /** Only a guest is configured. */
  readonly onConfigure?: (stream: ChannelStream) => void;
  readonly onControl: (type: ControlType, payload: Buffer) => void;
  /** Once: nothing arrives any more. */
  readonly onClosed: (error: TransportError) => void;
}

const NOTHING = Buffer.alloc(0);
/** Of what stands before the first frame that is understood: the remains of an earlier connection. */
const MAX_SKIPPED_BYTES = 16 * 1024 ** 2;

/**
 * Streams over one port of bytes. Every frame of the other side is checked; one that breaks the protocol ends the channel,
 * except before `establish`, when remains of an earlier connection are passed over.
 */
export class Channel implements StreamPort {
  readonly #port: Duplex;
  readonly #options: ChannelOptions;
  readonly #parser = new FrameParser();
  readonly #streams = new Map<number, ChannelStream>();
  readonly #turns: (() => void)[] = [];
  #nextId: number;
  #theirCount = 0;
  #isEstablished = false;
  #isClosed = false;
  #isFull = false;

  constructor(port: Duplex, options: ChannelOptions) {
    this.#port = port;
    this.#options = options;
    this.#nextId = options.side === "host" ? 1 : 2;
    port.on("data", (chunk: Buffer) => this.#receive(chunk));
    port.on("drain", () => this.#giveTurns());
    port.on("error", (cause) => this.#lose(`the port failed: ${cause.message}`, cause));
    port.on("close", () => this.#lose("the port was closed"));
    port.on("end", () => this.#lose("the port has ended"));
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Streams of both sides that are open. */
  get openStreams(): number {
    return this.#streams.size;
  }

  /** Tells the other side that frames begin here. */
  sendPreamble(): void {
    this.#write(PREAMBLE);
  }

  sendControl(type: ControlType, payload: Uint8Array): void {
    this.#send(type, 0, payload);
  }

  /** From now on the other side is understood, and each of its mistakes ends the channel. */
  establish(): void {
    this.#isEstablished = true;
  }

  /** All streams end: those of both sides belong to what was before. */
  resetStreams(reason: string): void {
    const streams = [...this.#streams.values()];
    this.#streams.clear();
    this.#theirCount = 0;
    for (const stream of streams) stream.receiveReset(reason);
  }

  /** @throws TransportError GUEST_STREAMS_EXHAUSTED, GUEST_CONNECTION_LOST */
  open(target: JsonObject): ChannelStream {
    const stream = this.#newStream();
    this.#send(FRAME.open, stream.id, Buffer.from(JSON.stringify(target)));
    return stream;
  }

  /** A stream that carries a configuration. @throws like `open` */
  openConfiguration(): ChannelStream {
    const stream = this.#newStream();
    this.#send(FRAME.configure, stream.id, NOTHING);
    return stream;
  }

  close(error: TransportError): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const stream of [...this.#streams.values()]) stream.destroy(error);
    this.#streams.clear();
    this.#turns.length = 0;
    this.#port.destroy();
    this.#options.onClosed(error);
  }

  canSend(): boolean {
    return !this.#isFull && !this.#isClosed;
  }

  whenCanSend(turn: () => void): void {
    if (!this.#isClosed) this.#turns.push(turn);
  }

  sendData(streamId: number, bytes: Buffer): void {
    this.#send(FRAME.data, streamId, bytes);
  }

  sendEnd(streamId: number): void {
    this.#send(FRAME.end, streamId, NOTHING);
  }

  sendReset(streamId: number, reason: string): void {
    if (this.#streams.has(streamId)) this.#send(FRAME.reset, streamId, Buffer.from(reason.slice(0, 500)));
  }

  sendCredit(streamId: number, bytes: number): void {
    const payload = Buffer.alloc(4);
    payload.writeUInt32BE(bytes);
    this.#send(FRAME.credit, streamId, payload);
  }

  forget(streamId: number): void {
    if (this.#streams.delete(streamId) && !this.#isOwn(streamId)) this.#theirCount -= 1;
  }

  #newStream(): ChannelStream {
    if (this.#isClosed) throw new TransportError("GUEST_CONNECTION_LOST", "the guest is not connected");
    const own = this.#streams.size - this.#theirCount;
    if (own >= this.#options.maxOwnStreams) {
      const message = `${own} streams to the guest are open already: try again when one has ended`;
      throw new TransportError("GUEST_STREAMS_EXHAUSTED", message);
    }
    const stream = new ChannelStream(this.#nextId, this);
    // After two milliards of streams the numbers begin anew: those are long gone.
    this.#nextId = this.#nextId + 2 > 0xffff_ffff ? this.#nextId % 2 || 2 : this.#nextId + 2;
    this.#streams.set(stream.id, stream);
    // A guest can reset it at any moment, which must not end this process where nobody listens.
    stream.on("error", () => {});
    return stream;
  }

  #isOwn(streamId: number): boolean {
    return (streamId % 2 === 1) === (this.#options.side === "host");
  }

  #send(type: FrameType, streamId: number, payload: Uint8Array): void {
    this.#write(encodeFrame(type, streamId, payload));
  }

  #write(bytes: Buffer): void {
    if (this.#isClosed || this.#port.destroyed) return;
    this.#isFull = !this.#port.write(bytes);
  }

  #giveTurns(): void {
    this.#isFull = false;
    while (!this.#isFull && !this.#isClosed) {
      const turn = this.#turns.shift();
      if (turn === undefined) return;
      turn();
    }
  }

  #lose(message: string, cause?: Error): void {
    this.close(new TransportError("GUEST_CONNECTION_LOST", message, cause === undefined ? {} : { cause }));
  }

  #receive(chunk: Buffer): void {
    for (let rest: Buffer = chunk; !this.#isClosed; rest = NOTHING) {
      try {
        for (const parsed of this.#parser.push(rest)) {
          if (parsed !== "preamble") this.#dispatch(parsed);
          if (this.#isClosed) return;
        }
        this.#boundSkipped();
        return;
      } catch (error) {
        if (!(error instanceof TransportError)) throw error;
        if (this.#isEstablished) this.close(error);
        else this.#parser.seek();
      }
    }
  }

  #boundSkipped(): void {
    if (this.#isEstablished || this.#parser.skippedBytes <= MAX_SKIPPED_BYTES) return;
    const message = `${this.#parser.skippedBytes} bytes came and no greeting: the guest speaks another protocol`;
    this.close(new TransportError("GUEST_PROTOCOL_BROKEN", message));
  }

  #dispatch({ type, streamId, payload }: Frame): void {
    switch (type) {
      case FRAME.hello:
      case FRAME.wake:
      case FRAME.halt:
      case FRAME.halted:
        this.#options.onControl(type, payload);
        return;
      case FRAME.open:
      case FRAME.configure:
        if (this.#isEstablished) this.#accept(type, streamId, payload);
        return;
      case FRAME.data:
        this.#streams.get(streamId)?.receiveData(payload);
        return;
      case FRAME.end:
        this.#streams.get(streamId)?.receiveEnd();
        return;
      case FRAME.reset:
        this.#streams.get(streamId)?.receiveReset(printable(payload));
        return;
      case FRAME.credit:
        if (payload.length !== 4) throw broken(`a credit of ${payload.length} bytes`);
        this.#streams.get(streamId)?.receiveCredit(payload.readUInt32BE());
        return;
    }
  }

  #accept(type: typeof FRAME.open | typeof FRAME.configure, streamId: number, payload: Buffer): void {
    if (streamId === 0 || this.#isOwn(streamId) || this.#streams.has(streamId)) {
      throw broken(`stream ${streamId} cannot be opened from there`);
    }
    if (this.#theirCount >= this.#options.maxTheirStreams) {
      this.#send(FRAME.reset, streamId, Buffer.from("too many streams are open: close some"));
      return;
    }
    const stream = new ChannelStream(streamId, this);
    this.#streams.set(streamId, stream);
    this.#theirCount += 1;
    stream.on("error", () => {});
    if (type === FRAME.configure) {
      if (this.#options.onConfigure === undefined) stream.destroy(broken("only a guest is configured"));
      else this.#options.onConfigure(stream);
      return;
    }
    const target = readJson(payload);
    if (target === null) stream.destroy(broken("the target of a stream is no JSON object"));
    else this.#options.onOpen(stream, target);
  }
}

/** A JSON object of a frame; null when it is none. */
export function readJson(payload: Buffer): JsonObject | null {
  const parsed = parseJson(payload.toString("utf8"));
  return parsed.ok && isJsonObject(parsed.value) ? parsed.value : null;
}

/** Text of a guest, fit for a log line. */
function printable(payload: Buffer): string {
  return payload.toString("utf8").slice(0, 500).replace(/\p{C}/gu, " ");
}

const broken = (message: string): TransportError => new TransportError("GUEST_PROTOCOL_BROKEN", message);
