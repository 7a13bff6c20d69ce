import { encodeItemHash } from "@twentysix/protocol";
import { DirtyEntities } from "../merkle/dirty.ts";
import type { SqlConnection } from "../sql/connection.ts";
import { StandingReads } from "../sql/standing-reads.ts";
import { CollectedFiles } from "./collected-files.ts";
import { CounterDeltas } from "./counter-deltas.ts";
import { Dictionary } from "./dictionary.ts";
import { CostTotals } from "./ledger/cost-totals.ts";
import { PriceListNames } from "./ledger/price-list-names.ts";

/**
 * What the parts of the writer share: its connection, the dictionaries, the ids of the hashes that the current
 * batch has met, and the ids it hands out. One writer holds the database, so ids are counted in memory.
 */
export class WriterSession {
  readonly connection: SqlConnection;
  /** What is asked whenever the writer has nothing to do. */
  readonly standing: StandingReads;
  readonly addresses: Dictionary;
  readonly channels: Dictionary;
  readonly labels: Dictionary;
  readonly counters: CounterDeltas;
  readonly costTotals: CostTotals;
  readonly priceLists: PriceListNames;
  /** Derived entities that the trees have to look at again. */
  readonly dirty: DirtyEntities;
  readonly collected = new CollectedFiles();
  readonly #itemIds = new Map<string, number | null>();
  readonly #reservedCopies = new Map<number, number>();
  #nextItemId = 0;
  #nextCopyId = 0;
  #nextEventSeq = 0;

  constructor(connection: SqlConnection) {
    this.connection = connection;
    this.standing = new StandingReads(connection);
    this.addresses = new Dictionary(connection, "addresses", "address");
    this.channels = new Dictionary(connection, "channels", "channel");
    this.labels = new Dictionary(connection, "labels", "label");
    this.counters = new CounterDeltas(connection);
    this.costTotals = new CostTotals(connection);
    this.priceLists = new PriceListNames(connection);
    this.dirty = new DirtyEntities(connection);
    this.#readNextIds();
  }

  /** Forgets what belongs to one batch. */
  endBatch(): void {
    this.collected.commit();
    this.#itemIds.clear();
    this.#reservedCopies.clear();
  }

  /** Forgets everything that a rolled-back transaction may have cached. */
  rollBack(): void {
    this.collected.rollBack();
    this.endBatch();
    this.addresses.forget();
    this.channels.forget();
    this.labels.forget();
    this.counters.forget();
    this.costTotals.forget();
    this.priceLists.forget();
    this.dirty.forget();
    this.#readNextIds();
  }

  /** The id of an item hash, or null when this node never met it. */
  findItem(hash: string): number | null {
    const known = this.#itemIds.get(hash);
    if (known !== undefined) return known;
    const row = this.connection.get<{ id: number }>(
      "SELECT id FROM items WHERE hash = ?",
      encodeItemHash(hash),
    );
    const id = row?.id ?? null;
    this.#itemIds.set(hash, id);
    return id;
  }

  /** The id of an item that a change refers to. */
  itemId(hash: string): number {
    const id = this.findItem(hash);
    if (id === null) throw new Error(`A change refers to ${hash}, which has no item row`);
    return id;
  }

  /** Remembers an id that a loader read along the way. */
  rememberItem(hash: string, id: number | null): void {
    this.#itemIds.set(hash, id);
  }

  newItemId(hash: string): number {
    const id = this.#nextItemId;
    this.#nextItemId += 1;
    this.#itemIds.set(hash, id);
    return id;
  }

  newCopyId(): number {
    const id = this.#nextCopyId;
    this.#nextCopyId += 1;
    return id;
  }

  newEventSeq(): number {
    const seq = this.#nextEventSeq;
    this.#nextEventSeq += 1;
    return seq;
  }

  /** An id for the copy that a new message is going to serve, so that its row is written once. */
  reserveCopyId(itemId: number): number {
    const id = this.newCopyId();
    this.#reservedCopies.set(itemId, id);
    return id;
  }

  /** The id that was reserved for the served copy of an item, once. */
  takeReservedCopyId(itemId: number): number | null {
    const id = this.#reservedCopies.get(itemId);
    this.#reservedCopies.delete(itemId);
    return id ?? null;
  }

  #readNextIds(): void {
    const next = (table: string, column = "id"): number =>
      (this.connection.get<{ last: number | null }>(`SELECT max(${column}) AS last FROM ${table}`)?.last ??
        0) + 1;
    this.#nextItemId = next("items");
    this.#nextCopyId = next("copies");
    // The newest event of the log is never deleted, so no number is given out twice.
    this.#nextEventSeq = next("events", "seq");
  }
}
