import { decodeItemHash, MESSAGE_TYPES } from "@twentysix/protocol";
import { COUNTER_CODE, EVENT_CODE, forgottenLeaf, type SqlConnection, STATUS_CODE } from "@twentysix/storage";

/** Tables that cannot be computed from messages: dictionaries, held files, what chains say. */
const GIVEN = ["addresses", "channels", "labels", "files", "confirmations"] as const;
/** Type of an item that is neither live nor forgotten, in the counters of statuses. */
const UNKNOWN_TYPE = -1;

/**
 * Copies into an empty database what a replay starts from: the dictionaries, the files held, the ids of items (so
 * that both databases can be compared row by row), and what is kept of forgotten messages. Which FORGETs hid those
 * is computed again from the FORGETs themselves.
 */
export function seedForReplay(stored: SqlConnection, computed: SqlConnection): void {
  computed.transaction(() => {
    for (const table of GIVEN) copyRows(stored, computed, `SELECT * FROM ${table}`, table);
    const live = `SELECT id, hash, 0 AS status, reception_us FROM items WHERE id IN (SELECT id FROM messages)
         OR id IN (SELECT id FROM removed WHERE copy_id IS NOT NULL)`;
    copyRows(stored, computed, live, "items");
    const gone = `SELECT DISTINCT content_hash AS hash, size, 0 AS type FROM removed
      WHERE content_hash IS NOT NULL AND content_hash NOT IN (SELECT hash FROM files)`;
    copyRows(stored, computed, gone, "files");
    const forgotten =
      "SELECT id, hash, status, reception_us FROM items WHERE status = 3 AND id IN (SELECT id FROM forgotten)";
    copyRows(stored, computed, forgotten, "items");
    const kept = "SELECT * FROM forgotten WHERE id IN (SELECT id FROM items WHERE status = 3)";
    copyRows(stored, computed, kept, "forgotten");
    prepareForgotten(computed);
    seedStatusCounters(computed);
  });
}

function copyRows(from: SqlConnection, to: SqlConnection, query: string, table: string): void {
  for (const row of from.iterateBig<Record<string, bigint | string | Uint8Array | null>>(query)) {
    const columns = Object.keys(row);
    const places = columns.map(() => "?").join(", ");
    to.run(`INSERT INTO ${table} (${columns.join(", ")}) VALUES (${places})`, ...Object.values(row));
  }
}

/** Gives every forgotten message its leaf, without FORGETs as yet, and puts it into the log that the root follows. */
function prepareForgotten(computed: SqlConnection): void {
  const rows = computed.all<{ id: number; hash: Uint8Array; parent: Uint8Array | null }>(
    "SELECT i.id, i.hash, f.parent FROM items i JOIN forgotten f ON f.id = i.id",
  );
  for (const { id, hash, parent } of rows) {
    const leaf = forgottenLeaf(decodeItemHash(hash), parent === null ? null : decodeItemHash(parent), []);
    computed.run("UPDATE items SET leaf = ? WHERE id = ?", leaf, id);
    computed.run("INSERT INTO events (item_id, kind, at_us) VALUES (?, ?, 0)", id, EVENT_CODE.forgotten);
  }
}

/** The writer counts an item out of its old status and into its new one. */
function seedStatusCounters(computed: SqlConnection): void {
  const set = (status: number, type: number, n: number): void => {
    computed.run(
      "INSERT INTO counters (dimension, a, b, n) VALUES (?, ?, ?, ?)",
      COUNTER_CODE.status,
      status,
      type,
      n,
    );
  };
  const live = computed.get<{ n: number }>("SELECT count(*) AS n FROM items WHERE status = 0")?.n ?? 0;
  set(STATUS_CODE.pending, UNKNOWN_TYPE, live);
  for (let type = 0; type < MESSAGE_TYPES.length; type += 1) {
    const found = computed.get<{ n: number }>(
      "SELECT count(*) AS n FROM forgotten f JOIN items i ON i.id = f.id WHERE i.status = 3 AND f.type = ?",
      type,
    );
    set(STATUS_CODE.forgotten, type, found?.n ?? 0);
  }
}
