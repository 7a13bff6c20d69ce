import { PassThrough } from "node:stream";
import type { Timers } from "@twentysix/platform";
import type { FastifyReply } from "fastify";

export interface EventStreamOptions {
  readonly timers: Pick<Timers, "every">;
  /** A comment is sent this often, so that neither side takes the connection for dead. */
  readonly heartbeatMs: number;
  /** Bytes that may wait for a slow client before it is dropped. */
  readonly maxQueuedBytes: number;
  /** Ends the stream from this side. */
  readonly signal: AbortSignal;
}

/** An answer that goes on: server-sent events (WHATWG HTML, section 9.2). */
export class EventStream {
  readonly #body = new PassThrough();
  readonly #maxQueuedBytes: number;
  readonly #ended = new AbortController();

  /** The answer begins at once, and with it the heartbeat. */
  constructor(reply: FastifyReply, { timers, heartbeatMs, maxQueuedBytes, signal }: EventStreamOptions) {
    this.#maxQueuedBytes = maxQueuedBytes;
    const end = (): void => this.#ended.abort();
    reply.raw.once("close", end);
    signal.addEventListener("abort", end, { once: true });
    this.ended.addEventListener("abort", () => {
      signal.removeEventListener("abort", end);
      this.#body.end();
    });
    void timers.every(heartbeatMs, () => this.#write(":\n\n"), {
      signal: this.ended,
      onError: (error) => this.#body.destroy(error instanceof Error ? error : undefined),
    });
    reply
      .header("content-type", "text/event-stream")
      .header("cache-control", "no-store")
      // Proxies hold answers back until some kilobytes are together.
      .header("x-accel-buffering", "no")
      .send(this.#body);
    this.#write(":\n\n");
    if (reply.raw.destroyed || signal.aborted) end();
  }

  /** Aborts when the client has gone, or the stream was ended from this side. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** @param data one line */
  send(name: string, data: string): void {
    this.#write(`event: ${name}\ndata: ${data}\n\n`);
  }

  /** What waits for a client that does not read is bounded: it may connect again. */
  #write(text: string): void {
    if (this.ended.aborted) return;
    if (this.#body.writableLength + this.#body.readableLength > this.#maxQueuedBytes) this.#body.destroy();
    else this.#body.write(text);
  }
}
