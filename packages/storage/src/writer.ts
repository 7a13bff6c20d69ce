/** The door of the writer thread: the write side of the database without files and lists, which it would only load. */
export { blobFilePath } from "./blobs/blob-paths.ts";
export { encodeCostLines } from "./database/cost-lines.ts";
export { type StateRoot, StateTree } from "./database/merkle/state-tree.ts";
export { assertNewestSchema, migrate } from "./database/migrations/migrate.ts";
export { DatabaseError } from "./database/postgres/database-error.ts";
export { holdForWriting } from "./database/postgres/writer-lease.ts";
export { paymentOfCode } from "./database/read/ledger/payment-code.ts";
export type { SqlConnection } from "./database/sql/connection.ts";
export { completeCounters } from "./database/write/complete-counters.ts";
export { isLive } from "./database/write/crowded-senders.ts";
export {
  CREDIT_ENTRY_COLUMNS,
  type CreditEntryRow,
  creditEntryOf,
} from "./database/write/ledger/credit-entries.ts";
export { MessageStore } from "./database/write/message-store.ts";
export { openWhenFree } from "./database/write/open-for-writing.ts";
