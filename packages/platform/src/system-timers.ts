import { createTimers, type Timers } from "./timers.ts";

/** The longest delay that the runtime keeps; a longer one would fire at once, so it is split. */
const MAX_DELAY_MS = 2_147_483_647;

/** Timers that follow the machine's clock. A waiting timer keeps the process alive until it is cancelled. */
export function createSystemTimers(): Timers {
  return createTimers(scheduleReal);
}

function scheduleReal(delayMs: number, callback: () => void): () => void {
  if (Number.isNaN(delayMs)) throw new RangeError("delayMs is not a number");
  let handle: NodeJS.Timeout;
  const arm = (remainingMs: number): void => {
    const stepMs = Math.min(remainingMs, MAX_DELAY_MS);
    handle = setTimeout(() => {
      if (remainingMs > stepMs) arm(remainingMs - stepMs);
      else callback();
    }, stepMs);
  };
  arm(delayMs);
  return () => clearTimeout(handle);
}
