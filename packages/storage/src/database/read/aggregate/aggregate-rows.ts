import { createHash } from "node:crypto";
import { decodeItemHash } from "@twentysix/protocol";
import type { SqliteConnection } from "../../sqlite/connection.ts";
import type { Dictionaries } from "../dictionary.ts";
import type { AggregateEntry } from "../types.ts";
import { aggregateContent } from "./aggregate-content.ts";

const COLUMNS = `a.key_id, a.created_us, a.updated_us, a.last_id, f.hash AS first_hash, l.hash AS last_hash
  FROM aggregates AS a CROSS JOIN items AS f CROSS JOIN items AS l`;
const ONE = `SELECT ${COLUMNS} WHERE a.owner_id = ? AND a.key_id = ? AND f.id = a.first_id AND l.id = a.last_id`;
const ALL = `SELECT ${COLUMNS} WHERE a.owner_id = ? AND f.id = a.first_id AND l.id = a.last_id LIMIT ?`;
const WINNERS =
  "SELECT field, item_id FROM aggregate_fields WHERE owner_id = ? AND key_id = ? ORDER BY field";

/** Aggregates of one address that are read at once when no key is named. */
const MAX_AGGREGATES = 1_000;

interface Columns {
  readonly key_id: bigint;
  readonly created_us: bigint;
  readonly updated_us: bigint;
  readonly last_id: bigint;
  readonly first_hash: Uint8Array;
  readonly last_hash: Uint8Array;
}

export type AggregateVersion = Pick<AggregateEntry, "key" | "version" | "lastItemHash">;

/** Merged aggregates by owner and key. */
export class AggregateRows {
  readonly #connection: SqliteConnection;
  readonly #names: Dictionaries;

  constructor(connection: SqliteConnection, names: Dictionaries) {
    this.#connection = connection;
    this.#names = names;
  }

  entries(address: string, keys: readonly string[] | null): AggregateEntry[] {
    return this.#find(address, keys).map(({ ownerId, key, row }) => ({
      key,
      contentJson: aggregateContent(this.#connection, ownerId, Number(row.key_id)),
      createdMicros: row.created_us,
      updatedMicros: row.updated_us,
      firstItemHash: decodeItemHash(row.first_hash),
      lastItemHash: decodeItemHash(row.last_hash),
      version: this.#version(ownerId, row),
    }));
  }

  versions(address: string, keys: readonly string[] | null): AggregateVersion[] {
    return this.#find(address, keys).map(({ ownerId, key, row }) => ({
      key,
      version: this.#version(ownerId, row),
      lastItemHash: decodeItemHash(row.last_hash),
    }));
  }

  #find(
    address: string,
    keys: readonly string[] | null,
  ): { readonly ownerId: number; readonly key: string; readonly row: Columns }[] {
    const { addresses, labels } = this.#names;
    const ownerId = addresses.idOf(address);
    if (ownerId === null) return [];
    const rows =
      keys === null
        ? this.#connection.allBig<Columns>(ALL, ownerId, MAX_AGGREGATES)
        : labels.idsOf(keys).flatMap((keyId) => this.#connection.allBig<Columns>(ONE, ownerId, keyId));
    return rows
      .map((row) => ({ ownerId, key: labels.nameOf(row.key_id), row }))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  /**
   * Digest of which element won each field. The newest element alone does not tell: one that arrives late, or is
   * forgotten, changes other fields.
   */
  #version(ownerId: number, row: Columns): string {
    const winners = this.#connection.all<{ field: string; item_id: number }>(
      WINNERS,
      ownerId,
      Number(row.key_id),
    );
    const hash = createHash("sha256").update(`${row.last_id}`);
    for (const { field, item_id } of winners) hash.update(`\n${item_id} ${field}`);
    return hash.digest("base64url").slice(0, 22);
  }
}
