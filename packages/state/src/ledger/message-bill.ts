import {
  invalidFormat,
  type MessageCost,
  type MessageError,
  messageCost,
  mibOfBytes,
  type PricedFile,
  type PricedPaymentType,
  PricingError,
  paymentTypeOf,
  storeCost,
  type TypedContent,
} from "@twentysix/protocol";
import type { PreparedMessage } from "../prepared.ts";
import type { LedgerRules } from "./ledger-rules.ts";
import type { PriceLists } from "./price-lists.ts";

/** Messages that use resources. */
export type PaidKind = "STORE" | "PROGRAM" | "INSTANCE" | "V-PROGRAM";

export function isPaidKind(type: string): type is PaidKind {
  return type === "STORE" || type === "PROGRAM" || type === "INSTANCE" || type === "V-PROGRAM";
}

/** How the owner of a message pays for it. */
export function paymentTypeOfMessage(
  rules: Pick<LedgerRules, "storesDefaultToCredits">,
  { envelope, content }: PreparedMessage,
): PricedPaymentType {
  const { paymentType } = content;
  if (paymentType === null && envelope.type === "STORE" && rules.storesDefaultToCredits) return "credit";
  return paymentTypeOf(paymentType === null ? null : { type: paymentType });
}

export interface BillInput {
  readonly rules: Pick<LedgerRules, "storesDefaultToCredits">;
  readonly message: PreparedMessage;
  readonly lists: PriceLists;
  /** Bytes of the file of a STORE, null when it is not known. */
  readonly storedBytes: number | null;
  /** Bytes of a file that a machine references, null when it leads nowhere. */
  readonly referencedBytes: (file: PricedFile) => number | null;
  /** Reads the content of a machine. */
  readonly readTyped: (message: PreparedMessage) => TypedContent;
}

export type BillResult =
  | { readonly ok: true; readonly cost: MessageCost }
  | { readonly ok: false; readonly error: MessageError };

/** What a message costs by a price list; refused when the list has no price for it. */
export function billOf(input: BillInput): BillResult {
  try {
    return { ok: true, cost: costOf(input) };
  } catch (error) {
    if (error instanceof PricingError) return { ok: false, error: invalidFormat(error.message) };
    throw error;
  }
}

function costOf({ rules, message, lists, storedBytes, referencedBytes, readTyped }: BillInput): MessageCost {
  const { itemHash, type } = message.envelope;
  const storedMib = storedBytes === null ? null : mibOfBytes(storedBytes);
  const prices = lists.book;
  if (type === "STORE") {
    return storeCost({ itemHash, prices, storedMib, paymentType: paymentTypeOfMessage(rules, message) });
  }
  const sizeOf = (file: PricedFile): ReturnType<typeof mibOfBytes> | null => {
    const sizeBytes = referencedBytes(file);
    return sizeBytes === null ? null : mibOfBytes(sizeBytes);
  };
  return messageCost({
    typed: readTyped(message),
    itemHash,
    prices,
    settings: lists.settings,
    sizeOf,
    storedMib,
  });
}
