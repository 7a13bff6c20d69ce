import type { PricedPaymentType } from "@twentysix/protocol";
import { PRICED_PAYMENTS } from "../../codes.ts";

/** What the database stores of a payment type. */
export const PAYMENT_CODE: Readonly<Record<PricedPaymentType, number>> = {
  hold: PRICED_PAYMENTS.indexOf("hold"),
  superfluid: PRICED_PAYMENTS.indexOf("superfluid"),
  credit: PRICED_PAYMENTS.indexOf("credit"),
};

/** @throws RangeError for a code that this version does not know */
export function paymentOfCode(code: number): PricedPaymentType {
  const payment = PRICED_PAYMENTS[code];
  if (payment === undefined) throw new RangeError(`payment type ${code} is not known to this version`);
  return payment;
}
