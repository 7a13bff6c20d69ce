import { encodeHex } from "@twentysix/protocol";
import type { SqlConnection } from "../sql/connection.ts";
import { type ChangedKey, ChangedKeys } from "./changed-keys.ts";
import { derivedKey, derivedLeaf } from "./derived-leaf.ts";
import { DERIVED_KINDS } from "./dirty.ts";
import { sha256 } from "./leaf.ts";
import { MerkleTree } from "./merkle-tree.ts";
import { derivedLeaves, messageLeaves } from "./tree-leaves.ts";

/** Names how the root is computed; a change of any digest changes it. */
export const STATE_ROOT_ALGORITHM = "twentysix-merkle-sha256-v1";

/** Keys brought up to date in one go, so that the writer is never held up long. */
const SLICE = 256;
/** Rows of the logs read in one go. */
const COLLECT_SLICE = 4_096;
/** Events that one sweep covers: more of them share more buckets, and take more memory (some 50 bytes each). */
const MAX_SWEEP = 500_000;
/** Events that may wait while the writer is busy. */
const MAX_BACKLOG = 500_000;

const MESSAGES = 0;
const DERIVED = 1;
const WATERMARK = "merkle_seq";

export interface StateRoot {
  /** Lower-case hexadecimal. */
  readonly root: string;
  /** Messages accepted or forgotten. */
  readonly count: number;
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
  readonly #messages: MerkleTree;
  readonly #derived: MerkleTree;
  readonly #changedMessages: ChangedKeys;
  readonly #changedDerived: ChangedKeys;
  #sweep: Sweep | null = null;
  #watermark: number;

  constructor(connection: SqlConnection) {
    this.#connection = connection;
    this.#messages = new MerkleTree(connection, MESSAGES, messageLeaves(connection));
    this.#derived = new MerkleTree(connection, DERIVED, derivedLeaves(connection));
    this.#changedMessages = new ChangedKeys(connection, "messages");
    this.#changedDerived = new ChangedKeys(connection, "derived");
    const row = connection.get<{ value: string }>("SELECT value FROM meta WHERE key = ?", WATERMARK);
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
    return { root: encodeHex(digest), count: messages.count };
  }

  /** Events that the trees do not show yet. */
  get lag(): number {
    return this.#last("events", "seq") - this.#watermark;
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
    const toDirty = this.#last("derived_dirty", "id");
    if (lastSeq === this.#watermark && toDirty === 0) return null;
    const toSeq = Math.min(lastSeq, this.#watermark + MAX_SWEEP);
    return { toSeq, toDirty, seq: this.#watermark, dirty: 0 };
  }

  /** Gathers the next changes; false once a slice holds the last of them. */
  #collect(sweep: Sweep): boolean {
    if (sweep.seq < sweep.toSeq) {
      const reached = Math.min(sweep.toSeq, sweep.seq + COLLECT_SLICE);
      this.#changedMessages.addItemsOfEvents(sweep.seq, reached);
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
    for (const { kind, name } of rows) {
      this.#changedDerived.add({ key: derivedKey(kindOf(kind), name), kind, name });
    }
    sweep.dirty = rows.at(-1)?.id ?? sweep.toDirty;
    return sweep.dirty < sweep.toDirty;
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

  #refreshDerived({ key, kind, name }: ChangedKey): void {
    const digest = derivedLeaf(this.#connection, kindOf(kind ?? -1), name ?? "");
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
      WATERMARK,
      String(sweep.toSeq),
    );
    this.#changedMessages.clear();
    this.#changedDerived.clear();
    this.#watermark = sweep.toSeq;
    this.#sweep = null;
  }

  #last(table: "events" | "derived_dirty", column: "seq" | "id"): number {
    return (
      this.#connection.get<{ last: number | null }>(`SELECT max(${column}) AS last FROM ${table}`)?.last ?? 0
    );
  }
}

function kindOf(code: number): (typeof DERIVED_KINDS)[number] {
  const kind = DERIVED_KINDS[code];
  if (kind === undefined) throw new Error(`The database holds derived kind ${code}, which is not known`);
  return kind;
}
