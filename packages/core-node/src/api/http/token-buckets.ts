export interface TokenBucketOptions {
  readonly perSecond: number;
  readonly burst: number;
  readonly maxKeys: number;
}

interface Bucket {
  units: number;
  filledAtMs: number;
}

/**
 * A token bucket for each key. The number of keys is bounded: when it is reached the key that was used least
 * recently is forgotten, which can only be in its favour.
 */
export class TokenBuckets {
  readonly #options: TokenBucketOptions;
  readonly #nowMs: () => number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(options: TokenBucketOptions, nowMs: () => number) {
    this.#options = options;
    this.#nowMs = nowMs;
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** Takes `cost` units from the bucket of `key`. Returns 0, or after how many seconds it can be tried again. */
  take(key: string, cost: number): number {
    const { perSecond, burst } = this.#options;
    const nowMs = this.#nowMs();
    const bucket = this.#bucketOf(key, nowMs);
    bucket.units = Math.min(burst, bucket.units + ((nowMs - bucket.filledAtMs) / 1_000) * perSecond);
    bucket.filledAtMs = nowMs;
    // A request that costs more than the bucket holds is let through on a full bucket, or it never could be.
    const needed = Math.min(cost, burst);
    if (bucket.units >= needed) {
      bucket.units -= cost;
      return 0;
    }
    return (needed - bucket.units) / perSecond;
  }

  #bucketOf(key: string, nowMs: number): Bucket {
    const known = this.#buckets.get(key);
    if (known !== undefined) {
      this.#buckets.delete(key);
      this.#buckets.set(key, known);
      return known;
    }
    if (this.#buckets.size >= this.#options.maxKeys) {
      for (const oldest of this.#buckets.keys()) {
        this.#buckets.delete(oldest);
        break;
      }
    }
    const bucket = { units: this.#options.burst, filledAtMs: nowMs };
    this.#buckets.set(key, bucket);
    return bucket;
  }
}
