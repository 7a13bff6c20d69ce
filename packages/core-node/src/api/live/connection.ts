import type { WebSocket } from "@fastify/websocket";
import type { Timers } from "@twentysix/platform";
import type { WebsocketLimits } from "../settings.ts";

const CLOSE_TRY_AGAIN = 1013;

/**
 * One websocket: pinged, cut when it does not answer, and closed with 1013 when it reads slower than it is sent
 * to. What the client sends is read and ignored.
 */
export class Connection {
  readonly #socket: WebSocket;
  readonly #limits: WebsocketLimits;
  readonly #timers: Timers;
  readonly #closing = new AbortController();
  #cancelTimer: () => void;

  constructor(socket: WebSocket, limits: WebsocketLimits, timers: Timers) {
    this.#socket = socket;
    this.#limits = limits;
    this.#timers = timers;
    this.#cancelTimer = this.#scheduleProbe();
    socket.on("message", () => {});
    socket.on("pong", () => {
      this.#cancelTimer();
      this.#cancelTimer = this.#scheduleProbe();
    });
    socket.once("close", () => {
      this.#cancelTimer();
      this.#closing.abort();
    });
  }

  /** Aborts when the socket is closed, by whom ever. */
  get signal(): AbortSignal {
    return this.#closing.signal;
  }

  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  onClose(listener: () => void): void {
    if (this.signal.aborted) listener();
    else this.signal.addEventListener("abort", listener, { once: true });
  }

  /** Queues one text frame; false when the socket is closed, or is being closed for reading too slowly. */
  send(text: string | Buffer): boolean {
    if (!this.isOpen) return false;
    if (this.#socket.bufferedAmount + text.length > this.#limits.maxQueuedBytes) {
      this.close(CLOSE_TRY_AGAIN, "Reading too slowly");
      return false;
    }
    // An error of the write closes the socket, which is seen there.
    this.#socket.send(text, { binary: false }, () => {});
    return true;
  }

  /** Queues one frame and resolves once it and all before it have left this process; false as for `send`. */
  async sendThrough(text: string | Buffer): Promise<boolean> {
    return this.#sendPart(text, true);
  }

  /**
   * Sends one frame of many pieces, each once the one before has left this process; false as for `send`. Nothing
   * else may be sent meanwhile.
   */
  async sendPieces(pieces: AsyncIterable<string | Uint8Array>): Promise<boolean> {
    for await (const piece of pieces) {
      if (!(await this.#sendPart(piece, false))) return false;
    }
    return this.#sendPart("", true);
  }

  async #sendPart(data: string | Uint8Array, fin: boolean): Promise<boolean> {
    if (!this.isOpen) return false;
    return new Promise((resolve) => {
      const done = (error?: Error | null): void => resolve(error === undefined || error === null);
      this.#socket.send(data, { binary: false, fin }, done);
    });
  }

  close(code: number, reason: string): void {
    this.#cancelTimer();
    // A client that does not read does not answer the closing handshake either.
    this.#cancelTimer = this.#timers.schedule(this.#limits.pongTimeoutMs, () => this.terminate());
    this.#socket.close(code, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }

  #scheduleProbe(): () => void {
    return this.#timers.schedule(this.#limits.heartbeatMs, () => {
      if (!this.isOpen) return;
      this.#socket.ping();
      this.#cancelTimer = this.#timers.schedule(this.#limits.pongTimeoutMs, () => this.terminate());
    });
  }
}
