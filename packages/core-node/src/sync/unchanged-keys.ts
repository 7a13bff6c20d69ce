import type { Leaf } from "@twentysix/network/reconcile";

interface Attempt {
  readonly digest: string;
  readonly attempts: number;
  readonly nextMs: number;
}

const FIRST_PAUSE_MS = 60_000;
const MAX_PAUSE_MS = 3_600_000;
const MAX_KEYS = 50_000;

/**
 * Messages that were fetched and are not here, or otherwise, all the same: they wait for something, this node does not
 * accept them, or the peer lied. They are fetched again after a growing pause, and not at each visit.
 */
export class UnchangedKeys {
  readonly #attempts = new Map<string, Attempt>();

  get size(): number {
    return this.#attempts.size;
  }

  isDue({ key, digest }: Leaf, nowMs: number): boolean {
    const attempt = this.#attempts.get(key);
    return attempt === undefined || attempt.digest !== digest || attempt.nextMs <= nowMs;
  }

  note({ key, digest }: Leaf, nowMs: number): void {
    const earlier = this.#attempts.get(key);
    const attempts = earlier?.digest === digest ? earlier.attempts + 1 : 1;
    const pauseMs = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempts - 1));
    this.#attempts.delete(key);
    this.#attempts.set(key, { digest, attempts, nextMs: nowMs + pauseMs });
    const [oldest] = this.#attempts.keys();
    if (this.#attempts.size > MAX_KEYS && oldest !== undefined) this.#attempts.delete(oldest);
  }

  forget(key: string): void {
    this.#attempts.delete(key);
  }
}
