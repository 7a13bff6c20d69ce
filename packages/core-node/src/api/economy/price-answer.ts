import { Type } from "@sinclair/typebox";
import { type CostAmounts, type CostLine, formatAtto, type PricedPaymentType } from "@twentysix/protocol";
import { costLineJson } from "@twentysix/storage";
import { nullable } from "../schemas/nullable.ts";

/** What something costs, and by which prices. */
export interface Priced {
  readonly owner: string;
  readonly paymentType: PricedPaymentType;
  readonly lines: readonly CostLine[];
  readonly total: CostAmounts;
  readonly priceListHash: string;
}

const AMOUNT = Type.String({ description: "A decimal with 18 places." });
const PERIODS = nullable(
  Type.Object({ hour: AMOUNT, day: AMOUNT, month: AMOUNT }, { description: "A month has 30 days." }),
);

export const COST_LINE = Type.Object({
  type: Type.String(),
  name: Type.String(),
  cost_hold: AMOUNT,
  cost_stream: AMOUNT,
  cost_credit: AMOUNT,
  size_mib: nullable(Type.Number()),
});

export const PRICE = Type.Object({
  required_tokens: Type.Number(),
  payment_type: Type.String(),
  cost: Type.String({
    description: "Tokens to hold, or tokens or credits a second; a decimal with 18 places.",
  }),
  charged_address: Type.String(),
  detail: Type.Array(COST_LINE),
  cost_per: PERIODS,
  usd_per: PERIODS,
  pricing_revision: Type.String({ description: "SHA-256 of the price list that was used." }),
});

const SECONDS = { hour: 3_600n, day: 86_400n, month: 2_592_000n };
const CREDITS_PER_USD = 1_000_000n;

/** The body of a price; what it comes to over time is ours. */
export function priceBody(priced: Priced, withSizes: boolean): string {
  const { owner, paymentType, lines, total, priceListHash } = priced;
  const due = formatAtto(dueOf(priced));
  const rate = paymentType === "hold" ? null : dueOf(priced);
  const { creditAttoPerSecond: credits } = total;
  return JSON.stringify({
    required_tokens: Number(due),
    payment_type: paymentType,
    cost: due,
    charged_address: owner,
    detail: lines.map((line) => costLineJson(line, withSizes)),
    cost_per: rate === null ? null : periods((seconds) => rate * seconds),
    // Only credits have a price in dollars: what it costs, or would cost, with them.
    usd_per: credits <= 0n ? null : periods((seconds) => (credits * seconds) / CREDITS_PER_USD),
    pricing_revision: priceListHash,
  });
}

function dueOf({ paymentType, total }: Pick<Priced, "paymentType" | "total">): bigint {
  if (paymentType === "hold") return total.holdAtto;
  return paymentType === "credit" ? total.creditAttoPerSecond : total.streamAttoPerSecond;
}

function periods(amountOf: (seconds: bigint) => bigint): Record<string, string> {
  return {
    hour: formatAtto(amountOf(SECONDS.hour)),
    day: formatAtto(amountOf(SECONDS.day)),
    month: formatAtto(amountOf(SECONDS.month)),
  };
}
