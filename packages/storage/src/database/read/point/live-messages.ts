import { EVENT_CODE, EVENT_KINDS, ORIGINS } from "../../codes.ts";
import type { SqlConnection } from "../../sql/connection.ts";
import { factsOfRow } from "../message/message-facts.ts";
import { type MessageRow, type MessageRows, unknownCode } from "../message/message-rows.ts";
import { renderMessage, renderWithoutContent } from "../message/render-message.ts";
import type { EventView, LiveChunk, LiveLimits, LiveMessage, LiveRows } from "../types.ts";

const PROCESSED = `SELECT seq, item_id FROM events WHERE seq > ? AND kind = ${EVENT_CODE.processed} ORDER BY seq LIMIT ?`;
const EVENTS = "SELECT seq, kind, at_us, cause FROM events WHERE item_id = ? ORDER BY seq LIMIT 1000";
const LAST = "SELECT seq FROM events ORDER BY seq DESC LIMIT 1";

/**
 * Messages that became processed after an event; one that is gone again by now is left out. Ends with the message
 * that passes one of the limits.
 */
export function liveRowsAfter(
  connection: SqlConnection,
  messages: MessageRows,
  afterSeq: number,
  limits: LiveLimits,
): LiveRows {
  const events = connection.all<{ seq: number; item_id: number }>(PROCESSED, afterSeq, limits.messages);
  const rows: LiveRows["rows"][number][] = [];
  let bytes = 0;
  let seq = afterSeq;
  for (const [at, event] of events.entries()) {
    seq = event.seq;
    const row = messages.byId(event.item_id);
    if (row === null) continue;
    rows.push({ seq, row, facts: factsOfRow(connection, row) });
    bytes += heldBytesOf(row);
    if (bytes >= limits.bytes && at + 1 < events.length) return { rows, seq, hasMore: true };
  }
  return { rows, seq, hasMore: events.length === limits.messages };
}

export function liveChunkOf({ rows, seq, hasMore }: LiveRows): LiveChunk {
  return { messages: rows.map(liveMessage), seq, hasMore };
}

function heldBytesOf(row: MessageRow): number {
  return Buffer.byteLength(row.envelope) + Buffer.byteLength(row.content ?? "");
}

function liveMessage({ seq, row, facts }: LiveRows["rows"][number]): LiveMessage {
  return {
    seq,
    origin: ORIGINS[row.origin] ?? unknownCode("origin", row.origin),
    facts,
    heldBytes: heldBytesOf(row),
    full: () => renderMessage(row),
    withoutContent: () => renderWithoutContent(row),
  };
}

/** The newest event number, 0 before the first. */
export function lastEventSeq(connection: SqlConnection): number {
  return connection.get<{ seq: number }>(LAST)?.seq ?? 0;
}

export function eventsOfItem(connection: SqlConnection, itemId: number): EventView[] {
  return connection
    .allBig<{ seq: bigint; kind: bigint; at_us: bigint; cause: string | null }>(EVENTS, itemId)
    .map(({ seq, kind, at_us, cause }) => ({
      seq: Number(seq),
      kind: EVENT_KINDS[Number(kind)] ?? unknownCode("event kind", kind),
      atMicros: at_us,
      cause,
    }));
}
