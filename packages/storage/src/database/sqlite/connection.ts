import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";

/** A value that SQLite takes as a parameter. */
export type SqlValue = SQLInputValue;
/** One row; the caller states its shape. */
export type SqlRow = Record<string, unknown>;

export interface SqliteOptions {
  readonly readOnly?: boolean;
  /** Page cache of this connection. */
  readonly cacheBytes?: number;
  /** `full` syncs the log at every commit (the default for the writer). */
  readonly synchronous?: "full" | "normal" | "off";
  /** How long a statement waits for a lock held by another connection. */
  readonly busyTimeoutMs?: number;
}

/**
 * One connection of `node:sqlite` with a cache of prepared statements. Synchronous: it blocks the thread that
 * calls it, so the threads decide who may hold one.
 *
 * The `big` variants read integers as bigint, which columns in microseconds need (they pass 2^53).
 */
export class SqliteConnection {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

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

  /** Runs statements that return nothing. */
  exec(sql: string): void {
    this.#database.exec(sql);
  }

  run(sql: string, ...parameters: SqlValue[]): { changes: number; lastId: number } {
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

  /**
   * Rows one after the other, integers as bigint: for tables that do not fit into memory. The statement is open
   * until the last row was taken or the loop left.
   */
  *iterateBig<T = SqlRow>(sql: string, ...parameters: SqlValue[]): Generator<T, void, undefined> {
    const statement = this.#database.prepare(sql);
    statement.setReadBigInts(true);
    for (const row of statement.iterate(...parameters)) yield row as T;
  }

  /** Runs `work` in one immediate transaction; any exception rolls it back and is thrown on. */
  transaction<T>(work: () => T): T {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#database.exec("COMMIT");
      return result;
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
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
