import type { SqliteConnection } from "../sqlite/connection.ts";

/** Names kept in memory by one dictionary; it starts again when it is full. */
const MAX_CACHED_NAMES = 20_000;

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
  readonly #connection: SqliteConnection;
  readonly #byName: string;
  readonly #byId: string;
  readonly #names = new Map<number, string>();
  readonly #ids = new Map<string, number>();

  constructor(connection: SqliteConnection, table: keyof typeof TABLES) {
    const column = TABLES[table];
    this.#connection = connection;
    this.#byName = `SELECT id FROM ${table} WHERE ${column} = ?`;
    this.#byId = `SELECT ${column} AS name FROM ${table} WHERE id = ?`;
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
    const key = Number(id);
    const cached = this.#names.get(key);
    if (cached !== undefined) return cached;
    const row = this.#connection.get<{ name: string }>(this.#byId, key);
    if (row === undefined)
      throw new RangeError(`dictionary entry ${key} is missing: restore the database from a copy`);
    this.#remember(key, row.name);
    return row.name;
  }

  #remember(id: number, name: string): void {
    if (this.#names.size >= MAX_CACHED_NAMES) {
      this.#names.clear();
      this.#ids.clear();
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

export function openDictionaries(connection: SqliteConnection): Dictionaries {
  return {
    addresses: new Dictionary(connection, "addresses"),
    channels: new Dictionary(connection, "channels"),
    labels: new Dictionary(connection, "labels"),
  };
}
