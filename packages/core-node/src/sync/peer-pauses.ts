const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 600_000;
const MAX_PEERS = 4_096;

/** Peers that are left alone for a while: each time twice as long, until they are good for something again. */
export class PeerPauses {
  readonly #pauses = new Map<string, { readonly untilMs: number; readonly pauseMs: number }>();

  isPaused(peerId: string, nowMs: number): boolean {
    return (this.#pauses.get(peerId)?.untilMs ?? 0) > nowMs;
  }

  pause(peerId: string, nowMs: number, leastMs = FIRST_PAUSE_MS): void {
    const pauseMs = Math.min(MAX_PAUSE_MS, Math.max(leastMs, (this.#pauses.get(peerId)?.pauseMs ?? 0) * 2));
    this.#pauses.delete(peerId);
    this.#pauses.set(peerId, { untilMs: nowMs + pauseMs, pauseMs });
    const [oldest] = this.#pauses.keys();
    if (this.#pauses.size > MAX_PEERS && oldest !== undefined) this.#pauses.delete(oldest);
  }

  end(peerId: string): void {
    this.#pauses.delete(peerId);
  }
}
