import type { SqlConnection } from "../sql/connection.ts";
import { MIGRATIONS } from "./all.ts";

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
export function migrate(connection: SqlConnection): number {
  if (connection.dialect.name === "postgres") {
    connection.exec("CREATE TABLE IF NOT EXISTS schema_migrations (number BIGINT PRIMARY KEY)");
  }
  const current = schemaNumber(connection);
  const newest = MIGRATIONS.at(-1)?.number ?? 0;
  if (current > newest) throw new DatabaseTooNewError(current, newest);
  for (const migration of MIGRATIONS) {
    if (migration.number <= current) continue;
    connection.transaction(() => {
      const sql = migration.sql[connection.dialect.name];
      if (sql !== null) connection.exec(sql);
      setSchemaNumber(connection, migration.number);
    });
  }
  return newest;
}

/** The database is not (yet) as this version needs it, and this process must not change it. */
export class DatabaseTooOldError extends Error {
  readonly code = "DATABASE_TOO_OLD";

  constructor(found: number, needed: number) {
    super(
      `The database is at schema ${found} and this version needs ${needed}: start a node of this version that writes to it first.`,
    );
  }
}

/** For a process that only reads. @throws DatabaseTooNewError, DatabaseTooOldError */
export function assertNewestSchema(connection: SqlConnection): void {
  const newest = MIGRATIONS.at(-1)?.number ?? 0;
  const isThere = connection.get<{ found: number }>(
    "SELECT to_regclass('schema_migrations') IS NOT NULL AS found",
  );
  const current = isThere?.found === 1 ? schemaNumber(connection) : 0;
  if (current > newest) throw new DatabaseTooNewError(current, newest);
  if (current < newest) throw new DatabaseTooOldError(current, newest);
}

function schemaNumber(connection: SqlConnection): number {
  if (connection.dialect.name === "sqlite")
    return connection.get<{ user_version: number }>("PRAGMA user_version")?.user_version ?? 0;
  return (
    connection.get<{ last: number | null }>("SELECT max(number) AS last FROM schema_migrations")?.last ?? 0
  );
}

function setSchemaNumber(connection: SqlConnection, number: number): void {
  if (connection.dialect.name === "sqlite") connection.exec(`PRAGMA user_version = ${number}`);
  else connection.run("INSERT INTO schema_migrations (number) VALUES (?)", number);
}
