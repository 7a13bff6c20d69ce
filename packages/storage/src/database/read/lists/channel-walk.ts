import { COUNTER_CODE } from "../../codes.ts";
import type { SqlConnection } from "../../sql/connection.ts";
import { type CursorScope, decodeCursor, encodeCursor } from "../cursor.ts";
import type { Dictionaries } from "../dictionary.ts";
import { sizeOfText } from "../long-text/item-text.ts";
import type { ReadBudget } from "../read-budget.ts";
import type { ItemText } from "../text-types.ts";
import type { CursorPage } from "../types.ts";
import type { ChunkRequest } from "./list-reader.ts";

const LIVE = `EXISTS (SELECT 1 FROM counters WHERE dimension = ${COUNTER_CODE.channel} AND a = c.id AND n > 0)`;
const FIRST = `SELECT c.id FROM channels AS c WHERE ${LIVE} ORDER BY c.channel LIMIT ?`;
const NEXT = `SELECT c.id FROM channels AS c, channels AS last
  WHERE last.id = ? AND c.channel > last.channel AND ${LIVE} ORDER BY c.channel LIMIT ?`;

/** Channels that were looked up at once. */
const STEP_CHANNELS = 1_000;
const SCOPE: CursorScope = { list: "channels", order: "asc", digest: "", times: 1, texts: 0 };

/** Channels that have live messages as JSON strings, by the bytes of their names. */
export function walkChannels(
  connection: SqlConnection,
  names: Dictionaries,
  { cursor, pageSize, maxBytes = Number.POSITIVE_INFINITY }: ChunkRequest,
  budget: ReadBudget,
): CursorPage {
  const last = decodeCursor(SCOPE, cursor)?.times[0];
  const limit = Math.min(pageSize, STEP_CHANNELS) + 1;
  budget.checkpoint();
  const ids =
    last === undefined
      ? connection.all<{ id: number }>(FIRST, limit)
      : connection.all<{ id: number }>(NEXT, last, limit);
  const items: ItemText[] = [];
  let bytes = 0;
  for (const { id } of ids.slice(0, limit - 1)) {
    const item = names.channels.textOf(id);
    items.push(item);
    bytes += sizeOfText(item);
    if (bytes >= maxBytes) break;
  }
  const lastId = ids[items.length - 1]?.id;
  const hasMore = items.length < ids.length && lastId !== undefined;
  return { items, nextCursor: hasMore ? encodeCursor(SCOPE, { times: [BigInt(lastId)], texts: [] }) : null };
}
