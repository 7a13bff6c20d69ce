import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { SqlChanges, SqlConnection, SqlRow, SqlValue } from "../sql/connection.ts";
import { SQLITE } from "../sql/dialect.ts";
import { inTransaction } from "../sql/transactions.ts";

export interface SqliteOptions {
  readonly readOnly?: boolean;
  /** Page cache of this connection. */
  readonly cacheBytes?: number;
  /** `full` syncs the log at every commit (the default for the writer). */
  readonly synchronous?: "full" | "normal" | "off";
  /** How long a statement waits for a lock held by another connection. */
  readonly busyTimeoutMs?: number;
}

/** One connection of `node:sqlite` with a cache of prepared statements. */
export class SqliteConnection implements SqlConnection {
  readonly dialect = SQLITE;
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #writes = 0;
  #isInTransaction = false;

  constructor(path: string, options: SqliteOptions = {}) {
    this.#database = new DatabaseSync(path, {
      readOnly: options.readOnly ?? false,
      timeout: options.busyTimeoutMs ?? 5_000,
    });
    const cacheKib = Math.ceil((options.cacheBytes ?? 8 * 1024 * 1024) / 1024);
    this.#database.exec(`PRAGMA cache_size = -${cacheKib}; PRAGMA temp_store = memory;`);
    if (!options.readOnly) {
      this.#database.exec(
        `PRAGMA journal_mode = WAL; PRAGMA synchronous = ${options.synchronous ?? "full"}; PRAGMA foreign_keys = OFF;`,
      );
    }
  }

  get writes(): number | null {
    return this.#isInTransaction ? null : this.#writes;
  }

  exec(sql: string): void {
    this.#writes += 1;
    this.#database.exec(sql);
  }

  run(sql: string, ...parameters: SqlValue[]): SqlChanges & { readonly lastId: number } {
    this.#writes += 1;
    const result = this.#prepare(sql, false).run(...parameters);
    return { changes: Number(result.changes), lastId: Number(result.lastInsertRowid) };
  }

  get<T = SqlRow>(sql: string, ...parameters: SqlValue[]): T | undefined {
    return this.#prepare(sql, false).get(...parameters) as T | undefined;
  }

  all<T = SqlRow>(sql: string, ...parameters: SqlValue[]): T[] {
    return this.#prepare(sql, false).all(...parameters) as T[];
  }

  getBig<T = SqlRow>(sql: string, ...parameters: SqlValue[]): T | undefined {
    return this.#prepare(sql, true).get(...parameters) as T | undefined;
  }

  allBig<T = SqlRow>(sql: string, ...parameters: SqlValue[]): T[] {
    return this.#prepare(sql, true).all(...parameters) as T[];
  }

  *iterateBig<T = SqlRow>(sql: string, ...parameters: SqlValue[]): Generator<T, void, undefined> {
    const statement = this.#database.prepare(sql);
    statement.setReadBigInts(true);
    for (const row of statement.iterate(...parameters)) yield row as T;
  }

  together(work: Iterable<() => void>): void {
    for (const piece of work) piece();
  }

  begin(): void {
    this.#prepare("BEGIN IMMEDIATE", false).run();
    this.#writes += 1;
    this.#isInTransaction = true;
  }

  commit(): void {
    this.#prepare("COMMIT", false).run();
    this.#isInTransaction = false;
  }

  rollBack(): void {
    if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
    this.#isInTransaction = false;
  }

  transaction<T>(work: () => T): T {
    return inTransaction(this, work);
  }

  /** The whole database as bytes, for `fill` of another one. */
  copy(): Uint8Array {
    return this.#database.serialize();
  }

  /** Makes this database, which is new and in memory, the same as the one that was copied. */
  fill(copied: Uint8Array): void {
    this.#database.deserialize(copied);
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  #prepare(sql: string, big: boolean): StatementSync {
    const key = big ? `!${sql}` : sql;
    const known = this.#statements.get(key);
    if (known !== undefined) return known;
    if (this.#statements.size >= MAX_STATEMENTS) this.#statements.clear();
    const statement = this.#database.prepare(sql);
    if (big) statement.setReadBigInts(true);
    this.#statements.set(key, statement);
    return statement;
  }
}

/** Statements kept prepared by one connection; list filters make many shapes. */
const MAX_STATEMENTS = 400;
