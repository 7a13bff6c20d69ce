import { DatabaseSync } from "node:sqlite";
import type { SqliteConnection } from "../sqlite/connection.ts";
import { migrate } from "./migrate.ts";

/** Early versions of the runtime cannot copy a database in memory. */
const CAN_COPY = typeof DatabaseSync.prototype.deserialize === "function";

let migrated: Uint8Array | null = null;

/**
 * What `migrate` does, for a new database in memory. Of these a process may open thousands, one for each order of
 * messages that it tries: all but the first begin as copies, which takes a twentieth of the time.
 */
export function migrateInMemory(connection: SqliteConnection): void {
  if (migrated !== null) {
    connection.fill(migrated);
    return;
  }
  migrate(connection);
  if (CAN_COPY) migrated = connection.copy();
}
