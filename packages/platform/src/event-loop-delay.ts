import { monitorEventLoopDelay } from "node:perf_hooks";

/** How late this thread came to its work since the last look, in milliseconds. */
export interface EventLoopDelay {
  readonly meanMs: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Measures how late this thread comes to what it has to do; ends when it is disposed of. */
export interface EventLoopMonitor extends Disposable {
  /** What was measured since the last call. */
  take(): EventLoopDelay;
}

const RESOLUTION_MS = 10;
const NANOS_PER_MS = 1e6;

export function createEventLoopMonitor(): EventLoopMonitor {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  return {
    take() {
      const inMs = (nanos: number): number => (Number.isFinite(nanos) ? nanos / NANOS_PER_MS : 0);
      const delay = {
        meanMs: histogram.count === 0 ? 0 : inMs(histogram.mean),
        p99Ms: histogram.count === 0 ? 0 : inMs(histogram.percentile(99)),
        maxMs: histogram.count === 0 ? 0 : inMs(histogram.max),
      };
      histogram.reset();
      return delay;
    },
    [Symbol.dispose]: () => {
      histogram.disable();
    },
  };
}
