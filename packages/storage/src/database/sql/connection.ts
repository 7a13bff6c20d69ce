import type { Dialect } from "./dialect.ts";

/** A value that a statement takes as a parameter. */
export type SqlValue = null | number | bigint | string | Uint8Array;
/** One row; the caller states its shape. */
export type SqlRow = Record<string, unknown>;

/** A limit that limits nothing, for an offset alone. */
export const ALL_ROWS = 9223372036854775807n;

/** What a statement that returns no rows did. */
export interface SqlChanges {
  /** Rows that it wrote or deleted. Where statements are sent together, asking for it sends them and waits. */
  readonly changes: number;
}

/**
 * One connection to the database of the node, whichever engine that is. Synchronous: it blocks the thread that
 * calls it, so the threads decide who may hold one. Statements are written with `?` for their parameters, in the
 * words that both engines know; where they differ, `dialect` says how.
 *
 * The `big` variants read integers as bigint, which columns in microseconds need (they pass 2^53). Truth values
 * are read as 0 and 1.
 */
export interface SqlConnection {
  readonly dialect: Dialect;
  /**
   * How often something was begun that writes through this connection: until it changes, what the only writer has read
   * holds. null within a transaction.
   */
  readonly writes: number | null;
  /** Runs statements that return nothing. */
  exec(sql: string): void;
  /** A failure may show only at the next read, or at the end of the transaction. */
  run(sql: string, ...parameters: SqlValue[]): SqlChanges;
  get<T = SqlRow>(sql: string, ...parameters: SqlValue[]): T | undefined;
  all<T = SqlRow>(sql: string, ...parameters: SqlValue[]): T[];
  getBig<T = SqlRow>(sql: string, ...parameters: SqlValue[]): T | undefined;
  allBig<T = SqlRow>(sql: string, ...parameters: SqlValue[]): T[];
  /**
   * Rows one after the other, integers as bigint: for tables that do not fit into memory. The statement is open
   * until the last row was taken or the loop left.
   */
  iterateBig<T = SqlRow>(sql: string, ...parameters: SqlValue[]): Generator<T, void, undefined>;
  /**
   * Runs pieces of work that only read, and of which none needs what another found. A connection to a server runs
   * a piece as often as it takes to ask for what all of them need in few round trips: what it does beside reading
   * must not matter when it is done again.
   */
  together(work: Iterable<() => void>): void;
  /** Opens a transaction that is going to write. */
  begin(): void;
  commit(): void;
  /** Gives up the open transaction. */
  rollBack(): void;
  /** Runs `work` in one transaction that writes; any exception rolls it back and is thrown on. */
  transaction<T>(work: () => T): T;
  close(): void;
}
