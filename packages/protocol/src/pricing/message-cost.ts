import type { TypedContent } from "../content/validate-content.ts";
import type { NetworkSettings } from "../network/price-list.ts";
import { PriceDecimal } from "./amount.ts";
import { amountsOf, type CostAmounts, type CostLine, sumAmounts } from "./cost-line.ts";
import { executionCost } from "./execution-cost.ts";
import type { PriceBook } from "./price-book.ts";
import { productPrices } from "./pricing-error.ts";
import { discountLine, type SizeOf, volumeLines } from "./volume-cost.ts";

export type PaymentType = "hold" | "superfluid" | "credit";

/** The lines of a bill and their sum; which amount counts follows from the payment type. */
export interface MessageCost {
  readonly paymentType: PaymentType;
  readonly lines: readonly CostLine[];
  readonly total: CostAmounts;
}

export interface CostInput {
  readonly typed: TypedContent;
  /** Item hash of the message, for the line of a STORE. */
  readonly itemHash: string;
  readonly prices: PriceBook;
  readonly settings: Pick<NetworkSettings, "compatible_gpus">;
  /** Sizes of files that a machine references. */
  readonly sizeOf: SizeOf;
  /** MiB of the file of a STORE; null when it is not known. */
  readonly storedMib: PriceDecimal | null;
}

export interface StoreCostInput extends Pick<CostInput, "itemHash" | "prices" | "storedMib"> {
  readonly paymentType: PaymentType;
}

/** Smallest size that a file is billed for when credits pay. */
const MIN_CREDIT_FILE_MIB = 25;
const STORAGE_PRODUCT = "storage";

/** Anything that is neither a stream nor credits is tokens held. */
export function paymentTypeOf(payment: { readonly type: string } | null | undefined): PaymentType {
  return payment?.type === "credit" || payment?.type === "superfluid" ? payment.type : "hold";
}

/** MiB of so many bytes, exact. */
export function mibOfBytes(sizeBytes: number | bigint): PriceDecimal {
  return new PriceDecimal(sizeBytes.toString()).div(1024 * 1024);
}

/**
 * What a message costs, line by line; the sum of the lines is the price. The same everywhere: no database, no
 * clock. Messages that use no resources have no lines.
 *
 * @throws PricingError when the price list in force has no price for it
 */
export function messageCost(input: CostInput): MessageCost {
  const { typed } = input;
  switch (typed.type) {
    case "STORE":
      return storeCost({ ...input, paymentType: paymentTypeOf(typed.content.payment) });
    case "PROGRAM":
    case "INSTANCE":
    case "V-PROGRAM": {
      const paymentType = paymentTypeOf(typed.content.payment);
      const paysCredits = paymentType === "credit";
      const execution = executionCost(typed, input.prices, input.settings, paysCredits);
      const book = productPrices(input.prices, execution.product);
      const volumes = volumeLines(typed, book.storage, input.sizeOf, paysCredits);
      const discount = discountLine(book, execution.diskUnits, volumes);
      return billOf(paymentType, [...execution.lines, ...volumes, discount]);
    }
    default:
      return billOf("hold", []);
  }
}

/** What a STORE costs, of which only the payment type and the size of the file matter. */
export function storeCost(input: StoreCostInput): MessageCost {
  return billOf(input.paymentType, storeLines(input, input.paymentType));
}

/** The amount that the owner must have for the payment type: tokens held, or tokens or credits a second. */
export function dueAtto({ paymentType, total }: MessageCost): bigint {
  switch (paymentType) {
    case "hold":
      return total.holdAtto;
    case "superfluid":
      return total.streamAttoPerSecond;
    case "credit":
      return total.creditAttoPerSecond;
  }
}

function billOf(paymentType: PaymentType, lines: readonly CostLine[]): MessageCost {
  return { paymentType, lines, total: sumAmounts(lines) };
}

function storeLines({ itemHash, prices, storedMib }: StoreCostInput, paymentType: PaymentType): CostLine[] {
  if (storedMib === null || storedMib.isZero()) return [];
  const paysCredits = paymentType === "credit";
  const billedMib =
    paysCredits && storedMib.lt(MIN_CREDIT_FILE_MIB) ? new PriceDecimal(MIN_CREDIT_FILE_MIB) : storedMib;
  const { storage } = productPrices(prices, STORAGE_PRODUCT);
  const amounts = amountsOf(storage, billedMib, paysCredits);
  const line = { type: "STORAGE", name: "STORAGE", ref: itemHash, sizeMib: storedMib } as const;
  return [{ ...line, quantity: billedMib, ...amounts }];
}
