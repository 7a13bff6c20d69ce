import { formatIsoZ } from "@twentysix/protocol";
import type { Refused } from "@twentysix/state";
import type { PaymentReport, UnpricedReport } from "./payment-report.ts";
import { reportPayment, reportUnpriced } from "./report-payment.ts";

/** What a refusal of payment looked at, kept with the refusal. */
export type PaymentRecord = (KeptReport | UnpricedReport) & { readonly judgedAt: string };

export interface KeptReport extends PaymentReport {
  /** Lines and files were too many to be kept: the price list tells the lines again. */
  readonly isShortened: boolean;
}

/** Longest record kept of one copy. */
const MAX_CHARACTERS = 65_536;

/** The record of a refusal as JSON; null where nothing was priced. */
export function paymentRecordText(
  refused: Pick<Refused, "payment" | "priceList" | "error" | "kind" | "waits">,
  nowMicros: bigint,
): string | null {
  const judgedAt = formatIsoZ(nowMicros);
  if (refused.payment === undefined)
    return refused.priceList === undefined
      ? null
      : JSON.stringify({ ...reportUnpriced(refused), judgedAt } satisfies PaymentRecord);
  const report = { ...reportPayment(refused.payment, "message"), isShortened: false, judgedAt };
  const text = JSON.stringify(report satisfies PaymentRecord);
  if (text.length <= MAX_CHARACTERS) return text;
  return JSON.stringify({ ...report, lines: [], files: [], isShortened: true } satisfies PaymentRecord);
}

/** The inverse: what this program wrote itself. */
export const readPaymentRecord = (text: string): PaymentRecord => JSON.parse(text) as PaymentRecord;
