import { MESSAGE_TYPES, type MessageType } from "@twentysix/protocol";
import { PIN_KINDS } from "../../codes.ts";
import type { SqlConnection } from "../../sql/connection.ts";
import type { Counters } from "../counters.ts";
import type { NodeTotals } from "../types.ts";

/** Gauges of the node, all of them kept by the writer. */
export function nodeTotals(connection: SqlConnection, counters: Counters): NodeTotals {
  const pendingByType = MESSAGE_TYPES.map((type, code) => [type, counters.get("candidates", 0, code)]);
  return {
    liveMessages: counters.get("total"),
    filePins: counters.sum(
      "pins",
      PIN_KINDS.map((_, code) => code),
      [0],
    ),
    pendingMessages: counters.sum("candidates", [0], null),
    pendingByType: Object.fromEntries(pendingByType) as Record<MessageType, number>,
    graceBytes: counters.get("graceBytes"),
    nextAttemptMicros: nextAttemptMicros(connection),
    posts: counters.get("posts"),
    aggregates: counters.get("aggregates"),
  };
}

function nextAttemptMicros(connection: SqlConnection): bigint | null {
  const row = connection.getBig<{ next: bigint | null }>(
    "SELECT min(next_attempt_us) AS next FROM candidates WHERE next_attempt_us IS NOT NULL",
  );
  return row?.next ?? null;
}
