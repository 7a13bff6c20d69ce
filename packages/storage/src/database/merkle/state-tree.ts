import { encodeHex } from "@twentysix/protocol";
import type { SqlConnection } from "../sql/connection.ts";
import { StandingReads } from "../sql/standing-reads.ts";
import { derivedKey, derivedLeaf } from "./derived-leaf.ts";
import { DERIVED_KINDS, type DirtyEntities } from "./dirty.ts";
import { KeyQueue, type QueuedKey } from "./key-queue.ts";
import { sha256 } from "./leaf.ts";
import { MerkleTree } from "./merkle-tree.ts";
import { STATE_ROOT_ALGORITHM } from "./root-algorithm.ts";
import { derivedLeaves, messageLeaves } from "./tree-leaves.ts";

/** Keys brought up to date in one go, so that the writer is never held up long. */
const SLICE = 256;
/** Rows of the logs read in one go. */
const COLLECT_SLICE = 1_024;
/**
 * Events, and derived entities, that one sweep covers: more of them share more buckets, and take more memory (some 60
 * bytes each).
 */
const MAX_SWEEP = 250_000;
/** Events that may wait while the writer is busy. */
const MAX_BACKLOG = 500_000;

/** The tree over messages, as the database names it. */
export const MESSAGES = 0;
const DERIVED = 1;
/** Under which `meta` has the last event that the trees show. */
export const TREE_WATERMARK = "merkle_seq";

export interface StateRoot {
  /** Lower-case hexadecimal. */
  readonly root: string;
  /** Digest of the messages tree alone, lower-case hexadecimal. */
  readonly messagesRoot: string;
  /** Messages accepted or forgotten. */
  readonly count: number;
  /** The last event that it shows. */
  readonly seq: number;
}

/** What one pass over the changed keys covers, and how far their collection has come. */
interface Sweep {
  readonly toSeq: number;
  readonly toDirty: number;
  seq: number;
  dirty: number;
}

/**
 * The Merkle trees over messages and over what they derive, kept by following the event log: the log says which
 * items changed, `derived_dirty` which derived entities. Changes are gathered and swept in the order of their
 * keys. A sweep counts once all of it is done, so a crash in between loses nothing: it is made again.
 */
export class StateTree {
  readonly #connection: SqlConnection;
  readonly #standing: StandingReads;
  readonly #messages: MerkleTree;
  readonly #derived: MerkleTree;
  readonly #changedMessages = new KeyQueue();
  /** Each with the row of `derived_dirty` that names it. */
  readonly #changedDerived = new KeyQueue();
  readonly #dirty: Pick<DirtyEntities, "forget"> | null;
  #sweep: Sweep | null = null;
  #watermark: number;

  /** @param dirty who notes changes in this database; null where nobody writes */
  constructor(connection: SqlConnection, dirty: Pick<DirtyEntities, "forget"> | null) {
    this.#connection = connection;
    this.#dirty = dirty;
    this.#standing = new StandingReads(connection);
    this.#messages = new MerkleTree(connection, MESSAGES, messageLeaves(connection));
    this.#derived = new MerkleTree(connection, DERIVED, derivedLeaves(connection));
    const row = connection.get<{ value: string }>("SELECT value FROM meta WHERE key = ?", TREE_WATERMARK);
    this.#watermark = row === undefined ? 0 : Number(row.value);
  }

