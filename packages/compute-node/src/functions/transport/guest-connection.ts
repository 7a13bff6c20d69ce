import type { Socket } from "node:net";
import { type Clock, createDeferred, onAbort, type Random, type Timers } from "@twentysix/platform";
import { encodeHex, type JsonObject, memberOf } from "@twentysix/protocol";
import { Channel, readJson } from "./channel.ts";
import type { ChannelStream } from "./channel-stream.ts";
import { connectPort } from "./connect-port.ts";
import { TransportError } from "./errors.ts";
import { FRAME } from "./frames.ts";
import { readAll } from "./read-all.ts";

export interface GuestConnectionOptions {
  /** Socket of the port `aleph.52`. */
  readonly socketPath: string;
  readonly clock: Pick<Clock, "nowMicros">;
  readonly timers: Timers;
  readonly random: Random;
  /** Streams that the guest opens to its API. */
  readonly onApiStream: (stream: ChannelStream) => void;
  /** Requests and events that may be under way at once. */
  readonly maxStreams: number;
}

/** What a guest says of itself. */
export interface Hello {
  readonly protocol: string;
  readonly runtime: string | null;
  readonly bootId: string | null;
  /** Hash of the program it has been configured for; null: it waits. */
  readonly configured: string | null;
}

/** A guest's answer to a configuration or to an event. */
export interface GuestAnswer {
  readonly output: string | null;
}

const ENTROPY_BYTES = 64;
const MAX_API_STREAMS = 64;
const MAX_ANSWER_BYTES = 1_000_000;

/** A guest that has been woken: it has entropy and time of its own, and its streams are new. */
export class GuestConnection {
  readonly hello: Hello;
  readonly #channel: Channel;
  readonly #halted: Promise<void>;
  /** Resolves with the reason once nothing can be said to it any more. */
  readonly closed: Promise<TransportError>;

  /** @internal Use `connect`. */
  constructor(hello: Hello, channel: Channel, halted: Promise<void>, closed: Promise<TransportError>) {
    this.hello = hello;
    this.#channel = channel;
    this.#halted = halted;
    this.closed = closed;
  }

  /**
   * Connects to the port of a machine, wakes its guest and waits for its greeting: as long as the signal allows, for a
   * guest that boots answers late.
   *
   * @throws TransportError GUEST_PROTOCOL_BROKEN, GUEST_CONNECTION_LOST; the signal's reason
   */
  static async connect(options: GuestConnectionOptions, signal: AbortSignal): Promise<GuestConnection> {
    const socket = await connectPort(options.socketPath, options.timers, signal);
    return await wake(socket, options, signal);
  }

  get isClosed(): boolean {
    return this.#channel.isClosed;
  }

  /** A connection to the port 8080 of the guest's own loopback. @throws TransportError */
  openHttp(): ChannelStream {
    return this.#channel.open({ to: "http" });
  }

  /**
   * Gives the guest its program; resolves when it serves.
   *
   * @throws TransportError GUEST_REFUSED with the guest's reason and traceback; what ended the connection
   */
  async configure(configuration: JsonObject, signal: AbortSignal): Promise<void> {
    await ask(this.#channel.openConfiguration(), JSON.stringify(configuration), signal);
  }

  /** Gives the program an event. @throws TransportError GUEST_REFUSED when the program failed */
  async sendEvent(event: JsonObject, signal: AbortSignal): Promise<GuestAnswer> {
    const answer = await ask(this.#channel.open({ to: "event" }), JSON.stringify(event), signal);
    return { output: textOf(answer, "output") };
  }

  /** Tells the guest to end in order; resolves when it has begun to. @throws the signal's reason, TransportError */
  async halt(signal: AbortSignal): Promise<void> {
    this.#channel.sendControl(FRAME.halt, new Uint8Array());
    const aborted = createDeferred<never>();
    const release = onAbort(signal, (reason) => aborted.reject(reason));
    try {
      await Promise.race([this.#halted, this.closed, aborted.promise]);
    } finally {
      release();
    }
  }

  close(): void {
    this.#channel.close(new TransportError("GUEST_CONNECTION_LOST", "this node closed the connection"));
  }
}

async function wake(
  socket: Socket,
  { clock, random, onApiStream, maxStreams }: GuestConnectionOptions,
  signal: AbortSignal,
): Promise<GuestConnection> {
  const nonce = encodeHex(random.randomBytes(16));
  const greeted = createDeferred<Hello>();
  const halted = createDeferred<void>();
  const closed = createDeferred<TransportError>();
  greeted.promise.catch(() => {});
  const channel = new Channel(socket, {
    side: "host",
    maxOwnStreams: maxStreams,
    maxTheirStreams: MAX_API_STREAMS,
    onOpen: (stream, target) => {
      if (memberOf(target, "to") === "api") onApiStream(stream);
      else
        stream.destroy(
          new TransportError("GUEST_PROTOCOL_BROKEN", "a guest can only open streams to its API"),
        );
    },
    onControl: (type, payload) => {
      if (type === FRAME.halted) halted.resolve();
      const hello = type === FRAME.hello ? readJson(payload) : null;
      if (hello === null) return;
      if (greeted.settled) {
        channel.close(new TransportError("GUEST_CONNECTION_LOST", "the guest has started anew"));
        return;
      }
      // A greeting without our nonce is one from before: of its boot, or to an earlier connection.
      if (memberOf(hello, "id") !== nonce) return;
      channel.establish();
      greeted.resolve(readHello(hello));
    },
    onClosed: (error) => {
      greeted.reject(error);
      closed.resolve(error);
    },
  });
  const release = onAbort(signal, (reason) => {
    greeted.reject(reason);
    channel.close(new TransportError("GUEST_SILENT", "the guest did not greet in time"));
  });
  channel.sendPreamble();
  const entropyHex = encodeHex(random.randomBytes(ENTROPY_BYTES));
  const greeting = { id: nonce, entropyHex, timeMicros: Number(clock.nowMicros()) };
  channel.sendControl(FRAME.wake, Buffer.from(JSON.stringify(greeting)));
  try {
    return new GuestConnection(await greeted.promise, channel, halted.promise, closed.promise);
  } finally {
    release();
  }
}

async function ask(stream: ChannelStream, question: string, signal: AbortSignal): Promise<JsonObject> {
  stream.end(question);
  const answer = readJson(await readAll(stream, MAX_ANSWER_BYTES, signal));
  if (answer === null)
    throw new TransportError("GUEST_PROTOCOL_BROKEN", "the guest's answer is no JSON object");
  if (memberOf(answer, "success") === true) return answer;
  const traceback = textOf(answer, "traceback");
  const message = textOf(answer, "error") ?? "the guest failed and did not say why";
  throw new TransportError("GUEST_REFUSED", message, traceback === null ? {} : { traceback });
}

function readHello(hello: JsonObject): Hello {
  return {
    protocol: textOf(hello, "protocol") ?? "3.0.0",
    runtime: textOf(hello, "runtime"),
    bootId: textOf(hello, "bootId"),
    configured: textOf(hello, "configured"),
  };
}

function textOf(object: JsonObject, key: string): string | null {
  const value = memberOf(object, key);
  return typeof value === "string" ? value : null;
}
