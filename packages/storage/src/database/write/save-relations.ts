import { type JsonObject, stringifyJson } from "@twentysix/protocol";
import type { Change, CopyFact } from "@twentysix/state";
import { EVENT_CODE, type EventKind, ORIGIN_CODE, type Origin } from "../codes.ts";
import { ALL_ROWS } from "../sql/connection.ts";
import type { WriterSession } from "./writer-session.ts";

/** How a copy came in, looked up by its exact text. */
export interface CopyOrigin {
  readonly origin: Origin;
  readonly receptionMicros: bigint;
}

/** Writes added copies, deletes dropped ones, and points the message at the served one. */
export function saveCopies(
  session: WriterSession,
  change: Change<readonly CopyFact[]>,
  originOf: (envelopeText: string) => CopyOrigin,
): void {
  const itemId = session.itemId(change.key);
  const before = change.before ?? [];
  const after = change.after ?? [];
  const kept = new Set(after.map((copy) => copy.envelopeText));
  for (const copy of before) {
    if (kept.has(copy.envelopeText)) continue;
    session.connection.run(
      "DELETE FROM copies WHERE item_id = ? AND envelope = ?",
      itemId,
      copy.envelopeText,
    );
  }
  const stored = new Set(before.map((copy) => copy.envelopeText));
  for (const copy of after) {
    const isNew = !stored.has(copy.envelopeText);
    const reserved = copy.served ? session.takeReservedCopyId(itemId) : null;
    const copyId = reserved ?? session.newCopyId();
    if (isNew) insertCopy(session, itemId, copyId, copy, originOf(copy.envelopeText));
    if (!copy.served || (isNew && reserved !== null)) continue;
    serve(session, itemId, isNew ? copyId : storedCopyId(session, itemId, copy.envelopeText));
  }
}

function insertCopy(
  session: WriterSession,
  itemId: number,
  id: number,
  copy: CopyFact,
  origin: CopyOrigin,
): void {
  session.connection.run(
    "INSERT INTO copies (id, item_id, envelope, content, origin, reception_us) VALUES (?, ?, ?, ?, ?, ?)",
    id,
    itemId,
    copy.envelopeText,
    copy.contentText,
    ORIGIN_CODE[origin.origin],
    origin.receptionMicros,
  );
}

function storedCopyId(session: WriterSession, itemId: number, envelopeText: string): number {
  const row = session.connection.get<{ id: number }>(
    "SELECT id FROM copies WHERE item_id = ? AND envelope = ?",
    itemId,
    envelopeText,
  );
  if (row === undefined) throw new Error(`A copy of item ${itemId} is not stored`);
  return row.id;
}

function serve(session: WriterSession, itemId: number, copyId: number): void {
  session.connection.run("UPDATE messages SET copy_id = ? WHERE id = ?", copyId, itemId);
}

/** Writes which FORGETs name a message. */
export function saveForgets(session: WriterSession, change: Change<readonly string[]>): void {
  const itemId = session.itemId(change.key);
  const before = new Set(change.before ?? []);
  const after = new Set(change.after ?? []);
  for (const forget of before) {
    if (after.has(forget)) continue;
    session.connection.run(
      "DELETE FROM forgets WHERE item_id = ? AND forget_id = ?",
      itemId,
      session.itemId(forget),
    );
  }
  for (const forget of after) {
    if (before.has(forget)) continue;
    session.connection.run(
      "INSERT INTO forgets (item_id, forget_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
      itemId,
      session.itemId(forget),
    );
  }
}

/** Writes whose delegations a live message relies on. */
export function saveDelegations(session: WriterSession, change: Change<readonly string[]>): void {
  const itemId = session.itemId(change.key);
  session.connection.run("DELETE FROM delegated_uses WHERE item_id = ?", itemId);
  for (const owner of change.after ?? []) {
    session.connection.run("INSERT INTO delegated_uses (owner, item_id) VALUES (?, ?)", owner, itemId);
  }
}

/** Appends to the event log, which is also the outbox; returns the sequence number. */
export function appendEvent(
  session: WriterSession,
  itemId: number,
  kind: EventKind,
  atMicros: bigint,
  cause: Readonly<Record<string, unknown>> | null,
): number {
  const seq = session.newEventSeq();
  session.connection.run(
    "INSERT INTO events (seq, item_id, kind, at_us, cause) VALUES (?, ?, ?, ?, ?)",
    seq,
    itemId,
    EVENT_CODE[kind],
    atMicros,
    cause === null ? null : stringifyJson(cause as JsonObject),
  );
  return seq;
}

/** Events kept of the attempts on one item that failed, so that what is sent again and again cannot fill the log. */
export const MAX_ATTEMPTS_PER_ITEM = 32;

/**
 * Drops the oldest events of failed attempts on an item. What follows the log misses nothing by it: the item has
 * newer events.
 */
export function trimAttempts(session: WriterSession, itemId: number): void {
  session.connection.run(
    `DELETE FROM events WHERE seq IN (SELECT seq FROM events WHERE item_id = ?
       AND kind IN (${EVENT_CODE.retry}, ${EVENT_CODE.rejected}) ORDER BY seq DESC LIMIT ${ALL_ROWS} OFFSET ?)`,
    itemId,
    MAX_ATTEMPTS_PER_ITEM,
  );
}
