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

/** The same, with some patience. @throws DatabaseError DATABASE_IN_USE */
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
