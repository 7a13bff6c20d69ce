import type { InstanceContent, PaymentType, ProgramContent } from "@twentysix/protocol";
import { ATTO_DIGITS, parseAtto } from "@twentysix/protocol";
import { isConfidential } from "../executions/confidential.ts";

/** How a machine is paid. */
export interface PaymentTerms {
  readonly type: PaymentType;
  readonly chain: string;
  /** `content.address`: whose machine it is, whoever signed for it. */
  readonly payer: string;
  readonly receiver: string | null;
}

/** A message without payment is held for on Ethereum. */
export function paymentTermsOf({
  payment,
  address,
}: Pick<InstanceContent | ProgramContent, "payment" | "address">): PaymentTerms {
  return {
    type: payment?.type ?? "hold",
    chain: payment?.chain ?? "ETH",
    payer: address,
    receiver: payment?.receiver ?? null,
  };
}

/** Confidential machines, and those with a GPU: held ones of these go to the node that their owner names. */
export function isSpecial(content: InstanceContent | ProgramContent): boolean {
  return isConfidential(content) || (content.requirements?.gpu ?? []).length > 0;
}

const ATTO = 10n ** BigInt(ATTO_DIGITS);
/** 30.41666666666923904761904784 days: the month of the reference's texts. */
const MONTH_SECONDS = 2_628_000n;

/** @throws Error when a core node's amount is none */
export function attoOf(decimal: string): bigint {
  const atto = parseAtto(decimal);
  if (atto !== null) return atto;
  throw new Error(`"${decimal.slice(0, 64)}" is no amount; ask another core node`);
}

export function attoOfCredits(credits: bigint): bigint {
  return credits * ATTO;
}

export function perMonth(attoPerSecond: bigint): string {
  return wholeText(attoPerSecond * MONTH_SECONDS);
}

export function wholeText(atto: bigint): string {
  const hundredths = (atto * 100n) / ATTO;
  return `${hundredths / 100n}.${(hundredths % 100n).toString().padStart(2, "0")}`;
}
