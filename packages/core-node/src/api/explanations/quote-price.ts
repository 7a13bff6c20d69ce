import { formatAtto, parseAtto } from "@twentysix/protocol";
import type { PaymentReport } from "../../ledger/payment-report.ts";
import { amountFor, unitOf } from "./arithmetic.ts";

/** What a message costs: an amount to hold, or one for each second, hour and day. */
export function priceJson({ paymentType, total }: Pick<PaymentReport, "paymentType" | "total">): {
  amount: string;
  unit: string;
  per_hour: string | null;
  per_day: string | null;
} {
  const amount = amountFor(paymentType, total);
  const times = (seconds: bigint): string | null =>
    paymentType === "hold" ? null : formatAtto((parseAtto(amount) ?? 0n) * seconds);
  return { amount, unit: unitOf(paymentType), per_hour: times(3_600n), per_day: times(86_400n) };
}
