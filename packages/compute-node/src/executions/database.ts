import { DatabaseSync } from "node:sqlite";

/** One after the other, each once; what was published is never changed. `user_version` counts them. */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE executions (
    id INTEGER PRIMARY KEY,
    vm_hash TEXT NOT NULL,
    vm_number INTEGER NOT NULL,
    state TEXT NOT NULL,
    desired TEXT NOT NULL,
    reason_code TEXT,
    reason_text TEXT,
    reason_at_ms INTEGER,
    kind TEXT NOT NULL,
    is_persistent INTEGER NOT NULL,
    source TEXT NOT NULL,
    owner TEXT NOT NULL,
    content TEXT NOT NULL,
    resolved TEXT,
    mode TEXT NOT NULL,
    defined_at_ms INTEGER NOT NULL,
    preparing_at_ms INTEGER,
    prepared_at_ms INTEGER,
    starting_at_ms INTEGER,
    started_at_ms INTEGER,
    stopping_at_ms INTEGER,
    stopped_at_ms INTEGER
  ) STRICT;
  CREATE UNIQUE INDEX executions_by_hash ON executions (vm_hash) WHERE state <> 'gone';
  CREATE UNIQUE INDEX executions_by_number ON executions (vm_number) WHERE state <> 'gone';
  CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;`,
];

/**
 * The database of a compute node: WAL, and every commit is on the disk before it is told.
 *
 * @throws Error when it was written by a newer version of this program
 */
export function openExecutionsDatabase(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  database.exec(
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000",
  );
  migrate(database, path);
  return database;
}

function migrate(database: DatabaseSync, path: string): void {
  const version = Number(database.prepare("PRAGMA user_version").get()?.user_version ?? 0);
  if (version > MIGRATIONS.length) {
    database.close();
    throw new Error(
      `${path} has schema ${version}, and this program knows ${MIGRATIONS.length}: start the version that wrote it`,
    );
  }
  for (const [index, statements] of MIGRATIONS.entries()) {
    if (index < version) continue;
    database.exec(`BEGIN IMMEDIATE; ${statements} PRAGMA user_version = ${index + 1}; COMMIT`);
  }
}
