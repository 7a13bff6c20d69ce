const MAX_MICROS = 2n ** 63n - 1n;

/** Seconds of a query, as a filter in microseconds; 0 and null mean no filter. */
export function microsOfSeconds(seconds: number | null): bigint | undefined {
  if (seconds === null || seconds === 0) return undefined;
  const micros = BigInt(Math.round(seconds * 1e6));
  return micros > MAX_MICROS ? MAX_MICROS : micros;
}
