import { onAbort } from "./abort.ts";
import { PlatformError } from "./errors.ts";
import { Fifo } from "./fifo.ts";

/** What happens to an item offered to a full queue: it is refused, or the oldest ones make room for it. */
export type DropPolicy = "refuse" | "dropOldest";

/** Why an item left the queue without being taken, or never entered. */
export type DropReason = "full" | "tooHeavy" | "closed";

/** For metrics; called synchronously, must not throw. */
export interface QueueHooks<T> {
  onAdded?(item: T): void;
  onTaken?(item: T): void;
  onDropped?(item: T, reason: DropReason): void;
}

export interface BoundedQueueOptions<T> {
  /** The most items that the queue holds. */
  readonly capacity: number;
  /** The most weight (bytes, usually) that it holds; needs `weightOf`. */
  readonly maxWeight?: number;
  /** Must give the same weight for an item as long as it is inside. */
  readonly weightOf?: (item: T) => number;
  /** For `offer`; `put` waits instead. */
  readonly dropPolicy: DropPolicy;
  /** How many `put` calls may wait for room (default 1,000); one more fails with QUEUE_WAITERS_EXCEEDED. */
  readonly maxWaiters?: number;
  readonly hooks?: QueueHooks<T>;
  /** Aborting it closes the queue and drops what it holds. */
  readonly signal?: AbortSignal;
}

interface WaitingPut<T> {
  readonly item: T;
  readonly weight: number;
  done(error?: unknown): void;
}

const DEFAULT_MAX_WAITERS = 1_000;

/**
 * A queue between a producer and a consumer that cannot grow without bound.
 * Producers choose: `offer` never waits and says whether the item was taken on; `put` waits for room.
 * After `close` nothing enters any more, what is inside can still be taken, and then takers get `undefined`.
 */
export class BoundedQueue<T> {
  readonly #options: BoundedQueueOptions<T>;
  readonly #items = new Fifo<T>();
  readonly #puts = new Set<WaitingPut<T>>();
  readonly #takers = new Set<() => void>();
  #weight = 0;
  #isClosed = false;

