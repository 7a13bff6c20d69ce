import type { GossipVerdict } from "@twentysix/network";
import { type Clock, createDeferred, type Logger } from "@twentysix/platform";
import { PipelineError } from "../pipeline/errors.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import type { ToldCopy } from "../pipeline/verifier-protocol.ts";
import { PassedOn } from "./passed-on.ts";

export interface GossipIntakeOptions {
  readonly pipeline: Pick<Pipeline, "submit" | "inspect">;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly log: Logger;
}

/** Messages of one peer on their way at once. What is beyond comes again when nodes compare what they have. */
const MAX_IN_FLIGHT_PER_PEER = 512;

/**
 * The door for gossip. A message is passed on as soon as its hash, schema and signature are known to be right, whatever
 * this node's state makes of it, and once, however often it is written anew; the state never reflects on the peer that
 * brought it.
 */
export class GossipIntake {
  readonly #options: GossipIntakeOptions;
  readonly #inFlight = new Map<string, number>();
  readonly #passedOn: PassedOn;

  constructor(options: GossipIntakeOptions) {
    this.#options = options;
    this.#passedOn = new PassedOn(options.clock);
  }

  /** @param readings what the bytes may mean, the likelier first */
  async judge(readings: readonly string[], peerId: string): Promise<GossipVerdict> {
    const count = this.#inFlight.get(peerId) ?? 0;
    if (count >= MAX_IN_FLIGHT_PER_PEER) return "ignore";
    this.#inFlight.set(peerId, count + 1);
    try {
      const text = await this.#meant(readings);
      return await this.#take(text);
    } catch (error) {
      // An overloaded node, one that ends, or a defect, which the pipeline has told of: no fault of the peer.
      if (error instanceof PipelineError) return "ignore";
      throw error;
    } finally {
      this.#leave(peerId);
    }
  }

  /** The reading that is genuine, or the first. */
  async #meant(readings: readonly string[]): Promise<string> {
    const [first = "", ...others] = readings;
    if (others.length === 0) return first;
    for (const text of readings) {
      const copy = await this.#options.pipeline.inspect(text);
      if (copy.kind !== "refused") return text;
    }
    return first;
  }

  async #take(text: string): Promise<GossipVerdict> {
    const verified = createDeferred<ToldCopy>();
    const outcome = this.#options.pipeline.submit(text, {
      origin: "p2p",
      onVerified: (told) => verified.resolve(told),
    });
    // What comes of it after the verdict is the pipeline's own matter.
    outcome.catch((error: unknown) => this.#options.log.debug("A gossiped message was not taken", { error }));
    // It fails where the copy could not be looked at.
    const told = await Promise.race([verified.promise, outcome.then(() => verified.promise)]);
    // Who has it decided compares what it has with its peers.
    if (told.isGenuine === null) return "ignore";
    if (!told.isGenuine) return "reject";
    return this.#passedOn.add(told.identity) ? "accept" : "ignore";
  }

  #leave(peerId: string): void {
    const left = (this.#inFlight.get(peerId) ?? 1) - 1;
    if (left === 0) this.#inFlight.delete(peerId);
    else this.#inFlight.set(peerId, left);
  }
}
