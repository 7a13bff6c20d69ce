import type { BillingPeriod } from "./billing-period.ts";

/** From when until when something cost what it costs; null: from before, or still. */
export interface Run {
  readonly startMicros: bigint | null;
  readonly endMicros: bigint | null;
}

/**
 * How long something is billed for in a period: as long as it ran in it. Periods join without gaps, so whatever they
 * are, every microsecond of a run falls into one of them.
 */
export function billedMicros(
  period: Pick<BillingPeriod, "startMicros" | "endMicros">,
  { startMicros, endMicros }: Run,
): bigint {
  const from = startMicros === null || startMicros < period.startMicros ? period.startMicros : startMicros;
  const until = endMicros === null || endMicros > period.endMicros ? period.endMicros : endMicros;
  return until > from ? until - from : 0n;
}

/**
 * A date of a node's API, `2026-01-01T00:00:00.000001Z`, in microseconds; null for what is none.
 */
export function microsOfDate(date: string): bigint | null {
  const parts = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,6}))?Z$/.exec(date);
  const seconds = Date.parse(`${parts?.[1]}Z`);
  if (parts === null || Number.isNaN(seconds)) return null;
  return BigInt(seconds) * 1_000n + BigInt((parts[2] ?? "").padEnd(6, "0"));
}
