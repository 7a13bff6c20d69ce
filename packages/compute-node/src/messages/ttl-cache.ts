import { type Clock, raceAbort } from "@twentysix/platform";

export interface TtlCacheOptions {
  readonly ttlMs: number;
  readonly maxEntries: number;
  /** How long an old value may stand in while it cannot be loaded again; 0: never. */
  readonly staleMs: number;
  readonly clock: Pick<Clock, "monotonicMs">;
}

/** A question that is on its way, for all who wait for its answer. */
interface Load<Value> {
  readonly answer: Promise<Value>;
  readonly controller: AbortController;
  waiting: number;
}

/** Answers for a while, by key. Those who ask at the same time share one question; failures are not kept. */
export class TtlCache<Value> {
  readonly #options: TtlCacheOptions;
  readonly #entries = new Map<string, { readonly value: Value; readonly atMs: number }>();
  readonly #loads = new Map<string, Load<Value>>();

  constructor(options: TtlCacheOptions) {
    this.#options = options;
  }

  /** `load` goes on for as long as anybody waits for it, whoever asked first. */
  async get(key: string, signal: AbortSignal, load: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
    const { ttlMs, staleMs } = this.#options;
    const entry = this.#entries.get(key);
    if (entry !== undefined && this.#ageMs(entry.atMs) < ttlMs) return entry.value;
    try {
      return await this.#join(key, signal, this.#loads.get(key) ?? this.#start(key, load));
    } catch (error) {
      if (signal.aborted || entry === undefined || this.#ageMs(entry.atMs) >= staleMs) throw error;
      return entry.value;
    }
  }

  /** An answer that is on its way was asked for before: it is given to those who wait, and not kept. */
  forget(key: string): void {
    this.#entries.delete(key);
    this.#loads.delete(key);
  }

  async #join(key: string, signal: AbortSignal, load: Load<Value>): Promise<Value> {
    load.waiting += 1;
    try {
      return await raceAbort(load.answer, signal);
    } finally {
      load.waiting -= 1;
      if (load.waiting === 0 && signal.aborted) {
        if (this.#loads.get(key) === load) this.#loads.delete(key);
        load.controller.abort(signal.reason);
      }
    }
  }

  #start(key: string, ask: (signal: AbortSignal) => Promise<Value>): Load<Value> {
    const controller = new AbortController();
    const isCurrent = (): boolean => this.#loads.get(key) === load;
    const answer = Promise.try(ask, controller.signal)
      .then((value) => {
        if (isCurrent()) this.#keep(key, value);
        return value;
      })
      .finally(() => {
        if (isCurrent()) this.#loads.delete(key);
      });
    // Whoever waits is told; when all have gone, its end is nobody's any more.
    answer.catch(() => undefined);
    const load: Load<Value> = { answer, controller, waiting: 0 };
    this.#loads.set(key, load);
    return load;
  }

  #keep(key: string, value: Value): void {
    this.#entries.delete(key);
    this.#entries.set(key, { value, atMs: this.#options.clock.monotonicMs() });
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > this.#options.maxEntries && oldest !== undefined) this.#entries.delete(oldest);
  }

  #ageMs(atMs: number): number {
    return this.#options.clock.monotonicMs() - atMs;
  }
}
