import { MIGRATIONS } from "../migrations/all.ts";
import type { SqliteConnection } from "./connection.ts";

/** The database was written by a newer version of this program. */
export class DatabaseTooNewError extends Error {
  readonly code = "DATABASE_TOO_NEW";

  constructor(found: number, known: number) {
    super(
      `The database is at schema ${found} and this version knows ${known}: start the newer version that wrote it.`,
    );
  }
}

/**
 * Brings the schema to the newest version, each migration in its own transaction.
 *
 * @returns the schema number reached
 * @throws DatabaseTooNewError when the database is ahead of this program
 */
export function migrate(connection: SqliteConnection): number {
  const row = connection.get<{ user_version: number }>("PRAGMA user_version");
  const current = row?.user_version ?? 0;
  const newest = MIGRATIONS.at(-1)?.number ?? 0;
  if (current > newest) throw new DatabaseTooNewError(current, newest);
  for (const migration of MIGRATIONS) {
    if (migration.number <= current) continue;
    connection.transaction(() => {
      connection.exec(migration.sql.sqlite);
      connection.exec(`PRAGMA user_version = ${migration.number}`);
    });
  }
  return newest;
}
