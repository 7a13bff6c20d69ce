import { ALL_ROWS } from "../sql/connection.ts";
import type { WriterSession } from "./writer-session.ts";

/** Refused copies kept of one item: the first, which the API shows, and the newest. */
export const MAX_REFUSALS_PER_ITEM = 4;

/** A copy that can never be valid. */
export interface Refusal {
  readonly hash: string;
  /** Digest of what makes the copy distinct. */
  readonly identity: Uint8Array;
  /** The copy as received, capped by the caller. */
  readonly raw: string;
  readonly code: number;
  readonly detailsText: string | null;
  readonly atMicros: bigint;
  /** JSON of what was looked at where the copy was refused payment. */
  readonly paymentText: string | null;
}

/**
 * Records a refused copy beside whatever else is known of its hash. Needs the item row.
 *
 * @returns true when this is news: the copy was not among those kept, or was refused for another reason
 */
export function putRefusal(session: WriterSession, refusal: Refusal): boolean {
  const itemId = session.itemId(refusal.hash);
  const { connection } = session;
  const known = connection.get<{ id: number; code: number }>(
    "SELECT id, code FROM refusals WHERE item_id = ? AND identity = ?",
    itemId,
    refusal.identity,
  );
  if (known !== undefined) {
    connection.run(
      "UPDATE refusals SET code = ?, details = ?, at_us = ?, payment = ? WHERE id = ?",
      refusal.code,
      refusal.detailsText,
      refusal.atMicros,
      refusal.paymentText,
      known.id,
    );
    return known.code !== refusal.code;
  }
  connection.run(
    "INSERT INTO refusals (item_id, identity, raw, code, details, at_us, payment) VALUES (?, ?, ?, ?, ?, ?, ?)",
    itemId,
    refusal.identity,
    // What is malformed may hold anything, and not every database keeps a NUL in a text.
    refusal.raw.replaceAll("\u0000", "\ufffd"),
    refusal.code,
    refusal.detailsText,
    refusal.atMicros,
    refusal.paymentText,
  );
  makeRoom(session, itemId);
  return true;
}

function makeRoom(session: WriterSession, itemId: number): void {
  session.connection.run(
    `DELETE FROM refusals WHERE id IN (
       SELECT id FROM refusals WHERE item_id = ? AND id > (SELECT min(id) FROM refusals WHERE item_id = ?)
       ORDER BY at_us DESC, id DESC LIMIT ${ALL_ROWS} OFFSET ?)`,
    itemId,
    itemId,
    MAX_REFUSALS_PER_ITEM - 1,
  );
}

/** Forgets the refusals of copies that were accepted after all. */
export function dropRefusal(session: WriterSession, hash: string, identity: Uint8Array): void {
  const itemId = session.findItem(hash);
  if (itemId !== null) {
    session.connection.run("DELETE FROM refusals WHERE item_id = ? AND identity = ?", itemId, identity);
  }
}
