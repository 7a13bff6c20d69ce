import type { Clock } from "@twentysix/platform";

export interface TokenBucketOptions {
  /** So often at once. */
  readonly capacity: number;
  /** One more after so long. */
  readonly refillMs: number;
  readonly maxKeys: number;
}

/** How often something may be asked for, by key. */
export class TokenBuckets {
  readonly #options: TokenBucketOptions;
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #buckets = new Map<string, { readonly tokens: number; readonly atMs: number }>();

  constructor(options: TokenBucketOptions, clock: Pick<Clock, "monotonicMs">) {
    this.#options = options;
    this.#clock = clock;
  }

  /** false: not now. */
  take(key: string): boolean {
    const { capacity, refillMs, maxKeys } = this.#options;
    const atMs = this.#clock.monotonicMs();
    const bucket = this.#buckets.get(key) ?? { tokens: capacity, atMs };
    const tokens = Math.min(capacity, bucket.tokens + (atMs - bucket.atMs) / refillMs);
    this.#buckets.delete(key);
    this.#buckets.set(key, { tokens: tokens >= 1 ? tokens - 1 : tokens, atMs });
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > maxKeys && oldest !== undefined) this.#buckets.delete(oldest);
    return tokens >= 1;
  }
}
