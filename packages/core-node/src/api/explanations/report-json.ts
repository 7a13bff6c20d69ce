import { formatIsoZ, type JsonObject, type PriceList } from "@twentysix/protocol";
import type { LedgerAnswers } from "../../ledger/ledger-answers.ts";
import type {
  BillReport,
  ReportedAccount,
  ReportedFile,
  ReportedShortfall,
} from "../../ledger/payment-report.ts";
import { PAYMENT_RULES } from "../../ledger/payment-rules.ts";
import { fundsUnit } from "./arithmetic.ts";

/* Parts of reports as the API tells them. */

export const accountJson = (account: ReportedAccount): JsonObject => ({
  tokens: account.tokens,
  credits: account.credits,
  held: account.held,
  credits_per_second: account.creditsPerSecond,
});

export const filesJson = (files: readonly ReportedFile[]): JsonObject[] =>
  files.map(({ name, usedAs, fileHash, sizeBytes, billedMib }) => ({
    name,
    used_as: usedAs,
    file_hash: fileHash,
    size: sizeBytes,
    resolved: sizeBytes !== null,
    billed_mib: billedMib,
  }));

/** By what a message was accepted; null where that was not kept. */
export function acceptanceJson({ acceptance, paymentType }: BillReport): JsonObject | null {
  if (acceptance === null) return null;
  const { rule, funds } = acceptance;
  return {
    rule,
    says: PAYMENT_RULES[rule].says,
    funds: funds === null ? null : { ...funds, unit: fundsUnit(paymentType) },
  };
}

export const shortfallJson = (found: ReportedShortfall, unit: string): JsonObject => ({
  at: formatIsoZ(found.atMicros),
  available: found.available,
  messages_before: found.messagesBefore,
  before: found.before,
  left: found.left,
  needed: found.needed,
  short: found.short,
  unit,
});

/** The prices of a list by its name. */
export async function pricesOf(ledger: LedgerAnswers, hash: string, signal: AbortSignal): Promise<PriceList> {
  const list = await ledger.priceList(hash, signal);
  return list === null ? {} : (JSON.parse(list.pricingText) as PriceList);
}
