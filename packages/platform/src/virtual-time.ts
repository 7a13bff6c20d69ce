import type { Clock } from "./clock.ts";
import { type PendingTimer, TimerHeap } from "./timer-heap.ts";
import { createTimers, type Timers } from "./timers.ts";

/** A clock and timers that only move when told to. For tests and the simulator. */
export interface VirtualTime {
  readonly clock: Clock;
  readonly timers: Timers;
  /** How many timers wait. */
  readonly pendingTimers: number;
  /**
   * Moves time forward, firing each due timer at its own moment in order, and lets the work that each one
   * wakes run before the next fires (as far as it only awaits promises: real I/O needs real time).
   */
  advance(durationMs: number): Promise<void>;
}

export function createVirtualTime(startMicros: bigint = 0n): VirtualTime {
  let elapsedMs = 0;
  const heap = new TimerHeap();
  let pendingTimers = 0;
  let nextOrder = 0;

  const timers = createTimers((delayMs, callback) => {
    const timer: PendingTimer = {
      dueMs: elapsedMs + Math.max(0, delayMs),
      order: nextOrder,
      callback,
      isCancelled: false,
    };
    nextOrder += 1;
    pendingTimers += 1;
    heap.push(timer);
    return () => {
      if (timer.isCancelled) return;
      pendingTimers -= 1;
      heap.cancel(timer);
    };
  });

  function takeDue(limitMs: number): PendingTimer | undefined {
    const next = heap.peek();
    if (next === undefined || next.dueMs > limitMs) return undefined;
    heap.pop();
    // From here on there is nothing to be cancelled.
    next.isCancelled = true;
    pendingTimers -= 1;
    return next;
  }

  return {
    clock: {
      nowMicros: () => startMicros + BigInt(Math.round(elapsedMs * 1_000)),
      monotonicMs: () => elapsedMs,
    },
    timers,
    get pendingTimers() {
      return pendingTimers;
    },
    async advance(durationMs) {
      const endMs = elapsedMs + durationMs;
      await drainMicrotasks();
      for (let timer = takeDue(endMs); timer !== undefined; timer = takeDue(endMs)) {
        elapsedMs = timer.dueMs;
        timer.callback();
        await drainMicrotasks();
      }
      elapsedMs = endMs;
    },
  };
}

/** A turn of the event loop: every promise that can settle without I/O has settled after it. */
function drainMicrotasks(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
