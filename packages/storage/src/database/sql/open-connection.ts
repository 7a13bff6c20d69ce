import { PostgresConnection } from "../postgres/connection.ts";
import { SqliteConnection } from "../sqlite/connection.ts";
import type { SqlConnection } from "./connection.ts";

/** Where a database is: the path of a file, or the URL of a PostgreSQL server and the database on it. */
export type DatabaseLocation = string;

export interface OpenOptions {
  readonly readOnly?: boolean;
  /** Page cache, where the engine is inside of this process. */
  readonly cacheBytes?: number;
  /** Shown by a server in its list of sessions. */
  readonly purpose?: string;
  /** How long a server works on one statement. */
  readonly statementTimeoutMs?: number;
}

export function isPostgresUrl(location: DatabaseLocation): boolean {
  return location.startsWith("postgres://") || location.startsWith("postgresql://");
}

/** A connection to whichever engine a location names. */
export function openConnection(location: DatabaseLocation, options: OpenOptions = {}): SqlConnection {
  const { purpose, statementTimeoutMs, cacheBytes, readOnly = false } = options;
  if (!isPostgresUrl(location)) {
    return new SqliteConnection(location, { readOnly, ...(cacheBytes === undefined ? {} : { cacheBytes }) });
  }
  return new PostgresConnection(location, {
    readOnly,
    applicationName: purpose === undefined ? "twentysix" : `twentysix ${purpose}`,
    ...(statementTimeoutMs === undefined ? {} : { statementTimeoutMs }),
  });
}
