export * from "./database/codes.ts";
export { ReadError, READ_ERROR_CODES, type ReadErrorCode } from "./database/read/read-error.ts";
export type * from "./database/read/types.ts";
export { EXTRA_FIELDS, PAYMENT_TYPES } from "./database/read/types.ts";
export type { Schema } from "./database/schema.ts";
export {
  SqliteConnection,
  type SqliteOptions,
  type SqlRow,
  type SqlValue,
} from "./database/sqlite/connection.ts";
export { migrate } from "./database/sqlite/migrate.ts";
