import type { Runtime } from "./runtime.ts";

/** Hands out the times of messages. */
export interface MessageClock {
  /** Microseconds since the epoch, a multiple of `stepMicros`, later than every time handed out before. */
  next(stepMicros: bigint): bigint;
}

/**
 * A clock that never gives the same time twice: byte-identical contents would be one message. A time on a whole
 * second is skipped, so that every time has sub-second digits.
 */
export function createMessageClock(runtime: Runtime): MessageClock {
  let last = 0n;
  return {
    next(stepMicros) {
      const now = runtime.nowMicros();
      let candidate = roundDown(now > last ? now : last, stepMicros);
      if (candidate <= last) candidate += stepMicros;
      if (candidate % 1_000_000n === 0n) candidate += stepMicros;
      last = candidate;
      return candidate;
    },
  };
}

function roundDown(value: bigint, step: bigint): bigint {
  return value - (value % step);
}
