import type { Chain, MessageType, PricedPaymentType } from "@twentysix/protocol";
import type { Status } from "../../codes.ts";

/** What is read of the ledger. Amounts of tokens, and rates, are integers of 10^-18; credits are whole. */

export interface BalanceView {
  /** Spendable tokens by chain, without what lies in applications. */
  readonly byChain: readonly { readonly chain: string; readonly tokensAtto: bigint }[];
  /** What the messages of the address hold, those that are free included. */
  readonly lockedAtto: bigint;
  /** Credits that have not expired. */
  readonly credits: bigint;
}

/** Credits that expire together; null: never. */
export interface CreditAmount {
  readonly expirationMicros: bigint | null;
  readonly amount: bigint;
}

/** What a live message costs. */
export interface CostView {
  readonly paymentType: PricedPaymentType;
  /** For `decodeCostLines`: the decimals of lines do not travel between threads. */
  readonly linesText: string;
  readonly holdAtto: bigint;
  readonly streamAttoPerSecond: bigint;
  readonly creditAttoPerSecond: bigint;
  /** Name of the price list that it was computed by. */
  readonly priceListHash: string;
}

/** Where a message stands to its bill. */
export interface BilledMessage {
  readonly status: Status;
  /** null while it is pending or rejected, and for a removed one of which nothing is left. */
  readonly type: MessageType | null;
  readonly owner: string | null;
  /** As its content says, or as it was kept of a message that is gone. */
  readonly paymentType: string | null;
  /** Bytes of the file of a STORE that is gone; null: not known. */
  readonly sizeBytes: bigint | null;
  /** null for what is gone, and for what uses nothing. */
  readonly cost: CostView | null;
}

/** A file that a machine references. */
export interface FileOfReference {
  readonly hash: string;
  readonly useLatest: boolean;
}

export interface CostFilter {
  readonly paymentType: PricedPaymentType;
  readonly owner?: string;
  readonly itemHash?: string;
}

export interface CostSummary {
  readonly resources: number;
  readonly holdAtto: bigint;
  readonly streamAttoPerSecond: bigint;
  readonly creditAttoPerSecond: bigint;
  /** Whatever the payment type. */
  readonly consumedCredits: bigint;
}

/** A publication of balances of which every part is here. */
export interface FullPublication {
  readonly chain: string;
  readonly height: bigint;
}

/** Holders of whom a full publication says nothing. */
export interface OmittedHolders {
  readonly count: number;
  /** The first of them. */
  readonly addresses: readonly string[];
}

/** Point reads of the ledger. */
export interface LedgerPointReads {
  balanceOf(address: string, nowMicros: bigint): BalanceView;
  /** The newest full publication of each chain. */
  fullPublications(): readonly FullPublication[];
  /** A text that is another one whenever something has changed of what an account has or owes; null: there is none. */
  accountMark(address: string): string | null;
  /** What is left of the credits of an address: those that never expire first, then by date. At most 10,000. */
  creditAmounts(address: string, nowMicros: bigint): readonly CreditAmount[];
  /** null for a hash that is unknown, or no hash at all. */
  billedMessage(itemHash: string): BilledMessage | null;
  /** Credits that expenses took for a resource. */
  consumedCredits(resource: string): bigint;
  costSummary(filter: CostFilter): CostSummary;
  /** Bytes of the files that these references lead to; null where one leads nowhere. */
  referencedBytes(references: readonly FileOfReference[]): readonly (number | null)[];
}

export interface BalancesQuery {
  readonly chains?: readonly Chain[];
  /** Whole tokens. */
  readonly minBalance?: bigint;
}

export interface CreditBalancesQuery {
  readonly minBalance?: bigint;
  /** The moment at which credits have expired or not. */
  readonly nowMicros: bigint;
}

export const CREDIT_SORTS = [
  "message_timestamp",
  "expiration_date",
  "payment_method",
  "amount",
  "origin",
  "tx_hash",
  "provider",
] as const;
export type CreditSort = (typeof CREDIT_SORTS)[number];

/** All conditions must hold. */
export interface CreditHistoryFilter {
  readonly txHash?: string;
  readonly token?: string;
  readonly chain?: string;
  readonly provider?: string;
  readonly origin?: string;
  readonly originRef?: string;
  readonly paymentMethod?: string;
  readonly hasExpiration?: boolean;
  /** Entries without a method are left out too. */
  readonly excludedMethods?: readonly string[];
  /** Both inclusive, on the time of the message. */
  readonly startMicros?: bigint;
  readonly endMicros?: bigint;
  readonly sign?: "incoming" | "outgoing";
  /** The resource is a live message of one of these types. */
  readonly resourceTypes?: readonly MessageType[];
  /** What an entry was for: its origin, else what it refers to. */
  readonly resource?: string;
}

export interface CreditHistoryQuery {
  readonly address: string;
  readonly filter: CreditHistoryFilter;
  readonly sortBy: CreditSort;
  readonly direction: "asc" | "desc";
}

export interface CreditSums {
  readonly entries: number;
  readonly incoming: bigint;
  /** Zero or below. */
  readonly outgoing: bigint;
}

/** A part of a sum over a history, and where the next part starts; null: that was all. */
export interface CreditSumStep extends CreditSums {
  readonly next: CreditPosition | null;
}

export interface CreditPosition {
  readonly timeMicros: bigint;
  readonly hash: Uint8Array;
  readonly index: number;
}

export interface CostsQuery extends CostFilter {
  /** The lines of each bill. */
  readonly withLines: boolean;
  readonly withSizes: boolean;
}

/** What cost something and went after a moment. */
export interface EndedCostsQuery {
  readonly sinceMicros: bigint;
  readonly paymentType?: PricedPaymentType;
  readonly owner?: string;
}

/** What the future of an account follows from. */
export interface ForecastFacts {
  readonly tokensAtto: bigint;
  readonly heldAtto: bigint;
  /** Credits a second that its messages take. */
  readonly creditAttoPerSecond: bigint;
  /** In the order in which they are spent. */
  readonly lots: readonly { readonly remaining: bigint; readonly expirationMicros: bigint | null }[];
  /** There are more lots, or later costs, than were looked at. */
  readonly isCut: boolean;
  /** The message that goes first when credits run out, and what all up to it take; null: none would. */
  readonly firstToGo: { readonly itemHash: string; readonly creditAttoPerSecond: bigint } | null;
  /** The removal that comes next of those that are decided. */
  readonly marked: {
    readonly itemHash: string;
    readonly deleteByMicros: bigint;
    readonly reason: "balance_insufficient" | "credit_insufficient";
  } | null;
}
