const LOWEST = -(2n ** 63n);
const HIGHEST = 2n ** 63n - 1n;

/** The inclusive lower bound of a window, as the database can compare it. */
export function lowestMicros(startMicros: bigint | undefined): bigint | null {
  return startMicros === undefined ? null : clamp(startMicros);
}

/** The last microsecond before the end of a window. */
export function timeBefore(endMicros: bigint | undefined): bigint | null {
  return endMicros === undefined ? null : clamp(endMicros - 1n);
}

function clamp(value: bigint): bigint {
  if (value < LOWEST) return LOWEST;
  return value > HIGHEST ? HIGHEST : value;
}
