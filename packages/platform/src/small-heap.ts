import { performance } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";

const PERIOD_MS = 5_000;
/** A thread that works less than this share of its time is idle. */
const IDLE_SHARE = 0.05;
/** Growth since the last time that is worth a collection. */
const WORTH_BYTES = 2 * 1024 * 1024;

/**
 * Gives the memory of this thread back that its start or a busy time has left, once it has nothing to do: by itself the
 * runtime keeps it until there is much to do again. A collection takes some 30 to 120 ms, after which there is nothing
 * to collect for as long as the thread stays idle. Of no effect where the runtime was not started with `--expose-gc`.
 */
export function keepHeapSmall(): Disposable {
  const collect = globalThis.gc;
  if (collect === undefined) return { [Symbol.dispose]: () => undefined };
  let before = performance.eventLoopUtilization();
  let keptBytes = 0;
  const look = (): void => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    const grownBytes = getHeapStatistics().total_heap_size - keptBytes;
    if (utilization > IDLE_SHARE || grownBytes < WORTH_BYTES) return;
    collect({ type: "major", flavor: "last-resort", execution: "sync" });
    keptBytes = getHeapStatistics().total_heap_size;
    before = performance.eventLoopUtilization();
  };
  // It is no reason for a process or a thread to go on.
  const timer = setInterval(look, PERIOD_MS).unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
