import { COUNTER_CODE, MESSAGE_TYPE_CODE, PIN_CODE } from "../codes.ts";
import type { SqlConnection } from "../sql/connection.ts";
import { typeOfEnvelope } from "./envelope-type.ts";

/** Raised when a counter joins those below. */
const COMPLETE = "1";
const MARK = "counters_complete";

/**
 * Counts what a database holds for counters that are younger than it, once. From then on they are kept by whatever
 * changes the rows.
 */
export function completeCounters(connection: SqlConnection): void {
  const mark = connection.get<{ value: string }>("SELECT value FROM meta WHERE key = ?", MARK);
  if (mark?.value === COMPLETE) return;
  connection.transaction(() => {
    for (const dimension of [COUNTER_CODE.candidates, COUNTER_CODE.graceBytes]) {
      connection.run("DELETE FROM counters WHERE dimension = ?", dimension);
    }
    countQueuedCopies(connection);
    countGraceBytes(connection);
    connection.run(
      "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
      MARK,
      COMPLETE,
    );
  });
}

function countQueuedCopies(connection: SqlConnection): void {
  const counts = new Map<number, number>();
  const query = "SELECT envelope FROM candidates WHERE next_attempt_us IS NOT NULL";
  for (const { envelope } of connection.iterateBig<{ envelope: string }>(query)) {
    const type = MESSAGE_TYPE_CODE[typeOfEnvelope(envelope)];
    counts.set(type, (counts.get(type) ?? 0) + 1);
  }
  for (const [type, n] of counts) {
    const dimension = COUNTER_CODE.candidates;
    connection.run("INSERT INTO counters (dimension, a, b, n) VALUES (?, 0, ?, ?)", dimension, type, n);
  }
}

function countGraceBytes(connection: SqlConnection): void {
  connection.run(
    `INSERT INTO counters (dimension, a, b, n) SELECT CAST(? AS BIGINT), 0, 0, coalesce(sum(f.size), 0)
     FROM pins p JOIN files f ON f.id = p.file_id WHERE p.kind = ?`,
    COUNTER_CODE.graceBytes,
    PIN_CODE.grace_period,
  );
}
