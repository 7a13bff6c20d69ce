import { Decimal } from "decimal.js";

/**
 * Amounts of money are integers: units of 10^-18 of a token or a credit ("atto"), as a bigint. Rates and
 * products in between are decimals of 28 significant digits, rounded half to even, because the network's
 * figures are defined that way to the last digit.
 *
 * Source: pyaleph `src/aleph/toolkit/costs.py`, Python's default decimal context.
 */
export const PriceDecimal = Decimal.clone({
  precision: 28,
  rounding: Decimal.ROUND_HALF_EVEN,
  toExpNeg: -9e15,
  toExpPos: 9e15,
});
export type PriceDecimal = Decimal;

export const ATTO_DIGITS = 18;
const ATTO = 10n ** BigInt(ATTO_DIGITS);
const SECONDS_PER_HOUR = 3600;

/** Rounds towards minus infinity to 18 places. */
export function floorToAtto(value: Decimal): bigint {
  return BigInt(
    value.toDecimalPlaces(ATTO_DIGITS, Decimal.ROUND_FLOOR).toFixed(ATTO_DIGITS).replace(".", ""),
  );
}

/** `1000.000000000000000000`: how APIs write an amount. */
export function formatAtto(atto: bigint): string {
  const digits = (atto < 0n ? -atto : atto).toString().padStart(ATTO_DIGITS + 1, "0");
  return `${atto < 0n ? "-" : ""}${digits.slice(0, -ATTO_DIGITS)}.${digits.slice(-ATTO_DIGITS)}`;
}

/** Reads a decimal text with up to 18 places; null when it is not one. */
export function parseAtto(text: string): bigint | null {
  const match = /^(-?)(\d{1,60})(?:\.(\d{1,18}))?$/.exec(text);
  if (match === null) return null;
  const [, sign = "", whole = "", fraction = ""] = match;
  const atto = BigInt(whole) * ATTO + BigInt(fraction.padEnd(ATTO_DIGITS, "0"));
  return sign === "-" ? -atto : atto;
}

/** A rate an hour as a rate a second: 28 digits, half to even. */
export function perSecond(hourly: Decimal): Decimal {
  return hourly.div(SECONDS_PER_HOUR);
}

export const ZERO: Decimal = new PriceDecimal(0);
