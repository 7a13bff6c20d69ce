import { migrate } from "../migrations/migrate.ts";
import { migrateInMemory } from "../migrations/migrate-in-memory.ts";
import { PostgresConnection } from "../postgres/connection.ts";
import {
  beginEpoch,
  endStoppedWriter,
  takeWriterLease,
  tryWriterLease,
  WRITER_NAME,
} from "../postgres/writer-lease.ts";
import type { SqlConnection } from "../sql/connection.ts";
import { type DatabaseLocation, isPostgresUrl } from "../sql/open-connection.ts";
import { SqliteConnection } from "../sqlite/connection.ts";
import { LogKeeper } from "../sqlite/log-keeper.ts";

/** A migration, or counting what older versions did not, may look at every row. */
const STATEMENT_TIMEOUT_MS = 600_000;
/** How SQLite calls a database without a file. */
const IN_MEMORY = ":memory:";

export interface WritableOptions {
  readonly path: DatabaseLocation;
  readonly cacheBytes?: number;
  /** `off` is for databases that are thrown away: a replay, a test of rules. */
  readonly synchronous?: "full" | "off";
  /** `apart` moves the log into the database on a thread of its own; the default leaves that to `checkpoint`. */
  readonly checkpoints?: "apart";
}

/** The connection of the one writer, over the newest schema. */
export interface WritableDatabase {
  readonly connection: SqlConnection;
  /** What keeps the log of a database in this process within its bounds; a server does so itself. */
  readonly log: LogKeeper | null;
}

/** @throws DatabaseError DATABASE_IN_USE when another process writes to the database of a server */
export function openForWriting(options: WritableOptions): WritableDatabase {
  if (!isPostgresUrl(options.path)) return openFile(options);
  const connection = openServer(options);
  takeWriterLease(connection);
  return begin(connection);
}

/** Much longer than a writer is silent that is not stopped. */
const STOPPED_AFTER_MS = 30_000;

export interface Standby {
  /** Waits before the server is asked again; rejects when the standby is to end. */
  readonly pause: () => Promise<void>;
  /** Told when the session of a writer was ended that had shown no life. */
  readonly onStopped?: () => void;
  /** A writer that has shown no life for so long is stopped (default 30 s). */
  readonly stoppedAfterMs?: number;
}

/** The same for a process that is a standby while another one writes: resolves when that one has gone, or is stopped. */
export async function openWhenFree(
  options: WritableOptions,
  { pause, onStopped = () => undefined, stoppedAfterMs = STOPPED_AFTER_MS }: Standby,
): Promise<WritableDatabase> {
  if (!isPostgresUrl(options.path)) return openFile(options);
  const connection = openServer(options);
  try {
    const ended = new Set<number>();
    while (!tryWriterLease(connection)) {
      for (const pid of endStoppedWriter(connection, stoppedAfterMs)) {
        if (!ended.has(pid)) onStopped();
        ended.add(pid);
      }
      await pause();
    }
    return begin(connection);
  } catch (error) {
    connection.close();
    throw error;
  }
}

function openServer({ path, synchronous = "full" }: WritableOptions): PostgresConnection {
  const connection = new PostgresConnection(path, {
    applicationName: WRITER_NAME,
    isLasting: true,
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
  });
  if (synchronous === "off") connection.exec("SET synchronous_commit = off");
  return connection;
}

function begin(connection: PostgresConnection): WritableDatabase {
  migrate(connection);
  beginEpoch(connection);
  return { connection, log: null };
}

function openFile(options: WritableOptions): WritableDatabase {
  const { path, cacheBytes, synchronous = "full" } = options;
  const connection = new SqliteConnection(path, {
    synchronous,
    ...(cacheBytes === undefined ? {} : { cacheBytes }),
  });
  if (path === IN_MEMORY) migrateInMemory(connection);
  else migrate(connection);
  return { connection, log: new LogKeeper(connection, path, options.checkpoints === "apart") };
}
