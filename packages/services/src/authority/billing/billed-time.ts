import type { BillingPeriod } from "./billing-period.ts";

/** How far a clock may be ahead before its times are not believed. */
const CLOCK_TOLERANCE_MICROS = 300_000_000n;

/**
 * How long something is billed for in a period.
 *
 * @param timeMicros what the message says of its time; undefined when that lies before the period. It is only a
 *   claim: one that lies in the future does not make anything free.
 */
export function billedMicros(
  { startMicros, endMicros }: Pick<BillingPeriod, "startMicros" | "endMicros">,
  timeMicros: bigint | undefined,
  nowMicros: bigint,
): bigint {
  const isBelieved = timeMicros !== undefined && timeMicros <= nowMicros + CLOCK_TOLERANCE_MICROS;
  if (!isBelieved || timeMicros <= startMicros) return endMicros - startMicros;
  return timeMicros >= endMicros ? 0n : endMicros - timeMicros;
}
