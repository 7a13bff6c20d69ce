import type { SqlConnection } from "../sql/connection.ts";
import { LONG_TEXT_BYTES, longText } from "./long-text/item-text.ts";
import type { ItemText } from "./text-types.ts";

/** Names kept in memory by one dictionary, and characters of them; it starts again when it is full. */
const MAX_CACHED_NAMES = 20_000;
const MAX_CACHED_CHARACTERS = 4_000_000;

const TABLES = {
  addresses: "address",
  channels: "channel",
  labels: "label",
} as const;

/**
 * One table of interned texts, both ways. Entries never change, so what was read once stays true; a name that
 * is not there is asked again each time.
 */
export class Dictionary {
  readonly #connection: SqlConnection;
  readonly #table: keyof typeof TABLES;
  readonly #byName: string;
  readonly #byId: string;
  readonly #shortById: string;
  readonly #quotedSize: string;
  readonly #names = new Map<number, string>();
  readonly #ids = new Map<string, number>();
  #cachedCharacters = 0;

  constructor(connection: SqlConnection, table: keyof typeof TABLES) {
    const column = TABLES[table];
    this.#connection = connection;
    this.#table = table;
    this.#quotedSize = `SELECT octet_length(${connection.dialect.quotedJson(column)}) AS bytes FROM ${table} WHERE id = ?`;
    this.#byName = `SELECT id FROM ${table} WHERE ${column} = ?`;
    this.#byId = `SELECT ${column} AS name FROM ${table} WHERE id = ?`;
    this.#shortById = `SELECT CASE WHEN octet_length(${column}) > ? THEN NULL ELSE ${column} END AS name
      FROM ${table} WHERE id = ?`;
  }

  /** null when nothing stored has this name. */
  idOf(name: string): number | null {
    const cached = this.#ids.get(name);
    if (cached !== undefined) return cached;
    const row = this.#connection.get<{ id: number }>(this.#byName, name);
    if (row === undefined) return null;
    this.#remember(row.id, name);
    return row.id;
  }

  /** The ids of those names that exist, without duplicates. */
  idsOf(names: readonly string[]): number[] {
    const ids = new Set<number>();
    for (const name of names) {
      const id = this.idOf(name);
      if (id !== null) ids.add(id);
    }
    return [...ids];
  }

  /** @throws RangeError for an id that was never given out: the database is damaged. */
  nameOf(id: number | bigint): string {
    return this.#read<string>(Number(id), this.#byId, []);
  }

  /** null for a name that is a long text: types of posts and keys of aggregates have no limit of their own. */
  shortNameOf(id: number | bigint, maxBytes = LONG_TEXT_BYTES): string | null {
    return this.#read<string | null>(Number(id), this.#shortById, [maxBytes]);
  }

  /** The name as a JSON string, to be read in pieces when it is longer than `maxBytes`. */
  textOf(id: number | bigint, maxBytes = LONG_TEXT_BYTES): ItemText {
    const name = this.shortNameOf(id, maxBytes);
    if (name !== null) return JSON.stringify(name);
    const row = this.#connection.get<{ bytes: number }>(this.#quotedSize, Number(id));
    return longText({
      kind: "stored",
      of: this.#table,
      id: Number(id),
      member: null,
      sizeBytes: row?.bytes ?? 0,
    });
  }

  #read<Name extends string | null>(id: number, sql: string, parameters: readonly number[]): string | Name {
    const cached = this.#names.get(id);
    if (cached !== undefined) return cached;
    const row = this.#connection.get<{ name: Name }>(sql, ...parameters, id);
    if (row === undefined)
      throw new RangeError(`dictionary entry ${id} is missing: restore the database from a copy`);
    if (row.name !== null) this.#remember(id, row.name);
    return row.name;
  }

  #remember(id: number, name: string): void {
    this.#cachedCharacters += name.length;
    if (this.#names.size >= MAX_CACHED_NAMES || this.#cachedCharacters > MAX_CACHED_CHARACTERS) {
      this.#names.clear();
      this.#ids.clear();
      this.#cachedCharacters = name.length;
    }
    this.#names.set(id, name);
    this.#ids.set(name, id);
  }
}

/** The dictionaries of a database. */
export interface Dictionaries {
  readonly addresses: Dictionary;
  readonly channels: Dictionary;
  readonly labels: Dictionary;
}

export function openDictionaries(connection: SqlConnection): Dictionaries {
  return {
    addresses: new Dictionary(connection, "addresses"),
    channels: new Dictionary(connection, "channels"),
    labels: new Dictionary(connection, "labels"),
  };
}
