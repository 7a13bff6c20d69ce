import type { SqlConnection, SqlRow } from "./connection.ts";

/**
 * Answers of the database that hold until something is written, for questions that an idle writer has again and again.
 * Of use only to the one that writes the database: others do not know when it changes.
 */
export class StandingReads {
  readonly #connection: Pick<SqlConnection, "getBig" | "writes">;
  readonly #rows = new Map<string, unknown>();
  #writes: number | null = null;

  constructor(connection: Pick<SqlConnection, "getBig" | "writes">) {
    this.#connection = connection;
  }

  /** One row, integers as bigint. @param sql one of a few texts, without parameters */
  getBig<T = SqlRow>(sql: string): T | undefined {
    const { writes } = this.#connection;
    if (writes === null) return this.#connection.getBig<T>(sql);
    if (writes !== this.#writes) this.#rows.clear();
    this.#writes = writes;
    if (!this.#rows.has(sql)) this.#rows.set(sql, this.#connection.getBig<T>(sql));
    return this.#rows.get(sql) as T | undefined;
  }
}
