import { floorToAtto, type PriceDecimal } from "./amount.ts";
import type { UnitPrices } from "./price-book.ts";

/** What a line pays for. The spelling of INMUTABLE is on the wire. */
export type CostType =
  | "EXECUTION"
  | "EXECUTION_VOLUME_PERSISTENT"
  | "EXECUTION_VOLUME_INMUTABLE"
  | "EXECUTION_VOLUME_DISCOUNT"
  | "EXECUTION_INSTANCE_VOLUME_ROOTFS"
  | "EXECUTION_PROGRAM_VOLUME_CODE"
  | "EXECUTION_PROGRAM_VOLUME_RUNTIME"
  | "EXECUTION_PROGRAM_VOLUME_DATA"
  | "STORAGE";

/** Amounts in 10^-18: tokens held, tokens a second, credits a second. */
export interface CostAmounts {
  readonly holdAtto: bigint;
  readonly streamAttoPerSecond: bigint;
  readonly creditAttoPerSecond: bigint;
}

/** One line of a bill. */
export interface CostLine extends CostAmounts {
  readonly type: CostType;
  readonly name: string;
  /** The STORE message that the line is about. */
  readonly ref: string | null;
  /** null for lines that have no size. */
  readonly sizeMib: PriceDecimal | null;
  /** What the price of a unit is multiplied by: compute units, or MiB; of a discount the MiB that come free. */
  readonly quantity: PriceDecimal;
}

/** One credit an hour, rounded down: what a line costs at least when credits pay for it. */
export const MIN_CREDIT_ATTO_PER_SECOND = 277_777_777_777_777n;

/** `quantity` units at these prices: the product, then the floor. */
export function amountsOf(prices: UnitPrices, quantity: PriceDecimal, minCredit: boolean): CostAmounts {
  const creditAttoPerSecond = floorToAtto(prices.creditPerSecond.times(quantity));
  return {
    holdAtto: floorToAtto(prices.hold.times(quantity)),
    streamAttoPerSecond: floorToAtto(prices.streamPerSecond.times(quantity)),
    creditAttoPerSecond:
      minCredit && creditAttoPerSecond < MIN_CREDIT_ATTO_PER_SECOND
        ? MIN_CREDIT_ATTO_PER_SECOND
        : creditAttoPerSecond,
  };
}

export function sumAmounts(lines: readonly CostAmounts[]): CostAmounts {
  let holdAtto = 0n;
  let streamAttoPerSecond = 0n;
  let creditAttoPerSecond = 0n;
  for (const line of lines) {
    holdAtto += line.holdAtto;
    streamAttoPerSecond += line.streamAttoPerSecond;
    creditAttoPerSecond += line.creditAttoPerSecond;
  }
  return { holdAtto, streamAttoPerSecond, creditAttoPerSecond };
}
