import { sha256OfText } from "@twentysix/protocol";

/** Expenses end on this grid, and grants are dated in its hours. */
export const HOUR_MICROS = 3_600_000_000n;
/** The first microseconds of an hour are those of the expenses that end with it. */
const EXPENSE_MICROS = 10_000n;

/**
 * The time of a grant: it follows from the hour and the nonce, so that a request that is repeated in the same hour
 * makes the same message. Behind the expenses that end with the hour (they are not paid from it), before nearly all
 * that the account can do next, and never on a whole second.
 */
export function grantTimeMicros(nonce: string, nowMicros: bigint): bigint {
  const spread = BigInt(`0x${sha256OfText(nonce).slice(0, 12)}`) % 900_000n;
  return nowMicros - (nowMicros % HOUR_MICROS) + EXPENSE_MICROS + spread;
}
