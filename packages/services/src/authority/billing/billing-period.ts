/** Where the expenses of one kind end on the network: what its newest post says. In microseconds. */
export interface ExpensePosition {
  readonly startMicros: bigint;
  readonly endMicros: bigint;
  readonly part: number;
  /** The period has no further part. */
  readonly isComplete: boolean;
  /** Key of the last entry: the parts of a period go through what exists in the order of keys. */
  readonly lastKey: string;
}

export interface BillingPeriod {
  readonly startMicros: bigint;
  readonly endMicros: bigint;
  /** The next part to post, from 0. */
  readonly part: number;
  /** Up to this key everything is billed; null: nothing is. */
  readonly afterKey: string | null;
}

export type BillingDecision =
  | { readonly kind: "bill"; readonly period: BillingPeriod; readonly waivedMicros: bigint }
  | { readonly kind: "wait" }
  /** The newest expense ends in the future: a clock is or was wrong. */
  | { readonly kind: "ahead"; readonly endMicros: bigint };

export interface BillingRules {
  readonly periodMicros: bigint;
  readonly maxSpanMicros: bigint;
}

/**
 * What is to be billed next. Periods end on a grid and each begins where the last one ended, so that nothing is billed
 * twice or left out whatever was interrupted; one that was interrupted between two parts goes on behind its last
 * entry. One expense covers at most `maxSpanMicros`: after a longer pause the time before is waived.
 *
 * @param fromMicros where the first period begins when nothing was ever billed.
 */
export function nextBillingPeriod(
  last: ExpensePosition | null,
  fromMicros: bigint,
  nowMicros: bigint,
  { periodMicros, maxSpanMicros }: BillingRules,
): BillingDecision {
  const billedUntil = last === null ? gridBefore(fromMicros, periodMicros) : last.endMicros;
  if (billedUntil > nowMicros + periodMicros) return { kind: "ahead", endMicros: billedUntil };
  if (last !== null && !last.isComplete) {
    const { startMicros, endMicros, part, lastKey } = last;
    const period = { startMicros, endMicros, part: part + 1, afterKey: lastKey };
    return { kind: "bill", period, waivedMicros: 0n };
  }
  const endMicros = gridBefore(nowMicros, periodMicros);
  if (endMicros <= billedUntil) return { kind: "wait" };
  const startMicros = later(billedUntil, endMicros - maxSpanMicros);
  const period = { startMicros, endMicros, part: 0, afterKey: null };
  return { kind: "bill", period, waivedMicros: startMicros - billedUntil };
}

export const gridBefore = (micros: bigint, periodMicros: bigint): bigint => micros - (micros % periodMicros);

const later = (a: bigint, b: bigint): bigint => (a > b ? a : b);
