import { decodeItemHash } from "@twentysix/protocol";
import type { SqlConnection } from "../../sql/connection.ts";
import type { Dictionaries } from "../dictionary.ts";
import type { ReadBudget } from "../read-budget.ts";
import type { AggregateEntry, AggregateOutline } from "../types.ts";
import { aggregateContent } from "./aggregate-content.ts";
import { type AggregateSize, addSizes, isNamedAtOnce, isSmall, sizeOfAggregate } from "./aggregate-size.ts";
import { aggregateVersion, longAggregateIdentity } from "./aggregate-version.ts";

const COLUMNS = `a.key_id, a.created_us, a.updated_us, a.last_id, f.hash AS first_hash, l.hash AS last_hash,
  octet_length(k.label) AS key_bytes
  FROM aggregates AS a CROSS JOIN items AS f CROSS JOIN items AS l CROSS JOIN labels AS k`;
const JOINED = "f.id = a.first_id AND l.id = a.last_id AND k.id = a.key_id";
const ONE = `SELECT ${COLUMNS} WHERE a.owner_id = ? AND a.key_id = ? AND ${JOINED}`;
const ALL = `SELECT ${COLUMNS} WHERE a.owner_id = ? AND ${JOINED} LIMIT ?`;

/** Aggregates of one address that are read at once when no key is named. */
const MAX_AGGREGATES = 1_000;
/** Of that many, longer keys are not held. */
const MAX_HELD_KEY_BYTES = 1_024;

interface Found {
  readonly ownerId: number;
  readonly keyId: number;
  readonly keyBytes: number;
  readonly lastId: bigint;
  readonly createdMicros: bigint;
  readonly updatedMicros: bigint;
  readonly firstItemHash: string;
  readonly lastItemHash: string;
}

export type AggregateVersion = Pick<AggregateEntry, "key" | "version" | "lastItemHash">;

/** Merged aggregates by owner and key. */
export class AggregateRows {
  readonly #connection: SqlConnection;
  readonly #names: Dictionaries;

  constructor(connection: SqlConnection, names: Dictionaries) {
    this.#connection = connection;
    this.#names = names;
  }

  /** Ordered by key. null: too large, or of too many fields, to be read at once. */
  entries(address: string, keys: readonly string[] | null): AggregateEntry[] | null {
    const found = this.#atOnce(address, keys, isSmall);
    if (found === null) return null;
    return found.map((one) => ({
      key: one.key,
      contentJson: aggregateContent(this.#connection, one.ownerId, one.keyId),
      createdMicros: one.createdMicros,
      updatedMicros: one.updatedMicros,
      firstItemHash: one.firstItemHash,
      lastItemHash: one.lastItemHash,
      version: aggregateVersion(this.#connection, one.ownerId, one.keyId, one.lastId),
    }));
  }

  /** What `entries` would give, without the contents. null: of too many fields to be looked at at once. */
  versions(address: string, keys: readonly string[] | null): AggregateVersion[] | null {
    const found = this.#atOnce(address, keys, isNamedAtOnce);
    if (found === null) return null;
    return found.map(({ key, lastItemHash, ownerId, keyId, lastId }) => ({
      key,
      version: aggregateVersion(this.#connection, ownerId, keyId, lastId),
      lastItemHash,
    }));
  }

  /** Aggregates of any size, by the id of their key. */
  outlines(address: string, keys: readonly string[] | null, budget: ReadBudget): AggregateOutline[] {
    return this.#find(address, keys).map(({ ownerId, keyId, keyBytes: _, lastId, ...rest }) => {
      budget.checkpoint();
      const identity = longAggregateIdentity(this.#connection, ownerId, keyId, lastId, budget);
      const key = this.#names.labels.textOf(keyId, MAX_HELD_KEY_BYTES);
      const content = { kind: "aggregate", ownerId, keyId, ...identity } as const;
      return { ...rest, key, version: identity.version, content };
    });
  }

  /** By key; null as soon as they are found to be more than what is read at once. */
  #atOnce(
    address: string,
    keys: readonly string[] | null,
    fits: (size: AggregateSize) => boolean,
  ): (Found & { readonly key: string })[] | null {
    const found = this.#find(address, keys);
    let size: AggregateSize = { fields: 0, nameBytes: 0, bytes: 0 };
    for (const one of found) {
      const { keyBytes } = one;
      size = addSizes(size, { fields: 1, nameBytes: keyBytes, bytes: keyBytes });
      size = addSizes(size, sizeOfAggregate(this.#connection, one));
      if (!fits(size)) return null;
    }
    return found
      .map((one) => ({ ...one, key: this.#names.labels.nameOf(one.keyId) }))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  #find(address: string, keys: readonly string[] | null): Found[] {
    const { addresses, labels } = this.#names;
    const ownerId = addresses.idOf(address);
    if (ownerId === null) return [];
    const rows =
      keys === null
        ? this.#connection.allBig<Columns>(ALL, ownerId, MAX_AGGREGATES)
        : labels.idsOf(keys).flatMap((keyId) => this.#connection.allBig<Columns>(ONE, ownerId, keyId));
    return rows.map((row) => foundOf(ownerId, row));
  }
}

interface Columns {
  readonly key_id: bigint;
  readonly created_us: bigint;
  readonly updated_us: bigint;
  readonly last_id: bigint;
  readonly first_hash: Uint8Array;
  readonly last_hash: Uint8Array;
  readonly key_bytes: bigint;
}

function foundOf(ownerId: number, row: Columns): Found {
  return {
    ownerId,
    keyId: Number(row.key_id),
    keyBytes: Number(row.key_bytes),
    lastId: row.last_id,
    createdMicros: row.created_us,
    updatedMicros: row.updated_us,
    firstItemHash: decodeItemHash(row.first_hash),
    lastItemHash: decodeItemHash(row.last_hash),
  };
}
