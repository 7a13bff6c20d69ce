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
/** Pauses grow up to this where few peers are gone, and with their number up to a minute. */
const MIN_CEILING_MS = 5_000;
const MAX_CEILING_MS = 60_000;
const CEILING_MS_PER_PEER = 250;
/** When one comes back, so many others are called within a second, and not again for a while. */
const MAX_CALLED_AGAIN = 64;
const CALLED_AGAIN_WITHIN_MS = 1_000;
const CALL_AGAIN_PAUSE_MS = 15_000;
const MAX_PARALLEL_DIALS = 16;
const DIAL_TIMEOUT_MS = 5_000;

interface Attempts {
  readonly failures: number;
  readonly nextMs: number;
}

/**
 * Calls peers that are not connected, those that do not answer more and more seldom. One that comes back after calls
 * that failed is a sign that a way is open again, for others too: they are called without waiting for their turn.
 */
export class Redialler {
  readonly #options: RediallerOptions;
  readonly #attempts = new Map<string, Attempts>();
  readonly #dialling = new Set<string>();
  #calledAgainMs = Number.NEGATIVE_INFINITY;
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

  /** A peer is connected, whoever called. */
  came(peerId: string): void {
    const nowMs = this.#options.clock.monotonicMs();
    const wasGone = this.#attempts.delete(peerId);
    if (!wasGone || nowMs - this.#calledAgainMs < CALL_AGAIN_PAUSE_MS) return;
    this.#calledAgainMs = nowMs;
    // Those that were called last are the ones that have been gone for the shortest time, or come first anyway.
    for (const [other, { failures, nextMs }] of [...this.#attempts].slice(-MAX_CALLED_AGAIN)) {
      const soonMs = nowMs + this.#options.random.uniform(CALLED_AGAIN_WITHIN_MS);
      this.#attempts.set(other, { failures, nextMs: Math.min(nextMs, soonMs) });
    }
  }

  look(): void {
    const peers = this.#options.wanted();
    for (const peerId of this.#attempts.keys()) if (!peers.has(peerId)) this.#attempts.delete(peerId);
    for (const [peerId, addresses] of this.#due(peers)) {
      if (this.#ended.signal.aborted || this.#dialling.size >= MAX_PARALLEL_DIALS) return;
      void this.#dial(peerId, addresses);
    }
  }

  /** Those to be called now, the one that has waited longest first: with many of them nobody waits for ever. */
  #due(peers: ReadonlyMap<string, readonly string[]>): readonly (readonly [string, readonly string[]])[] {
    const { isConnected, clock } = this.#options;
    const nowMs = clock.monotonicMs();
    const nextMs = (peerId: string): number => this.#attempts.get(peerId)?.nextMs ?? 0;
    return [...peers]
      .filter(([peerId]) => nextMs(peerId) <= nowMs && !this.#dialling.has(peerId) && !isConnected(peerId))
      .sort(([one], [other]) => nextMs(one) - nextMs(other));
  }

  async close(): Promise<void> {
    this.#ended.abort();
    await this.#done;
  }

  async #dial(peerId: string, addresses: readonly string[]): Promise<void> {
    const { dial, timers, clock, random, log } = this.#options;
    this.#dialling.add(peerId);
    let hasCome = false;
    try {
      await timers.withTimeout(
        DIAL_TIMEOUT_MS,
        (signal) => dial(peerId, addresses, signal),
        this.#ended.signal,
      );
      this.#attempts.delete(peerId);
      hasCome = true;
    } catch (error) {
      const failures = (this.#attempts.get(peerId)?.failures ?? 0) + 1;
      const ceilingMs = Math.min(this.#ceilingMs(), PERIOD_MS * 2 ** Math.min(failures, 10));
      // Spread over the second half, so that a network that comes back is not called by everyone at once.
      const pauseMs = ceilingMs / 2 + random.uniform(Math.ceil(ceilingMs / 2));
      this.#attempts.set(peerId, { failures, nextMs: clock.monotonicMs() + pauseMs });
      log.debug("A peer could not be reached", { peerId, failures, error });
    } finally {
      this.#dialling.delete(peerId);
    }
    if (hasCome) this.look();
  }

  #ceilingMs(): number {
    return Math.min(MAX_CEILING_MS, Math.max(MIN_CEILING_MS, this.#attempts.size * CEILING_MS_PER_PEER));
  }
}
