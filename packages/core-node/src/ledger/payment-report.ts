import type { CostType, MessageType, PricedPaymentType } from "@twentysix/protocol";
import type { PaymentRule } from "@twentysix/state";

/*
 * What the ledger says of a message, as plain data that crosses threads. Amounts are decimal texts: tokens held,
 * tokens or credits a second, with 18 places.
 */

export interface ReportedLine {
  readonly type: CostType;
  readonly name: string;
  readonly ref: string | null;
  /** MiB, a decimal text. */
  readonly sizeMib: string | null;
  /** Compute units or MiB that the price of a unit is multiplied by. */
  readonly quantity: string;
  readonly hold: string;
  readonly stream: string;
  readonly credit: string;
}

export interface ReportedAmounts {
  readonly hold: string;
  readonly stream: string;
  readonly credit: string;
}

/** What the owner needs for everything that he pays in this way, and has: tokens or credits. */
export interface ReportedFunds {
  readonly committed: string;
  readonly added: string;
  readonly required: string;
  readonly available: string;
}

export interface ReportedFile {
  readonly name: string;
  readonly fileHash: string;
  readonly sizeBytes: number;
}

/** How a message stands before the payment gates at this moment. */
export interface PaymentReport {
  readonly kind: MessageType;
  readonly owner: string;
  readonly paymentType: PricedPaymentType;
  readonly rule: PaymentRule;
  readonly isAccepted: boolean;
  readonly isBilled: boolean;
  /** What cut-over dates were compared with, Unix seconds. */
  readonly gateSeconds: number;
  /** The gate looks at when the message was observed, instead of the time of its envelope. */
  readonly gateIsObserved: boolean;
  readonly files: readonly ReportedFile[];
  /** Named files that this node does not know: they have no line. */
  readonly unresolved: readonly string[];
  readonly priceList: string;
  readonly lines: readonly ReportedLine[];
  readonly total: ReportedAmounts;
  readonly funds: ReportedFunds | null;
  readonly account: ReportedAccount;
  /** Seconds that credits must last. */
  readonly runtimeSeconds: number;
}

export interface ReportedAccount {
  readonly tokens: string;
  readonly credits: string;
  readonly held: string;
  readonly creditsPerSecond: string;
}

/** The price list has no price for the message. */
export interface UnpricedReport {
  readonly unpriced: string;
}

/** What a live message costs since it was accepted, and where it stands among what its owner pays for. */
export interface StandingReport {
  readonly owner: string;
  readonly paymentType: PricedPaymentType;
  readonly priceList: string;
  readonly lines: readonly ReportedLine[];
  readonly total: ReportedAmounts;
  readonly isBilled: boolean;
  readonly isRemovable: boolean;
  readonly account: ReportedAccount;
  readonly runtimeSeconds: number;
  /** Messages of the owner that come before it in canonical order and are paid for first, and what they need. */
  readonly before: { readonly messages: number; readonly amount: string };
  /** What this one needs, and what is left for it. */
  readonly needed: string;
  readonly left: string;
  readonly removal: {
    readonly sinceMicros: bigint;
    readonly deleteByMicros: bigint;
    readonly reason: "balance_insufficient" | "credit_insufficient";
    /** An authority has published since: the removal waits for the end of the grace alone. */
    readonly isConfirmed: boolean;
  } | null;
}

/** Prices by name, as they were in force. */
export interface PriceListReport {
  readonly hash: string;
  readonly pricingText: string;
  readonly settingsText: string;
}
