import { budgetKey, isLoopback } from "@twentysix/platform";
import type { FastifyReply } from "fastify";
import { ApiError } from "../errors.ts";

declare module "fastify" {
  interface FastifyInstance {
    /** Of the answers that are read while they are sent. */
    readonly streamSlots: StreamSlots;
  }
}

export interface StreamSlotLimits {
  /** Slots of all clients together. */
  readonly max: number;
  /** Slots of one address, the machine itself left out: clients behind a proxy would share them. */
  readonly maxPerAddress: number;
  /** For refusals: too many of what, and what to do. */
  readonly subject?: string;
  readonly advice?: string;
}

/** Counts the answers that are read while they are sent: each holds a part of a list for as long as its client likes. */
export class StreamSlots {
  readonly #limits: StreamSlotLimits;
  readonly #holders = new WeakSet<FastifyReply>();
  readonly #takenBy = new Map<string, number>();
  #taken = 0;

  constructor(limits: StreamSlotLimits) {
    this.#limits = limits;
  }

  /**
   * One slot until the answer has ended, in whatever way; an answer that has one gets no second.
   *
   * @throws ApiError API_OVERLOADED
   */
  takeFor(reply: FastifyReply): void {
    const { raw, request } = reply;
    if (this.#holders.has(reply)) return;
    const address = isLoopback(request.ip) ? null : budgetKey(request.ip);
    this.#assertRoom(address);
    // The client may be gone by now, and then nothing tells of it any more.
    if (raw.closed || raw.destroyed) return;
    this.#count(address, 1);
    this.#holders.add(reply);
    raw.once("close", () => this.#count(address, -1));
  }

  #assertRoom(address: string | null): void {
    const { max, maxPerAddress, subject = "long lists are being sent" } = this.#limits;
    const { advice = "ask for a small page, or try again in a moment" } = this.#limits;
    if (this.#taken >= max) throw overloaded(`too many ${subject}: ${advice}`, { maxStreams: max });
    if (address !== null && (this.#takenBy.get(address) ?? 0) >= maxPerAddress) {
      const details = { maxStreamsPerAddress: maxPerAddress };
      throw overloaded(`too many ${subject} to your address: ${advice}`, details);
    }
  }

  #count(address: string | null, n: 1 | -1): void {
    this.#taken += n;
    if (address === null) return;
    const taken = (this.#takenBy.get(address) ?? 0) + n;
    if (taken === 0) this.#takenBy.delete(address);
    else this.#takenBy.set(address, taken);
  }
}

function overloaded(message: string, details: Readonly<Record<string, number>>): ApiError {
  return new ApiError("API_OVERLOADED", message, details, { "retry-after": "2" });
}
