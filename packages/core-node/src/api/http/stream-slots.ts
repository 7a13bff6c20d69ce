import type { FastifyReply } from "fastify";
import { ApiError } from "../errors.ts";

declare module "fastify" {
  interface FastifyInstance {
    /** Of the answers that are read while they are sent. */
    readonly streamSlots: StreamSlots;
  }
}

/** Counts the answers that are read while they are sent: each holds a part of a list for as long as its client likes. */
export class StreamSlots {
  readonly #max: number;
  readonly #holders = new WeakSet<FastifyReply>();
  #taken = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /**
   * One slot until the answer has ended, in whatever way; an answer that has one gets no second.
   *
   * @throws ApiError API_OVERLOADED
   */
  takeFor(reply: FastifyReply): void {
    const { raw } = reply;
    if (this.#holders.has(reply)) return;
    if (this.#taken >= this.#max) {
      const message = "too many long lists are being sent: ask for a small page, or try again in a moment";
      throw new ApiError("API_OVERLOADED", message, { maxStreams: this.#max }, { "retry-after": "2" });
    }
    // The client may be gone by now, and then nothing tells of it any more.
    if (raw.closed || raw.destroyed) return;
    this.#taken += 1;
    this.#holders.add(reply);
    raw.once("close", () => {
      this.#taken -= 1;
    });
  }
}
