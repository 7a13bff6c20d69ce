const MICROS_PER_SECOND = 1_000_000n;

/** First and last instant (exclusive) that a message can carry, Unix seconds: years 1 to 9999. */
export const MIN_TIME_SECONDS = -62_135_596_800;
export const END_TIME_SECONDS = 253_402_300_800;

/**
 * Microseconds of a Unix time in seconds, rounded half to even.
 *
 * The fraction of the double is what is rounded, not the decimal text that it came from: this is how the
 * network's nodes turn seconds into dates, and orders depend on the last digit. `seconds` must be between
 * MIN_TIME_SECONDS and END_TIME_SECONDS.
 */
export function microsOfSeconds(seconds: number | bigint): bigint {
  if (typeof seconds === "bigint") return seconds * MICROS_PER_SECOND;
  const whole = Math.trunc(seconds);
  return BigInt(whole) * MICROS_PER_SECOND + BigInt(roundHalfEven((seconds - whole) * 1e6));
}

function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}

/**
 * JSON text of a time as Unix seconds: the shortest fraction, and always one (`1652786281.0`), so that readers
 * see a float.
 */
export function formatTime(micros: bigint): string {
  const sign = micros < 0n ? "-" : "";
  const distance = micros < 0n ? -micros : micros;
  const fraction = (distance % MICROS_PER_SECOND).toString().padStart(6, "0").replace(/0+$/, "");
  return `${sign}${distance / MICROS_PER_SECOND}.${fraction === "" ? "0" : fraction}`;
}

/** ISO 8601 in UTC, six digits of fraction, ending in `Z`. */
export function formatIsoZ(micros: bigint): string {
  return `${isoWithoutZone(micros)}Z`;
}

/** ISO 8601 in UTC, six digits of fraction, ending in `+00:00`. */
export function formatIsoOffset(micros: bigint): string {
  return `${isoWithoutZone(micros)}+00:00`;
}

function isoWithoutZone(micros: bigint): string {
  const fraction = ((micros % MICROS_PER_SECOND) + MICROS_PER_SECOND) % MICROS_PER_SECOND;
  const seconds = (micros - fraction) / MICROS_PER_SECOND;
  const date = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return `${date}.${fraction.toString().padStart(6, "0")}`;
}
