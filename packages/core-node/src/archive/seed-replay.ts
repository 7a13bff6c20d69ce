import type { SqliteConnection } from "@twentysix/storage";

/** Tables that a replay is given, since they cannot be computed from messages: dictionaries, held files. */
const GIVEN = ["addresses", "channels", "labels", "files"] as const;

/**
 * Copies into an empty database what a replay starts from: the dictionaries, the files held, and what is kept of
 * forgotten messages. Which FORGET hid them is computed again from the FORGETs themselves.
 */
export function seedForReplay(stored: SqliteConnection, computed: SqliteConnection): void {
  computed.transaction(() => {
    for (const table of GIVEN) copyRows(stored, computed, `SELECT * FROM ${table}`, table);
    copyRows(stored, computed, "SELECT id, hash, status, reception_us FROM items WHERE status = 3", "items");
    copyRows(stored, computed, "SELECT * FROM forgotten", "forgotten");
  });
}

function copyRows(from: SqliteConnection, to: SqliteConnection, query: string, table: string): void {
  for (const row of from.allBig<Record<string, bigint | string | Uint8Array | null>>(query)) {
    const columns = Object.keys(row);
    const places = columns.map(() => "?").join(", ");
    to.run(`INSERT INTO ${table} (${columns.join(", ")}) VALUES (${places})`, ...Object.values(row));
  }
}