  /** The root of everything committed so far. */
  root(): StateRoot {
    while (this.advance()) {
      // Each slice is a transaction of its own.
    }
    const messages = this.#messages.root();
    const digest = sha256(
      Buffer.concat([Buffer.from(STATE_ROOT_ALGORITHM), messages.digest, this.#derived.root().digest]),
    );
    const messagesRoot = encodeHex(messages.digest);
    return { root: encodeHex(digest), messagesRoot, count: messages.count, seq: this.#watermark };
  }

  /** Events that the trees do not show yet. */
  get lag(): number {
    return this.#last("events", "seq") - this.#watermark;
  }

  /** A sweep has begun, and is not at its end. */
  get isSweeping(): boolean {
    return this.#sweep !== null;
  }

  /** Advances by one slice when too much has piled up, until the sweep that this begins is done. */
  relieve(): void {
    if (this.#sweep !== null || this.lag > MAX_BACKLOG) this.advance();
  }

  /** Does one slice of the work that waits; false when there was none. */
  advance(): boolean {
    const sweep = this.#sweep ?? this.#startSweep();
    if (sweep === null) return false;
    this.#sweep = sweep;
    this.#connection.transaction(() => {
      if (this.#collect(sweep)) return;
      if (this.#sweepMessages() || this.#sweepDerived()) return;
      this.#finish(sweep);
    });
    return true;
  }

  #startSweep(): Sweep | null {
    const lastSeq = this.#last("events", "seq");
    const lastDirty = this.#last("derived_dirty", "id");
    if (lastSeq === this.#watermark && lastDirty === 0) return null;
    const toDirty = Math.min(lastDirty, this.#firstDirty() - 1 + MAX_SWEEP);
    const toSeq = Math.min(lastSeq, this.#watermark + MAX_SWEEP);
    this.#dirty?.forget();
    return { toSeq, toDirty, seq: this.#watermark, dirty: 0 };
  }

  /** Gathers the next changes; false once a slice holds the last of them. */
  #collect(sweep: Sweep): boolean {
    if (sweep.seq < sweep.toSeq) {
      const reached = Math.min(sweep.toSeq, sweep.seq + COLLECT_SLICE);
      this.#collectMessages(sweep.seq, reached);
      sweep.seq = reached;
      if (reached < sweep.toSeq) return true;
    }
    if (sweep.dirty >= sweep.toDirty) return false;
    const rows = this.#connection.all<{ id: number; kind: number; name: string }>(
      "SELECT id, kind, name FROM derived_dirty WHERE id > ? AND id <= ? ORDER BY id LIMIT ?",
      sweep.dirty,
      sweep.toDirty,
      COLLECT_SLICE,
    );
    for (const { id, kind, name } of rows) this.#changedDerived.add(derivedKey(kindOf(kind), name), id);
    sweep.dirty = rows.at(-1)?.id ?? sweep.toDirty;
    return sweep.dirty < sweep.toDirty;
  }

  #collectMessages(afterSeq: number, toSeq: number): void {
    const rows = this.#connection.all<{ id: number; hash: Uint8Array }>(
      "SELECT i.id, i.hash FROM events e CROSS JOIN items i WHERE e.seq > ? AND e.seq <= ? AND i.id = e.item_id",
      afterSeq,
      toSeq,
    );
    for (const { id, hash } of rows) this.#changedMessages.add(hash, id);
  }

  #sweepMessages(): boolean {
    const changed = this.#changedMessages.take(SLICE);
    this.#messages.update(changed.map(({ key }) => key));
    return changed.length === SLICE;
  }

  #sweepDerived(): boolean {
    const changed = this.#changedDerived.take(SLICE);
    for (const entity of changed) this.#refreshDerived(entity);
    this.#derived.update(changed.map(({ key }) => key));
    return changed.length === SLICE;
  }

  #refreshDerived({ key, value }: QueuedKey): void {
    const row = this.#connection.get<{ kind: number; name: string }>(
      "SELECT kind, name FROM derived_dirty WHERE id = ?",
      value,
    );
    if (row === undefined) throw new Error(`Entity ${value} of the running sweep is not noted any more`);
    const digest = derivedLeaf(this.#connection, kindOf(row.kind), row.name);
    if (digest === null) this.#connection.run("DELETE FROM derived_leaves WHERE key = ?", key);
    else
      this.#connection.run(
        "INSERT INTO derived_leaves (key, digest) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET digest = excluded.digest",
        key,
        digest,
      );
  }

  #finish(sweep: Sweep): void {
    this.#connection.run("DELETE FROM derived_dirty WHERE id <= ?", sweep.toDirty);
    this.#connection.run(
      "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
      TREE_WATERMARK,
      String(sweep.toSeq),
    );
    this.#changedMessages.clear();
    this.#changedDerived.clear();
    this.#watermark = sweep.toSeq;
    this.#sweep = null;
  }

  #firstDirty(): number {
    return (
      this.#connection.get<{ first: number | null }>("SELECT min(id) AS first FROM derived_dirty")?.first ?? 1
    );
  }

  #last(table: "events" | "derived_dirty", column: "seq" | "id"): number {
    const row = this.#standing.getBig<{ last: bigint | null }>(`SELECT max(${column}) AS last FROM ${table}`);
    return Number(row?.last ?? 0n);
  }
}

function kindOf(code: number): (typeof DERIVED_KINDS)[number] {
  const kind = DERIVED_KINDS[code];
  if (kind === undefined) throw new Error(`The database holds derived kind ${code}, which is not known`);
  return kind;
}
