export interface PendingTimer {
  readonly dueMs: number;
  /** Of two that are due at once the one that was set first goes first, as with the machine's timers. */
  readonly order: number;
  readonly callback: () => void;
  isCancelled: boolean;
}

/** So many cancelled timers are let be. */
const FEW_CANCELLED = 256;

/** Timers in the order in which they are due: a binary heap. */
export class TimerHeap {
  #timers: PendingTimer[] = [];
  #cancelled = 0;

  push(timer: PendingTimer): void {
    const timers = this.#timers;
    let at = timers.push(timer) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = timers[parent];
      if (above === undefined || !isBefore(timer, above)) break;
      timers[at] = above;
      timers[parent] = timer;
      at = parent;
    }
  }

  /** The first one that was not cancelled. */
  peek(): PendingTimer | undefined {
    while (this.#timers[0]?.isCancelled === true) {
      this.#cancelled -= 1;
      this.#dropFirst();
    }
    return this.#timers[0];
  }

  /**
   * Cancels one that waits. Most limits of time are cancelled long before they are due: what they hold would fill the heap,
   * so they are thrown out once there are more of them than of others.
   */
  cancel(timer: PendingTimer): void {
    timer.isCancelled = true;
    this.#cancelled += 1;
    if (this.#cancelled < Math.max(FEW_CANCELLED, this.#timers.length / 2)) return;
    // What is sorted is a heap.
    this.#timers = this.#timers.filter(({ isCancelled }) => !isCancelled).sort(inOrder);
    this.#cancelled = 0;
  }

  pop(): PendingTimer | undefined {
    const first = this.peek();
    if (first !== undefined) this.#dropFirst();
    return first;
  }

  #dropFirst(): void {
    const timers = this.#timers;
    const last = timers.pop();
    if (last === undefined || timers.length === 0) return;
    let at = 0;
    for (;;) {
      const child = earlierOf(timers, 2 * at + 1, 2 * at + 2);
      const below = timers[child];
      if (below === undefined || !isBefore(below, last)) break;
      timers[at] = below;
      at = child;
    }
    timers[at] = last;
  }
}

const inOrder = (one: PendingTimer, other: PendingTimer): number => (isBefore(one, other) ? -1 : 1);

function isBefore(one: PendingTimer, other: PendingTimer): boolean {
  return one.dueMs < other.dueMs || (one.dueMs === other.dueMs && one.order < other.order);
}

function earlierOf(timers: readonly PendingTimer[], left: number, right: number): number {
  const [one, other] = [timers[left], timers[right]];
  return one !== undefined && other !== undefined && isBefore(other, one) ? right : left;
}
