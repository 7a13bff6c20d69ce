import { MESSAGE_TYPES } from "@twentysix/protocol";
import type { SqlValue } from "../../sqlite/connection.ts";
import type { Counters } from "../counters.ts";
import type { TimedSource } from "../timed/source.ts";

/** Counters that are kept by (value of the column, message type). */
export const COUNTED_COLUMNS = {
  sender_id: "sender",
  owner_id: "owner",
  channel_id: "channel",
  label_id: "label",
  chain_id: "chain",
} as const;

/** Live messages by time. */
export function messageSource(counters: Counters): TimedSource {
  return {
    table: "messages",
    time: "time_us",
    itemColumn: "id",
    always: null,
    tags: { table: "message_tags", rowId: "message_id" },
    enumerable: { type: MESSAGE_TYPES.map((_, code) => code) },
    estimate: (columns, values) =>
      countMessages(counters, new Map(columns.map((name, at) => [name, values[at] ?? []]))),
  };
}

/** How many live messages meet conditions on these columns together; null when no counter is kept for them. */
export function countMessages(
  counters: Counters,
  conditions: ReadonlyMap<string, readonly SqlValue[]>,
): number | null {
  const types = conditions.get("type")?.map(Number) ?? null;
  const columns = [...conditions.keys()].filter((column) => column !== "type");
  const values = (column: string): number[] => conditions.get(column)?.map(Number) ?? [];
  if (columns.length === 0) return types === null ? counters.get("total") : counters.sum("type", types, [0]);
  const [first, second] = columns.sort();
  if (columns.length === 1 && first !== undefined && first in COUNTED_COLUMNS) {
    return counters.sum(COUNTED_COLUMNS[first as keyof typeof COUNTED_COLUMNS], values(first), types);
  }
  if (columns.length === 2 && types === null && first === "channel_id" && second === "sender_id") {
    return counters.sum("senderChannel", values("sender_id"), values("channel_id"));
  }
  return null;
}
