import { checkFunds, decidePayment, type PriceRequest, type Refused } from "@twentysix/state";
import type { PaymentReport, UnpricedReport } from "./payment-report.ts";
import { reportAccount, reportAmounts, reportFunds, reportLine } from "./report-amounts.ts";
import { reportFiles } from "./report-files.ts";

/** How a message stands before the payment gates, with every figure that they look at. */
export function reportPayment(question: PriceRequest, gates: "message" | "upload"): PaymentReport {
  const { message, kind, paymentType, cost, account, credits, rules, lists, gateSeconds, world } = question;
  const decision = gates === "upload" ? checkFunds(question) : decidePayment(question);
  const lines = cost.lines.map(reportLine);
  return {
    kind,
    owner: message.content.owner,
    paymentType,
    rule: decision.rule,
    isAccepted: decision.isAccepted,
    isBilled: decision.isBilled,
    gateSeconds,
    gateIsObserved: rules.observedTimeGates,
    files: reportFiles(world, message, lines),
    priceList: lists.hash,
    lines,
    total: reportAmounts(cost.total),
    funds: decision.funds === null ? null : reportFunds(decision.funds),
    account: reportAccount(account, credits),
    runtimeSeconds: Number(rules.creditRuntimeSeconds),
  };
}

/** Why the price list has no price for a message. */
export function reportUnpriced({ error, priceList }: Pick<Refused, "error" | "priceList">): UnpricedReport {
  return { unpriced: String(error.details?.errors[0] ?? ""), priceList: priceList ?? null };
}
