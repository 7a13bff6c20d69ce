import type { Clock, Logger, Random, Timers } from "@twentysix/platform";

export interface RediallerOptions {
  /** Peers that this node wants to be connected to, by name, with their addresses. */
  readonly wanted: () => ReadonlyMap<string, readonly string[]>;
  readonly isConnected: (peerId: string) => boolean;
  readonly dial: (peerId: string, addresses: readonly string[], signal: AbortSignal) => Promise<void>;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
}

/** How often it is looked for peers that are gone; a broken link is mended within two of these. */
const PERIOD_MS = 1_000;
const MAX_PAUSE_MS = 60_000;
const MAX_PARALLEL_DIALS = 16;
const DIAL_TIMEOUT_MS = 5_000;

interface Attempts {
  readonly failures: number;
  readonly nextMs: number;
}

/** Calls peers that are not connected, those that do not answer more and more seldom. */
export class Redialler {
  readonly #options: RediallerOptions;
  readonly #attempts = new Map<string, Attempts>();
  readonly #dialling = new Set<string>();
  readonly #ended = new AbortController();
  readonly #done: Promise<void>;

  constructor(options: RediallerOptions) {
    this.#options = options;
    this.#done = options.timers.every(PERIOD_MS, () => this.look(), {
      signal: this.#ended.signal,
      immediately: true,
      onError: (error) => options.log.error("Looking for peers failed", { error }),
    });
  }

  /** A link that was there broke: it is tried again at once, whatever failed before. */
  lost(peerId: string): void {
    this.#attempts.delete(peerId);
    this.look();
  }

  look(): void {
    const { wanted, isConnected, clock } = this.#options;
    const peers = wanted();
    for (const peerId of this.#attempts.keys()) if (!peers.has(peerId)) this.#attempts.delete(peerId);
    for (const [peerId, addresses] of peers) {
      if (this.#ended.signal.aborted || this.#dialling.size >= MAX_PARALLEL_DIALS) return;
      if (isConnected(peerId)) this.#attempts.delete(peerId);
      else if (
        !this.#dialling.has(peerId) &&
        clock.monotonicMs() >= (this.#attempts.get(peerId)?.nextMs ?? 0)
      )
        void this.#dial(peerId, addresses);
    }
  }

  async close(): Promise<void> {
    this.#ended.abort();
    await this.#done;
  }

  async #dial(peerId: string, addresses: readonly string[]): Promise<void> {
    const { dial, timers, clock, random, log } = this.#options;
    this.#dialling.add(peerId);
    try {
      await timers.withTimeout(
        DIAL_TIMEOUT_MS,
        (signal) => dial(peerId, addresses, signal),
        this.#ended.signal,
      );
      this.#attempts.delete(peerId);
    } catch (error) {
      const failures = (this.#attempts.get(peerId)?.failures ?? 0) + 1;
      const ceilingMs = Math.min(MAX_PAUSE_MS, PERIOD_MS * 2 ** Math.min(failures, 10));
      // Spread over the second half, so that a network that comes back is not called by everyone at once.
      const pauseMs = ceilingMs / 2 + random.uniform(Math.ceil(ceilingMs / 2));
      this.#attempts.set(peerId, { failures, nextMs: clock.monotonicMs() + pauseMs });
      log.debug("A peer could not be reached", { peerId, failures, error });
    } finally {
      this.#dialling.delete(peerId);
    }
  }
}
