import { decodeItemHash } from "@twentysix/protocol";
import { COUNTER_CODE, MESSAGE_TYPE_CODE } from "../../codes.ts";
import type { WriterSession } from "../writer-session.ts";

/** A place in the order of time. */
export interface MessagePlace {
  readonly timeMicros: bigint;
  readonly id: number;
}

/** The texts of a live message that uses resources. */
export interface PricedMessage {
  readonly place: MessagePlace;
  readonly itemHash: string;
  readonly receptionMicros: bigint;
  readonly envelopeText: string;
  readonly contentText: string | null;
}

const TYPES = (["STORE", "PROGRAM", "INSTANCE", "V-PROGRAM"] as const).map((type) => MESSAGE_TYPE_CODE[type]);

const ROW = `SELECT m.id, m.time_us, i.hash, i.reception_us, c.envelope, c.content
  FROM messages AS m CROSS JOIN items AS i CROSS JOIN copies AS c WHERE m.id = ? AND i.id = m.id AND c.id = m.copy_id`;
const IDS = TYPES.map(
  (type) => `SELECT id, time_us FROM messages WHERE type = ${type} AND (time_us, id) > (?, ?)`,
).join(" UNION ALL ");

const BEFORE_ALL: MessagePlace = { timeMicros: -(2n ** 63n), id: 0 };

/** Live messages that use resources, the oldest first. */
export function pricedMessages(
  session: WriterSession,
  after: MessagePlace | null,
  limit: number,
): PricedMessage[] {
  const { timeMicros, id } = after ?? BEFORE_ALL;
  return session.connection
    .all<{ id: number }>(
      `SELECT id FROM (${IDS} ORDER BY time_us, id LIMIT ?) AS ids`,
      ...TYPES.flatMap(() => [timeMicros, id]),
      limit,
    )
    .flatMap((row) => read(session, row.id));
}

export function countPricedMessages(session: WriterSession): number {
  const query = `SELECT coalesce(sum(n), 0) AS n FROM counters WHERE dimension = ? AND a IN (${TYPES.join()})`;
  return session.connection.get<{ n: number }>(query, COUNTER_CODE.type)?.n ?? 0;
}

export function pricedMessage(session: WriterSession, hash: string): PricedMessage | null {
  const id = session.findItem(hash);
  if (id === null) return null;
  const row = session.connection.get<{ type: number }>("SELECT type FROM messages WHERE id = ?", id);
  return row === undefined || !TYPES.includes(row.type) ? null : (read(session, id)[0] ?? null);
}

function read(session: WriterSession, messageId: number): PricedMessage[] {
  const row = session.connection.getBig<{
    id: bigint;
    time_us: bigint;
    hash: Uint8Array;
    reception_us: bigint;
    envelope: string;
    content: string | null;
  }>(ROW, messageId);
  if (row === undefined) return [];
  return [
    {
      place: { timeMicros: row.time_us, id: messageId },
      itemHash: decodeItemHash(row.hash),
      receptionMicros: row.reception_us,
      envelopeText: row.envelope,
      contentText: row.content,
    },
  ];
}
