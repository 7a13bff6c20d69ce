/** The door of the reader thread: the lists of the database without files and the write side. */

export { DatabaseError } from "./database/postgres/database-error.ts";
export { type ReadBudget, UNLIMITED } from "./database/read/read-budget.ts";
export { ReadError } from "./database/read/read-error.ts";
export {
  createSqliteListReads,
  type ListName,
  type ListQueries,
  type SyncListReads,
} from "./database/read/sqlite-list-reads.ts";
export { openConnection } from "./database/sql/open-connection.ts";
