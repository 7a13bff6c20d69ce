/** The door of the reader thread: the lists of the database without files and the write side. */

export { FactReader } from "./database/read/ledger/fact-reader.ts";
export { type ReadBudget, UNLIMITED } from "./database/read/read-budget.ts";
export { ReadError } from "./database/read/read-error.ts";
export {
  createSqliteListReads,
  type ListName,
  type ListQueries,
  type SyncListReads,
} from "./database/read/sqlite-list-reads.ts";
export { SqliteConnection } from "./database/sqlite/connection.ts";
