import type { SqlConnection } from "../sql/connection.ts";
import { PostgresConnection } from "./connection.ts";
import { DatabaseError } from "./database-error.ts";

/** Names the lock of the writer among those of the database. */
const WRITER_LOCK = 26_000_001;
/** The one who had it may be gone, and the server about to find out. */
const PATIENCE_MS = 10_000;
const LOCK_NOT_AVAILABLE = "55P03";

/**
 * Takes the right to write for as long as the session lasts, if nobody has it: the server takes it back when the
 * session ends, however that happens.
 */
export function tryWriterLease(connection: PostgresConnection): boolean {
  const row = connection.get<{ taken: number }>("SELECT pg_try_advisory_lock(?) AS taken", WRITER_LOCK);
  return row?.taken === 1;
}

/** What a node's writer calls its session; others that hold the lock are silent for as long as they work. */
export const WRITER_NAME = "twentysix writer";

/**
 * Ends the session of a writer that holds the right and does nothing: one whose process is stopped, or hangs, but whose
 * connection lives on. A writer shows life with a statement every few seconds, also when it has nothing to do. What it
 * had begun is rolled back.
 *
 * @returns the server's numbers of such sessions; one that is ending is named until it has ended
 */
export function endStoppedWriter(connection: PostgresConnection, stoppedAfterMs: number): readonly number[] {
  return connection
    .all<{ pid: number }>(END_STOPPED, WRITER_LOCK, WRITER_NAME, stoppedAfterMs)
    .map(({ pid }) => pid);
}

const END_STOPPED = `SELECT session.pid, pg_terminate_backend(session.pid) FROM pg_stat_activity AS session
  JOIN pg_locks AS held ON held.pid = session.pid AND held.database = session.datid
  WHERE held.locktype = 'advisory' AND held.classid = 0 AND held.objid = ? AND held.granted
    AND session.application_name = ? AND session.usename = current_user
    AND session.state IN ('idle', 'idle in transaction')
    AND session.state_change < clock_timestamp() - ? * interval '1 millisecond'`;

/** Shows that a writer is alive to whoever may take over. A database in this process needs no sign. */
export function showLife(connection: SqlConnection): void {
  if (connection instanceof PostgresConnection) connection.get("SELECT 1 AS alive");
}

/** Takes the right to write, with some patience. @throws DatabaseError DATABASE_IN_USE */
export function takeWriterLease(connection: PostgresConnection): void {
  connection.exec(`SET lock_timeout = ${PATIENCE_MS}`);
  try {
    connection.get("SELECT pg_advisory_lock(?)", WRITER_LOCK);
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.sqlState !== LOCK_NOT_AVAILABLE) throw error;
    const message = "another process writes to this database: stop it first, or use another database";
    throw new DatabaseError("DATABASE_IN_USE", message);
  }
  connection.exec("SET lock_timeout = 0");
}

/** Keeps writers away from the database of a server for as long as the connection is open. @throws DATABASE_IN_USE */
export function holdForWriting(connection: SqlConnection): void {
  if (connection instanceof PostgresConnection) takeWriterLease(connection);
}

/**
 * Makes whoever wrote before unable to write any more, even one that only slept and still takes itself for the
 * writer: each transaction from here on begins by checking that nobody came after. Needs the lease.
 */
export function beginEpoch(connection: PostgresConnection): void {
  const row = connection.transaction(() =>
    connection.get<{ epoch: number }>(
      "UPDATE writer_epoch SET epoch = epoch + 1, taken_at = now() RETURNING epoch",
    ),
  );
  if (row === undefined) throw new Error("The table of the writer's epoch is empty");
  connection.guardTransactions("SELECT assert_writer(?)", row.epoch);
}
