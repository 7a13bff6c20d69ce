import { InvalidArgumentError } from "commander";

const MAX_CREDITS = 2n ** 63n - 1n;
const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000 };
/** A date, or a date with a time in UTC. */
const DATE = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2})?Z)?$/;

/** Whole credits: a million to the dollar. */
export function parseCredits(text: string): bigint {
  const digits = text.replaceAll("_", "");
  const amount = /^\d{1,19}$/.test(digits) ? BigInt(digits) : 0n;
  if (amount < 1n || amount > MAX_CREDITS) {
    throw new InvalidArgumentError("expected a whole number of credits above 0, such as 5_000_000");
  }
  return amount;
}

/** When credits end: after a time from now, or at a date. */
export type Expiry = { readonly afterMs: number } | { readonly atMs: number };

/** `30d`, `12h`, `2027-01-31` or `2027-01-31T12:00Z`. */
export function parseExpiry(text: string): Expiry {
  const span = /^(\d{1,5})([hd])$/.exec(text);
  if (span !== null) return { afterMs: Number(span[1]) * (UNIT_MS[span[2] ?? ""] ?? 0) };
  const atMs = DATE.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(atMs)) {
    throw new InvalidArgumentError(
      "expected a time from now such as 30d or 12h, or a date such as 2027-01-31",
    );
  }
  return { atMs };
}
