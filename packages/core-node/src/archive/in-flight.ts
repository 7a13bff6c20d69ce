import { createDeferred, type Deferred } from "@twentysix/platform";

export interface InFlightLimits {
  readonly maxCount: number;
  /** One thing larger than this goes alone. */
  readonly maxBytes: number;
}

/** Keeps what is on its way at once within a count and a size. For one caller that waits at a time. */
export class InFlight {
  readonly #limits: InFlightLimits;
  readonly #running = new Set<Promise<void>>();
  #bytes = 0;
  #room: Deferred<void> | null = null;

  constructor(limits: InFlightLimits) {
    this.#limits = limits;
  }

  /** Waits for room and starts `work`, which must not reject. */
  async start(sizeBytes: number, work: () => Promise<void>): Promise<void> {
    while (!this.#hasRoom(sizeBytes)) {
      this.#room = createDeferred<void>();
      await this.#room.promise;
    }
    this.#bytes += sizeBytes;
    const running = work().finally(() => {
      this.#running.delete(running);
      this.#bytes -= sizeBytes;
      this.#room?.resolve();
    });
    this.#running.add(running);
  }

  /** Resolves when nothing is on its way any more. */
  async drained(): Promise<void> {
    await Promise.all(this.#running);
  }

  #hasRoom(sizeBytes: number): boolean {
    const { maxCount, maxBytes } = this.#limits;
    if (this.#running.size === 0) return true;
    return this.#running.size < maxCount && this.#bytes + sizeBytes <= maxBytes;
  }
}
