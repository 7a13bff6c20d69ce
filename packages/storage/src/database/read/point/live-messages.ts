import { EVENT_CODE, EVENT_KINDS, ORIGINS } from "../../codes.ts";
import type { SqlConnection } from "../../sql/connection.ts";
import { factsOfRow } from "../message/message-facts.ts";
import { type MessageRow, type MessageRows, unknownCode } from "../message/message-rows.ts";
import { renderMessage, renderWithoutContent } from "../message/render-message.ts";
import type { EventView, LiveChunk, LiveMessage } from "../types.ts";

const PROCESSED = `SELECT seq, item_id FROM events WHERE seq > ? AND kind = ${EVENT_CODE.processed} ORDER BY seq LIMIT ?`;
const EVENTS = "SELECT seq, kind, at_us, cause FROM events WHERE item_id = ? ORDER BY seq LIMIT 1000";
const LAST = "SELECT seq FROM events ORDER BY seq DESC LIMIT 1";

/**
 * Messages that became processed after an event; one that is gone again by now is left out. Ends with the message
 * that passes one of the limits.
 */
export function liveMessagesAfter(
  connection: SqlConnection,
  rows: MessageRows,
  afterSeq: number,
  limits: { readonly messages: number; readonly bytes: number },
): LiveChunk {
  const events = connection.all<{ seq: number; item_id: number }>(PROCESSED, afterSeq, limits.messages);
  const messages: LiveMessage[] = [];
  let bytes = 0;
  let seq = afterSeq;
  for (const [at, event] of events.entries()) {
    seq = event.seq;
    const row = rows.byId(event.item_id);
    if (row === null) continue;
    const message = liveMessage(connection, row, seq);
    messages.push(message);
    bytes += message.heldBytes;
    if (bytes >= limits.bytes && at + 1 < events.length) return { messages, seq, hasMore: true };
  }
  return { messages, seq, hasMore: events.length === limits.messages };
}

function liveMessage(connection: SqlConnection, row: MessageRow, seq: number): LiveMessage {
  return {
    seq,
    origin: ORIGINS[row.origin] ?? unknownCode("origin", row.origin),
    facts: factsOfRow(connection, row),
    heldBytes: Buffer.byteLength(row.envelope) + Buffer.byteLength(row.content ?? ""),
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
