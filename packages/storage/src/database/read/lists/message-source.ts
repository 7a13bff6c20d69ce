import { MESSAGE_TYPES } from "@twentysix/protocol";
import type { SqlValue } from "../../sql/connection.ts";
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

/** Combinations of values whose counters are added up to find out that a pair never occurs. */
const MAX_PAIRS = 64;

/**
 * How many live messages meet the conditions on two columns; null when that is not counted, or takes too long.
 * The counters of senders leave out what is about to be removed, so they cannot tell that nothing is there.
 */
export function messagesOfPair(
  counters: Counters,
  conditions: ReadonlyMap<string, readonly SqlValue[]>,
  first: string,
  second: string,
): number | null {
  const pair = [first, second].sort();
  const values = (column: string): number[] => conditions.get(column)?.map(Number) ?? [];
  if (values(first).length * values(second).length > MAX_PAIRS) return null;
  if (pair.join() === "channel_id,sender_id") {
    return counters.sum("senderChannel", values("sender_id"), values("channel_id"));
  }
  const column = pair[0] === "type" ? pair[1] : pair[0];
  if (!pair.includes("type") || column === undefined || column === "sender_id") return null;
  if (!(column in COUNTED_COLUMNS)) return null;
  return counters.sum(
    COUNTED_COLUMNS[column as keyof typeof COUNTED_COLUMNS],
    values(column),
    values("type"),
  );
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
