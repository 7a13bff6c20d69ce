import type { SqlConnection } from "../sql/connection.ts";

/** A key whose leaf is to be computed again, with what it stands for. */
export interface ChangedKey {
  readonly key: Uint8Array;
  readonly kind: number | null;
  readonly name: string | null;
}

/**
 * Keys that changed, each once and in order, in a table of this connection alone: neighbours share buckets,
 * inner nodes and pages, so a tree is brought up to date for a fraction of what single keys would cost.
 */
export class ChangedKeys {
  readonly #connection: SqlConnection;
  readonly #table: string;
  #after: Uint8Array = new Uint8Array();

  constructor(connection: SqlConnection, name: "messages" | "derived") {
    this.#connection = connection;
    this.#table = `changed_${name}`;
    connection.exec(
      `CREATE TEMP TABLE IF NOT EXISTS ${this.#table} (key ${connection.dialect.bytesType} PRIMARY KEY, kind INTEGER, name TEXT)`,
    );
    this.clear();
  }

  /** Adds the items that events in (`afterSeq`, `toSeq`] are about. */
  addItemsOfEvents(afterSeq: number, toSeq: number): void {
    this.#connection.run(
      `INSERT INTO ${this.#table} (key)
       SELECT i.hash FROM events e CROSS JOIN items i WHERE e.seq > ? AND e.seq <= ? AND i.id = e.item_id
       ON CONFLICT DO NOTHING`,
      afterSeq,
      toSeq,
    );
  }

  add({ key, kind, name }: ChangedKey): void {
    this.#connection.run(
      `INSERT INTO ${this.#table} (key, kind, name) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
      key,
      kind,
      name,
    );
  }

  /** The next keys in order; none when all were taken. */
  take(limit: number): ChangedKey[] {
    const rows = this.#connection.all<ChangedKey>(
      `SELECT key, kind, name FROM ${this.#table} WHERE key > ? ORDER BY key LIMIT ?`,
      this.#after,
      limit,
    );
    this.#after = rows.at(-1)?.key ?? this.#after;
    return rows;
  }

  clear(): void {
    this.#connection.exec(this.#connection.dialect.emptyOwnTable(this.#table));
    this.#after = new Uint8Array();
  }
}
