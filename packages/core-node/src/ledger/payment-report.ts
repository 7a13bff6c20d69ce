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

/** A file that a message names. */
export interface ReportedFile {
  readonly name: string;
  /** `file` for a STORE, else which part of the machine it is. */
  readonly usedAs: string;
  /** null: the name leads nowhere. */
  readonly fileHash: string | null;
  /** null: this node does not know the file. */
  readonly sizeBytes: number | null;
  /** MiB of it that the bill counts, a decimal text; null where it counts none: not known then, or not priced. */
  readonly billedMib: string | null;
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
  /** null where the content is no such message at all. */
  readonly priceList: string | null;
}

/** What is left of an owner's funds for a message once his older ones are served: tokens or credits. */
export interface ReportedServed {
  readonly available: string;
  /** Messages that come before it in canonical order and are served first, and what they take. */
  readonly messagesBefore: number;
  readonly before: string;
  readonly left: string;
  readonly needed: string;
  /** What `left` lacks of `needed`. */
  readonly short: string;
}

/** The same at the moment of a decision. */
export interface ReportedShortfall extends ReportedServed {
  readonly atMicros: bigint;
}

/** What an accepted message cost, as computed when it was accepted. */
export interface BillReport {
  readonly owner: string;
  readonly paymentType: PricedPaymentType;
  readonly priceList: string;
  readonly lines: readonly ReportedLine[];
  readonly total: ReportedAmounts;
  readonly isBilled: boolean;
  /** null where it was accepted before that was kept. */
  readonly acceptance: ReportedAcceptance | null;
  readonly files: readonly ReportedFile[];
  /** Seconds that credits must last. */
  readonly runtimeSeconds: number;
}

/** By which rule a message was accepted, and the funds that the rule looked at, if it did. */
export interface ReportedAcceptance {
  readonly rule: PaymentRule;
  readonly funds: ReportedFunds | null;
}

export interface ReportedRemoval {
  readonly sinceMicros: bigint;
  readonly deleteByMicros: bigint;
  readonly reason: "balance_insufficient" | "credit_insufficient";
  /** Why it was marked; null where it was before that was kept. */
  readonly marked: ReportedShortfall | null;
}

/** What a live message costs since it was accepted, and where it stands among what its owner pays for. */
export interface StandingReport extends BillReport {
  readonly isRemovable: boolean;
  readonly account: ReportedAccount;
  /** null for streams, which no funds here are served to. */
  readonly served: ReportedServed | null;
  readonly removal:
    | (ReportedRemoval & {
        /** An authority has published since: the removal waits for the end of the grace alone. */
        readonly isConfirmed: boolean;
      })
    | null;
}

/** What a removed message cost, and why it ended. */
export interface EndedReport extends BillReport {
  readonly removal: ReportedRemoval;
  readonly ended: ReportedShortfall;
  /** What an authority had published since the message was marked. */
  readonly publication: {
    readonly itemHash: string;
    readonly publishedMicros: bigint;
    readonly heardMicros: bigint;
  };
}

/** Prices by name, as they were in force. */
export interface PriceListReport {
  readonly hash: string;
  readonly pricingText: string;
  readonly settingsText: string;
}
