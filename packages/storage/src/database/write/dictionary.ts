import type { SqlConnection } from "../sql/connection.ts";

/** Entries kept in memory; the rest is one indexed read away. */
const MAX_CACHED = 100_000;

/**
 * Texts interned as integers in one table, with a cache in both directions. Belongs to the one writer: a
 * rolled-back transaction must `forget()` what it cached.
 */
export class Dictionary {
  readonly #connection: SqlConnection;
  readonly #table: string;
  readonly #column: string;
  readonly #withLower: boolean;
  readonly #ids = new Map<string, number>();
  readonly #texts = new Map<number, string>();
  /** Known not to be interned. */
  readonly #absent = new Set<string>();
  #nextId: number | null = null;

  constructor(connection: SqlConnection, table: "addresses" | "channels" | "labels", column: string) {
    this.#connection = connection;
    this.#table = table;
    this.#column = column;
    this.#withLower = table === "addresses";
  }

  /** Looks many texts up at once, so that none of them costs a round trip when it is interned. */
  prefetch(texts: Iterable<string>): void {
    const open = [...new Set(texts)].filter((text) => !this.#ids.has(text) && !this.#absent.has(text));
    if (this.#absent.size > MAX_CACHED) this.#absent.clear();
    this.#connection.together(
      open.map((text) => () => {
        if (this.find(text) === null) this.#absent.add(text);
      }),
    );
  }

  /** The id of a text, or null when it was never interned. */
  find(text: string): number | null {
    const cached = this.#ids.get(text);
    if (cached !== undefined) return cached;
    if (this.#absent.has(text)) return null;
    const row = this.#connection.get<{ id: number }>(
      `SELECT id FROM ${this.#table} WHERE ${this.#column} = ?`,
      text,
    );
    if (row === undefined) return null;
    this.#remember(text, row.id);
    return row.id;
  }

  /** The id of a text, interned now if it has to be. */
  intern(text: string): number {
    const known = this.find(text);
    if (known !== null) return known;
    const id = this.#newId();
    if (this.#withLower) {
      const insert = "INSERT INTO addresses (id, address, lower) VALUES (?, ?, ?)";
      this.#connection.run(insert, id, text, text.toLowerCase());
    } else {
      this.#connection.run(`INSERT INTO ${this.#table} (id, ${this.#column}) VALUES (?, ?)`, id, text);
    }
    this.#remember(text, id);
    return id;
  }

  internNullable(text: string | null): number | null {
    return text === null ? null : this.intern(text);
  }

  /** The text of an id that a row refers to. */
  text(id: number): string {
    const cached = this.#texts.get(id);
    if (cached !== undefined) return cached;
    const row = this.#connection.get<Record<string, string>>(
      `SELECT ${this.#column} AS text FROM ${this.#table} WHERE id = ?`,
      id,
    );
    const text = row?.text;
    if (text === undefined)
      throw new Error(`The database refers to ${this.#table} ${id}, which is not there`);
    this.#remember(text, id);
    return text;
  }

  textNullable(id: number | null): string | null {
    return id === null ? null : this.text(id);
  }

  forget(): void {
    this.#forgetEntries();
    this.#absent.clear();
    this.#nextId = null;
  }

  /** One writer holds the database, so ids are counted in memory. */
  #newId(): number {
    this.#nextId ??=
      (this.#connection.get<{ id: number | null }>(`SELECT max(id) AS id FROM ${this.#table}`)?.id ?? 0) + 1;
    const id = this.#nextId;
    this.#nextId += 1;
    return id;
  }

  #forgetEntries(): void {
    this.#ids.clear();
    this.#texts.clear();
  }

  #remember(text: string, id: number): void {
    this.#absent.delete(text);
    if (this.#ids.size >= MAX_CACHED) this.#forgetEntries();
    this.#ids.set(text, id);
    this.#texts.set(id, text);
  }
}
