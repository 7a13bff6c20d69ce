/**
 * `DATABASE_LOST`: the server cannot be reached, ended the connection or has no room: whatever was not committed
 * is gone, and trying again later may help. `DATABASE_REFUSED`: it refused a statement. `DATABASE_TIMEOUT`: a
 * statement took longer than it may. `DATABASE_IN_USE`: another process has the right to write. `DATABASE_TAKEN_OVER`:
 * another process has taken it over, and this one must not write any more.
 */
export type DatabaseErrorCode =
  | "DATABASE_LOST"
  | "DATABASE_REFUSED"
  | "DATABASE_TIMEOUT"
  | "DATABASE_IN_USE"
  | "DATABASE_TAKEN_OVER";

/** A failure of the PostgreSQL server, or of the way to it. */
export class DatabaseError extends Error {
  readonly code: DatabaseErrorCode;
  /** SQLSTATE, where the server gave one. */
  readonly sqlState: string | null;

  constructor(code: DatabaseErrorCode, message: string, sqlState: string | null = null) {
    super(message);
    this.name = "DatabaseError";
    this.code = code;
    this.sqlState = sqlState;
  }
}

/** Classes of SQLSTATE that are no fault of the statement: connection, resources, operator, system. */
const LOST_CLASSES = new Set(["08", "53", "57", "58", "XX"]);
const CANCELED = "57014";
/** Raised by `assert_writer`. */
const TAKEN_OVER = "TW001";

/** The error that a failure of the server comes to. */
export function databaseErrorOf(message: string, sqlState: string | null): DatabaseError {
  if (sqlState === CANCELED) {
    return new DatabaseError("DATABASE_TIMEOUT", `The database gave a statement up: ${message}`, sqlState);
  }
  if (sqlState === TAKEN_OVER) {
    const advice = "this one ends, and may be started again as its standby";
    return new DatabaseError("DATABASE_TAKEN_OVER", `${message}: ${advice}`, sqlState);
  }
  if (sqlState === null || LOST_CLASSES.has(sqlState.slice(0, 2))) {
    const advice = "check that the PostgreSQL server runs, has room and can be reached";
    return new DatabaseError(
      "DATABASE_LOST",
      `The database cannot be used (${message}): ${advice}`,
      sqlState,
    );
  }
  return new DatabaseError("DATABASE_REFUSED", `The database refused a statement: ${message}`, sqlState);
}
