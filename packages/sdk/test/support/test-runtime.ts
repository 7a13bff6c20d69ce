import type { Runtime } from "../../src/index.ts";

export interface TestRuntime extends Runtime {
  /** Every delay that was asked for, in order. */
  readonly delaysMs: readonly number[];
  nowMicros(): bigint;
}

/** Delays up to `skipUpToMs` end at once; longer ones (the bounds of calls) are real. Chance always gives 0. */
export function createTestRuntime(skipUpToMs = 20_000): TestRuntime {
  const delaysMs: number[] = [];
  return {
    delaysMs,
    nowMicros: () => BigInt(Date.now()) * 1000n,
    random: () => 0,
    schedule(delayMs, callback) {
      delaysMs.push(delayMs);
      const timer = setTimeout(callback, delayMs <= skipUpToMs ? 0 : delayMs);
      return () => clearTimeout(timer);
    },
  };
}
