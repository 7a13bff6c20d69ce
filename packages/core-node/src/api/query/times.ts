const MAX_MICROS = 2n ** 63n - 1n;
/** Just below what a database integer holds as microseconds. */
const MAX_SECONDS = 9.2e12;

/** Seconds of a query, as a filter in microseconds; 0 and null mean no filter. */
export function microsOfSeconds(seconds: number | null): bigint | undefined {
  if (seconds === null || seconds === 0) return undefined;
  return seconds > MAX_SECONDS ? MAX_MICROS : BigInt(Math.round(seconds * 1e6));
}
