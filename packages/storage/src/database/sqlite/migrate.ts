import { MIGRATIONS } from "../migrations/all.ts";
import type { SqlConnection } from "../sql/connection.ts";

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

function schemaNumber(connection: SqlConnection): number {
  if (connection.dialect.name === "sqlite")
    return connection.get<{ user_version: number }>("PRAGMA user_version")?.user_version ?? 0;
  connection.exec("CREATE TABLE IF NOT EXISTS schema_migrations (number BIGINT PRIMARY KEY)");
  return (
    connection.get<{ last: number | null }>("SELECT max(number) AS last FROM schema_migrations")?.last ?? 0
  );
}

function setSchemaNumber(connection: SqlConnection, number: number): void {
  if (connection.dialect.name === "sqlite") connection.exec(`PRAGMA user_version = ${number}`);
  else connection.run("INSERT INTO schema_migrations (number) VALUES (?)", number);
}
