/** Keeps work that concerns one machine in order; work on different machines goes on side by side. */
export class MachineTurns {
  readonly #last = new Map<number, Promise<unknown>>();
  #alone: Promise<unknown> = Promise.resolve();

  /** After all earlier work on this machine, and after what had to be alone. */
  of<Result>(vmNumber: number, work: () => Promise<Result>): Promise<Result> {
    const before = Promise.allSettled([this.#alone, this.#last.get(vmNumber)]);
    const result = before.then(work);
    this.#last.set(vmNumber, result);
    const forget = (): void => {
      if (this.#last.get(vmNumber) === result) this.#last.delete(vmNumber);
    };
    result.then(forget, forget);
    return result;
  }

  /** After all earlier work, and before all that comes later. */
  alone<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = Promise.allSettled([this.#alone, ...this.#last.values()]).then(work);
    this.#alone = result;
    // Its caller is told how it went.
    result.catch(() => undefined);
    return result;
  }
}
