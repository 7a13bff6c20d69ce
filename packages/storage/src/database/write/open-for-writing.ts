import { PostgresConnection } from "../postgres/connection.ts";
import type { SqlConnection } from "../sql/connection.ts";
import { type DatabaseLocation, isPostgresUrl } from "../sql/open-connection.ts";
import { SqliteConnection } from "../sqlite/connection.ts";
import { LogKeeper } from "../sqlite/log-keeper.ts";

export interface WritableOptions {
  readonly path: DatabaseLocation;
  readonly cacheBytes?: number;
  /** `off` is for databases that are thrown away: a replay, a test of rules. */
  readonly synchronous?: "full" | "off";
  /** `apart` moves the log into the database on a thread of its own; the default leaves that to `checkpoint`. */
  readonly checkpoints?: "apart";
}

/** The connection of the one writer. */
export interface WritableDatabase {
  readonly connection: SqlConnection;
  /** What keeps the log of a database in this process within its bounds; a server does so itself. */
  readonly log: LogKeeper | null;
}

export function openForWriting(options: WritableOptions): WritableDatabase {
  const { path, cacheBytes, synchronous = "full" } = options;
  if (isPostgresUrl(path)) {
    const connection = new PostgresConnection(path, { applicationName: "twentysix writer" });
    if (synchronous === "off") connection.exec("SET synchronous_commit = off");
    return { connection, log: null };
  }
  const connection = new SqliteConnection(path, {
    synchronous,
    ...(cacheBytes === undefined ? {} : { cacheBytes }),
  });
  return { connection, log: new LogKeeper(connection, path, options.checkpoints === "apart") };
}
