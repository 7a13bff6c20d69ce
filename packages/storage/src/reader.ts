/** The door of the reader thread: the lists of the database without files and the write side. */

export { STATUSES } from "./database/codes.ts";
export {
  type LogPart,
  type TreeLeaf,
  type TreeRange,
  TreeReads,
  type TreeState,
} from "./database/merkle/tree-reads.ts";
export { DatabaseError } from "./database/postgres/database-error.ts";
export { ChainRecords } from "./database/read/chain/chain-records-reader.ts";
export { FileLedger } from "./database/read/file-ledger.ts";
export { FactReader } from "./database/read/ledger/fact-reader.ts";
export { atOnce, type ReadByName } from "./database/read/promised-reads.ts";
export { type ReadBudget, UNLIMITED } from "./database/read/read-budget.ts";
export { ReadError } from "./database/read/read-error.ts";
export {
  createListReads,
  type ListName,
  type ListQueries,
  type SyncListReads,
} from "./database/read/sync-list-reads.ts";
export { createPointReads } from "./database/read/sync-point-reads.ts";
export type { SqlConnection } from "./database/sql/connection.ts";
export { openConnection } from "./database/sql/open-connection.ts";
