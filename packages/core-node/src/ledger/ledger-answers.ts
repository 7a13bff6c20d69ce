import type { LedgerCall } from "../reader/reader-protocol.ts";
import type { ReaderThread } from "../reader/reader-thread.ts";
import type { InquiredMessage } from "./ledger-inquiry.ts";
import type {
  EndedReport,
  PaymentReport,
  PriceListReport,
  StandingReport,
  UnpricedReport,
} from "./payment-report.ts";

/** Questions about money, answered without deciding anything. */
export interface LedgerAnswers {
  /** How a message would be judged now; null for one that uses no resources. */
  judge(message: InquiredMessage, signal?: AbortSignal): Promise<PaymentReport | UnpricedReport | null>;
  /** What a live message costs and where it stands; null for one that costs nothing. */
  standing(itemHash: string, signal?: AbortSignal): Promise<StandingReport | null>;
  /** The price list in force. */
  pricesInForce(signal?: AbortSignal): Promise<PriceListReport>;
  /** What a removed message cost and why it ended; null where nothing of that was kept. */
  ended(itemHash: string, signal?: AbortSignal): Promise<EndedReport | null>;
  /** A price list that is or was in force, by its name. */
  priceList(hash: string, signal?: AbortSignal): Promise<PriceListReport | null>;
}

/** The answers of the reader thread. */
export function createLedgerAnswers(thread: Pick<ReaderThread, "call">): LedgerAnswers {
  const ask = <Answer>(call: LedgerCall, signal?: AbortSignal): Promise<Answer> =>
    thread.call(call, signal) as Promise<Answer>;
  return {
    judge: (message, signal) => ask({ kind: "judgePayment", message }, signal),
    standing: (itemHash, signal) => ask({ kind: "standing", itemHash }, signal),
    pricesInForce: (signal) => ask({ kind: "pricesInForce" }, signal),
    ended: (itemHash, signal) => ask({ kind: "ended", itemHash }, signal),
    priceList: (hash, signal) => ask({ kind: "priceList", hash }, signal),
  };
}
