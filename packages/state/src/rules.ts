import type { MessageCost, MessageError, PricedPaymentType, TypedContent } from "@twentysix/protocol";
import type { Version } from "./facts.ts";
import type { AccountFact } from "./ledger/ledger-facts.ts";
import type { LedgerRules } from "./ledger/ledger-rules.ts";
import type { PaidKind } from "./ledger/message-bill.ts";
import type { PriceListReader, PriceLists } from "./ledger/price-lists.ts";
import type { PreparedMessage } from "./prepared.ts";
import type { World } from "./world.ts";

/** The protocol switches and constants that transitions look at. */
export interface StateRules {
  /** State is a function of the set of messages, not of the order of their arrival. */
  readonly canonicalOrder: boolean;
  /** Every CIDv1 is an item hash, so a `ref` of that form names a message. */
  readonly anyCidV1: boolean;
  /** Delegations never cover the `security` aggregate. Always on under `canonicalOrder`. */
  readonly securityAggregateOwnerOnly: boolean;
  /** Forgetting a forgotten message appends to `forgotten_by` instead of failing. */
  readonly idempotentForget: boolean;
  /** A file used by a VM can be forgotten by its owner; the bytes stay pinned for the owner of the VM. */
  readonly ownerForgetsUsedFiles: boolean;
  /** The owner of a VM update must be the owner of the original. */
  readonly vmReplacesOwnerCheck: boolean;
  /** References of a V-PROGRAM must exist. */
  readonly vprogramReferencesChecked: boolean;
  /** How long a file outlives its last pin. */
  readonly gracePeriodMicros: bigint;
  /** A removed message that is submitted again is processed anew. */
  readonly removedMayReturn: boolean;
  /** Distinct valid copies kept of one message. */
  readonly maxCopies: number;
  /** How long the texts behind a delegate's FORGET are retained, so that an earlier-dated revocation can restore them. */
  readonly finalityWindowMicros: bigint;
  /** Whose POSTs fill the measurements of nodes. */
  readonly scoring: {
    readonly addresses: readonly string[];
    readonly channel: string;
    readonly postType: string;
  };
  /** Whose aggregates hold the prices, and under which keys. */
  readonly prices: { readonly address: string; readonly pricingKey: string; readonly settingsKey: string };
  /**
   * Refusals do not count: what the messages were accepted for may have been forgotten since. For a replay of
   * messages whose acceptance is established in another way.
   */
  readonly acceptedBefore: boolean;
  /** null: nothing is priced and no balance is kept, as in a replay. */
  readonly ledger: LedgerRules | null;
}

/** A file that a message stores or references. */
export interface ReferencedFile {
  /** The hash that the message names: of the file for a STORE, of a STORE message for the references of a VM. */
  readonly name: string;
  readonly fileHash: string;
  readonly sizeBytes: number;
}

/** What the price hook is given, inside the writer's transaction, about a message that uses resources. */
export interface PriceRequest {
  readonly message: PreparedMessage;
  readonly kind: PaidKind;
  readonly paymentType: PricedPaymentType;
  /** A PROGRAM that runs all the time. */
  readonly isPersistent: boolean;
  /** Those of its files that this node holds. */
  readonly files: readonly ReferencedFile[];
  /** Size of the file of a STORE. */
  readonly storedBytes: number | null;
  /** The newest elements of the aggregates that hold the prices; null where the network's defaults still hold. */
  readonly priceList: { readonly pricing: Version | null; readonly settings: Version | null };
  readonly lists: PriceLists;
  readonly cost: MessageCost;
  /** What the owner has, and owes for what was accepted before. */
  readonly account: AccountFact;
  /** Credits of the owner that have not expired. */
  readonly credits: bigint;
  readonly rules: LedgerRules;
  /** What cut-over dates are compared with, Unix seconds: the time of the envelope, or what was observed. */
  readonly gateSeconds: number;
  /** Confirmation time when there is one, else reception. */
  readonly observedMicros: bigint;
  readonly nowMicros: bigint;
  readonly world: World;
}

export type PriceVerdict =
  | { readonly ok: true }
  /** `waits`: what could still change the verdict on a copy that others have accepted. */
  | {
      readonly ok: false;
      readonly error: MessageError;
      readonly waits?: readonly string[];
      /** This node may lack what the owner has. */
      readonly isLackOfNode?: boolean;
    };

/** Judges whether the owner can pay. Runs inside the transaction that would apply the message. */
export type PriceCheck = (request: PriceRequest) => PriceVerdict;

/** What a transition may use beside the world. */
export interface StateContext {
  readonly rules: StateRules;
  readonly nowMicros: bigint;
  readonly priceCheck: PriceCheck;
  /** The prices that the aggregates of the authority put into force. */
  readonly priceLists: PriceListReader["lists"];
  /** Reads the content of a message as its type says. */
  readonly readTyped: (message: PreparedMessage) => TypedContent;
  /** Reads a stored copy again; null when it is not complete (content still missing). */
  readonly prepare: (envelopeText: string, contentText: string | null) => PreparedMessage | null;
}
