import type {
  AggregateFact,
  AmendFact,
  CandidateFact,
  CopyFact,
  CopyTexts,
  ElementFact,
  FieldFact,
  FileFact,
  ForgottenMessage,
  ItemFact,
  LiveMessage,
  NodeMeasurement,
  PinFact,
  PostFact,
  SecurityElement,
  TagFact,
  Version,
  VmFact,
} from "./facts.ts";
import type {
  AccountFact,
  BalanceFact,
  BalancePartFact,
  CostFact,
  CreditEntry,
  CreditLot,
  OwnedCost,
  PublicationFact,
  RemovalFact,
  RemovedBill,
} from "./ledger/ledger-facts.ts";
import { FactTable } from "./table.ts";

/** Something that happened to an item, for the event log and the outbox. */
export interface ItemEvent {
  readonly hash: string;
  readonly kind:
    | "processed"
    | "confirmed"
    | "copy"
    | "forgotten"
    | "revised"
    | "retracted"
    | "removing"
    | "recovered"
    | "removed";
  readonly cause: Readonly<Record<string, unknown>> | null;
}

/** A copy that becomes a candidate. A retained one waits until the FORGET that hid it is final or taken back. */
export interface RequeuedCopy extends CandidateFact {
  readonly hash: string;
}

/** Which aggregate a message is an element of. */
export interface AggregateElement {
  readonly owner: string;
  readonly key: string;
  readonly timeMicros: bigint;
}

/** A tagged pin as the recomputation of a tag needs it. */
export interface TagPin {
  readonly hash: string;
  readonly owner: string;
  readonly fileHash: string;
  readonly createdMicros: bigint;
}

/**
 * The facts that one batch reads and changes.
 *
 * Tables under `facts` are persisted from their changes; tables under `index` are look-ups derived from them
 * (kept in step here, and by SQL in the store). Keys are texts; pairs are joined by a line feed, which no
 * strict item hash holds and which is escaped by `pairKey`.
 */
export class World {
  readonly facts = {
    items: new FactTable<ItemFact>("items"),
    copies: new FactTable<readonly CopyFact[]>("copies"),
    posts: new FactTable<PostFact>("posts"),
    amends: new FactTable<AmendFact>("amends"),
    aggregates: new FactTable<AggregateFact>("aggregates"),
    fields: new FactTable<FieldFact>("fields"),
    elements: new FactTable<AggregateElement>("elements"),
    pins: new FactTable<PinFact>("pins"),
    tags: new FactTable<TagFact>("tags"),
    vms: new FactTable<VmFact>("vms"),
    forgets: new FactTable<readonly string[]>("forgets"),
    delegations: new FactTable<readonly string[]>("delegations"),
    graces: new FactTable<bigint>("graces"),
    /** FORGETs that name an aggregate, by owner and key: they hold for elements yet to come. */
    tombstones: new FactTable<readonly Version[]>("tombstones"),
    metrics: new FactTable<readonly NodeMeasurement[]>("metrics"),
    /** By address: what it has and owes. */
    accounts: new FactTable<AccountFact>("accounts"),
    /** By address, chain and application (empty: none). */
    balances: new FactTable<BalanceFact>("balances"),
    /** By address, in the order in which they are spent. */
    lots: new FactTable<readonly CreditLot[]>("lots"),
    /** By the message that made them: credit entries, which are never changed. */
    entries: new FactTable<readonly CreditEntry[]>("entries"),
    costs: new FactTable<CostFact>("costs"),
    removals: new FactTable<RemovalFact>("removals"),
    /** Of what was removed; goes when it returns. */
    removedBills: new FactTable<RemovedBill>("removedBills"),
    /** `balances` and `credits`. */
    publications: new FactTable<PublicationFact>("publications"),
  };
  readonly index = {
    files: new FactTable<FileFact>("files"),
    security: new FactTable<readonly SecurityElement[]>("security"),
    amendsOf: new FactTable<readonly AmendFact[]>("amendsOf"),
    elementsOf: new FactTable<readonly ElementFact[]>("elementsOf"),
    /** Elements of an aggregate that are forgotten, by owner and key. */
    forgottenElements: new FactTable<readonly Version[]>("forgottenElements"),
    tagPins: new FactTable<readonly TagPin[]>("tagPins"),
    pinsOf: new FactTable<number>("pinsOf"),
    /** Files that a `content` pin of this item keeps. */
    contentPins: new FactTable<readonly string[]>("contentPins"),
    candidates: new FactTable<readonly CandidateFact[]>("candidates"),
    vmUsers: new FactTable<readonly string[]>("vmUsers"),
    vmVersions: new FactTable<readonly string[]>("vmVersions"),
    forgottenChildren: new FactTable<readonly string[]>("forgottenChildren"),
    forgetTargets: new FactTable<readonly string[]>("forgetTargets"),
    delegatedUses: new FactTable<readonly string[]>("delegatedUses"),
    /** Top-level fields of an aggregate with their raw texts, by owner and key. */
    aggregateContents: new FactTable<readonly (readonly [name: string, valueText: string])[]>(
      "aggregateContents",
    ),
    /** By address: all its credit entries. */
    creditHistory: new FactTable<readonly CreditEntry[]>("creditHistory"),
    /** By owner: what its live messages cost, in canonical order. */
    ownedCosts: new FactTable<readonly OwnedCost[]>("ownedCosts"),
  };
  /** What the source of the FORGET that is being judged has kept of messages that this node never met: see `skeletons.ts`. */
  readonly skeletons = new Map<string, ForgottenMessage>();
  /** Characters of the stored texts among the facts: what bounds a batch. Counted by whoever loads them. */
  heldCharacters = 0;
  /** Items whose candidate copies are dropped, before `requeued` is queued. */
  readonly dropped = new Set<string>();
  /** Copies that go (back) to the queue. */
  requeued: RequeuedCopy[] = [];
  readonly events: ItemEvent[] = [];
  /** What became available: `item:<hash>`, `file:<hash>`, `security:<owner>`. */
  readonly wakes = new Set<string>();
  /** Owners whose delegations changed, so that live messages relying on them are judged again. */
  readonly rejudge = new Set<string>();
  /** Aggregates that the batch changed, by owner and key. */
  readonly changedAggregates = new Set<string>();
  /** Accounts whose funds or obligations changed. */
  readonly touchedAccounts = new Set<string>();
  /** Parts of full publications of balances that the batch brought, by chain and place. */
  readonly balanceParts = new Map<string, BalancePartFact>();
  /** Accounts that an earlier-dated entry reached late: their lots are to be counted from the history. */
  readonly unsettledLots = new Set<string>();
  /** Aggregates to fold again from their elements once the batch is decided, with the fields that may have changed hands. */
  readonly refold = new Map<string, Set<string>>();

