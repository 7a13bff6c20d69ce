import type { Timers } from "@twentysix/platform";
import type { HttpScope, ScopeGuest, ScopeReply } from "../guests/program-guest.ts";
import type { GuestHold } from "../guests/running-guests.ts";
import { TransportError } from "../transport/errors.ts";
import { readAll } from "../transport/read-all.ts";
import { pack, unpackObject } from "./message-pack.ts";
import { readScopeReply, scopeOf } from "./scope-reply.ts";
import { connectVsock } from "./vsock-connection.ts";

/** The guest's port for all that is said to it. */
export const GUEST_PORT = 52;
const MAX_SETUP_ANSWER_BYTES = 1_000_000;
/** The reference reads without a bound. */
const MAX_REPLY_BYTES = 64 * 1024 ** 2;
const MAX_HALT_ANSWER_BYTES = 4_096;

export interface ReferenceGuestOptions {
  readonly vmHash: string;
  /** Where the hypervisor connects to ports of the guest. */
  readonly socketPath: string;
  readonly timers: Pick<Timers, "sleep">;
  /** The API that it finds on its host; goes with it. */
  readonly api?: Disposable;
}

/**
 * A guest of the reference's runtimes, protocols 1.0.0 and 2.0.0: each thing that is said to it is a connection of its
 * own. Source: aleph-vm `runtimes/aleph-debian-12-python/init1.py`.
 */
export class ReferenceGuest implements ScopeGuest, GuestHold {
  readonly kind = "scopes";
  readonly vmHash: string;
  readonly #options: ReferenceGuestOptions;
  #isLost = false;

  constructor(options: ReferenceGuestOptions) {
    this.vmHash = options.vmHash;
    this.#options = options;
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  /**
   * Gives the guest its program; resolves when it serves.
   *
   * @throws TransportError GUEST_REFUSED with the guest's reason and traceback; what broke the connection
   */
  async configure(configuration: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<void> {
    const packed = pack(configuration);
    const payload = Buffer.concat([Buffer.from(`${packed.length}\n`), packed]);
    const answer = unpackObject(await this.#say(payload, MAX_SETUP_ANSWER_BYTES, signal));
    if (answer.success === true) return;
    const message = typeof answer.error === "string" ? answer.error : "the guest failed and did not say why";
    const { traceback } = answer;
    throw new TransportError("GUEST_REFUSED", message, typeof traceback === "string" ? { traceback } : {});
  }

  async request(scope: HttpScope, signal: AbortSignal): Promise<ScopeReply> {
    return readScopeReply(await this.#say(pack({ scope: scopeOf(scope) }), MAX_REPLY_BYTES, signal));
  }

  async sendEvent(messageText: string, signal: AbortSignal): Promise<void> {
    const scope = { type: "aleph.message", body: messageText };
    const bytes = await this.#say(pack({ scope }), MAX_REPLY_BYTES, signal);
    if (bytes.length === 0)
      throw new TransportError("GUEST_CONNECTION_LOST", "the guest ended without an answer");
    const reply = unpackObject(bytes);
    if (typeof reply.error !== "string") return;
    const traceback = typeof reply.traceback === "string" ? { traceback: reply.traceback } : {};
    throw new TransportError("GUEST_REFUSED", reply.error, traceback);
  }

  async halt(signal: AbortSignal): Promise<void> {
    await this.#say(Buffer.from("halt"), MAX_HALT_ANSWER_BYTES, signal);
  }

  close(): void {
    this.#isLost = true;
    this.#options.api?.[Symbol.dispose]();
  }

  async #say(payload: Uint8Array, maxBytes: number, signal: AbortSignal): Promise<Buffer> {
    const { socketPath, timers } = this.#options;
    const socket = await connectVsock(socketPath, GUEST_PORT, timers, signal);
    try {
      socket.write(payload);
      return await readAll(socket, maxBytes, signal);
    } finally {
      socket.destroy();
    }
  }
}
