import type { Clock } from "./clock.ts";
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

interface PendingTimer {
  readonly dueMs: number;
  readonly callback: () => void;
}

export function createVirtualTime(startMicros: bigint = 0n): VirtualTime {
  let elapsedMs = 0;
  // Insertion order breaks ties, as with the machine's timers.
  const pending = new Set<PendingTimer>();

  const timers = createTimers((delayMs, callback) => {
    const timer = { dueMs: elapsedMs + Math.max(0, delayMs), callback };
    pending.add(timer);
    return () => pending.delete(timer);
  });

  function earliest(limitMs: number): PendingTimer | undefined {
    let next: PendingTimer | undefined;
    for (const timer of pending) {
      if (timer.dueMs <= limitMs && (next === undefined || timer.dueMs < next.dueMs)) next = timer;
    }
    return next;
  }

  return {
    clock: {
      nowMicros: () => startMicros + BigInt(Math.round(elapsedMs * 1_000)),
      monotonicMs: () => elapsedMs,
    },
    timers,
    get pendingTimers() {
      return pending.size;
    },
    async advance(durationMs) {
      const endMs = elapsedMs + durationMs;
      await drainMicrotasks();
      for (let timer = earliest(endMs); timer !== undefined; timer = earliest(endMs)) {
        pending.delete(timer);
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
