import type { Duplex } from "node:stream";
import { isAbortOf, type Timers } from "@twentysix/platform";
import { TransportError } from "../transport/errors.ts";
import type { GuestConnection } from "../transport/guest-connection.ts";
import type { StreamGuest } from "./program-guest.ts";
import type { GuestHold } from "./running-guests.ts";

export interface StreamProgramGuestOptions {
  readonly vmHash: string;
  readonly connection: GuestConnection;
  /** Connects again to the same machine. */
  readonly reconnect: (signal: AbortSignal) => Promise<GuestConnection>;
  readonly timers: Pick<Timers, "withTimeout">;
  /** Once: the machine cannot be spoken to any more. */
  readonly onLost: (vmHash: string, why: TransportError) => void;
}

const RECONNECT_TIMEOUT_MS = 10_000;
/** In the life of one machine: a guest that breaks the protocol again and again is ended. */
const MAX_RECONNECTIONS = 3;

/** A program behind our own agent. A connection that breaks is made again, while the machine runs. */
export class StreamProgramGuest implements StreamGuest, GuestHold {
  readonly kind = "streams";
  readonly vmHash: string;
  readonly #options: StreamProgramGuestOptions;
  readonly #closing = new AbortController();
  #connection: GuestConnection;
  #isLost = false;

  constructor(options: StreamProgramGuestOptions) {
    this.vmHash = options.vmHash;
    this.#options = options;
    this.#connection = options.connection;
    void this.#keep();
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  openHttp(): Duplex {
    return this.#connection.openHttp();
  }

  async sendEvent(messageText: string, signal: AbortSignal): Promise<void> {
    await this.#connection.sendEvent({ type: "aleph.message", body: messageText }, signal);
  }

  async halt(signal: AbortSignal): Promise<void> {
    this.#closing.abort(new Error("the guest is halted"));
    await this.#connection.halt(signal);
  }

  close(): void {
    this.#closing.abort(new Error("the guest is let go"));
    this.#connection.close();
  }

  async #keep(): Promise<void> {
    const { signal } = this.#closing;
    for (let count = 0; ; count += 1) {
      const why = await this.#connection.closed;
      if (signal.aborted) return;
      const next = count < MAX_RECONNECTIONS ? await this.#reconnect(signal) : null;
      if (signal.aborted) {
        next?.close();
        return;
      }
      if (next === null) {
        this.#isLost = true;
        this.#options.onLost(this.vmHash, why);
        return;
      }
      this.#connection = next;
    }
  }

  /** null: the machine cannot be reached, or another boot of it answers that knows nothing of the program. */
  async #reconnect(signal: AbortSignal): Promise<GuestConnection | null> {
    const { timers, reconnect, vmHash } = this.#options;
    try {
      const connection = await timers.withTimeout(RECONNECT_TIMEOUT_MS, reconnect, signal);
      if (connection.hello.configured === vmHash) return connection;
      connection.close();
      return null;
    } catch (error) {
      const isExpected = error instanceof TransportError || isAbortOf(signal, error) || isTimeout(error);
      if (isExpected) return null;
      throw error;
    }
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "TIMEOUT";
}
