import { EVENT_CODE, EVENT_KINDS, ORIGINS } from "../../codes.ts";
import type { SqliteConnection } from "../../sqlite/connection.ts";
import { factsOfRow } from "../message/message-facts.ts";
import { type MessageRows, unknownCode } from "../message/message-rows.ts";
import { renderLive } from "../message/render-message.ts";
import type { EventView, LiveMessage } from "../types.ts";

const PROCESSED = `SELECT seq, item_id FROM events WHERE seq > ? AND kind = ${EVENT_CODE.processed} ORDER BY seq LIMIT ?`;
const EVENTS = "SELECT seq, kind, at_us, cause FROM events WHERE item_id = ? ORDER BY seq LIMIT 1000";
const LAST = "SELECT seq FROM events ORDER BY seq DESC LIMIT 1";

/** Messages that became processed after an event; one that is gone again by now is left out. */
export function liveMessagesAfter(
  connection: SqliteConnection,
  messages: MessageRows,
  afterSeq: number,
  limit: number,
): LiveMessage[] {
  const found: LiveMessage[] = [];
  for (const { seq, item_id } of connection.all<{ seq: number; item_id: number }>(
    PROCESSED,
    afterSeq,
    limit,
  )) {
    const row = messages.byId(item_id);
    if (row === null) continue;
    const { full, withoutContent } = renderLive(row);
    const origin = ORIGINS[row.origin] ?? unknownCode("origin", row.origin);
    found.push({ seq, origin, facts: factsOfRow(row), json: full, withoutContentJson: withoutContent });
  }
  return found;
}

/** The newest event number, 0 before the first. */
export function lastEventSeq(connection: SqliteConnection): number {
  return connection.get<{ seq: number }>(LAST)?.seq ?? 0;
}

export function eventsOfItem(connection: SqliteConnection, itemId: number): EventView[] {
  return connection
    .allBig<{ seq: bigint; kind: bigint; at_us: bigint; cause: string | null }>(EVENTS, itemId)
    .map(({ seq, kind, at_us, cause }) => ({
      seq: Number(seq),
      kind: EVENT_KINDS[Number(kind)] ?? unknownCode("event kind", kind),
      atMicros: at_us,
      cause,
    }));
}
