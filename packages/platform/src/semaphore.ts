import { onAbort } from "./abort.ts";
import { PlatformError } from "./errors.ts";

/** The right to use the resource; gives itself back once, by `release` or at the end of a `using` block. */
export interface Permit extends Disposable {
  release(): void;
}

export interface SemaphoreOptions {
  /** How many permits (or units of weight, such as bytes) may be out at once. */
  readonly permits: number;
  /** How many callers may wait; one more is refused with SEMAPHORE_WAITERS_EXCEEDED. */
  readonly maxWaiters: number;
}

interface Waiter {
  readonly weight: number;
  grant(): void;
}

/** Bounds how much runs at once. First come, first served: a heavy request is not overtaken by light ones. */
export class Semaphore {
  readonly #maxWaiters: number;
  readonly #permits: number;
  readonly #waiters = new Set<Waiter>();
  #available: number;

  constructor({ permits, maxWaiters }: SemaphoreOptions) {
    if (!(permits > 0)) throw new RangeError(`a semaphore needs at least one permit, got ${permits}`);
    this.#permits = permits;
    this.#available = permits;
    this.#maxWaiters = maxWaiters;
  }

  get available(): number {
    return this.#available;
  }

  get waiting(): number {
    return this.#waiters.size;
  }

  /** A permit if one is free and nobody waits for it, else undefined. */
  tryAcquire(weight = 1): Permit | undefined {
    this.#assertWeight(weight);
    if (this.#waiters.size > 0 || weight > this.#available) return undefined;
    return this.#take(weight);
  }

  /**
   * Waits for `weight` permits. Rejects with the signal's reason when it aborts first.
   * @throws PlatformError SEMAPHORE_WAITERS_EXCEEDED, RangeError for a weight that can never be granted.
   */
  async acquire(signal?: AbortSignal, weight = 1): Promise<Permit> {
    signal?.throwIfAborted();
    const permit = this.tryAcquire(weight);
    if (permit !== undefined) return permit;
    if (this.#waiters.size >= this.#maxWaiters) {
      throw new PlatformError(
        "SEMAPHORE_WAITERS_EXCEEDED",
        "too many callers wait already: try again later",
        {
          maxWaiters: this.#maxWaiters,
        },
      );
    }
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        weight,
        grant: () => {
          stopListening();
          resolve(this.#take(weight));
        },
      };
      this.#waiters.add(waiter);
      const stopListening = onAbort(signal, (reason) => {
        this.#waiters.delete(waiter);
        // Whoever stood behind a heavy waiter may fit now.
        this.#grantWaiting();
        reject(reason);
      });
    });
  }

  /** Runs the work while holding a permit. */
  async run<T>(work: () => Promise<T> | T, signal?: AbortSignal, weight = 1): Promise<T> {
    using _permit = await this.acquire(signal, weight);
    return await work();
  }

  #take(weight: number): Permit {
    this.#available -= weight;
    let isHeld = true;
    const release = (): void => {
      if (!isHeld) return;
      isHeld = false;
      this.#available += weight;
      this.#grantWaiting();
    };
    return { release, [Symbol.dispose]: release };
  }

  #grantWaiting(): void {
    for (const waiter of this.#waiters) {
      if (waiter.weight > this.#available) return;
      this.#waiters.delete(waiter);
      waiter.grant();
    }
  }

  #assertWeight(weight: number): void {
    if (!(weight > 0) || weight > this.#permits) {
      throw new RangeError(`a weight of ${weight} can never be granted: there are ${this.#permits} permits`);
    }
  }
}
