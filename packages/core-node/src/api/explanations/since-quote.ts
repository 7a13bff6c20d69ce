import type { JsonObject, JsonValue } from "@twentysix/protocol";
import type { LedgerAnswers } from "../../ledger/ledger-answers.ts";
import type { InquiredMessage } from "../../ledger/ledger-inquiry.ts";
import type { PaymentReport, ReportedLine } from "../../ledger/payment-report.ts";
import { amountFor, unitOf } from "./arithmetic.ts";
import { differencesOf } from "./list-differences.ts";
import { readQuoteId } from "./quote-id.ts";
import { priceJson } from "./quote-price.ts";
import { type QuotedMessage, refuseQuote } from "./quoted-message.ts";

/**
 * What is another price now than when an earlier quote was given, and why; null where none is named.
 *
 * @throws ApiError API_UNPROCESSABLE when the id is none, names another content, or a price list that is unknown
 */
export async function sinceQuote(
  earlier: JsonValue | undefined,
  { message, contentHash }: QuotedMessage,
  report: PaymentReport,
  ledger: Pick<LedgerAnswers, "judge" | "priceList">,
  signal: AbortSignal,
): Promise<JsonObject | null> {
  if (earlier === undefined || earlier === null) return null;
  const name = typeof earlier === "string" ? readQuoteId(earlier) : null;
  if (name === null) throw refuseQuote("quote_id is not the id of a quote");
  if (name.contentHash !== contentHash) throw refuseQuote("quote_id was given for another content");
  const [before, after] = await Promise.all([
    ledger.priceList(name.priceList, signal),
    ledger.priceList(report.priceList, signal),
  ]);
  if (before === null) throw refuseQuote("quote_id names a price list that this node does not know");
  const then = await pricedBy(name.priceList, message, ledger, signal);
  return {
    price_list: name.priceList,
    is_same: name.priceList === report.priceList,
    before: then === null ? null : priceJson(then),
    lines: changedLines(then, report),
    differences: differencesOf(before, after),
  };
}

/** null where that list has no price for the message. */
async function pricedBy(
  priceList: string,
  message: InquiredMessage,
  ledger: Pick<LedgerAnswers, "judge">,
  signal: AbortSignal,
): Promise<PaymentReport | null> {
  const then = await ledger.judge({ ...message, priceList }, signal);
  return then === null || "unpriced" in then ? null : then;
}

/** The lines of two bills of one message whose amounts differ, by their type and name. */
function changedLines(then: PaymentReport | null, { paymentType, lines }: PaymentReport): JsonObject[] {
  const keyOf = ({ type, name }: ReportedLine): string => `${type} ${name}`;
  const [before, now] = [then?.lines ?? [], lines].map(
    (bill) => new Map(bill.map((line) => [keyOf(line), line])),
  );
  const keys = new Set([...(before?.keys() ?? []), ...(now?.keys() ?? [])]);
  return [...keys].flatMap((key): JsonObject[] => {
    const [old, current] = [before?.get(key), now?.get(key)];
    const line = current ?? old;
    const [was, is] = [old, current].map((one) => (one === undefined ? null : amountFor(paymentType, one)));
    if (line === undefined || was === is) return [];
    return [
      { line: line.type, name: line.name, before: was ?? null, now: is ?? null, unit: unitOf(paymentType) },
    ];
  });
}
