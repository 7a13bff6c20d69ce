import type { Timers } from "@twentysix/platform";

interface Usage {
  active: number;
  cancelTimer: () => void;
}

/**
 * Who uses which program: one that nobody has used for its time is told of, once, and never while a request is under
 * way.
 */
export class ProgramUsage {
  readonly #timers: Pick<Timers, "schedule">;
  readonly #idleMs: number;
  readonly #onIdle: (vmHash: string) => void;
  readonly #programs = new Map<string, Usage>();
  #isClosed = false;

  constructor(options: {
    readonly timers: Pick<Timers, "schedule">;
    readonly idleMs: number;
    readonly onIdle: (vmHash: string) => void;
  }) {
    this.#timers = options.timers;
    this.#idleMs = options.idleMs;
    this.#onIdle = options.onIdle;
  }

  /** Requests of a program that are under way. */
  active(vmHash: string): number {
    return this.#programs.get(vmHash)?.active ?? 0;
  }

  /** Keeps the program until the function that it returns is called. */
  begin(vmHash: string): () => void {
    const usage = this.#programs.get(vmHash) ?? { active: 0, cancelTimer: () => {} };
    this.#programs.set(vmHash, usage);
    usage.cancelTimer();
    usage.active += 1;
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      usage.active -= 1;
      if (usage.active === 0) this.#startTimer(vmHash, usage);
    };
  }

  /** Its time begins anew. */
  touch(vmHash: string): void {
    this.begin(vmHash)();
  }

  /** Nothing is told of any more. */
  close(): void {
    this.#isClosed = true;
    for (const usage of this.#programs.values()) usage.cancelTimer();
    this.#programs.clear();
  }

  #startTimer(vmHash: string, usage: Usage): void {
    if (this.#isClosed) return;
    usage.cancelTimer = this.#timers.schedule(this.#idleMs, () => {
      if (usage.active > 0) return;
      this.#programs.delete(vmHash);
      this.#onIdle(vmHash);
    });
  }
}