  constructor(options: BoundedQueueOptions<T>) {
    if (!(options.capacity >= 1))
      throw new RangeError(`capacity must be at least 1, got ${options.capacity}`);
    if (options.maxWeight !== undefined && options.weightOf === undefined) {
      throw new RangeError("maxWeight needs weightOf");
    }
    this.#options = options;
    onAbort(options.signal, () => this.#abort());
  }

  get length(): number {
    return this.#items.length;
  }

  /** The sum of the weights of the items inside (0 when they have none). */
  get weight(): number {
    return this.#weight;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Adds the item now, or not at all. False means that it was refused; the hook was told why. */
  offer(item: T): boolean {
    const weight = this.#weightOf(item);
    const refusal = this.#refusalOf(weight);
    if (refusal !== undefined) {
      this.#options.hooks?.onDropped?.(item, refusal);
      return false;
    }
    while (!this.#hasRoom(weight)) {
      this.#options.hooks?.onDropped?.(this.#removeOldest(), "full");
    }
    this.#add(item, weight);
    return true;
  }

  /**
   * Adds the item, waiting for room in the order of the calls. Rejects with the signal's reason when it aborts.
   * @throws PlatformError QUEUE_CLOSED, QUEUE_WAITERS_EXCEEDED; RangeError for an item heavier than the queue.
   */
  async put(item: T, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const weight = this.#weightOf(item);
    if (weight > this.#maxWeight) throw new RangeError(`an item of weight ${weight} can never fit the queue`);
    if (this.#isClosed) throw closedError();
    if (this.#puts.size === 0 && this.#hasRoom(weight)) {
      this.#add(item, weight);
      return;
    }
    const maxWaiters = this.#options.maxWaiters ?? DEFAULT_MAX_WAITERS;
    if (this.#puts.size >= maxWaiters) {
      throw new PlatformError(
        "QUEUE_WAITERS_EXCEEDED",
        "the queue is full and too many wait for room already",
        {
          maxWaiters,
        },
      );
    }
    await this.#waitForRoom(item, weight, signal);
  }

  /** The oldest item if there is one. */
  tryTake(): T | undefined {
    if (this.#items.length === 0) return undefined;
    const item = this.#removeOldest();
    this.#options.hooks?.onTaken?.(item);
    this.#admitWaiting();
    return item;
  }

  /** The oldest item, waiting for one; undefined once the queue is closed and empty. */
  async take(signal?: AbortSignal): Promise<T | undefined> {
    await this.#waitForItem(signal);
    return this.tryTake();
  }

  /** At least one item and at most `maxItems`, waiting for the first; none once the queue is closed and empty. */
  async takeBatch(maxItems: number, signal?: AbortSignal): Promise<T[]> {
    await this.#waitForItem(signal);
    const batch: T[] = [];
    while (batch.length < maxItems && this.#items.length > 0) batch.push(this.tryTake() as T);
    return batch;
  }

  /** Ends the intake: waiting `put` calls fail with QUEUE_CLOSED, takers get what is left. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const put of this.#puts) {
      this.#options.hooks?.onDropped?.(put.item, "closed");
      put.done(closedError());
    }
    this.#puts.clear();
    this.#wakeTakers();
  }

  /** Everything until the queue is closed and empty. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      await this.#waitForItem(undefined);
      if (this.#items.length === 0) return;
      yield this.tryTake() as T;
    }
  }

  get #maxWeight(): number {
    return this.#options.maxWeight ?? Number.POSITIVE_INFINITY;
  }

  #weightOf(item: T): number {
    return this.#options.weightOf?.(item) ?? 0;
  }

  #hasRoom(weight: number): boolean {
    return this.#items.length < this.#options.capacity && this.#weight + weight <= this.#maxWeight;
  }

  #refusalOf(weight: number): DropReason | undefined {
    if (this.#isClosed) return "closed";
    if (weight > this.#maxWeight) return "tooHeavy";
    const mustRefuse =
      this.#options.dropPolicy === "refuse" && (this.#puts.size > 0 || !this.#hasRoom(weight));
    return mustRefuse ? "full" : undefined;
  }

  #add(item: T, weight: number): void {
    this.#items.push(item);
    this.#weight += weight;
    this.#options.hooks?.onAdded?.(item);
    this.#wakeTakers();
  }

  #removeOldest(): T {
    const item = this.#items.shift();
    this.#weight -= this.#weightOf(item);
    return item;
  }

  #waitForRoom(item: T, weight: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const put: WaitingPut<T> = {
        item,
        weight,
        done: (error) => {
          stopListening();
          if (error === undefined) resolve();
          else reject(error);
        },
      };
      this.#puts.add(put);
      const stopListening = onAbort(signal, (reason) => {
        this.#puts.delete(put);
        // Whoever stood behind a heavy item may fit now.
        this.#admitWaiting();
        reject(reason);
      });
    });
  }

  #admitWaiting(): void {
    for (const put of this.#puts) {
      if (!this.#hasRoom(put.weight)) return;
      this.#puts.delete(put);
      this.#add(put.item, put.weight);
      put.done();
    }
  }

  /** Resolves when there may be something to take: another taker can be quicker, hence the loop. */
  async #waitForItem(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    while (this.#items.length === 0 && !this.#isClosed) {
      await new Promise<void>((resolve, reject) => {
        const wake = (): void => {
          stopListening();
          resolve();
        };
        this.#takers.add(wake);
        const stopListening = onAbort(signal, (reason) => {
          this.#takers.delete(wake);
          reject(reason);
        });
      });
    }
  }

  #wakeTakers(): void {
    const takers = [...this.#takers];
    this.#takers.clear();
    for (const wake of takers) wake();
  }

  #abort(): void {
    this.close();
    while (this.#items.length > 0) this.#options.hooks?.onDropped?.(this.#removeOldest(), "closed");
  }
}

function closedError(): PlatformError {
  return new PlatformError("QUEUE_CLOSED", "the queue is closed and takes no more items");
}
