import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { SchedulerError } from "../errors.ts";

const VERSION = 1;

const TABLES = `
  CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS vms (hash TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS nodes (hash TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS migrations (vm TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS pushes (node TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS history (
    id INTEGER PRIMARY KEY AUTOINCREMENT, vm TEXT NOT NULL, node TEXT NOT NULL, action TEXT NOT NULL,
    reason TEXT, at_ms INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS history_of_vm ON history (vm, id);
  CREATE INDEX IF NOT EXISTS history_of_node ON history (node, id);
  CREATE TABLE IF NOT EXISTS events (seq INTEGER PRIMARY KEY AUTOINCREMENT, record TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS decisions (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, input_digest TEXT NOT NULL,
    plan_digest TEXT NOT NULL, changes TEXT NOT NULL, input BLOB
  ) STRICT;
  CREATE TABLE IF NOT EXISTS samples (at_ms INTEGER PRIMARY KEY, record TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS failovers (node TEXT NOT NULL, at_ms INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS lease (id INTEGER PRIMARY KEY CHECK (id = 1), holder TEXT NOT NULL, until_ms INTEGER NOT NULL) STRICT;
`;

export type SqlRow = Record<string, SQLInputValue>;

/** The scheduler's file of SQLite: small rows of JSON, written in whole transactions that are synced. */
export class SchedulerDatabase implements Disposable {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /** @throws SchedulerError SCHEDULER_STATE_UNREADABLE for a file of a newer version */
  constructor(file: string) {
    mkdirSync(dirname(file), { recursive: true });
    this.#database = new DatabaseSync(file, { timeout: 5_000 });
    this.#database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = full;");
    this.#database.exec(TABLES);
    this.run("INSERT OR IGNORE INTO meta (key, value) VALUES ('version', ?)", String(VERSION));
    const [row] = this.all("SELECT value FROM meta WHERE key = 'version'");
    if (Number(row?.value) <= VERSION) return;
    this.#database.close();
    throw new SchedulerError(
      "SCHEDULER_STATE_UNREADABLE",
      `${file} was written by a newer version (${row?.value}): use that one, or another folder`,
    );
  }

  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#prepare(sql).run(...values).lastInsertRowid);
  }

  changes(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#prepare(sql).run(...values).changes);
  }

  all(sql: string, ...values: SQLInputValue[]): readonly SqlRow[] {
    return this.#prepare(sql).all(...values) as SqlRow[];
  }

  /** Changes whenever another connection has written. */
  version(): number {
    const [row] = this.all("PRAGMA data_version");
    return Number(row?.data_version ?? 0);
  }

  transaction<Result>(work: () => Result): Result {
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

  [Symbol.dispose](): void {
    this.#statements.clear();
    this.#database.close();
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}
