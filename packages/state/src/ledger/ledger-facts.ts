import type { CostLine, PricedPaymentType } from "@twentysix/protocol";
import type { Version } from "../facts.ts";
import type { Acceptance } from "./payment-rule.ts";

/** Position of an entry of the credit ledger: the time of its message, the message, and its place in there. */
export interface EntryPoint extends Version {
  readonly index: number;
}

/** One line of the credit history: above zero what came in, below what went out. Never changed. */
export interface CreditEntry extends EntryPoint {
  readonly address: string;
  readonly amount: bigint;
  /** null: never, and for what went out. */
  readonly expirationMicros: bigint | null;
  readonly price: string | null;
  readonly bonusAmount: bigint | null;
  readonly txHash: string | null;
  readonly token: string | null;
  readonly chain: string | null;
  readonly origin: string | null;
  readonly originRef: string | null;
  readonly provider: string | null;
  readonly paymentMethod: string | null;
  readonly expenseCount: bigint | null;
  readonly expenseSizeMib: string | null;
}

/** What is left of credits that came in. */
export interface CreditLot extends EntryPoint {
  /** Above zero. */
  readonly remaining: bigint;
  readonly expirationMicros: bigint | null;
}

/** Tokens of one address on one chain, as an authority last said. */
export interface BalanceFact {
  readonly tokensAtto: bigint;
  /** Height of the main chain at which it was said. */
  readonly height: bigint;
  /** When this node heard of the amount. */
  readonly updatedMicros: bigint;
}

/** What the node knows of an address that holds or owes something. */
export interface AccountFact {
  /** Spendable: over all chains, without what lies in applications. */
  readonly tokensAtto: bigint;
  /** What its messages require: tokens held, tokens a second, credits a second (each in 10^-18). */
  readonly heldAtto: bigint;
  readonly streamedAttoPerSecond: bigint;
  readonly creditAttoPerSecond: bigint;
  /** Messages that a lack of funds could remove. */
  readonly removable: number;
  /** Messages that are about to be removed. */
  readonly removing: number;
  /** Newest entry of its credit history; null while it has none. */
  readonly lastEntry: EntryPoint | null;
  readonly creditsIn: bigint;
  readonly creditsOut: bigint;
  /** When its messages have to be looked at again; null: when something happens. */
  readonly nextEventMicros: bigint | null;
}

/** What a live message costs, as computed when it was accepted. */
export interface CostFact {
  readonly owner: string;
  readonly paymentType: PricedPaymentType;
  readonly lines: readonly CostLine[];
  readonly holdAtto: bigint;
  readonly streamAttoPerSecond: bigint;
  readonly creditAttoPerSecond: bigint;
  /** Place in the canonical order, by which messages are paid for. */
  readonly timeMicros: bigint;
  /** Name of the price list that was used. */
  readonly priceListHash: string;
  /** The message had to be paid for; false for what is free by its date or its size. */
  readonly isBilled: boolean;
  /** null where an older version of this program accepted it. */
  readonly acceptance: Acceptance | null;
  /** A lack of funds can remove it; small files stay. */
  readonly isRemovable: boolean;
  /** Bytes of the file of a STORE, else null. */
  readonly fileSizeBytes: number | null;
}

/** What a look at an account found for one of its messages, in 10^-18: tokens, or credits. */
export interface Served {
  /** Everything that the owner had. */
  readonly availableAtto: bigint;
  /** Messages that were served before it, and what they took of that. */
  readonly messagesBefore: number;
  readonly takenAtto: bigint;
  /** What it needs itself; of credits for as long as they must last. */
  readonly neededAtto: bigint;
}

/** The same at the moment of a decision. */
export interface Shortfall extends Served {
  readonly atMicros: bigint;
}

/** A message that its owner cannot pay for any more. */
export interface RemovalFact {
  readonly owner: string;
  readonly sinceMicros: bigint;
  /** Not removed before. */
  readonly deleteByMicros: bigint;
  readonly reason: "balance_insufficient" | "credit_insufficient";
  /** Why it was marked; null where an older version of this program did so. */
  readonly marked: Shortfall | null;
}

/** What is kept of the bill of a message that was removed, and of the decision. */
export interface RemovedBill {
  readonly cost: CostFact;
  readonly removal: RemovalFact;
  readonly ended: Shortfall;
  /** What was published since it was marked, which made the removal final. */
  readonly publication: PublicationFact;
}

/** A part of a publication that lists every holder of a chain. */
export interface BalancePartFact {
  readonly chain: string;
  readonly index: number;
  readonly count: number;
  readonly height: bigint;
}

/** When an authority last published, by what it publishes. */
export interface PublicationFact extends Version {
  readonly processedMicros: bigint;
}

/** A cost with where its message stands, as the sweep of an account needs it. */
export interface OwnedCost extends Version {
  readonly paymentType: PricedPaymentType;
  readonly holdAtto: bigint;
  readonly creditAttoPerSecond: bigint;
  readonly isBilled: boolean;
  readonly isRemovable: boolean;
  /** It is about to be removed. */
  readonly isMarked: boolean;
  /** Height of the first confirmation; null: none. */
  readonly confirmedHeight: bigint | null;
}

/** Orders entries as the ledger counts them. */
export function compareEntries(a: EntryPoint, b: EntryPoint): number {
  if (a.timeMicros !== b.timeMicros) return a.timeMicros < b.timeMicros ? -1 : 1;
  if (a.hash !== b.hash) return a.hash < b.hash ? -1 : 1;
  return a.index - b.index;
}
