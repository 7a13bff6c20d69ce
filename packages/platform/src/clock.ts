import { performance } from "node:perf_hooks";

/** Where the present comes from. Injected, so that tests and the simulator bring their own. */
export interface Clock {
  /** Wall-clock time in microseconds since 1970-01-01T00:00:00Z. May step when the machine's clock is set. */
  nowMicros(): bigint;
  /** Milliseconds from an arbitrary origin, fractional; never goes back. For durations only. */
  monotonicMs(): number;
}

/** How far the interpolated time may stray from the machine's clock before it is anchored again. */
const MAX_DRIFT_MICROS = 2_000;

/**
 * The machine's clock. The wall clock of the runtime only has milliseconds, so the microseconds are
 * interpolated with the monotonic counter and anchored again whenever the two disagree (clock set, sleep).
 */
export function createSystemClock(): Clock {
  let anchorWallMs = Date.now();
  let anchorMonotonicMs = performance.now();

  function elapsedMicros(): number {
    return Math.round((performance.now() - anchorMonotonicMs) * 1_000);
  }

  return {
    nowMicros() {
      const wallMs = Date.now();
      let micros = elapsedMicros();
      const driftMicros = (anchorWallMs - wallMs) * 1_000 + micros;
      if (driftMicros > MAX_DRIFT_MICROS || driftMicros < -MAX_DRIFT_MICROS) {
        anchorWallMs = wallMs;
        anchorMonotonicMs = performance.now();
        micros = 0;
      }
      return BigInt(anchorWallMs) * 1_000n + BigInt(micros);
    },
    monotonicMs: () => performance.now(),
  };
}
