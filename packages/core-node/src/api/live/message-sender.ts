import type { ItemText } from "@twentysix/storage";
import type { WebsocketLimits } from "../settings.ts";
import type { Connection } from "./connection.ts";
import type { LiveFrame } from "./live-hub.ts";

const CLOSE_TRY_AGAIN = 1013;

export interface MessageSenderOptions {
  readonly connection: Connection;
  readonly variant: "full" | "withoutContent";
  readonly limits: Pick<WebsocketLimits, "maxQueuedFrames" | "maxHeldBytes">;
  readonly readPieces: (text: ItemText) => AsyncIterable<string | Uint8Array>;
  /** Told when a long text could not be read while it was sent. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * Sends stored and live messages over one socket in their order, each of them once. Live messages wait, within
 * bounds, as long as stored ones or a long one are being sent.
 */
export class MessageSender {
  readonly #options: MessageSenderOptions;
  /** Stored messages that may still be announced. */
  readonly #stored = new Set<string>();
  /** null: nothing is being sent, so live messages go out at once. */
  #waiting: LiveFrame[] | null = [];
  #waitingBytes = 0;

  constructor(options: MessageSenderOptions) {
    this.#options = options;
  }

  /** Takes a live message. */
  deliver(frame: LiveFrame): void {
    if (this.#waiting === null) {
      this.#send(frame);
      return;
    }
    const { connection, limits } = this.#options;
    const bytes = this.#waitingBytes + frame.heldBytes;
    if (this.#waiting.length >= limits.maxQueuedFrames || bytes > limits.maxHeldBytes) {
      connection.close(CLOSE_TRY_AGAIN, "Reading too slowly");
      return;
    }
    this.#waiting.push(frame);
    this.#waitingBytes = bytes;
  }

  /** Sends one stored message; false when the socket is closed. */
  async sendStored(itemHash: string, text: ItemText): Promise<boolean> {
    this.#stored.add(itemHash);
    this.#forgetOldest();
    return this.#sendThrough(text);
  }

  /** Sends what has waited; from then on live messages go out as they come. */
  async goLive(): Promise<void> {
    for (let frame = this.#next(); frame !== undefined; frame = this.#next()) {
      if (this.#stored.delete(frame.itemHash)) continue;
      const content = frame[this.#options.variant]();
      if (Buffer.isBuffer(content)) this.#options.connection.send(content);
      else if (!(await this.#sendThrough(content))) return;
    }
    this.#waiting = null;
  }

  #next(): LiveFrame | undefined {
    const frame = this.#waiting?.shift();
    if (frame !== undefined) this.#waitingBytes -= frame.heldBytes;
    return frame;
  }

  #send(frame: LiveFrame): void {
    const { connection, variant, onFailure } = this.#options;
    if (this.#stored.delete(frame.itemHash)) return;
    const content = frame[variant]();
    if (Buffer.isBuffer(content)) {
      connection.send(content);
      return;
    }
    this.#waiting = [];
    this.#sendThrough(content)
      .then((isOpen) => (isOpen ? this.goLive() : undefined))
      .catch(onFailure);
  }

  #sendThrough(text: ItemText): Promise<boolean> {
    const { connection, readPieces } = this.#options;
    return typeof text === "string" ? connection.sendThrough(text) : connection.sendPieces(readPieces(text));
  }

  /** Only the newest stored messages can still be announced. */
  #forgetOldest(): void {
    for (const hash of this.#stored) {
      if (this.#stored.size <= this.#options.limits.maxQueuedFrames) return;
      this.#stored.delete(hash);
    }
  }
}