  /** True when a look-up in the store would miss something that this batch changed. */
  get isDirty(): boolean {
    if (this.dropped.size > 0 || this.requeued.length > 0) return true;
    return Object.values(this.facts).some((table) => table.isDirty);
  }

  /** The store holds every change so far. Wakes and aggregates to fold stay for the end of the batch. */
  settle(): void {
    for (const table of Object.values(this.facts)) table.settle();
    this.dropped.clear();
    this.balanceParts.clear();
    this.requeued = [];
    this.events.length = 0;
  }

  /** Takes every copy of an item out of the queue, those too that this batch put there. */
  dropCandidates(hash: string): void {
    this.dropped.add(hash);
    this.requeued = this.requeued.filter((copy) => copy.hash !== hash);
    if (this.index.candidates.has(hash)) this.index.candidates.set(hash, []);
  }

  /** Puts copies into the queue: to be judged again, or retained behind a FORGET. */
  queueCopies(hash: string, copies: readonly CopyTexts[], retained: boolean): void {
    const texts = copies.map(({ envelopeText, contentText }) => ({ envelopeText, contentText, retained }));
    for (const copy of texts) this.requeued.push({ hash, ...copy });
    const known = this.index.candidates.peek(hash);
    if (known === undefined) return;
    const added = new Set(texts.map((copy) => copy.envelopeText));
    const others = (known ?? []).filter((copy) => !added.has(copy.envelopeText));
    this.index.candidates.set(hash, [...others, ...texts]);
  }

  /** The texts of a forgotten message are kept behind FORGETs that may yet be taken back. Needs its `candidates`. */
  isRetained(hash: string): boolean {
    return (this.index.candidates.get(hash) ?? []).some((copy) => copy.retained);
  }

  live(hash: string): LiveMessage | null {
    return this.facts.items.get(hash)?.live ?? null;
  }

  forgotten(hash: string): ForgottenMessage | null {
    return this.facts.items.get(hash)?.forgotten ?? null;
  }
}

export type FactsTableName = keyof World["facts"];
export type IndexTableName = keyof World["index"];

/** A fact that a decision needs and that was not fetched yet. */
export interface Need {
  readonly table: FactsTableName | IndexTableName;
  readonly key: string;
}

/** Joins the parts of a composite key; each part is escaped, so that no two pairs share a key. */
export function pairKey(...parts: readonly string[]): string {
  return parts.map((part) => part.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")).join("\n");
}

/** The inverse of `pairKey`. */
export function splitPairKey(key: string): string[] {
  return key
    .split("\n")
    .map((part) => part.replaceAll(/\\([\\n])/g, (_, escaped: string) => (escaped === "n" ? "\n" : "\\")));
}

/** Those of the asked facts that the world does not know yet. */
export function missingFacts(world: World, asked: readonly Need[]): Need[] {
  return asked.filter((need) => !tableOf(world, need.table).has(need.key));
}

/** The table of that name, whichever group holds it. */
export function tableOf(world: World, name: FactsTableName | IndexTableName): FactTable<unknown> {
  const table =
    name in world.facts ? world.facts[name as FactsTableName] : world.index[name as IndexTableName];
  return table as FactTable<unknown>;
}
