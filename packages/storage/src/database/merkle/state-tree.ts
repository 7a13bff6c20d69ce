import { encodeHex } from "@twentysix/protocol";
import type { SqliteConnection } from "../sqlite/connection.ts";
import { derivedKey, derivedLeaf } from "./derived-leaf.ts";
import { DERIVED_KINDS } from "./dirty.ts";
import { sha256 } from "./leaf.ts";
import { type Leaf, MerkleTree } from "./merkle-tree.ts";

/** Names how the root is computed; a change of any digest changes it. */
export const STATE_ROOT_ALGORITHM = "twentysix-merkle-sha256-v1";

/** Changes handled in one go, so that the writer is never held up long. */
const SLICE = 256;
/** Changes that may wait while the writer is busy. */
const MAX_BACKLOG = 200_000;

const MESSAGES = 0;
const DERIVED = 1;
const WATERMARK = "merkle_seq";

export interface StateRoot {
  /** Lower-case hexadecimal. */
  readonly root: string;
  /** Messages accepted or forgotten. */
  readonly count: number;
}

/**
 * The Merkle trees over messages and over what they derive, kept by following the event log: the log says which
 * items changed, `derived_dirty` which derived entities. Nothing is lost by a crash in between.
 */
export class StateTree {
  readonly #connection: SqliteConnection;
  readonly #messages: MerkleTree;
  readonly #derived: MerkleTree;

  constructor(connection: SqliteConnection) {
    this.#connection = connection;
    this.#messages = new MerkleTree(connection, MESSAGES, (from, to, limit) =>
      readItems(connection, from, to, limit),
    );
    this.#derived = new MerkleTree(connection, DERIVED, (from, to, limit) =>
      readDerived(connection, from, to, limit),
    );
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

  /** Advances by one slice when too much has piled up. */
  relieve(): void {
    if (this.#lastSeq() - this.#watermark() > MAX_BACKLOG) this.advance();
  }

  /** Follows the log by one slice; false when there was nothing to follow. */
  advance(): boolean {
    const watermark = this.#watermark();
    const rows = this.#connection.all<{ seq: number; hash: Uint8Array }>(
      "SELECT e.seq, i.hash FROM events e JOIN items i ON i.id = e.item_id WHERE e.seq > ? ORDER BY e.seq LIMIT ?",
      watermark,
      SLICE,
    );
    const dirty = this.#connection.all<{ kind: number; name: string }>(
      "SELECT kind, name FROM derived_dirty LIMIT ?",
      SLICE,
    );
    if (rows.length === 0 && dirty.length === 0) return false;
    this.#connection.transaction(() => {
      this.#messages.update(distinct(rows.map((row) => row.hash)));
      this.#derived.update(dirty.map((row) => this.#refreshDerived(row.kind, row.name)));
      const reached = rows.at(-1)?.seq ?? watermark;
      if (reached !== watermark) {
        this.#connection.run(
          "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)",
          WATERMARK,
          String(reached),
        );
      }
    });
    return true;
  }

  #refreshDerived(kindCode: number, name: string): Uint8Array {
    const kind = DERIVED_KINDS[kindCode];
    if (kind === undefined)
      throw new Error(`The database holds derived kind ${kindCode}, which is not known`);
    const key = derivedKey(kind, name);
    const digest = derivedLeaf(this.#connection, kind, name);
    if (digest === null) this.#connection.run("DELETE FROM derived_leaves WHERE key = ?", key);
    else
      this.#connection.run("INSERT OR REPLACE INTO derived_leaves (key, digest) VALUES (?, ?)", key, digest);
    this.#connection.run("DELETE FROM derived_dirty WHERE kind = ? AND name = ?", kindCode, name);
    return key;
  }

  #watermark(): number {
    const row = this.#connection.get<{ value: string }>("SELECT value FROM meta WHERE key = ?", WATERMARK);
    return row === undefined ? 0 : Number(row.value);
  }

  #lastSeq(): number {
    return this.#connection.get<{ seq: number | null }>("SELECT max(seq) AS seq FROM events")?.seq ?? 0;
  }
}

function distinct(keys: readonly Uint8Array[]): Uint8Array[] {
  return [...new Map(keys.map((key) => [encodeHex(key), key])).values()];
}

function readItems(
  connection: SqliteConnection,
  from: Uint8Array,
  to: Uint8Array | null,
  limit: number,
): Leaf[] {
  const rows =
    to === null
      ? connection.all<{ hash: Uint8Array; leaf: Uint8Array }>(
          "SELECT hash, leaf FROM items WHERE hash >= ? AND leaf IS NOT NULL ORDER BY hash LIMIT ?",
          from,
          limit,
        )
      : connection.all<{ hash: Uint8Array; leaf: Uint8Array }>(
          "SELECT hash, leaf FROM items WHERE hash >= ? AND hash < ? AND leaf IS NOT NULL ORDER BY hash LIMIT ?",
          from,
          to,
          limit,
        );
  return rows.map((row) => ({ key: row.hash, digest: row.leaf }));
}

function readDerived(
  connection: SqliteConnection,
  from: Uint8Array,
  to: Uint8Array | null,
  limit: number,
): Leaf[] {
  return to === null
    ? connection.all<{ key: Uint8Array; digest: Uint8Array }>(
        "SELECT key, digest FROM derived_leaves WHERE key >= ? ORDER BY key LIMIT ?",
        from,
        limit,
      )
    : connection.all<{ key: Uint8Array; digest: Uint8Array }>(
        "SELECT key, digest FROM derived_leaves WHERE key >= ? AND key < ? ORDER BY key LIMIT ?",
        from,
        to,
        limit,
      );
}
